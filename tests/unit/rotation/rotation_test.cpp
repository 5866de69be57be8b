#include <rotary/rotation/rotation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "unit/rotation/entry_sets.hpp"

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{std::chrono::hours(1)};

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
    std::string picks(std::size_t count, SteadyTime now = kNow, const Tried& tried = {}) {
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
    EXPECT_EQ(f.picks(5, kNow, tried_of("A")), "BCBCB");
    EXPECT_EQ(f.picks(2, kNow, tried_of("AC")), "BB");
    EXPECT_EQ(f.picks(1, kNow, tried_of("ABC")), "-");
    f.suspend(1, 10s);
    EXPECT_EQ(f.picks(2, kNow, tried_of("A")), "CC");
    EXPECT_EQ(f.picks(1, kNow, tried_of("AC")), "-");
    EXPECT_EQ(f.picks(1, kNow + 10s, tried_of("B")), "A") << "no probe of an entry that was tried";
    EXPECT_EQ(f.picks(1, kNow + 10s, tried_of("A")), "b");
}

TEST(Rotation, SecondTriesDontMoveTheFirstOnes) {
    Fixture f({3, 1});
    std::string first;
    for (int i = 0; i < 8; ++i) {
        first += f.picks(1);
        f.picks(1, kNow, tried_of("A"));
    }
    EXPECT_EQ(first, "AABAAABA");
}

