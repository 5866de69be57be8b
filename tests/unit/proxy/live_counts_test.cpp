// Steps of overhead, and the sums that workers count.
#include <rotary/proxy/live_counts.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

namespace rotary::proxy {

namespace {

using namespace std::chrono_literals;

TEST(OverheadSteps, AreFourForEachDoubling) {
    struct Row {
        const char* name;
        std::chrono::nanoseconds overhead;
        std::size_t step;
        std::uint64_t bound;
    };
    const Row rows[] = {
        {"less than nothing", -5us, 0, 1},
        {"nothing", 0ns, 0, 1},
        {"below a microsecond", 999ns, 0, 1},
        {"one", 1us, 1, 2},
        {"three", 3us, 3, 4},
        {"four", 4us, 4, 5},
        {"seven", 7us, 7, 8},
        {"eight", 8us, 8, 10},
        {"nine", 9us, 8, 10},
        {"ten", 10us, 9, 12},
        {"fifteen", 15us, 11, 16},
        {"sixteen", 16us, 12, 20},
        {"a hundred", 100us, 22, 112},
        {"a millisecond", 1000us, 35, 1024},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(overhead_step(row.overhead), row.step) << row.name;
        EXPECT_EQ(overhead_bound(row.step), row.bound) << row.name;
    }
    EXPECT_EQ(overhead_step(std::chrono::nanoseconds::max()), kOverheadSteps - 1);
    EXPECT_EQ(overhead_step(std::chrono::nanoseconds::min()), 0U);
}

// Whatever was observed lies below its step's bound, by a fifth at the most, and above the one
// before.
TEST(OverheadSteps, BoundWhatTheyHold) {
    for (std::uint64_t us = 1; us < 10'000'000; us += 1 + us / 97) {
        const std::size_t step = overhead_step(std::chrono::microseconds(us));
        if (step == kOverheadSteps - 1) break;
        ASSERT_LT(us, overhead_bound(step)) << us;
        ASSERT_GE(us, overhead_bound(step - 1)) << us;
        ASSERT_LE(4 * overhead_bound(step), 5 * us + 4) << us;
    }
    for (std::size_t step = 1; step < kOverheadSteps; ++step) {
        EXPECT_LT(overhead_bound(step - 1), overhead_bound(step)) << step;
    }
}

TEST(LiveCounts, SumByTheClassOfTheStatus) {
    struct Row {
        unsigned status;
        std::size_t place;
    };
    for (const Row& row : {Row{0, 0}, Row{100, 1}, Row{200, 2}, Row{302, 3}, Row{404, 4},
                           Row{499, 4}, Row{500, 5}, Row{599, 5}, Row{600, 5}, Row{65535, 5}}) {
        LiveCounts counts;
        counts.count(row.status, 10us);
        LiveSums sums;
        counts.add_to(sums);
        EXPECT_EQ(sums.by_class[row.place], 1U) << row.status;
        EXPECT_EQ(std::accumulate(sums.by_class.begin(), sums.by_class.end(), 0U), 1U);
        EXPECT_EQ(sums.overhead[9], 1U) << row.status;
    }
}

TEST(LiveCounts, OfSeveralWorkersAddUp) {
    LiveCounts one;
    LiveCounts other;
    for (int i = 0; i < 3; ++i) one.count(200, 1us);
    other.count(200, 1us);
    other.count(503, 2us);
    LiveSums sums;
    one.add_to(sums);
    other.add_to(sums);
    EXPECT_EQ(sums.by_class[2], 4U);
    EXPECT_EQ(sums.by_class[5], 1U);
    EXPECT_EQ(sums.overhead[1], 4U);
    EXPECT_EQ(sums.overhead[2], 1U);
}

}  // namespace

}  // namespace rotary::proxy
