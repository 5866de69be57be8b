#pragma once

#include <rotary/fleet/schedule.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace rotary::test {

// A clock that stands still until it is moved on, with all that becomes due on the way.
class SimulatedTime final : public fleet::Schedule {
public:
    explicit SimulatedTime(WallTime begin) : begin_(begin) {}

    SteadyTime now() const noexcept override { return SteadyTime(passed_); }
    WallTime wall_now() const noexcept override {
        return begin_ + std::chrono::duration_cast<WallTime::duration>(passed_);
    }
    void after(std::chrono::microseconds delay, std::function<void()> work) override {
        due_.emplace(passed_ + delay, std::move(work));
    }

    void run_for(std::chrono::nanoseconds time) { run_until(passed_ + time); }
    void run_until(std::chrono::nanoseconds until) {
        while (!due_.empty() && due_.begin()->first <= until) {
            const auto first = due_.extract(due_.begin());
            passed_ = first.key();
            first.mapped()();
        }
        passed_ = until;
    }
    std::chrono::nanoseconds passed() const noexcept { return passed_; }

private:
    WallTime begin_;
    std::chrono::nanoseconds passed_{0};
    std::multimap<std::chrono::nanoseconds, std::function<void()>> due_;  // in the order it came
};

}  // namespace rotary::test
