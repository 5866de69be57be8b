#include <rotary/rotation/fellows.hpp>
#include <rotary/rotation/rotation.hpp>
#include <rotary/rotation/suspension.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;
using enum SuspendReason;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr EntryState::Limits kLimits{};

// Notes what it is told, a word each.
class Noted : public Fellows {
public:
    bool are_ready() const noexcept override { return ready; }
    void went_out(const Outage& outage) noexcept override {
        told.push_back("out " + std::string(to_string(outage.reason)));
        last = outage;
    }
    void came_back() noexcept override { told.emplace_back("back"); }
    void resumed() noexcept override { told.emplace_back("resumed"); }
    void ask_for_probe(std::chrono::milliseconds wait) noexcept override {
        told.emplace_back("probe?");
        waits = wait;
    }
    std::string take() {
        std::string all;
        for (const std::string& word : told) all += (all.empty() ? "" : ", ") + word;
        told.clear();
        return all;
    }

    bool ready = true;
    std::vector<std::string> told;
    Outage last;
    std::chrono::milliseconds waits{0};
};

struct Replica {
    Replica() { state->share_with(fellows); }
    std::shared_ptr<Noted> fellows = std::make_shared<Noted>();
    std::shared_ptr<EntryState> state = std::make_shared<EntryState>();
};

Outage heard(std::chrono::milliseconds left, SuspendReason reason = rate_limited) {
    return {kNow + left, left, 1, reason};
}

TEST(Fellows, ToldOfWhatHoldsForAllOfThem) {
    struct Row {
        const char* name;
        void (*change)(EntryState& state);
        const char* told;
    };
    const Row rows[] = {
        {"a 429", [](EntryState& s) { s.suspend(kNow, 10s, rate_limited, kLimits); },
         "out rate_limited"},
        {"a counter at zero", [](EntryState& s) { s.suspend(kNow, 10s, quota_exhausted, kLimits); },
         "out quota_exhausted"},
        {"no money left", [](EntryState& s) { s.suspend(kNow, 10s, account_exhausted, kLimits); },
         "out account_exhausted"},
        {"none left today", [](EntryState& s) { s.suspend(kNow, 10s, daily_exhausted, kLimits); },
         "out daily_exhausted"},
        {"a key refused", [](EntryState& s) { s.put_out(kNow, credential_refused, kLimits); },
         "out credential_refused"},
        {"a model unknown", [](EntryState& s) { s.put_out(kNow, model_unknown, kLimits); },
         "out model_unknown"},
        {"an operator", [](EntryState& s) { s.suspend(kNow, 10s, operator_request, kLimits); },
         "out operator"},
        {"resumed", [](EntryState& s) { s.resume(); }, "resumed"},
        {"failures",
         [](EntryState& s) {
             for (int i = 0; i < 5; ++i) s.fail(kNow, false, kLimits);
         },
         ""},
        {"a health check",
         [](EntryState& s) {
             s.set_down(kNow + 10s);
             s.set_up();
         },
         ""},
        {"a limit of ours", [](EntryState& s) { s.set_limited(kNow + 10s); }, ""},
        {"none of no length", [](EntryState& s) { s.suspend(kNow, 0s, rate_limited, kLimits); },
         ""},
        {"a second one that ends before",
         [](EntryState& s) {
             s.suspend(kNow, 10s, rate_limited, kLimits);
             s.suspend(kNow, 5s, rate_limited, kLimits);
         },
         "out rate_limited"},
        {"what was heard",
         [](EntryState& s) {
             s.hear_out(heard(10s));
             s.hear_back();
         },
         ""},
        {"a resumption heard",
         [](EntryState& s) {
             s.hear_out(heard(10s));
             s.hear_resumed();
         },
         ""},
    };
    for (const Row& row : rows) {
        Replica replica;
        row.change(*replica.state);
        EXPECT_EQ(replica.fellows->take(), row.told) << row.name;
    }
}

