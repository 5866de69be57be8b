#include <rotary/rotation/retry_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr SteadyTime kNow{1h};  // a window of the reserve begins here
constexpr BudgetRules kRules{20, 3, 10s};
constexpr BudgetRules kNoReserve{20, 0, 10s};

unsigned take_all(RetryBudget& budget, SteadyTime now, const BudgetRules& rules,
                  RetryReserve& reserve) {
    unsigned taken = 0;
    while (budget.take(now, rules, reserve)) ++taken;
    return taken;
}

void earn(RetryBudget& budget, unsigned requests, SteadyTime now, const BudgetRules& rules) {
    for (unsigned i = 0; i < requests; ++i) budget.earn(now, rules);
}

// The clock stands still all the while.
TEST(RetryBudget, ShareOfTheRequestsAndTheReserve) {
    struct Row {
        const char* name;
        unsigned requests;
        BudgetRules rules;
        unsigned tries;
    };
    const Row rows[] = {
        {"nothing but the reserve", 0, kRules, 3},
        {"nothing at all", 0, kNoReserve, 0},
        {"a part of a try is none", 4, kNoReserve, 0},
        {"a fifth", 5, kNoReserve, 1},
        {"rounded down", 9, kNoReserve, 1},
        {"a hundred", 100, kNoReserve, 20},
        {"a hundred and the reserve", 100, kRules, 23},
        {"many", 100'000, kRules, 20'003},
        {"no share: the reserve", 1'000, {0, 3, 10s}, 3},
        {"no share, no reserve: never", 1'000, {0, 0, 10s}, 0},
        {"a share of one percent", 250, {1, 0, 10s}, 2},
        {"all of them", 50, {100, 0, 10s}, 50},
        {"a large reserve", 10, {20, 1'000'000, 10s}, 1'000'002},
    };
    for (const Row& row : rows) {
        RetryBudget budget;
        RetryReserve reserve;
        earn(budget, row.requests, kNow, row.rules);
        EXPECT_EQ(take_all(budget, kNow, row.rules, reserve), row.tries) << row.name;
        EXPECT_FALSE(budget.take(kNow, row.rules, reserve)) << row.name;
    }
}

TEST(RetryBudget, TheShareGoesFirstAndTheReserveStays) {
    RetryBudget budget;
    RetryReserve reserve;
    earn(budget, 10, kNow, kRules);
    EXPECT_TRUE(budget.take(kNow, kRules, reserve));
    EXPECT_TRUE(budget.take(kNow, kRules, reserve));
    RetryBudget other;
    EXPECT_EQ(take_all(other, kNow, kRules, reserve), 3U) << "nothing was taken of it yet";
    EXPECT_FALSE(budget.take(kNow, kRules, reserve)) << "it is one for all";
}

TEST(RetryBudget, UnusedAllowanceExpires) {
    struct Row {
        const char* name;
        milliseconds earned, turned, taken;  // turned: another request; none if 0
        unsigned tries;
    };
    const Row rows[] = {
        {"at once", 0s, 0s, 0s, 20},
        {"in the same window", 0s, 0s, 9'999ms, 20},
        {"in the next window", 0s, 0s, 10s, 20},
        {"at the end of the next window", 0s, 0s, 19'999ms, 20},
        {"two windows later", 0s, 0s, 20s, 0},
        {"an hour later", 0s, 0s, 1h, 0},
        {"something happened in the next window", 0s, 12s, 15s, 20},
        {"something happened late in the next window", 0s, 19s, 19'999ms, 20},
        {"two windows later all the same", 0s, 19s, 20s, 0},
        {"nor does it live on by being moved", 0s, 19s, 28s, 0},
        {"earned late in a window", 9s, 0s, 19'999ms, 20},
        {"gone with the window it was earned in", 9s, 0s, 20s, 0},
    };
    for (const Row& row : rows) {
        RetryBudget budget;
        RetryReserve reserve;
        budget.earn(kNow, {0, 0, 10s});  // the first window begins
        earn(budget, 100, kNow + row.earned, kNoReserve);
        if (row.turned > 0s) budget.earn(kNow + row.turned, {0, 0, 10s});
        EXPECT_EQ(take_all(budget, kNow + row.taken, kNoReserve, reserve), row.tries) << row.name;
    }
}

TEST(RetryBudget, OldAllowanceIsUsedFirst) {
    RetryBudget budget;
    RetryReserve reserve;
    earn(budget, 50, kNow, kNoReserve);
    earn(budget, 50, kNow + 10s, kNoReserve);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.take(kNow + 10s, kNoReserve, reserve));
    EXPECT_EQ(take_all(budget, kNow + 29s, kNoReserve, reserve), 10U)
        << "the later ten were still there";
}

TEST(RetryBudget, PartsOfBothWindowsMakeATry) {
    RetryBudget budget;
    RetryReserve reserve;
    earn(budget, 2, kNow, kNoReserve);
    earn(budget, 3, kNow + 10s, kNoReserve);
    EXPECT_EQ(take_all(budget, kNow + 10s, kNoReserve, reserve), 1U);
    EXPECT_EQ(take_all(budget, kNow + 29s, kNoReserve, reserve), 0U);
}

TEST(RetryBudget, LongIdleLeavesOnlyTheReserve) {
    RetryBudget budget;
    RetryReserve reserve;
    earn(budget, 1'000, kNow, kRules);
    EXPECT_EQ(take_all(budget, kNow + 24h, kRules, reserve), 3U);
    earn(budget, 10, kNow + 48h, kRules);
    EXPECT_EQ(take_all(budget, kNow + 48h, kRules, reserve), 5U);
}

TEST(RetryBudget, AWindowOfNothingIsNoTrap) {
    const BudgetRules rules{20, 3, 0s};
    RetryBudget budget;
    RetryReserve reserve;
    earn(budget, 100, kNow, rules);
    EXPECT_LE(take_all(budget, kNow, rules, reserve), 3U);
}

// A total failure under random load: every request wants a try, or several. From any request to
// any later one the tries are at most a fifth of the requests since two windows before, and the
// reserve's.
TEST(RetryBudget, HoldsOverAnyStretch) {
    struct Second {
        std::uint64_t requests = 0, tries = 0;  // so far
    };
    for (const unsigned seed : {1U, 2U, 3U, 4U}) {
        std::mt19937 random(seed);
        RetryBudget budget;
        RetryReserve reserve;
        std::vector<Second> seconds(1);
        for (unsigned second = 0; second < 300; ++second) {
            const std::uint64_t load = random() % 3 == 0 ? 0 : random() % 120;
            const std::uint64_t wanted = random() % 4 == 0 ? 0 : random() % 3;  // tries a request
            Second sum = seconds.back();
            for (std::uint64_t i = 0; i < load; ++i) {
                const SteadyTime now = kNow + 1s * second + 1ms * (i * 8);
                budget.earn(now, kRules);
                ++sum.requests;
                for (std::uint64_t n = 0; n < wanted; ++n)
                    sum.tries += budget.take(now, kRules, reserve) ? 1U : 0U;
                ASSERT_LE(sum.tries * 5, sum.requests + 5 * 3 * (second / 10 + 1));
            }
            seconds.push_back(sum);
        }
        EXPECT_GT(seconds.back().tries * 6, seconds.back().requests) << "and about so many";
        for (std::size_t from = 0; from < seconds.size(); ++from) {
            for (std::size_t to = from + 1; to < seconds.size(); ++to) {
                const std::uint64_t tries = seconds[to].tries - seconds[from].tries;
                const Second& before = seconds[from < 20 ? 0 : from - 20];
                const std::uint64_t requests = seconds[to].requests - before.requests;
                const std::uint64_t windows = (to - 1) / 10 - from / 10 + 1;
                ASSERT_LE(tries * 5, requests + 5 * 3 * windows) << from << " to " << to;
            }
        }
    }
}

TEST(RetryReserve, SoManyInEachWindow) {
    RetryReserve reserve;
    for (int window = 0; window < 5; ++window) {
        const SteadyTime begin = kNow + window * 10s;
        for (const milliseconds at : {0ms, 1ms, 9'999ms}) {
            EXPECT_TRUE(reserve.take(begin + at, kRules)) << window;
        }
        EXPECT_FALSE(reserve.take(begin + 9'999ms, kRules)) << window;
        EXPECT_FALSE(reserve.take(begin + 9'999ms, kRules)) << window;
    }
    EXPECT_TRUE(reserve.take(kNow + 24h, kRules)) << "what was not taken is not kept";
    EXPECT_TRUE(reserve.take(kNow + 24h, kRules));
    EXPECT_TRUE(reserve.take(kNow + 24h, kRules));
    EXPECT_FALSE(reserve.take(kNow + 24h, kRules));
}

// Each worker reads the clock once a turn of its loop, so at a window's edge they disagree.
TEST(RetryReserve, ClocksThatDisagreeGiveNoMore) {
    RetryReserve reserve;
    int taken = 0;
    for (int i = 0; i < 100; ++i) {
        taken += reserve.take(kNow + 10s, kRules);
        taken += reserve.take(kNow + 9'999ms, kRules);
    }
    EXPECT_EQ(taken, 3);
}

TEST(RetryReserve, AReloadMayChangeTheWindow) {
    for (const milliseconds window : {1ms, 1'000ms, 60'000ms, 3'600'000ms}) {
        RetryReserve reserve;
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(reserve.take(kNow, kRules));
        EXPECT_FALSE(reserve.take(kNow, kRules));
        const BudgetRules rules{20, 3, window};
        int taken = 0;
        for (int i = 0; i < 100; ++i) taken += reserve.take(kNow + 1h, rules);
        EXPECT_EQ(taken, 3) << window.count();
    }
}

// failures_to_suspend times the entries of a long list; what does not fit is as good as no limit.
TEST(RetryReserve, AHugeOneIsNoneTheLess) {
    RetryReserve reserve;
    const BudgetRules rules{0, 64'000'000, 10s};
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(reserve.take(kNow, rules));
    EXPECT_TRUE(reserve.take(kNow + 10s, rules));
    EXPECT_FALSE(reserve.take(kNow + 10s, {0, 1, 10s})) << "the count is kept apart from the time";
}

TEST(RetryReserve, ExactlySoManyForAllThreads) {
    constexpr BudgetRules rules{20, 50, 10s};
    RetryReserve reserve;
    for (int window = 0; window < 50; ++window) {
        std::atomic<int> ready{0};
        std::atomic<unsigned> taken{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                RetryBudget budget;
                ++ready;
                while (ready < 8) std::this_thread::yield();
                const SteadyTime now = kNow + window * 10s + t * 1s;
                for (int i = 0; i < 20; ++i) taken += budget.take(now, rules, reserve);
            });
        }
        for (auto& thread : threads) thread.join();
        ASSERT_EQ(taken, 50U);
    }
}

}  // namespace
}  // namespace rotary::rotation
