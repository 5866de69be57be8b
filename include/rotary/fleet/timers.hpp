#pragma once

#include <rotary/base/clock.hpp>

#include <chrono>
#include <functional>

namespace rotary::fleet {

// The control thread's time and turn, for what a fleet decides: the simulation moves its own.
class Timers {
public:
    Timers() = default;
    virtual ~Timers() = default;
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    virtual SteadyTime now() const = 0;
    virtual WallTime wall_now() const = 0;  // of the same moment
    // Control thread. Called once, then; never from within.
    virtual void after(std::chrono::milliseconds wait, std::function<void()> work) = 0;
    // From any thread: called on the control thread, in the order of a thread's calls.
    virtual void post(std::function<void()> work) = 0;
};

}  // namespace rotary::fleet