TEST(Fellows, TheOutageSaysUntilWhenAndWhatTheNextRefusalDoubles) {
    Replica replica;
    replica.state->suspend(kNow, 10s, rate_limited, kLimits);
    EXPECT_EQ(replica.fellows->last.until, kNow + 10s);
    EXPECT_EQ(replica.fellows->last.lasts, 10s);
    replica.state->put_out(kNow + 1s, credential_refused, kLimits);
    EXPECT_EQ(replica.fellows->last.until, kNow + 61s);
    EXPECT_EQ(replica.fellows->last.times, 1u);
}

TEST(Fellows, WhatIsHeardHoldsUntilTheLaterEnd) {
    struct Row {
        const char* name;
        std::chrono::milliseconds own, heard, end;
        SuspendReason reason;
        bool changed;
    };
    const Row rows[] = {
        {"active here", 0ms, 10s, 10s, rate_limited, true},
        {"out for longer here", 20s, 10s, 20s, operator_request, false},
        {"out for less here", 5s, 10s, 10s, rate_limited, true},
        {"out as long here", 10s, 10s, 10s, operator_request, false},
    };
    for (const Row& row : rows) {
        Replica replica;
        replica.state->suspend(kNow, row.own, operator_request, kLimits);
        EXPECT_EQ(replica.state->hear_out(heard(row.heard)), row.changed) << row.name;
        EXPECT_EQ(replica.state->until(), kNow + row.end) << row.name;
        EXPECT_EQ(replica.state->reason(), row.reason) << row.name;
        EXPECT_EQ(replica.state->standing(kNow + row.end - 1ms), Standing::out) << row.name;
    }
}

TEST(Fellows, BackIsOnlyWhatWasOutForAllOfThem) {
    Replica failing;
    for (int i = 0; i < 5; ++i) failing.state->fail(kNow, false, kLimits);
    EXPECT_FALSE(failing.state->hear_back());
    EXPECT_EQ(failing.state->standing(kNow), Standing::out);
    EXPECT_TRUE(failing.state->hear_resumed());
    EXPECT_EQ(failing.state->standing(kNow), Standing::active);

    Replica limited;
    limited.state->suspend(kNow, 10s, rate_limited, kLimits);
    EXPECT_TRUE(limited.state->hear_back());
    EXPECT_FALSE(limited.state->hear_back());
    EXPECT_EQ(limited.state->standing(kNow), Standing::active);

    Replica down;
    down.state->set_down(kNow + 5s);
    EXPECT_FALSE(down.state->hear_resumed());
    EXPECT_EQ(down.state->standing(kNow), Standing::out);
}

TEST(Fellows, AskedOnceAndTheNextRequestProbesWhenTheyGrant) {
    Replica replica;
    EntryState& state = *replica.state;
    state.hear_out(heard(10s));
    EXPECT_EQ(state.standing(kNow + 10s), Standing::probe_due);
    EXPECT_FALSE(state.claim_probe(kNow + 10s, kLimits));
    EXPECT_EQ(replica.fellows->take(), "probe?");
    EXPECT_EQ(replica.fellows->waits, 1500ms) << "a verdict's time and the word on it";
    EXPECT_EQ(state.standing(kNow + 10s), Standing::out);
    EXPECT_FALSE(state.claim_probe(kNow + 10s + 1ms, kLimits));
    EXPECT_EQ(replica.fellows->take(), "") << "one question";

    state.grant_probe(kNow + 10s + 2ms);
    EXPECT_EQ(state.standing(kNow + 10s + 2ms), Standing::probe_due);
    EXPECT_TRUE(state.claim_probe(kNow + 10s + 3ms, kLimits));
    EXPECT_EQ(state.standing(kNow + 10s + 3ms), Standing::out);
    EXPECT_FALSE(state.claim_probe(kNow + 10s + 4ms, kLimits)) << "one probe";
    state.probe_passed();
    EXPECT_EQ(state.standing(kNow + 11s), Standing::active);
    EXPECT_EQ(replica.fellows->take(), "back");
}

