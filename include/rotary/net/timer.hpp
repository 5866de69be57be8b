#pragma once

#include <rotary/net/reactor.hpp>

#include <functional>

namespace rotary::net {

// A callback at a time, once: for what happens now and then. A wait of a coroutine has its deadline
// itself. The loop's thread's; destroyed, it does not fire.
class Timer : DeadlineNode {
public:
    explicit Timer(Reactor& reactor) noexcept;
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Instead of what it was set to.
    void start(SteadyTime::duration after, std::function<void()> callback);
    void cancel() noexcept;

private:
    Reactor& reactor_;
    std::function<void()> callback_;
};

}  // namespace rotary::net
