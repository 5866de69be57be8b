#include <rotary/rotation/cursor.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "unit/rotation/entry_sets.hpp"

namespace rotary::rotation {
namespace {

std::vector<std::size_t> take(Cursor& cursor, EntrySet active, std::size_t count) {
    std::vector<std::size_t> picks;
    for (std::size_t i = 0; i < count; ++i) picks.push_back(cursor.next(active));
    return picks;
}

TEST(Cursor, EveryWindowOfAPeriodIsExact) {
    const std::vector<std::vector<std::uint32_t>> sets = {{1},          {3, 1},       {5, 3, 2},
                                                          {1, 1, 1},    {10, 1},      {100, 1, 1},
                                                          {7, 7, 7, 7}, {0, 2, 0, 3}, {97, 89, 83}};
    for (const auto& weights : sets) {
        Cursor cursor(weights);
        expect_exact(take(cursor, cursor.all(), 11 * total_of(weights)), weights, cursor.all(),
                     testing::PrintToString(weights));
    }
}

TEST(Cursor, RandomWeightsAndChangingSetsStayExact) {
    std::mt19937 random(20240131);
    const auto below = [&](std::uint32_t limit) {
        return static_cast<std::uint32_t>(random() % limit);
    };
    for (int round = 0; round < 60; ++round) {
        std::vector<std::uint32_t> weights(1 + below(8));
        for (auto& weight : weights) weight = below(20);
        weights[0] += 1;
        Cursor cursor(weights, below(100) / 100.0);
        // All picks with one set are exact together, however they are interleaved with others.
        std::map<OwnSet, std::vector<std::size_t>> by_set;
        for (int step = 0; step < 12; ++step) {
            OwnSet active = copy_of(cursor.all());
            active.words[0] &= below(256) | 1;
            auto& known = by_set[active];
            const auto more = take(cursor, active, 1 + below(40));
            known.insert(known.end(), more.begin(), more.end());
        }
        for (auto& [active, picks] : by_set) {
            const auto more = take(cursor, active, 2 * total_of(weights));
            picks.insert(picks.end(), more.begin(), more.end());
            expect_exact(picks, weights, active, "round " + std::to_string(round));
        }
    }
}

TEST(Cursor, EntriesOfFullWords) {
    const std::vector<std::uint32_t> weights(kWordEntries, 3);
    Cursor cursor(weights);
    EXPECT_EQ(copy_of(cursor.all()), first_of(64));
    expect_exact(take(cursor, cursor.all(), 640), weights, cursor.all(), "64 entries");
}

TEST(Cursor, WithoutWeightsHasNone) {
    EXPECT_EQ(Cursor({}).all().size(), 0U);
    EXPECT_EQ(copy_of(Cursor({0, 0}).all()), set_of(""));
    EXPECT_EQ(Cursor({0, 0}).progress(), 0.0);
}

TEST(Cursor, SecondTriesAreExactAmongThemselvesAndMoveNoFirstOne) {
    Cursor cursor({5, 3, 2});
    std::vector<std::size_t> first;
    std::vector<std::size_t> second;
    for (int i = 0; i < 60; ++i) {
        first.push_back(cursor.next(cursor.all()));
        second.push_back(cursor.next_other(set_of("BC")));
    }
    expect_exact(first, {5, 3, 2}, set_of("ABC"), "first tries");
    expect_exact(second, {5, 3, 2}, set_of("BC"), "second tries");
}

// What one entry failed at is shared out among the others, though each request leaves out another.
TEST(Cursor, SecondTriesAreSharedOut) {
    constexpr std::size_t kEntries = 200;
    Cursor cursor(std::vector<std::uint32_t>(kEntries, 1));
    std::vector<int> seen(kEntries);
    for (std::size_t i = 0; i < 10 * kEntries; ++i) {
        OwnSet others = first_of(kEntries);
        others.words[i % kEntries / 64] &= ~(std::uint64_t{1} << i % kEntries % 64);
        ++seen[cursor.next_other(others)];
    }
    for (const int times : seen) EXPECT_NEAR(times, 10, 2);
}

TEST(Cursor, ProgressIsCarriedOver) {
    for (const std::uint32_t weight : {2U, 3U, 6U, 7U, 48U, 96U, 1000U}) {
        for (std::uint32_t place = 0; place <= weight; ++place) {
            Cursor before({weight, 1});
            take(before, before.all(), place);
            Cursor after({weight, 1}, before.progress());
            ASSERT_EQ(take(after, after.all(), 5), take(before, before.all(), 5))
                << weight << " at " << place;
        }
    }
    Cursor half({5, 5, 10}, 0.5);
    EXPECT_EQ(half.progress(), 0.5);
    Cursor nearly({1, 1}, 0.99);
    EXPECT_LT(nearly.progress(), 1.0);
}

TEST(Cursor, BeyondTheSetsThatAreKeptPicksAreExact) {
    const std::vector<std::uint32_t> weights{5, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9};
    Cursor cursor(weights);
    for (std::uint64_t active = 1; active < std::uint64_t{1} << 13; ++active) {
        ASSERT_TRUE(contains(EntrySet(&active, 1), cursor.next(EntrySet(&active, 1)))) << active;
    }
    // These found no room: most entries there, and next to none.
    for (const char* late : {"BCDEFGHIJKLM", "ABM", "LM", "K"}) {
        const OwnSet active = set_of(late);
        expect_exact(take(cursor, active, 200), weights, active, late, false);
    }
}

TEST(Cursor, LongPeriodsAreExactToo) {
    const std::vector<std::uint32_t> weights{99'991, 70'001, 1};
    const std::uint64_t period = 99'991 + 70'001 + 1;
    Cursor cursor(weights, 0.3);
    std::vector<std::uint64_t> seen(3);
    std::vector<std::size_t> window;
    for (std::uint64_t i = 0; i < period; ++i) {
        window.push_back(cursor.next(cursor.all()));
        ++seen[window.back()];
    }
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{99'991, 70'001, 1}));
    for (std::uint64_t i = 0; i < period; ++i) {  // every later window is exact as well
        ASSERT_EQ(cursor.next(cursor.all()), window[i]) << i;
    }
    // Without A: 70001 : 1 is short enough to be kept, and exact.
    const OwnSet rest = set_of("BC");
    std::uint64_t rare = 0;
    for (std::uint64_t i = 0; i < 70'002; ++i) rare += std::uint64_t{cursor.next(rest) == 2};
    EXPECT_EQ(rare, 1U);
}

TEST(Cursor, ThreadsShareALongPeriod) {
    constexpr std::uint64_t kPeriod = 60'001 + 40'002;
    Cursor cursor({60'001, 40'002});
    std::array<std::array<std::uint64_t, 2>, 2> seen{};
    std::atomic<std::uint64_t> left{kPeriod};
    std::vector<std::thread> threads;
    for (auto& mine : seen) {
        threads.emplace_back([&] {
            for (;;) {
                std::uint64_t now = left.load();
                while (now != 0 && !left.compare_exchange_weak(now, now - 1)) {
                }
                if (now == 0) return;
                ++mine[cursor.next(cursor.all())];
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(seen[0][0] + seen[1][0], 60'001U);
    EXPECT_EQ(seen[0][1] + seen[1][1], 40'002U);
}

TEST(Cursor, WeightsOfAnySizeAreTaken) {
    std::vector<std::uint32_t> weights(kWordEntries, 999'999'937);
    weights[1] = 1'000'000'000;
    Cursor cursor(weights, 0.999);
    std::array<int, kWordEntries> seen{};
    for (std::size_t i = 0; i < 10 * kWordEntries; ++i) ++seen[cursor.next(cursor.all())];
    for (const int times : seen) {
        EXPECT_GE(times, 9);
        EXPECT_LE(times, 11);
    }
}

TEST(Cursor, SetsOfHugeWeightsAreBoundedAndExact) {
    // 127 sets of 50,000 places or so are more than is kept.
    const std::vector<std::uint32_t> weights{14'243, 14'249, 14'251, 14'281,
                                             14'293, 14'303, 14'321};
    Cursor cursor(weights);
    for (std::uint64_t active = 1; active < std::uint64_t{1} << 7; ++active) {
        ASSERT_TRUE(contains(EntrySet(&active, 1), cursor.next(EntrySet(&active, 1)))) << active;
    }
    expect_exact(take(cursor, set_of("CDEFG"), 150'000), weights, set_of("CDEFG"), "a late set");
}

TEST(Cursor, ThreadsShareOneOrder) {
    constexpr int kThreads = 8;
    constexpr int kPicks = 10'000;
    Cursor cursor({5, 3, 2});
    std::array<std::array<int, 3>, kThreads> seen{};
    std::vector<std::thread> threads;
    for (auto& mine : seen) {
        threads.emplace_back([&] {
            for (int i = 0; i < kPicks; ++i) ++mine[cursor.next(cursor.all())];
        });
    }
    for (auto& thread : threads) thread.join();
    std::array<int, 3> totals{};
    for (const auto& mine : seen) {
        for (std::size_t i = 0; i < 3; ++i) totals[i] += mine[i];
    }
    EXPECT_EQ(totals, (std::array<int, 3>{40'000, 24'000, 16'000}));
}

TEST(Cursor, ThreadsWithDifferentSetsStayExactEach) {
    Cursor cursor({5, 3, 2});
    const std::array<OwnSet, 4> sets = {set_of("ABC"), set_of("AB"), set_of("BC"), set_of("ABC")};
    std::array<std::array<int, 3>, 4> seen{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < sets.size(); ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 4'000; ++i) ++seen[t][cursor.next(sets[t])];
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(seen[0][0] + seen[3][0], 4'000);
    EXPECT_EQ(seen[0][1] + seen[3][1], 2'400);
    EXPECT_EQ(seen[0][2] + seen[3][2], 1'600);
    EXPECT_EQ(seen[1], (std::array<int, 3>{2'500, 1'500, 0}));
    EXPECT_EQ(seen[2], (std::array<int, 3>{0, 2'400, 1'600}));
}

// --- lists of more entries than a word has bits ------------------------------------------------

std::vector<std::uint32_t> thousand_weights() {
    std::vector<std::uint32_t> weights;
    for (std::uint32_t i = 0; i < 1000; ++i) weights.push_back(i * 7 % 11);  // each eleventh is 0
    return weights;
}

TEST(LongList, HasTheOrderOfThePlainAlgorithm) {
    const auto weights = thousand_weights();
    Cursor cursor(weights);
    PlainSmooth plain(weights);
    for (std::size_t i = 0; i < 2 * total_of(weights); ++i) {
        ASSERT_EQ(cursor.next(cursor.all()), plain.next(cursor.all())) << i;
    }
}

// Sets go on in the order of all, with a place of their own, whatever is missing in between.
TEST(LongList, SetsPassOverTheMissing) {
    const auto weights = thousand_weights();
    Cursor cursor(weights);
    const auto order = smooth_order(weights, cursor.all());
    std::mt19937 random(20260202);
    std::size_t place = 0;
    for (int step = 0; step < 30; ++step) {
        OwnSet active = copy_of(cursor.all());
        const auto share = 1 + random() % 8;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (random() % 8 >= share) active.words[i / 64] &= ~(std::uint64_t{1} << i % 64);
        }
        active.words[0] |= 2;  // entry 1, which has a weight
        const bool is_full = active == copy_of(cursor.all());
        std::vector<std::size_t> picks = take(cursor, active, total_of(weights) + random() % 100);
        expect_exact(picks, weights, active, "step " + std::to_string(step), false);
        if (is_full) continue;
        for (const std::size_t pick : picks) {
            while (!active.has(order[place % order.size()])) ++place;
            ASSERT_EQ(pick, order[place++ % order.size()]) << "step " << step;
        }
    }
}

TEST(LongList, FewOfManyAreExact) {
    const auto weights = thousand_weights();
    Cursor cursor(weights);
    OwnSet few = first_of(1000);
    for (std::size_t i = 0; i < 1000; ++i) {
        if (i != 3 && i != 500 && i != 999) few.words[i / 64] &= ~(std::uint64_t{1} << i % 64);
    }
    EXPECT_EQ(cursor.order(few), nullptr) << "too many to pass over";
    expect_exact(take(cursor, few, 300), weights, few, "three of a thousand");
}

TEST(LongList, WeightsBeyondATableAreExact) {
    std::vector<std::uint32_t> weights;
    for (std::uint32_t i = 0; i < 70; ++i) weights.push_back(1501 + i * 5);
    Cursor cursor(weights, 0.7);
    EXPECT_EQ(cursor.order(cursor.all()), nullptr);
    std::vector<std::size_t> picks;
    for (int i = 0; i < 150'000; ++i) {
        picks.push_back(cursor.next(cursor.all()));
        if (i % 3 == 0) cursor.next_other(cursor.all());  // moves no first try
    }
    expect_exact(picks, weights, cursor.all(), "117,145 places");
    EXPECT_NEAR(cursor.progress(), 0.7 + 150'000.0 / 117'145.0 - 1.0, 0.01);
}

TEST(LongList, ThreadsShareItsOrders) {
    const auto weights = thousand_weights();
    Cursor cursor(weights);
    OwnSet most = copy_of(cursor.all());
    most.words[3] = 0;
    std::size_t period = 0;
    for (std::size_t i = 0; i < 1000; ++i) period += most.has(i) ? weights[i] : 0;
    std::array<std::vector<std::uint32_t>, 4> seen;
    std::vector<std::thread> threads;
    for (auto& mine : seen) {
        threads.emplace_back([&] {
            mine.resize(1000);
            for (std::size_t i = 0; i < period; ++i) ++mine[cursor.next(most)];
        });
    }
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < 1000; ++i) {
        const std::uint32_t all = seen[0][i] + seen[1][i] + seen[2][i] + seen[3][i];
        ASSERT_EQ(all, most.has(i) ? 4 * weights[i] : 0) << i;
    }
}

}  // namespace
}  // namespace rotary::rotation
