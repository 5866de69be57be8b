#include <rotary/quota/window.hpp>

#include <algorithm>
#include <cstdio>

namespace rotary::quota {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

// "59.5": whole seconds, and as many decimals as say something.
int write_seconds(char* out, std::size_t size, long long milliseconds) {
    const long long rest = milliseconds % 1000;
    const long long whole = milliseconds / 1000;
    if (rest == 0) return std::snprintf(out, size, "%llds", whole);
    int written = std::snprintf(out, size, "%lld.%03lld", whole, rest);
    while (out[written - 1] == '0') --written;
    out[written++] = 's';
    return written;
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
    int size = 0;
    if (milliseconds > 0 && milliseconds < 1000) {
        size = std::snprintf(out, text.size(), "%lldms", milliseconds);
        return {out, static_cast<std::size_t>(size)};
    }
    if (milliseconds >= kHour) {
        size += std::snprintf(out, text.size(), "%lldh", milliseconds / kHour);
    }
    if (milliseconds >= kMinute) {
        size += std::snprintf(out + size, text.size() - static_cast<std::size_t>(size), "%lldm",
                              milliseconds % kHour / kMinute);
    }
    size += write_seconds(out + size, text.size() - static_cast<std::size_t>(size),
                          milliseconds % kMinute);
    return {out, static_cast<std::size_t>(size)};
}

}  // namespace rotary::quota
