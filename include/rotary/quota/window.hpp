#pragma once

#include <rotary/base/clock.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace rotary::quota {

// How long a window of a limit is. Windows begin at UTC's multiples of it, as APK's do.
enum class Unit : std::uint8_t { second, minute, hour, day };
std::string_view to_string(Unit unit) noexcept;
std::chrono::nanoseconds length_of(Unit unit) noexcept;

// [begin, end) of the wall clock. Any one will do: a calendar's month as well as a minute.
struct Window {
    WallTime begin;
    WallTime end;

    // Of windows that end with the clock, the widest there is.
    std::chrono::nanoseconds length() const noexcept;
    friend bool operator==(const Window&, const Window&) noexcept = default;
};
Window window_of(Unit unit, WallTime now) noexcept;

// Which window a moment is in, where windows are not a Unit's.
class Calendar {
public:
    virtual ~Calendar() = default;
    // On the path: may neither allocate nor wait. A later moment is never in an earlier window.
    virtual Window window(WallTime now) const noexcept = 0;
};

// As Go writes a duration, in milliseconds, rounded up: "12s", "59.5s", "1h2m0s", "20ms", "0s".
using DurationText = std::array<char, 32>;
// The view is into `text`. Negative ones are nothing.
std::string_view write_duration(std::chrono::nanoseconds duration, DurationText& text) noexcept;

}  // namespace rotary::quota