TEST(Rotation, WithoutWeightNobodyIsPicked) {
    Fixture f({0, 0});
    EXPECT_EQ(f.picks(2), "--");
    EXPECT_FALSE(f.rotation.has_other(kNow, {}));
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
    EXPECT_TRUE(f.rotation.has_other(kNow, {}));
    EXPECT_TRUE(f.rotation.has_other(kNow, tried_of("A")));
    EXPECT_FALSE(f.rotation.has_other(kNow, tried_of("AC"))) << "B has no weight";
    f.suspend(2, 10s);
    EXPECT_FALSE(f.rotation.has_other(kNow, tried_of("A")));
    EXPECT_TRUE(f.rotation.has_other(kNow + 10s, tried_of("A"))) << "a probe is due";
    f.picks(1, kNow + 10s);
    EXPECT_FALSE(f.rotation.has_other(kNow + 10s, tried_of("A"))) << "the probe is under way";
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
            for (int i = 0; i < 10'000; ++i) ++seen[f.rotation.pick(kNow, {})->entry];
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
                if (!f.rotation.pick(kNow, {})) ++nobody;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    stop = true;
    other.join();
    EXPECT_EQ(nobody, 0) << "C was never out";
}

// --- what is known without asking ----------------------------------------------------------------

// Each change of B is seen by the next pick, though no pick before it had asked B.
TEST(Outlook, EndsWithEachChange) {
    struct Row {
        const char* name;
        std::function<void(EntryState&)> before;
        const char* first;  // three picks
        std::function<void(EntryState&)> change;
        const char* then;
    };
    const EntryState::Limits limits;
    const auto nothing = [](EntryState&) {};
    const auto suspend = [&](EntryState& b) {
        b.suspend(kNow, 60s, SuspendReason::rate_limited, limits);
    };
    const auto suspend_briefly = [&](EntryState& b) {
        b.suspend(kNow - 10s, 5s, SuspendReason::rate_limited, limits);
    };
    const auto fail = [&](EntryState& b) {
        for (unsigned i = 0; i < limits.failures; ++i) b.fail(kNow, false, limits);
    };
    const auto probe = [&](EntryState& b) {
        suspend_briefly(b);
        b.claim_probe(kNow, limits);
    };
    const auto probe_long_ago = [&](EntryState& b) {
        suspend_briefly(b);
        b.claim_probe(kNow - 3s, limits);
    };
    const Row rows[] = {
        {"suspended", nothing, "ABA", suspend, "AAA"},
        {"failing", nothing, "ABA", fail, "AAA"},
        {"put out", nothing, "ABA",
         [&](EntryState& b) { b.put_out(kNow, SuspendReason::model_unknown, limits); }, "AAA"},
        {"down", nothing, "ABA", [](EntryState& b) { b.set_down(kNow + 1s); }, "AAA"},
        {"up", [](EntryState& b) { b.set_down(kNow + 1s); }, "AAA",
         [](EntryState& b) { b.set_up(); }, "ABA"},
        {"resumed", suspend, "AAA", [](EntryState& b) { b.resume(); }, "ABA"},
        {"its probe passed", probe, "AAA", [](EntryState& b) { b.probe_passed(); }, "ABA"},
        {"its probe was dropped", probe, "AAA", [](EntryState& b) { b.probe_dropped(); }, "bAA"},
        {"its probe failed", probe, "AAA", [&](EntryState& b) { b.fail(kNow, true, limits); },
         "AAA"},
        {"another one's probe brought nothing", nothing, "ABA", probe_long_ago, "ABA"},
    };
    for (const Row& row : rows) {
        Fixture f({1, 1});
        row.before(*f.states[1]);
        EXPECT_EQ(f.picks(3), row.first) << row.name;
        f.picks(1);
        row.change(*f.states[1]);
        std::string then = f.picks(3);
        if (then == "BAB") then = "ABA";  // whose turn it is depends on those before
        EXPECT_EQ(then, row.then) << row.name;
    }
}

TEST(Outlook, EndsByTheClock) {
    Fixture f({1, 1});
    f.suspend(1, 10s);
    EXPECT_EQ(f.picks(3), "AAA");
    EXPECT_EQ(f.picks(2, kNow + 10s - 1ns), "AA");
    EXPECT_EQ(f.picks(3, kNow + 10s), "bAA");
    EXPECT_EQ(f.picks(2, kNow + 11s - 1ns), "AA") << "its verdict is not due yet";
    EXPECT_EQ(f.picks(4, kNow + 11s), "ABAB");
    f.states[0]->set_down(kNow + 20s);
    EXPECT_EQ(f.picks(3, kNow + 12s), "BBB");
    EXPECT_EQ(f.picks(3, kNow + 25s), "BBB") << "until the check says so, whatever it expected";
}

// A reload makes another rotation with the same states: requests of both are about for a while.
TEST(Outlook, EndsForEveryRotationOfTheEntry) {
    auto first = std::make_unique<Fixture>(std::vector<std::uint32_t>{1, 1});
    const auto states = first->states;
    Rotation second(first->cursor, states, EntryState::Limits{});
    EXPECT_EQ(first->picks(2), "AB");
    EXPECT_FALSE(second.pick(kNow, {})->probe);
    states[1]->suspend(kNow, 60s, SuspendReason::rate_limited, second.limits());
    EXPECT_EQ(first->picks(2), "AA");
    EXPECT_EQ(second.pick(kNow, {})->entry, 0U);
    first.reset();
    states[1]->resume();
    states[0]->set_down(kNow + 1s);
    EXPECT_EQ(second.pick(kNow, {})->entry, 1U);
    const Rotation third(std::make_shared<Cursor>(std::vector<std::uint32_t>{1, 1}), states,
                         EntryState::Limits{});
    EXPECT_EQ(third.pick(kNow, {})->entry, 1U);
}

// --- beside the plain algorithm ------------------------------------------------------------------

// What picks must be: each set of a short list goes on in its own order, and a long list's sets in
// the order of all, passing over whom they miss.
class Model {
public:
    explicit Model(std::vector<std::uint32_t> weights) : weights_(std::move(weights)) {
        all_.words.resize(words_for(weights_.size()));
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (weights_[i] != 0) add(all_.words, i);
        }
    }
    std::size_t next(const OwnSet& active) {
        if (active == all_ || weights_.size() <= kWordEntries) {
            return by_set_.try_emplace(active, weights_).first->second.next(active);
        }
        for (;;) {
            const std::size_t entry = rest_.next(all_);
            if (active.has(entry)) return entry;
        }
    }
    const OwnSet& all() const { return all_; }

private:
    std::vector<std::uint32_t> weights_;
    OwnSet all_;
    std::map<OwnSet, PlainSmooth> by_set_;
    PlainSmooth rest_{weights_};
};