TEST(Fellows, WhileOneProbesTheOthersWaitForItsVerdict) {
    struct Row {
        const char* name;
        void (*word)(EntryState& state);
        std::chrono::milliseconds at;
        Standing standing;
    };
    const auto none = [](EntryState&) {};
    const Row rows[] = {
        {"no word yet", none, 11'499ms, Standing::out},
        {"no word in time", none, 11'500ms, Standing::probe_due},
        {"it passed", [](EntryState& s) { s.hear_back(); }, 10'001ms, Standing::active},
        {"refused", [](EntryState& s) { s.hear_out(heard(30s)); }, 11'500ms, Standing::out},
        {"refused, over", [](EntryState& s) { s.hear_out(heard(30s)); }, 30'000ms,
         Standing::probe_due},
        {"resumed", [](EntryState& s) { s.hear_resumed(); }, 10'001ms, Standing::active},
    };
    for (const Row& row : rows) {
        Replica replica;
        replica.state->hear_out(heard(10s));
        replica.state->claim_probe(kNow + 10s, kLimits);
        row.word(*replica.state);
        EXPECT_EQ(replica.state->standing(kNow + row.at), row.standing) << row.name;
    }
}

TEST(Fellows, AGrantBehindAVerdictIsNone) {
    Replica replica;
    replica.state->hear_out(heard(10s));
    replica.state->claim_probe(kNow + 10s, kLimits);
    replica.state->hear_out(heard(12s));
    replica.state->grant_probe(kNow + 11s);
    EXPECT_FALSE(replica.state->claim_probe(kNow + 12s, kLimits));
    EXPECT_EQ(replica.fellows->take(), "probe?, probe?");
}

TEST(Fellows, WithoutAWordTheEntryAsksOnceMoreAndThenProbesAlone) {
    Replica replica;
    EntryState& state = *replica.state;
    state.hear_out(heard(10s));
    EXPECT_FALSE(state.claim_probe(kNow + 10s, kLimits));
    EXPECT_FALSE(state.claim_probe(kNow + 11'500ms, kLimits));
    EXPECT_EQ(replica.fellows->take(), "probe?, probe?");
    EXPECT_TRUE(state.claim_probe(kNow + 13s, kLimits));
    EXPECT_EQ(replica.fellows->take(), "");
}

TEST(Fellows, AGrantHoldsForTheNextRequestForFiveSeconds) {
    for (const auto& [after, probes] : {std::pair{4'999ms, true}, std::pair{5'000ms, false}}) {
        Replica replica;
        replica.state->hear_out(heard(10s));
        replica.state->claim_probe(kNow + 10s, kLimits);
        replica.state->grant_probe(kNow + 10s);
        EXPECT_EQ(replica.state->claim_probe(kNow + 10s + after, kLimits), probes) << after.count();
    }
}

TEST(Fellows, ADroppedProbeIsStillThisReplicas) {
    Replica replica;
    EntryState& state = *replica.state;
    state.hear_out(heard(10s));
    state.claim_probe(kNow + 10s, kLimits);
    state.grant_probe(kNow + 10s);
    ASSERT_TRUE(state.claim_probe(kNow + 10s, kLimits));
    replica.fellows->take();
    state.probe_dropped();
    EXPECT_TRUE(state.claim_probe(kNow + 10s + 10ms, kLimits));
    EXPECT_EQ(replica.fellows->take(), "");
}

TEST(Fellows, AwayTheEntryDecidesAloneAndTheyAreToldAllTheSame) {
    Replica replica;
    replica.fellows->ready = false;
    EntryState& state = *replica.state;
    state.suspend(kNow, 10s, rate_limited, kLimits);
    EXPECT_TRUE(state.claim_probe(kNow + 10s, kLimits));
    state.suspend(kNow + 10s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 30s) << "refused again: twice as long";
    EXPECT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    EXPECT_FALSE(state.claim_probe(kNow + 31s, kLimits)) << "no verdict in a second: all follow";
    EXPECT_EQ(state.standing(kNow + 31s), Standing::active);
    EXPECT_EQ(replica.fellows->take(), "out rate_limited, out rate_limited, back");
}

TEST(Fellows, WhatIsOfThisReplicaAloneIsProbedAlone) {
    Replica replica;
    for (int i = 0; i < 5; ++i) replica.state->fail(kNow, false, kLimits);
    EXPECT_TRUE(replica.state->claim_probe(kNow + 60s, kLimits));
    replica.state->probe_passed();
    EXPECT_EQ(replica.fellows->take(), "");
}

TEST(Fellows, ARefusedProbeDoublesWhatAnotherReplicaHadBegun) {
    Replica replica;
    EntryState& state = *replica.state;
    state.hear_out(heard(10s));
    state.claim_probe(kNow + 10s, kLimits);
    state.grant_probe(kNow + 10s);
    ASSERT_TRUE(state.claim_probe(kNow + 10s, kLimits));
    state.suspend(kNow + 10s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 30s);
    EXPECT_EQ(replica.fellows->last.lasts, 20s);

    Replica key;
    key.state->hear_out({kNow + 60s, 60s, 1, credential_refused});
    key.state->claim_probe(kNow + 60s, kLimits);
    key.state->grant_probe(kNow + 60s);
    ASSERT_TRUE(key.state->claim_probe(kNow + 60s, kLimits));
    key.state->put_out(kNow + 60s, credential_refused, kLimits);
    EXPECT_EQ(key.state->until(), kNow + 180s) << "60 s times the times in a row";
    EXPECT_EQ(key.fellows->last.times, 2u);
}

TEST(Fellows, A429FromBeforeIsNotTheVerdictOfAnothersProbe) {
    Replica replica;
    replica.state->hear_out(heard(10s));
    replica.state->claim_probe(kNow + 10s, kLimits);
    replica.state->suspend(kNow + 10s, 10s, rate_limited, kLimits);
    EXPECT_EQ(replica.state->until(), kNow + 20s) << "not doubled";
}

TEST(Fellows, ARotationPassesOverTheEntryUntilTheGrant) {
    Replica first;
    auto other = std::make_shared<EntryState>();
    auto cursor = std::make_shared<Cursor>(std::vector<std::uint32_t>{1, 1});
    const Rotation rotation(cursor, {first.state, other}, kLimits);
    first.state->hear_out(heard(10s));
    for (int i = 0; i < 5; ++i) {
        const auto pick = rotation.pick(kNow + 10s + std::chrono::milliseconds(i), {});
        ASSERT_TRUE(pick);
        EXPECT_EQ(pick->entry, 1u);
        EXPECT_FALSE(pick->probe);
    }
    EXPECT_EQ(first.fellows->take(), "probe?");
    first.state->grant_probe(kNow + 10s + 10ms);
    const auto probe = rotation.pick(kNow + 10s + 11ms, {});
    ASSERT_TRUE(probe && probe->probe);
    EXPECT_EQ(probe->entry, 0u);
    EXPECT_EQ(rotation.pick(kNow + 10s + 12ms, {})->entry, 1u);
}

TEST(Fellows, AreToldByOneThreadAtATimeWhicheverChangesTheEntry) {
    Replica replica;
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i) {
        workers.emplace_back([&] {
            SteadyTime now = kNow;
            for (int turn = 0; turn < 5'000; ++turn) {
                now += 1s;
                replica.state->suspend(now, 1s, rate_limited, kLimits);
                if (replica.state->claim_probe(now + 1s, kLimits)) replica.state->probe_passed();
                replica.state->standing(now);
            }
        });
    }
    for (int i = 0; i < 20'000; ++i) {
        const SteadyTime now = kNow + std::chrono::seconds(i);
        replica.state->hear_out({now + 2s, 2s, 1, rate_limited});
        replica.state->grant_probe(now);
        replica.state->hear_back();
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_GT(replica.fellows->told.size(), 0u);
    replica.state->hear_resumed();
    EXPECT_EQ(replica.state->standing(kNow), Standing::active);
}

TEST(SuspendReason, EachIsFoundByItsName) {
    for (std::size_t i = 0; i < kSuspendReasons; ++i) {
        const auto reason = static_cast<SuspendReason>(i);
        EXPECT_EQ(reason_named(to_string(reason)), reason) << i;
    }
    EXPECT_EQ(reason_named("of another release"), none);
}

}  // namespace
}  // namespace rotary::rotation
