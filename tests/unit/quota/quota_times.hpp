#pragma once

#include <rotary/quota/limit.hpp>

#include <cstdint>

namespace rotary::quota {

// 2026-11-29T12:00:00Z: where windows of every unit but a day begin.
inline const WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + std::chrono::hours(12);

inline WallTime noon_and(std::chrono::milliseconds more) { return kNoon + more; }

inline Terms minute_terms(std::int64_t limit, WallTime now) {
    return {window_of(Unit::minute, now), now, limit};
}

}  // namespace rotary::quota
