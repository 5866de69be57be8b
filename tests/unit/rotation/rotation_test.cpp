#include <rotary/rotation/rotation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <thread>

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr EntrySet kAll = ~EntrySet{0};

std::string letters(const std::vector<std::uint16_t>& order) {
    std::string text;
    for (const std::uint16_t entry : order) text.push_back(static_cast<char>('A' + entry));
    return text;
}

EntrySet set_of(std::string_view entries) {
    EntrySet set = 0;
    for (const char c : entries) set |= EntrySet{1} << (c - 'A');
    return set;
}

// A rotation with states of its own, and the times that a test wants.
struct Fixture {
    explicit Fixture(std::vector<std::uint32_t> weights)
        : cursor(std::make_shared<Cursor>(weights)),
          states(make_states(weights.size())),
          rotation(cursor, states, EntryState::Limits{}) {}

    static std::vector<std::shared_ptr<EntryState>> make_states(std::size_t count) {
        std::vector<std::shared_ptr<EntryState>> made;
        for (std::size_t i = 0; i < count; ++i) made.push_back(std::make_shared<EntryState>());
        return made;
    }

    void suspend(std::size_t entry, std::chrono::milliseconds duration,
                 SuspendReason reason = SuspendReason::rate_limited, SteadyTime now = kNow) {
        states[entry]->suspend(now, duration, reason, rotation.limits());
    }

    // The picks as letters; '-' for none, lower case for a probe.
    std::string picks(std::size_t count, SteadyTime now = kNow, EntrySet tried = 0) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            const auto pick = rotation.pick(now, tried);
            const char base = pick && pick->probe ? 'a' : 'A';
            text.push_back(pick ? static_cast<char>(base + static_cast<char>(pick->entry)) : '-');
        }
        return text;
    }

    std::shared_ptr<Cursor> cursor;
    std::vector<std::shared_ptr<EntryState>> states;
    Rotation rotation;
};

