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
    // From 2026-11-29T12:00:00Z on.
    WallTime wall_now() const override {
        return kNoon + std::chrono::duration_cast<WallTime::duration>(now_ - kBegin);
    }
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
    static constexpr SteadyTime kBegin{std::chrono::hours(1)};
    static constexpr WallTime kNoon =
        std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + std::chrono::hours(12);

    SteadyTime now_ = kBegin;
    std::uint64_t number_ = 0;
    std::map<std::pair<SteadyTime, std::uint64_t>, std::function<void()>> due_;
};

}  // namespace rotary::test
