#include <rotary/rotation/order.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/rotation/entry_sets.hpp"

namespace rotary::rotation {
namespace {

std::string letters(const std::vector<std::uint16_t>& order) {
    std::string text;
    for (const std::uint16_t entry : order) text.push_back(static_cast<char>('A' + entry));
    return text;
}

TEST(SmoothOrder, Orders) {
    struct Row {
        const char* name;
        std::vector<std::uint32_t> weights;
        OwnSet active;
        const char* order;
    };
    const OwnSet all = set_of("ABCDEFGH");
    const Row rows[] = {
        {"3:1", {3, 1}, all, "AABA"},
        {"5:3:2", {5, 3, 2}, all, "ABCAABACBA"},
        {"1:1:1", {1, 1, 1}, all, "ABC"},
        {"nginx's own example", {5, 1, 1}, all, "AABACAA"},
        {"common divisor", {30, 10}, all, "AABA"},
        {"common divisor of the active ones", {4, 2, 3}, set_of("AB"), "ABA"},
        {"equals that are apart", {2, 1, 2}, all, "ACBAC"},
        {"zero is never picked", {3, 0, 1}, all, "AACA"},
        {"zero though active", {0, 1}, set_of("AB"), "B"},
        {"inactive is left out", {5, 3, 2}, set_of("BC"), "BCBCB"},
        {"only one", {7}, all, "A"},
        {"the last of three", {5, 3, 2}, set_of("C"), "C"},
        {"only zeros", {0, 0}, all, ""},
        {"none active", {1, 2}, set_of(""), ""},
        {"no entries", {}, all, ""},
        {"the largest weights", {4'000'000'000U, 2'000'000'000U}, all, "ABA"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(letters(smooth_order(row.weights, row.active)), row.order) << row.name;
    }
}

// Weights of a few kinds, as people write them, and of many; entries missing here and there.
TEST(SmoothOrder, IsThatOfThePlainAlgorithm) {
    std::mt19937 random(20260131);
    const auto below = [&](std::uint32_t limit) {
        return static_cast<std::uint32_t>(random() % limit);
    };
    for (int round = 0; round < 300; ++round) {
        const std::uint32_t most = std::vector<std::uint32_t>{2, 4, 12, 60}[below(4)];
        std::vector<std::uint32_t> weights(1 + below(round % 10 == 0 ? 300 : 20));
        for (auto& weight : weights) weight = below(most);
        OwnSet active = first_of(weights.size());
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (below(4) == 0) active.words[i / 64] &= ~(std::uint64_t{1} << i % 64);
        }
        const auto order = smooth_order(weights, active);
        PlainSmooth plain(weights);
        for (std::size_t i = 0; i < 2 * order.size(); ++i) {
            ASSERT_EQ(order[i % order.size()], plain.next(active))
                << "round " << round << ", place " << i;
        }
    }
}

TEST(SmoothOrder, KeepsToItsBounds) {
    struct Row {
        const char* name;
        std::vector<std::uint32_t> weights;
        OrderBounds most;
        std::size_t places;
    };
    const Row rows[] = {
        {"as many places as there may be", {3, 1}, {4, 100}, 4},
        {"one more", {3, 1}, {3, 100}, 0},
        {"divided, it is fewer", {30, 10}, {4, 100}, 4},
        {"as much work as may be", {3, 1}, {100, 8}, 4},
        {"more work", {3, 1}, {100, 7}, 0},
        {"equals are one", {1, 1, 1, 1}, {100, 4}, 4},
        {"the largest sum", std::vector<std::uint32_t>(1000, 4'294'967'291U), {1000, 1000}, 1000},
        {"beyond 32 bits", {4'294'967'291U, 4'294'967'279U}, {100'000, 100'000}, 0},
    };
    for (const Row& row : rows) {
        const OwnSet all = first_of(row.weights.size());
        EXPECT_EQ(smooth_order(row.weights, all, row.most).size(), row.places) << row.name;
    }
}

std::vector<std::size_t> take(DueTurns& turns, EntrySet active, std::size_t count) {
    std::vector<std::size_t> picks;
    for (std::size_t i = 0; i < count; ++i) picks.push_back(turns.take(active));
    return picks;
}

TEST(DueTurns, AreExactInEveryWindow) {
    const std::vector<std::vector<std::uint32_t>> rows = {
        {1}, {3, 1}, {5, 3, 2}, {1, 1, 1}, {7, 0, 5}, {6, 4}, {99, 1}, {13, 8, 5, 3, 2, 1, 1},
    };
    for (const auto& weights : rows) {
        const OwnSet all = first_of(weights.size());
        for (const double progress : {0.0, 0.1, 0.5, 0.999}) {
            DueTurns turns(weights, progress);
            expect_exact(take(turns, all, 3 * total_of(weights)), weights, all,
                         testing::PrintToString(weights) + " from " + std::to_string(progress));
        }
    }
    std::string text;
    DueTurns turns(std::vector<std::uint32_t>{5, 3, 2});
    for (int i = 0; i < 10; ++i) text += static_cast<char>('A' + turns.take(set_of("ABC")));
    EXPECT_EQ(text, "ABCAABACBA");
}

TEST(DueTurns, AreExactFromTheFirstOnWhenEntriesComeAndGo) {
    std::mt19937 random(20260201);
    const auto below = [&](std::uint32_t limit) {
        return static_cast<std::uint32_t>(random() % limit);
    };
    for (int round = 0; round < 60; ++round) {
        const std::uint32_t most = round % 2 == 0 ? 9 : 90;
        std::vector<std::uint32_t> weights(2 + below(70));
        for (auto& weight : weights) weight = below(most);
        weights[0] += 1;
        DueTurns turns(weights, below(100) / 100.0);
        for (int step = 0; step < 12; ++step) {
            OwnSet active = first_of(weights.size());
            for (std::size_t i = 1; i < weights.size(); ++i) {
                if (below(3) == 0) active.words[i / 64] &= ~(std::uint64_t{1} << i % 64);
            }
            expect_exact(take(turns, active, total_of(weights) + below(40)), weights, active,
                         "round " + std::to_string(round) + " step " + std::to_string(step));
            take(turns, active, below(3));
        }
    }
}

TEST(DueTurns, OneThatWasAwayHasNoBurst) {
    DueTurns turns(std::vector<std::uint32_t>{1, 1, 1'000'000});
    take(turns, set_of("A"), 100'000);
    const auto picks = take(turns, set_of("AB"), 10);
    for (std::size_t i = 1; i < picks.size(); ++i) ASSERT_NE(picks[i], picks[i - 1]) << i;
}

TEST(DueTurns, WeightsOfAnySizeForAnyLength) {
    const std::vector<std::uint32_t> weights{4'294'967'291U, 1, 4'294'967'279U};
    DueTurns turns(weights, 0.999999);
    take(turns, set_of("B"), 1'000'000);  // a million rounds without the heavy ones
    std::vector<int> seen(3);
    for (const std::size_t entry : take(turns, set_of("ABC"), 10'000)) ++seen[entry];
    EXPECT_EQ(seen[0] + seen[2], 10'000);
    EXPECT_NEAR(seen[0], 5000, 1);
}

TEST(DueTurns, Progress) {
    DueTurns turns(std::vector<std::uint32_t>{5, 5}, 0.25);
    EXPECT_EQ(turns.progress(), 0.25);
    take(turns, set_of("AB"), 5);
    EXPECT_EQ(turns.progress(), 0.7) << "A is ahead by a turn";
    take(turns, set_of("AB"), 5);
    EXPECT_EQ(turns.progress(), 0.1) << "of the next round";
}

}  // namespace
}  // namespace rotary::rotation
