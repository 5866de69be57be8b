#pragma once

#include <rotary/base/clock.hpp>

#include <chrono>
#include <functional>

namespace rotary::fleet {

// The control thread's time: its clocks, and work that is due later. The program's runs on its
// loop; tests and the simulation of a fleet move another one on.
class Schedule {
public:
    Schedule() = default;
    virtual ~Schedule() = default;
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    virtual SteadyTime now() const noexcept = 0;
    virtual WallTime wall_now() const noexcept = 0;
    // Never from within this call. What is still due when the schedule goes is dropped.
    virtual void after(std::chrono::microseconds delay, std::function<void()> work) = 0;
};

}  // namespace rotary::fleet