TEST(SmoothOrder, Orders) {
    struct Row {
        const char* name;
        std::vector<std::uint32_t> weights;
        EntrySet active;
        const char* order;
    };
    const Row rows[] = {
        {"3:1", {3, 1}, kAll, "AABA"},
        {"5:3:2", {5, 3, 2}, kAll, "ABCAABACBA"},
        {"1:1:1", {1, 1, 1}, kAll, "ABC"},
        {"nginx's own example", {5, 1, 1}, kAll, "AABACAA"},
        {"common divisor", {30, 10}, kAll, "AABA"},
        {"common divisor of the active ones", {4, 2, 3}, set_of("AB"), "ABA"},
        {"zero is never picked", {3, 0, 1}, kAll, "AACA"},
        {"zero though active", {0, 1}, set_of("AB"), "B"},
        {"inactive is left out", {5, 3, 2}, set_of("BC"), "BCBCB"},
        {"only one", {7}, kAll, "A"},
        {"the last of three", {5, 3, 2}, set_of("C"), "C"},
        {"only zeros", {0, 0}, kAll, ""},
        {"nobody active", {1, 2}, 0, ""},
        {"no entries", {}, kAll, ""},
        {"the largest weights", {4'000'000'000U, 2'000'000'000U}, kAll, "ABA"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(letters(smooth_order(row.weights, row.active)), row.order) << row.name;
    }
}

// Whether each run of `period` picks holds every active entry its weight times.
void expect_exact(const std::vector<std::size_t>& picks, const std::vector<std::uint32_t>& weights,
                  EntrySet active, const std::string& name) {
    std::uint32_t divisor = 0;
    std::size_t total = 0;
    std::vector<std::size_t> expected(weights.size(), 0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (active >> i & 1) divisor = std::gcd(divisor, weights[i]);
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (active >> i & 1) total += expected[i] = weights[i] / divisor;
    }
    ASSERT_GE(picks.size(), total) << name;
    std::vector<std::size_t> seen(weights.size(), 0);
    for (std::size_t i = 0; i < picks.size(); ++i) {
        ++seen[picks[i]];
        if (i >= total) --seen[picks[i - total]];
        if (i + 1 < total) continue;
        ASSERT_EQ(seen, expected) << name << ", window up to pick " << i;
    }
}

std::vector<std::size_t> take(Cursor& cursor, EntrySet active, std::size_t count) {
    std::vector<std::size_t> picks;
    for (std::size_t i = 0; i < count; ++i) picks.push_back(cursor.next(active));
    return picks;
}

std::size_t total_of(const std::vector<std::uint32_t>& weights) {
    return std::accumulate(weights.begin(), weights.end(), std::size_t{0});
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
        std::map<EntrySet, std::vector<std::size_t>> by_set;
        for (int step = 0; step < 12; ++step) {
            EntrySet active = cursor.all() & (below(256) | 1);
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

TEST(Cursor, EntriesOfFullLists) {
    const std::vector<std::uint32_t> weights(kMaxEntries, 3);
    Cursor cursor(weights);
    EXPECT_EQ(cursor.all(), kAll);
    expect_exact(take(cursor, kAll, 640), weights, kAll, "64 entries");
}

TEST(Cursor, WithoutWeightsHasNobody) {
    EXPECT_EQ(Cursor({}).all(), 0U);
    EXPECT_EQ(Cursor({0, 0}).all(), 0U);
    EXPECT_EQ(Cursor({0, 0}).progress(), 0.0);
}

TEST(Cursor, SecondTriesShareTheOrderOfTheirSet) {
    Cursor cursor({5, 3, 2});
    std::vector<std::size_t> picks;
    for (int i = 0; i < 30; ++i) {
        picks.push_back(i % 3 == 0 ? cursor.next_once(set_of("BC")) : cursor.next(set_of("BC")));
    }
    expect_exact(picks, {5, 3, 2}, set_of("BC"), "mixed");
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

TEST(Cursor, TooManySetsFallBackToActiveEntries) {
    std::vector<std::uint32_t> weights(13, 1);
    Cursor cursor(weights);
    for (EntrySet active = 1; active < EntrySet{1} << 13; ++active) {
        ASSERT_NE(active >> cursor.next(active) & 1, 0U) << active;
    }
    // The last sets found no room: still every active entry has its turn, and nobody else.
    const EntrySet late = (EntrySet{1} << 13) - 2;
    std::array<int, 13> seen{};
    for (int i = 0; i < 120; ++i) ++seen[cursor.next(late)];
    EXPECT_EQ(seen[0], 0);
    for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_EQ(seen[i], 10) << i;
    for (int i = 0; i < 20; ++i) EXPECT_NE(cursor.next_once(late), 0U);
}

// Each entry of every window of a period exactly its weight times, and near its share within.
TEST(DueTimes, AreExactForEveryPeriod) {
    const std::vector<std::vector<std::uint32_t>> rows = {
        {1}, {3, 1}, {5, 3, 2}, {1, 1, 1}, {7, 0, 5}, {6, 4}, {99, 1}, {13, 8, 5, 3, 2, 1, 1},
    };
    for (const auto& weights : rows) {
        const DueTimes due(weights, kAll);
        std::vector<std::size_t> picks;
        for (std::uint64_t i = 0; i < 2 * due.period(); ++i)
            picks.push_back(due.at(i % due.period()));
        expect_exact(picks, weights, kAll, "due times of " + std::to_string(weights[0]));
    }
    std::string text;
    const DueTimes due(std::vector<std::uint32_t>{5, 3, 2}, kAll);
    for (std::uint64_t i = 0; i < due.period(); ++i) text += static_cast<char>('A' + due.at(i));
    EXPECT_EQ(text, "ABCAABACBA");
}

TEST(Cursor, LongPeriodsAreExactToo) {
    const std::vector<std::uint32_t> weights{99'991, 70'001, 1};
    const std::uint64_t period = 99'991 + 70'001 + 1;
    Cursor cursor(weights, 0.3);
    std::vector<std::uint64_t> seen(3);
    std::vector<std::size_t> window;
    for (std::uint64_t i = 0; i < period; ++i) {
        window.push_back(cursor.next(kAll & cursor.all()));
        ++seen[window.back()];
    }
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{99'991, 70'001, 1}));
    for (std::uint64_t i = 0; i < period; ++i) {  // every later window is exact as well
        ASSERT_EQ(cursor.next(cursor.all()), window[i]) << i;
    }
    // Without A: 70001 : 1 is short enough to be kept, and exact.
    const EntrySet rest = set_of("BC");
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
    std::vector<std::uint32_t> weights(kMaxEntries, 999'999'937);
    weights[1] = 1'000'000'000;
    Cursor cursor(weights, 0.999);
    std::array<int, kMaxEntries> seen{};
    for (std::size_t i = 0; i < 10 * kMaxEntries; ++i) ++seen[cursor.next(cursor.all())];
    for (const int times : seen) {
        EXPECT_GE(times, 9);
        EXPECT_LE(times, 11);
    }
}

TEST(Cursor, SetsOfHugeWeightsAreBounded) {
    // 127 sets of 50,000 places or so are more than is kept.
    Cursor cursor({14'243, 14'249, 14'251, 14'281, 14'293, 14'303, 14'321});
    for (EntrySet active = 1; active < EntrySet{1} << 7; ++active) {
        ASSERT_NE(active >> cursor.next(active) & 1, 0U) << active;
    }
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
    const std::array<EntrySet, 4> sets = {set_of("ABC"), set_of("AB"), set_of("BC"), set_of("ABC")};
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

TEST(Rotation, SuspendedEntriesLeaveTheOthersTheirProportions) {
    struct Row {
        const char* name;
        std::size_t out;
        const char* period;
    };
    const Row rows[] = {
        {"5:3 without C", 2, "ABAABABA"},
        {"3:2 without A", 0, "BCBCB"},
        {"5:2 without B", 1, "ACAAACA"},
    };
    for (const Row& row : rows) {
        Fixture f({5, 3, 2});
        f.picks(4);  // somewhere in the middle
        f.suspend(row.out, 60s);
        const std::string period = row.period;
        EXPECT_EQ(f.picks(3 * period.size()), period + period + period) << row.name;
    }
}

TEST(Rotation, AReturningEntryGetsItsShareAndNoBurst) {
    Fixture f({1, 1});
    EXPECT_EQ(f.picks(4), "ABAB");
    f.suspend(1, 10s);
    EXPECT_EQ(f.picks(100), std::string(100, 'A'));
    EXPECT_EQ(f.picks(3, kNow + 10s), "bAA") << "one probe, the others wait for its verdict";
    f.states[1]->probe_passed();
    EXPECT_EQ(f.picks(6, kNow + 11s), "ABABAB");
}

TEST(Rotation, TheFullOrderGoesOnWhereItWasLeft) {
    Fixture f({5, 3, 2});
    EXPECT_EQ(f.picks(4), "ABCA");
    f.suspend(0, 10s);
    f.picks(7);
    f.states[0]->resume();
    EXPECT_EQ(f.picks(6), "ABACBA");
}

TEST(Rotation, TriedEntriesAreNotTriedAgain) {
    Fixture f({5, 3, 2});
    EXPECT_EQ(f.picks(5, kNow, set_of("A")), "BCBCB");
    EXPECT_EQ(f.picks(2, kNow, set_of("AC")), "BB");
    EXPECT_EQ(f.picks(1, kNow, set_of("ABC")), "-");
    f.suspend(1, 10s);
    EXPECT_EQ(f.picks(2, kNow, set_of("A")), "CC");
    EXPECT_EQ(f.picks(1, kNow, set_of("AC")), "-");
    EXPECT_EQ(f.picks(1, kNow + 10s, set_of("B")), "A") << "no probe of an entry that was tried";
    EXPECT_EQ(f.picks(1, kNow + 10s, set_of("A")), "b");
}

TEST(Rotation, SecondTriesDontMoveTheFirstOnes) {
    Fixture f({3, 1});
    std::string first;
    for (int i = 0; i < 8; ++i) {
        first += f.picks(1);
        f.picks(1, kNow, set_of("A"));
    }
    EXPECT_EQ(first, "AABAAABA");
}

TEST(Rotation, WithoutWeightNobodyIsPicked) {
    Fixture f({0, 0});
    EXPECT_EQ(f.picks(2), "--");
    EXPECT_FALSE(f.rotation.has_other(kNow, 0));
    EXPECT_EQ(f.rotation.soonest_return(kNow), SteadyTime::max());
    EXPECT_FALSE(f.rotation.all_out_for_quota(kNow));
}

TEST(Rotation, EachReturningEntryIsProbedOnce) {
    Fixture f({1, 1, 1});
    for (std::size_t i = 0; i < 3; ++i) f.suspend(i, 10s);
    EXPECT_EQ(f.picks(1), "-");
    EXPECT_EQ(f.picks(5, kNow + 10s), "abc--");
    EXPECT_EQ(f.picks(3, kNow + 11s), "ABC") << "no verdict in a second: all may go";
}

TEST(Rotation, HasOther) {
    Fixture f({1, 0, 1});
    EXPECT_TRUE(f.rotation.has_other(kNow, 0));
    EXPECT_TRUE(f.rotation.has_other(kNow, set_of("A")));
    EXPECT_FALSE(f.rotation.has_other(kNow, set_of("AC"))) << "B has no weight";
    f.suspend(2, 10s);
    EXPECT_FALSE(f.rotation.has_other(kNow, set_of("A")));
    EXPECT_TRUE(f.rotation.has_other(kNow + 10s, set_of("A"))) << "a probe is due";
    f.picks(1, kNow + 10s);
    EXPECT_FALSE(f.rotation.has_other(kNow + 10s, set_of("A"))) << "the probe is under way";
}

TEST(Rotation, SoonestReturn) {
    Fixture f({1, 1, 0});
    EXPECT_EQ(f.rotation.soonest_return(kNow), SteadyTime::max());
    f.suspend(2, 1s);
    EXPECT_EQ(f.rotation.soonest_return(kNow), SteadyTime::max()) << "it has no weight";
    f.suspend(0, 30s);
    EXPECT_EQ(f.rotation.soonest_return(kNow), kNow + 30s);
    f.suspend(1, 10s);
    EXPECT_EQ(f.rotation.soonest_return(kNow), kNow + 10s);
    EXPECT_EQ(f.rotation.soonest_return(kNow + 20s), kNow + 20s) << "it may be probed";
    ASSERT_EQ(f.picks(1, kNow + 20s), "b");
    EXPECT_EQ(f.rotation.soonest_return(kNow + 20s), kNow + 21s) << "its verdict is due";
    f.states[1]->probe_passed();
    EXPECT_EQ(f.rotation.soonest_return(kNow + 20s), kNow + 30s);
}

TEST(Rotation, AllOutForQuota) {
    struct Row {
        const char* name;
        SuspendReason a;
        SuspendReason b;
        bool quota;
    };
    using enum SuspendReason;
    const Row rows[] = {
        {"nobody is out", none, none, false},
        {"one is out", rate_limited, none, false},
        {"both", rate_limited, rate_limited, true},
        {"every kind of quota", quota_exhausted, account_exhausted, true},
        {"one fails", rate_limited, failing, false},
        {"our key is refused", credential_refused, credential_refused, false},
        {"one is unknown", rate_limited, model_unknown, false},
        {"one by the operator", operator_request, account_exhausted, false},
    };
    for (const Row& row : rows) {
        Fixture f({1, 1, 0});
        if (row.a != none) f.suspend(0, 10s, row.a);
        if (row.b != none) f.suspend(1, 10s, row.b);
        EXPECT_EQ(f.rotation.all_out_for_quota(kNow), row.quota) << row.name;
    }
}

TEST(Rotation, ThreadsPickEachActiveEntryItsShare) {
    Fixture f({5, 3, 2});
    f.suspend(0, 60s);
    std::array<std::atomic<int>, 3> seen{};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10'000; ++i) ++seen[f.rotation.pick(kNow, 0)->entry];
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(seen[0], 0);
    EXPECT_EQ(seen[1], 48'000);
    EXPECT_EQ(seen[2], 32'000);
}

TEST(Rotation, ThreadsPickWhileEntriesComeAndGo) {
    Fixture f({5, 3, 2});
    std::atomic<bool> stop{false};
    std::thread other([&] {
        for (int i = 0; !stop; ++i) {
            EntryState& state = *f.states[static_cast<std::size_t>(i % 2)];
            state.suspend(kNow, 10s, SuspendReason::rate_limited, f.rotation.limits());
            state.resume();
        }
    });
    std::vector<std::thread> threads;
    std::atomic<int> nobody{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) {
                if (!f.rotation.pick(kNow, 0)) ++nobody;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    stop = true;
    other.join();
    EXPECT_EQ(nobody, 0) << "C was never out";
}

}  // namespace
}  // namespace rotary::rotation
