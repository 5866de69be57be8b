#pragma once

#include <rotary/base/clock.hpp>

namespace rotary::test {

// While it lives the wall clock of this process stands where a test puts it; the steady clock goes
// on. One at a time, in a binary that has wall_clock.cpp among its sources.
class StandingWallClock {
public:
    explicit StandingWallClock(WallTime time) { put(time); }
    ~StandingWallClock();
    StandingWallClock(const StandingWallClock&) = delete;
    StandingWallClock& operator=(const StandingWallClock&) = delete;
    void put(WallTime time);
};

}  // namespace rotary::test
