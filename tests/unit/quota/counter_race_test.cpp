#include <rotary/quota/counter_table.hpp>

#include <gtest/gtest.h>

#include "support/in_parallel.hpp"
#include "unit/quota/quota_times.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

class Racing : public testing::TestWithParam<unsigned> {};

// 1,000 requests of 100 tokens at once, none of them settled yet, against 10,000.
TEST_P(Racing, AdmitsNoMoreThanTheLimitHolds) {
    Counter counter;
    std::atomic<unsigned> admitted{0};
    test::in_parallel(GetParam(), [&](std::size_t) {
        for (unsigned i = 0; i < 1000 / GetParam(); ++i) {
            if (counter.take(minute_terms(10'000, kNoon), 100).admitted) ++admitted;
        }
    });
    EXPECT_EQ(admitted, 100u);
    EXPECT_EQ(counter.latest().used, 10'000);
}

TEST_P(Racing, LosesAndInventsNothing) {
    Counter counter;
    std::barrier together(GetParam());  // else each is through before the next has started
    test::in_parallel(GetParam(), [&](std::size_t) {
        together.arrive_and_wait();
        for (int i = 0; i < 30'000; ++i) {
            const Terms terms = minute_terms(1'000'000'000'000, kNoon + 1ms * i);
            const Taken taken = counter.take(terms, 100);
            if (i % 3 == 0) {
                counter.undo(taken.window, 100);
            } else {
                counter.settle(terms, taken.window, 100, 70);
            }
        }
    });
    const std::int64_t served = 30'000 - 10'000;
    EXPECT_EQ(counter.latest().used, served * 70 * GetParam());
}

// How far each of some threads has come, for those that go ahead to wait for the others.
class Pace {
public:
    explicit Pace(std::size_t threads) : at_(threads) {}
    void reach(std::size_t thread, int step, int most_ahead) {
        at_[thread] = step;
        const auto is_slow = [&](const std::atomic<int>& other) {
            return other < step - most_ahead;
        };
        while (std::any_of(at_.begin(), at_.end(), is_slow)) std::this_thread::yield();
    }
    void leave(std::size_t thread) { at_[thread] = std::numeric_limits<int>::max(); }

private:
    std::vector<std::atomic<int>> at_;
};

// All cross many boundaries, each at its own time, as one clock has it: no thread is as far behind
// as a clock that was stepped back. Every window ends with what was taken in it.
TEST_P(Racing, CountsEachWindowForItself) {
    Counter counter;
    std::atomic<std::int64_t> admitted{0};
    constexpr int kWindows = 200;
    Pace pace(GetParam());
    test::in_parallel(GetParam(), [&](std::size_t thread) {
        for (int i = 0; i < kWindows * 10; ++i) {
            pace.reach(thread, i, 9);
            const Terms terms = minute_terms(5, kNoon + 6s * i);
            if (counter.take(terms, 1).admitted) ++admitted;
        }
        pace.leave(thread);
    });
    EXPECT_EQ(counter.latest().window, kNoon + 60s * (kWindows - 1));
    EXPECT_LE(counter.latest().used, 5);
    // Those who come late ask the window that is open: so none is ever overfilled, and the last
    // one is full.
    EXPECT_LE(admitted, 5 * kWindows);
    EXPECT_GE(admitted, 5);
}

TEST_P(Racing, KeepsTheTableWithinItsBound) {
    CounterTable table;
    table.set_most(500);
    const auto family = table.family("custom");
    const Window window = window_of(Unit::minute, kNoon);
    test::in_parallel(GetParam(), [&](std::size_t thread) {
        for (int i = 0; i < 2000; ++i) {
            const std::string who = std::to_string(thread) + "/" + std::to_string(i);
            HeldCounter held = table.hold(family, who, window);
            held->add(minute_terms(10, kNoon), 1);
            HeldCounter known = table.hold(family, "all know me", window);
            known->add(minute_terms(10, kNoon), 1);
        }
    });
    EXPECT_EQ(table.size(), 500u);
}

INSTANTIATE_TEST_SUITE_P(Threads, Racing, testing::Values(1u, 8u),
                         [](const auto& row) { return "By" + std::to_string(row.param); });

}  // namespace
}  // namespace rotary::quota
