#include "llm/provider_waits.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/rate_limit_headers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace rotary::llm {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

struct CounterState {
    bool exhausted = false;
    std::optional<milliseconds> reset;
};
using Counters = std::array<CounterState, kToldCounters>;

struct NamedCounter {
    std::string_view name;
    ToldCounter counter;
};

// Behind "x-ratelimit-remaining" and "x-ratelimit-reset".
constexpr std::array<NamedCounter, 4> kPlainCounters{
    {{"", ToldCounter::all},
     {"-requests", ToldCounter::requests},
     {"-tokens", ToldCounter::tokens},
     {"-project-tokens", ToldCounter::project_tokens}}};

// Between "anthropic-ratelimit-" and "-remaining" or "-reset".
constexpr std::array<NamedCounter, 4> kAnthropicCounters{
    {{"requests", ToldCounter::requests},
     {"tokens", ToldCounter::tokens},
     {"input-tokens", ToldCounter::input_tokens},
     {"output-tokens", ToldCounter::output_tokens}}};

constexpr std::string_view kPlainPrefix = "x-ratelimit-";
constexpr std::string_view kAnthropicPrefix = "anthropic-ratelimit-";
constexpr std::string_view kRemaining = "remaining";
constexpr std::string_view kReset = "reset";
constexpr std::string_view kLimit = "limit";

constexpr std::size_t index(ToldCounter counter) noexcept {
    return static_cast<std::size_t>(counter);
}

// "0", "-1", "30,000", "0.5", of which the fraction is dropped; none when it is malformed.
struct Count {
    std::int64_t whole = 0;
    bool is_zero_or_less = false;
};
std::optional<Count> count_in(std::string_view text) noexcept {
    text = text::trim(text);
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const auto number = take_decimal(text, Grouping::thousands);
    if (!number || !text.empty()) return std::nullopt;
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto whole = static_cast<std::int64_t>(std::min(number->whole, kMost));
    return Count{negative ? -whole : whole,
                 negative || (number->whole == 0 && number->millionths == 0)};
}

// What the header lines say of all counters.
struct Reading {
    Counters counters{};
    ToldLimits* told;
    system_clock::time_point now;
};

void note_remaining(Reading& reading, ToldCounter counter, std::string_view value) noexcept {
    const auto count = count_in(value);
    if (!count) return;
    if (count->is_zero_or_less) reading.counters[index(counter)].exhausted = true;
    if (reading.told != nullptr) reading.told->note_remaining(counter, count->whole);
}

void note_limit(Reading& reading, ToldCounter counter, std::string_view value) noexcept {
    if (reading.told == nullptr) return;
    if (const auto count = count_in(value)) reading.told->note_limit(counter, count->whole);
}

void note_reset(Reading& reading, ToldCounter counter, std::string_view value) noexcept {
    if (const auto wait = parse_wait(value, reading.now)) {
        auto& reset = reading.counters[index(counter)].reset;
        reset = std::max(reset.value_or(milliseconds(0)), *wait);
    }
}

std::optional<ToldCounter> find(const std::array<NamedCounter, 4>& names,
                                std::string_view name) noexcept {
    for (const NamedCounter& known : names) {
        if (text::iequals(known.name, name)) return known.counter;
    }
    return std::nullopt;
}

void read_plain(Reading& reading, const wire::Header& header) noexcept {
    const std::string_view name = header.name.substr(kPlainPrefix.size());
    const auto counter = [name](std::string_view what) {
        return find(kPlainCounters, name.substr(what.size()));
    };
    if (text::istarts_with(name, kRemaining)) {
        if (const auto known = counter(kRemaining)) note_remaining(reading, *known, header.value);
    } else if (text::istarts_with(name, kReset)) {
        if (const auto known = counter(kReset)) note_reset(reading, *known, header.value);
    } else if (text::istarts_with(name, kLimit)) {
        if (const auto known = counter(kLimit)) note_limit(reading, *known, header.value);
    }
}

void read_anthropic(Reading& reading, const wire::Header& header) noexcept {
    const std::string_view name = header.name.substr(kAnthropicPrefix.size());
    const auto dash = name.rfind('-');
    if (dash == name.npos) return;
    const std::string_view what = name.substr(dash + 1);
    const auto counter = find(kAnthropicCounters, name.substr(0, dash));
    if (!counter) return;
    if (text::iequals(what, kRemaining))
        note_remaining(reading, *counter, header.value);
    else if (text::iequals(what, kReset))
        note_reset(reading, *counter, header.value);
    else if (text::iequals(what, kLimit))
        note_limit(reading, *counter, header.value);
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

std::string_view to_string(ToldCounter counter) noexcept {
    constexpr std::array<std::string_view, kToldCounters> kNames{
        "all", "requests", "tokens", "project_tokens", "input_tokens", "output_tokens"};
    return kNames[index(counter)];
}

RateLimitHints read_rate_limit_hints(const wire::HeaderTable& headers, system_clock::time_point now,
                                     ToldLimits* told) noexcept {
    Reading reading{{}, told, now};
    const Counters& counters = reading.counters;
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
                    read_plain(reading, header);
                }
                break;
            case 'a':
                if (text::istarts_with(header.name, kAnthropicPrefix)) {
                    read_anthropic(reading, header);
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
        const auto reset = counter.reset ? counter.reset : counters[index(ToldCounter::all)].reset;
        if (reset) hints.reset = std::max(hints.reset.value_or(milliseconds(0)), *reset);
    }
    return hints;
}

}  // namespace rotary::llm
