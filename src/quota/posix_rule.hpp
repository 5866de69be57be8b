#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rotary::quota {

// On which day of a year, and when by the clocks that rule until then.
struct PosixMoment {
    enum class Kind { nth_weekday, julian, zero_based };
    Kind kind = Kind::nth_weekday;
    unsigned month = 1;
    unsigned week = 1;  // 5: the last
    unsigned day = 0;   // of the week, Sunday is 0; else of the year
    std::chrono::seconds time{7200};

    std::chrono::local_seconds in(std::chrono::year year) const noexcept;
};

struct PosixSummer {
    std::chrono::seconds offset{0};  // ahead of UTC
    PosixMoment begin;
    PosixMoment end;
};

// The rule that ends a file of the tz database: "CET-1CEST,M3.5.0,M10.5.0/3" (RFC 8536, section
// 3.3.1), for the years that the file does not list.
struct PosixRule {
    std::chrono::seconds standard{0};   // ahead of UTC
    std::optional<PosixSummer> summer;  // none: all year alike
};

std::optional<PosixRule> parse_posix_rule(std::string_view text);

}  // namespace rotary::quota
