#pragma once

#include <rotary/llm/told_limits.hpp>
#include <rotary/wire/message.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace rotary::llm {

// What a provider said about its limits, in one shape for all vendors (OpenAI, Azure, Anthropic).
struct RateLimitHints {
    // The wait it asked for: retry-after-ms, else retry-after (seconds, decimal, or HTTP-date).
    std::optional<std::chrono::milliseconds> retry_after;
    // True when a remaining counter that it sent is zero or less.
    bool exhausted = false;
    // Until the exhausted counters refill: the longest x-ratelimit-reset-* or
    // anthropic-ratelimit-*-reset among theirs (the nameless x-ratelimit-reset for a counter
    // without one); absent when none was readable.
    std::optional<std::chrono::milliseconds> reset;
};

// `now` is the wall clock, for dates. Malformed values are ignored one by one. `told` gets the
// numbers themselves, where there is one.
RateLimitHints read_rate_limit_hints(const wire::HeaderTable& headers,
                                     std::chrono::system_clock::time_point now,
                                     ToldLimits* told = nullptr) noexcept;

// "500", "30,000", "1s", "120ms", "6m0s", "1h2m3.5s", RFC 3339 and HTTP-date: time from now.
// Plain numbers are seconds; from a billion on they are Unix time, in seconds or milliseconds.
// Negative, past and malformed: nullopt. Rounded up, capped at 366 days.
std::optional<std::chrono::milliseconds> parse_wait(
    std::string_view text, std::chrono::system_clock::time_point now) noexcept;

}  // namespace rotary::llm
