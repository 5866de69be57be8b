#pragma once

#include "gateway_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rotary::test {

// A client that asks at a steady pace until this goes.
class PacedClient {
public:
    // `request`: the one of that number.
    using NextRequest = std::function<Request(std::size_t number)>;
    PacedClient(const Gateway& gateway, std::chrono::milliseconds pause, NextRequest request)
        : thread_([this, &gateway, request = std::move(request), pause] {
              TestClient client = gateway.connect();
              for (std::size_t i = 0; !is_over(pause); ++i) take(client.exchange(request(i)));
          }) {}
    ~PacedClient() { stop(); }
    PacedClient(const PacedClient&) = delete;
    PacedClient& operator=(const PacedClient&) = delete;
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stops_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    std::size_t admitted() const {
        const std::lock_guard lock(mutex_);
        return admitted_.size();
    }
    std::size_t admitted_between(Clock::time_point from, Clock::time_point to) const {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(
            std::count_if(admitted_.begin(), admitted_.end(),
                          [&](Clock::time_point at) { return from <= at && at <= to; }));
    }
    std::size_t refused() const { return refused_; }  // by a limit
    std::string failures() const {
        const std::lock_guard lock(mutex_);
        return failures_;
    }

private:
    bool is_over(std::chrono::milliseconds pause) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, pause, [this] { return stops_; });
    }
    void take(const Response& response) {
        const bool is_limit =
            response.status == 429 && json_at(response.body, "error.code") == "rate_limit_exceeded";
        if (is_limit) ++refused_;
        const std::lock_guard lock(mutex_);
        if (response.status == 200) admitted_.push_back(Clock::now());
        if (response.status != 200 && !is_limit) failures_ += response.body + "\n";
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stops_ = false;
    std::vector<Clock::time_point> admitted_;
    std::atomic<std::size_t> refused_{0};
    std::string failures_;
    std::thread thread_;  // last: it uses the rest
};

}  // namespace rotary::test
