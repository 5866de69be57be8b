#pragma once

#include <rotary/base/task.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

namespace rotary::test {

// A task of the path that has been started, on a worker whose loop the test turns.
template <class T>
class Running {
public:
    explicit Running(Task<T> task) { spawn(keep(std::move(task), result_)); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    bool ended() const { return result_.has_value(); }
    // Turns the loop until the task has ended.
    T result(boost::asio::io_context& io) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!ended()) {
            io.run_one_for(std::chrono::milliseconds(100));
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
T run(boost::asio::io_context& io, Task<T> task) {
    Running<T> running(std::move(task));
    return running.result(io);
}

}  // namespace rotary::test
