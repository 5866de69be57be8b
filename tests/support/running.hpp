#pragma once

#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

namespace rotary::test {

// A round of the loop, which waits for something to happen.
inline void turn(net::Reactor& reactor) { reactor.run_once(std::chrono::seconds(1)); }

// Rounds until nothing is left to do at once. Returns whether anything was.
inline bool settle(net::Reactor& reactor) {
    bool any = false;
    while (reactor.run_once({})) any = true;
    return any;
}

inline void turn_for(net::Reactor& reactor, net::SteadyTime::duration time) {
    const net::SteadyTime end = reactor.exact_now() + time;
    while (reactor.exact_now() < end) reactor.run_once(end - reactor.exact_now());
}

// A task of the path that has been started, on a worker whose loop the test turns.
template <class T>
class Running {
public:
    explicit Running(Task<T> task) { spawn(keep(std::move(task), result_)); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    bool ended() const { return result_.has_value(); }
    // Turns the loop until the task has ended.
    T result(net::Reactor& reactor) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!ended()) {
            reactor.run_once(std::chrono::milliseconds(100));
            if (!ended() && std::chrono::steady_clock::now() > end) {
                throw std::runtime_error("the task still waits");
            }
        }
        return std::move(*result_);
    }

private:
    static Task<void> keep(Task<T> task, std::optional<T>& result) {
        auto ended = co_await task;
        result.emplace(std::move(ended));
    }
    std::optional<T> result_;
};

template <class T>
T run(net::Reactor& reactor, Task<T> task) {
    Running<T> running(std::move(task));
    return running.result(reactor);
}

}  // namespace rotary::test
