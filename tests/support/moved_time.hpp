#pragma once

#include <rotary/fleet/timers.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace rotary::test {

// A clock that stands until it is moved; what is due on the way is done at its time, in order. One
// thread.
class MovedTime final : public fleet::Timers {
public:
    SteadyTime now() const override { return now_; }
    void after(std::chrono::milliseconds wait, std::function<void()> work) override {
        at(now_ + wait, std::move(work));
    }
    void post(std::function<void()> work) override { at(now_, std::move(work)); }

    void at(SteadyTime when, std::function<void()> work) {
        due_.emplace(std::pair(std::max(when, now_), ++number_), std::move(work));
    }
    void move(std::chrono::nanoseconds by) { move_to(now_ + by); }
    void move_to(SteadyTime end) {
        while (!due_.empty() && due_.begin()->first.first <= end) {
            auto next = due_.extract(due_.begin());
            now_ = next.key().first;
            next.mapped()();
        }
        now_ = end;
    }

private:
    SteadyTime now_{std::chrono::hours(1)};
    std::uint64_t number_ = 0;
    std::map<std::pair<SteadyTime, std::uint64_t>, std::function<void()>> due_;
};

}  // namespace rotary::test
