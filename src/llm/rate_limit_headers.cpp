#include "llm/provider_waits.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/rate_limit_headers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace rotary::llm {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

// What a provider counts. `all` is the one without a name.
enum Counter : std::size_t {
    kAll,
    kRequests,
    kTokens,
    kProjectTokens,
    kInputTokens,
    kOutputTokens,
    kCounters
};

struct CounterState {
    bool exhausted = false;
    std::optional<milliseconds> reset;
};
using Counters = std::array<CounterState, kCounters>;

struct NamedCounter {
    std::string_view name;
    Counter counter;
};

// Behind "x-ratelimit-remaining" and "x-ratelimit-reset".
constexpr std::array<NamedCounter, 4> kPlainCounters{{{"", kAll},
                                                      {"-requests", kRequests},
                                                      {"-tokens", kTokens},
                                                      {"-project-tokens", kProjectTokens}}};

// Between "anthropic-ratelimit-" and "-remaining" or "-reset".
constexpr std::array<NamedCounter, 4> kAnthropicCounters{{{"requests", kRequests},
                                                          {"tokens", kTokens},
                                                          {"input-tokens", kInputTokens},
                                                          {"output-tokens", kOutputTokens}}};

constexpr std::string_view kPlainPrefix = "x-ratelimit-";
constexpr std::string_view kAnthropicPrefix = "anthropic-ratelimit-";
constexpr std::string_view kRemaining = "remaining";
constexpr std::string_view kReset = "reset";

// "0", "-1", "0.0"; thousands separated or not. Malformed is not exhausted.
bool is_zero_or_less(std::string_view text) noexcept {
    text = text::trim(text);
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const auto number = take_decimal(text, Grouping::thousands);
    if (!number || !text.empty()) return false;
    return negative || (number->whole == 0 && number->millionths == 0);
}

CounterState* find(Counters& counters, const std::array<NamedCounter, 4>& names,
                   std::string_view name) noexcept {
    for (const NamedCounter& known : names) {
        if (text::iequals(known.name, name)) return &counters[known.counter];
    }
    return nullptr;
}

void note_remaining(CounterState* counter, std::string_view value) noexcept {
    if (counter != nullptr && is_zero_or_less(value)) counter->exhausted = true;
}

void note_reset(CounterState* counter, std::string_view value,
                system_clock::time_point now) noexcept {
    if (counter == nullptr) return;
    if (const auto wait = parse_wait(value, now)) {
        counter->reset = std::max(counter->reset.value_or(milliseconds(0)), *wait);
    }
}

void read_plain(Counters& counters, const wire::Header& header,
                system_clock::time_point now) noexcept {
    const std::string_view name = header.name.substr(kPlainPrefix.size());
    const auto counter = [&](std::string_view what) {
        return find(counters, kPlainCounters, name.substr(what.size()));
    };
    if (text::istarts_with(name, kRemaining))
        note_remaining(counter(kRemaining), header.value);
    else if (text::istarts_with(name, kReset))
        note_reset(counter(kReset), header.value, now);
}

void read_anthropic(Counters& counters, const wire::Header& header,
                    system_clock::time_point now) noexcept {
    const std::string_view name = header.name.substr(kAnthropicPrefix.size());
    const auto dash = name.rfind('-');
    if (dash == name.npos) return;
    const std::string_view what = name.substr(dash + 1);
    CounterState* counter = find(counters, kAnthropicCounters, name.substr(0, dash));
    if (text::iequals(what, kRemaining))
        note_remaining(counter, header.value);
    else if (text::iequals(what, kReset))
        note_reset(counter, header.value, now);
}

// The two waits a provider may ask for; the finer one wins.
struct Waits {
    std::optional<milliseconds> fine;
    std::optional<milliseconds> coarse;
};

void read_retry_after(Waits& waits, const wire::Header& header,
                      system_clock::time_point now) noexcept {
    if (text::iequals(header.name, "retry-after")) {
        if (!waits.coarse) waits.coarse = parse_wait(header.value, now);
    } else if (text::iequals(header.name, "retry-after-ms")) {
        if (!waits.fine) waits.fine = parse_milliseconds(header.value);
    }
}

}  // namespace

RateLimitHints read_rate_limit_hints(const wire::HeaderTable& headers,
                                     system_clock::time_point now) noexcept {
    Counters counters{};
    Waits waits;
    for (const wire::Header& header : headers) {
        if (header.name.empty()) continue;
        // Most lines are none of ours, and their first letter says so.
        switch (text::lower(header.name.front())) {
            case 'r':
                read_retry_after(waits, header, now);
                break;
            case 'x':
                if (text::istarts_with(header.name, kPlainPrefix)) {
                    read_plain(counters, header, now);
                }
                break;
            case 'a':
                if (text::istarts_with(header.name, kAnthropicPrefix)) {
                    read_anthropic(counters, header, now);
                }
                break;
            default:
                break;
        }
    }
    RateLimitHints hints;
    hints.retry_after = waits.fine ? waits.fine : waits.coarse;
    for (const CounterState& counter : counters) {
        if (!counter.exhausted) continue;
        hints.exhausted = true;
        // A counter without a reset of its own refills with the nameless one.
        const auto reset = counter.reset ? counter.reset : counters[kAll].reset;
        if (reset) hints.reset = std::max(hints.reset.value_or(milliseconds(0)), *reset);
    }
    return hints;
}

}  // namespace rotary::llm
