#include <rotary/quota/window.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace rotary::quota {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

// Puts a number and its unit behind what is written; returns the new end.
char* put(char* out, long long number, std::string_view unit) noexcept {
    constexpr std::ptrdiff_t kDigits = 20;
    out = std::to_chars(out, out + kDigits, number).ptr;
    return std::copy(unit.begin(), unit.end(), out);
}

// "59.5s": whole seconds, and as many decimals as say something.
char* put_seconds(char* out, long long milliseconds) noexcept {
    const long long rest = milliseconds % 1000;
    if (rest == 0) return put(out, milliseconds / 1000, "s");
    out = put(out, milliseconds / 1000, ".");
    for (const long long digit : {rest / 100, rest / 10 % 10, rest % 10}) {
        *out++ = static_cast<char>('0' + digit);
    }
    while (out[-1] == '0') --out;
    *out++ = 's';
    return out;
}

}  // namespace

std::string_view to_string(Unit unit) noexcept {
    switch (unit) {
        case Unit::second:
            return "second";
        case Unit::minute:
            return "minute";
        case Unit::hour:
            return "hour";
        case Unit::day:
            return "day";
    }
    return "minute";
}

Nanoseconds length_of(Unit unit) noexcept {
    switch (unit) {
        case Unit::second:
            return std::chrono::seconds(1);
        case Unit::minute:
            return std::chrono::minutes(1);
        case Unit::hour:
            return std::chrono::hours(1);
        case Unit::day:
            return std::chrono::hours(24);
    }
    return std::chrono::minutes(1);
}

Nanoseconds Window::length() const noexcept {
    const auto first = begin.time_since_epoch().count();
    Nanoseconds::rep length = 0;
    const bool is_wider = __builtin_sub_overflow(end.time_since_epoch().count(), first, &length);
    return is_wider ? Nanoseconds::max() : Nanoseconds(length);
}

Window window_of(Unit unit, WallTime now) noexcept {
    const Nanoseconds length = length_of(unit);
    Nanoseconds into = Nanoseconds(now.time_since_epoch()) % length;
    if (into.count() < 0) into += length;  // a clock before 1970
    return {now - into, now - into + length};
}

std::string_view write_duration(Nanoseconds duration, DurationText& text) noexcept {
    const auto milliseconds =
        std::max<long long>(0, std::chrono::ceil<std::chrono::milliseconds>(duration).count());
    constexpr long long kMinute = 60'000;
    constexpr long long kHour = 60 * kMinute;
    char* out = text.data();
    if (milliseconds > 0 && milliseconds < 1000) {
        out = put(out, milliseconds, "ms");
    } else {
        if (milliseconds >= kHour) out = put(out, milliseconds / kHour, "h");
        if (milliseconds >= kMinute) out = put(out, milliseconds % kHour / kMinute, "m");
        out = put_seconds(out, milliseconds % kMinute);
    }
    return {text.data(), static_cast<std::size_t>(out - text.data())};
}

}  // namespace rotary::quota