TEST(Rotation, PicksAsThePlainAlgorithmWhileEntriesComeAndGo) {
    std::mt19937 random(20260203);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    for (int round = 0; round < 40; ++round) {
        const bool is_long = round % 4 == 3;
        std::vector<std::uint32_t> weights(is_long ? 65 + below(200) : 1 + below(64));
        for (auto& weight : weights) weight = static_cast<std::uint32_t>(below(is_long ? 8 : 30));
        weights[0] += 1;
        Fixture f(weights);
        Model model(weights);
        OwnSet active = model.all();
        for (int step = 0; step < 60; ++step) {
            const std::size_t entry = 1 + below(weights.size());  // the first one stays
            if (entry < weights.size() && weights[entry] != 0) {
                const bool was_active = active.has(entry);
                was_active ? f.suspend(entry, 60s) : f.states[entry]->resume();
                active.words[entry / 64] ^= std::uint64_t{1} << entry % 64;
            }
            for (std::size_t i = below(200); i > 0; --i) {
                const auto pick = f.rotation.pick(kNow, {});
                ASSERT_TRUE(pick);
                ASSERT_EQ(pick->entry, model.next(active)) << "round " << round << step;
            }
        }
    }
}

// Weights that no table is laid out for.
TEST(Rotation, ComputedTurnsAreOfTheActiveOnes) {
    Fixture f({99'991, 70'001, 60'001});
    const auto times = [](const std::string& picks, char entry) {
        return static_cast<int>(std::count(picks.begin(), picks.end(), entry));
    };
    f.suspend(2, 60s);
    const std::string without = f.picks(1000);
    EXPECT_EQ(times(without, 'C'), 0);
    EXPECT_NEAR(times(without, 'A'), 588, 1);
    f.states[2]->resume();
    const std::string with = f.picks(1000);
    EXPECT_NEAR(times(with, 'A'), 435, 1);
    EXPECT_NEAR(times(with, 'B'), 304, 1);
    EXPECT_NEAR(times(with, 'C'), 261, 1);
}

TEST(Rotation, ThreadsPickWhileEntriesOfALongListComeAndGo) {
    constexpr std::size_t kEntries = 300;
    Fixture f(std::vector<std::uint32_t>(kEntries, 1));
    std::atomic<bool> stop{false};
    std::thread other([&] {
        for (std::size_t i = 0; !stop; ++i) {
            EntryState& state = *f.states[1 + i % (kEntries - 1)];
            state.suspend(kNow, 10s, SuspendReason::rate_limited, f.rotation.limits());
            if (i % 3 != 0) state.resume();
        }
    });
    std::vector<std::thread> threads;
    std::atomic<int> none{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) {
                if (!f.rotation.pick(kNow, {})) ++none;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    stop = true;
    other.join();
    EXPECT_EQ(none, 0) << "the first one was never out";
    for (const auto& state : f.states) state->resume();
    std::vector<int> seen(kEntries);
    for (std::size_t i = 0; i < kEntries; ++i) ++seen[f.rotation.pick(kNow, {})->entry];
    for (const int times : seen) ASSERT_EQ(times, 1);
}

TEST(Tried, HoldsAsManyAsThereAre) {
    Tried tried;
    EXPECT_TRUE(tried.empty());
    EXPECT_FALSE(tried.contains(0)) << "of those that are not there yet none is taken for it";
    for (std::size_t i = 0; i < 1000; ++i) {
        EXPECT_FALSE(tried.contains(i * 65 % 1009)) << i;
        tried.add(i * 65 % 1009);
        ASSERT_TRUE(tried.contains(i * 65 % 1009)) << i;
        EXPECT_EQ(tried.size(), i + 1);
        OwnSet left = first_of(1009);
        tried.take_from(left.words);
        std::size_t count = 0;
        for (const std::uint64_t word : left.words) count += std::bitset<64>(word).count();
        EXPECT_EQ(count, 1009 - tried.size());
        EXPECT_FALSE(left.has(i * 65 % 1009));
    }
    tried = {};
    EXPECT_TRUE(tried.empty());
    for (std::size_t i = 0; i < 1009; ++i) ASSERT_FALSE(tried.contains(i)) << i;
}

}  // namespace
}  // namespace rotary::rotation
