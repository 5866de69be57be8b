#pragma once

#include <array>
#include <chrono>
#include <string_view>

// Both clocks as plain values. Decisions take a Now (or one of its halves) as a parameter, so a
// test simply passes the time it wants; there is no clock object to fake.
namespace rotary {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

struct Now {
    SteadyTime steady;  // for waits and durations
    WallTime wall;      // for what people read, and for dates that others send
};

// Exact to the nanosecond, 20-30 ns a clock.
Now read_clock() noexcept;
WallTime wall_now() noexcept;

// As of the kernel's last tick (1-4 ms ago), a few ns: for activity stamps and deadlines. Never
// ahead of the exact clock, so a duration from an exact start to a coarse end may be negative.
SteadyTime coarse_steady_now() noexcept;
WallTime coarse_wall_now() noexcept;
Now read_coarse_clock() noexcept;

// "2026-01-02T03:04:05.678Z" (RFC 3339, UTC, milliseconds cut off).
using TimestampBuffer = std::array<char, 24>;

// The view is into `buffer`. Years outside 0..9999 are clamped to that range.
std::string_view format_timestamp(WallTime time, TimestampBuffer& buffer) noexcept;

}  // namespace rotary
