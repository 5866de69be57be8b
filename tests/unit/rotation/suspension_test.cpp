#include <rotary/rotation/suspension.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;
using enum SuspendReason;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr EntryState::Limits kLimits = [] {
    EntryState::Limits limits;
    limits.failing = 30s;  // as long as the silent one: long enough to see what happens within it
    return limits;
}();

// Suspended at kNow for 10 s and probed at kNow + 10 s.
void probe(EntryState& state) {
    ASSERT_TRUE(state.suspend(kNow, 10s, rate_limited, kLimits));
    ASSERT_TRUE(state.claim_probe(kNow + 10s, kLimits));
}

TEST(Suspension, StandingChangesWithTime) {
    EntryState state;
    EXPECT_EQ(state.standing(kNow), Standing::active);
    EXPECT_EQ(state.until(), SteadyTime::min());
    EXPECT_EQ(state.reason(), none);
    EXPECT_TRUE(state.suspend(kNow, 10s, rate_limited, kLimits));
    struct Row {
        const char* name;
        std::chrono::milliseconds at;
        Standing standing;
    };
    const Row rows[] = {
        {"at once", 0ms, Standing::out},
        {"a millisecond before its end", 9'999ms, Standing::out},
        {"at its end", 10'000ms, Standing::probe_due},
        {"long after", 3'600'000ms, Standing::probe_due},
    };
    for (const Row& row : rows) EXPECT_EQ(state.standing(kNow + row.at), row.standing) << row.name;
    EXPECT_EQ(state.until(), kNow + 10s);
    EXPECT_EQ(state.reason(), rate_limited);
}

TEST(Suspension, TheLaterEndHolds) {
    struct Row {
        const char* name;
        std::chrono::milliseconds first, second_at, second, end;
        bool fresh;
    };
    const Row rows[] = {
        {"a longer one", 10s, 1s, 60s, 61s, false},
        {"a shorter one never shortens", 60s, 1s, 10s, 60s, false},
        {"the same again, later", 10s, 5s, 10s, 15s, false},
        {"the same again, at once", 10s, 0s, 10s, 10s, false},
        {"zero", 10s, 1s, 0s, 10s, false},
        {"less than zero", 10s, 1s, -5s, 10s, false},
        {"after its end, no probe", 10s, 10s, 10s, 20s, true},
        {"long after its end", 10s, 600s, 10s, 610s, true},
    };
    for (const Row& row : rows) {
        EntryState state;
        ASSERT_TRUE(state.suspend(kNow, row.first, rate_limited, kLimits));
        EXPECT_EQ(state.suspend(kNow + row.second_at, row.second, rate_limited, kLimits), row.fresh)
            << row.name;
        EXPECT_EQ(state.until(), kNow + row.end) << row.name;
    }
}

TEST(Suspension, WithoutDurationNothingHappens) {
    EntryState state;
    for (const auto duration : {0ms, -1ms}) {
        EXPECT_FALSE(state.suspend(kNow, duration, rate_limited, kLimits));
        EXPECT_EQ(state.standing(kNow), Standing::active);
        EXPECT_EQ(state.reason(), none);
    }
}

TEST(Suspension, TheLongestIsACap) {
    EntryState state;
    state.suspend(kNow, 48h, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + kLimits.longest);
    EntryState other;
    other.suspend(kNow, std::chrono::milliseconds::max(), rate_limited, {5s, 1s});
    EXPECT_EQ(other.until(), kNow + 5s);
}

TEST(Suspension, TheReasonIsThatOfTheLaterEnd) {
    EntryState state;
    state.suspend(kNow, 60s, account_exhausted, kLimits);
    state.suspend(kNow, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.reason(), account_exhausted);
    state.suspend(kNow, 90s, rate_limited, kLimits);
    EXPECT_EQ(state.reason(), rate_limited);
}

TEST(Suspension, EachReasonHasAName) {
    EXPECT_EQ(to_string(none), "none");
    EXPECT_EQ(to_string(rate_limited), "rate_limited");
    EXPECT_EQ(to_string(quota_exhausted), "quota_exhausted");
    EXPECT_EQ(to_string(account_exhausted), "account_exhausted");
    EXPECT_EQ(to_string(daily_exhausted), "daily_exhausted");
    EXPECT_EQ(to_string(failing), "failing");
    EXPECT_EQ(to_string(credential_refused), "credential_refused");
    EXPECT_EQ(to_string(model_unknown), "model_unknown");
    EXPECT_EQ(to_string(unhealthy), "unhealthy");
    EXPECT_EQ(to_string(operator_request), "operator");
}

TEST(Probe, OnlyAfterTheEnd) {
    EntryState state;
    EXPECT_FALSE(state.claim_probe(kNow, kLimits)) << "it is active";
    state.suspend(kNow, 10s, rate_limited, kLimits);
    EXPECT_FALSE(state.claim_probe(kNow + 9s, kLimits));
    EXPECT_TRUE(state.claim_probe(kNow + 10s, kLimits));
}

TEST(Probe, OneAtATime) {
    EntryState state;
    probe(state);
    EXPECT_FALSE(state.claim_probe(kNow + 10s, kLimits));
    EXPECT_EQ(state.standing(kNow + 10s), Standing::out);
    EXPECT_EQ(state.standing(kNow + 10'999ms), Standing::out);
    EXPECT_EQ(state.until(), kNow + 11s) << "when its verdict is due";
}

TEST(Probe, PassedMeansActive) {
    EntryState state;
    probe(state);
    state.probe_passed();
    EXPECT_EQ(state.standing(kNow + 10s), Standing::active);
    EXPECT_EQ(state.until(), SteadyTime::min());
    EXPECT_EQ(state.reason(), none);
    EXPECT_FALSE(state.claim_probe(kNow + 10s, kLimits));
}

TEST(Probe, WithoutAVerdictAllMayGo) {
    EntryState state;
    probe(state);
    EXPECT_EQ(state.standing(kNow + 11s), Standing::probe_due) << "the claim finds out";
    EXPECT_FALSE(state.claim_probe(kNow + 11s, kLimits));
    EXPECT_EQ(state.standing(kNow + 11s), Standing::active);
    EXPECT_EQ(state.reason(), none);
    state.probe_passed();  // late
    EXPECT_EQ(state.standing(kNow + 12s), Standing::active);
}

TEST(Probe, DroppedLetsAnotherTry) {
    EntryState state;
    probe(state);
    state.probe_dropped();
    EXPECT_EQ(state.standing(kNow + 10s), Standing::probe_due);
    EXPECT_TRUE(state.claim_probe(kNow + 10s, kLimits));
    EXPECT_FALSE(state.claim_probe(kNow + 10s, kLimits));
}

TEST(Probe, RefusedAgainDoubles) {
    EntryState state;
    SteadyTime now = kNow;
    state.suspend(now, 600s, rate_limited, kLimits);
    for (const auto expected : {1200s, 2400s, 3600s, 3600s}) {
        now = state.until();
        ASSERT_TRUE(state.claim_probe(now, kLimits));
        EXPECT_TRUE(state.suspend(now, 600s, rate_limited, kLimits));
        EXPECT_EQ(state.until() - now, expected);
    }
}

TEST(Probe, ALongerHintThanTwiceTheLastHolds) {
    EntryState state;
    probe(state);
    state.suspend(kNow + 10s, 45s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 55s);
}

TEST(Probe, DoublesWhatAHintHadMadeLonger) {
    EntryState state;
    state.suspend(kNow, 10s, rate_limited, kLimits);
    state.suspend(kNow + 1s, 60s, rate_limited, kLimits);
    ASSERT_TRUE(state.claim_probe(kNow + 61s, kLimits));
    state.suspend(kNow + 61s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 61s + 120s);
}

TEST(Probe, DoublesTheLongestOfTheLastRun) {
    EntryState state;
    state.suspend(kNow, 60s, rate_limited, kLimits);
    state.suspend(kNow + 1s, 10s, rate_limited, kLimits);
    ASSERT_TRUE(state.claim_probe(kNow + 60s, kLimits));
    state.suspend(kNow + 60s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 60s + 120s);
}

TEST(Probe, OnlyRefusalsDouble) {
    struct Row {
        const char* name;
        SuspendReason reason;
        std::chrono::milliseconds length;
    };
    const Row rows[] = {
        {"refused", rate_limited, 20s},
        {"out of money", account_exhausted, 20s},
        {"a day's allowance", daily_exhausted, 20s},
        {"failing", failing, 20s},
        {"served, but that was the last one", quota_exhausted, 2s},
        {"the operator's word", operator_request, 2s},
    };
    for (const Row& row : rows) {
        EntryState state;
        probe(state);
        EXPECT_TRUE(state.suspend(kNow + 10s, 2s, row.reason, kLimits)) << row.name;
        EXPECT_EQ(state.until(), kNow + 10s + row.length) << row.name;
        EXPECT_EQ(state.reason(), row.reason) << row.name;
    }
}

// A provider that lets one request a second through and says so must not end up at an hour.
TEST(Probe, ACounterThatRefillsIsNeverDoubled) {
    EntryState state;
    SteadyTime now = kNow;
    state.suspend(now, 1s, quota_exhausted, kLimits);
    for (int i = 0; i < 20; ++i) {
        now = state.until();
        ASSERT_TRUE(state.claim_probe(now, kLimits));
        state.suspend(now, 1s, quota_exhausted, kLimits);
        ASSERT_EQ(state.until() - now, 1s);
    }
    now = state.until();
    ASSERT_TRUE(state.claim_probe(now, kLimits));
    state.suspend(now, 5s, rate_limited, kLimits);
    EXPECT_EQ(state.until() - now, 5s) << "the first refusal";
}

TEST(Probe, AnOperatorsSuspensionIsNotDoubled) {
    EntryState state;
    state.suspend(kNow, 1800s, operator_request, kLimits);
    ASSERT_TRUE(state.claim_probe(kNow + 1800s, kLimits));
    state.suspend(kNow + 1800s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 1810s);
}

TEST(Probe, AfterItPassedTheNextRefusalIsTheFirst) {
    EntryState state;
    probe(state);
    state.probe_passed();
    EXPECT_TRUE(state.suspend(kNow + 20s, 10s, rate_limited, kLimits));
    EXPECT_EQ(state.until(), kNow + 30s);
}

// Five failures at once, and not the first of them as a probe.
bool fail_five_times(EntryState& state, SteadyTime now,
                     const EntryState::Limits& limits = kLimits) {
    bool is_out = false;
    for (unsigned i = 0; i < limits.failures; ++i) is_out = state.fail(now, false, limits);
    return is_out;
}

TEST(Failing, TheFifthInARowSuspends) {
    EntryState state;
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(state.fail(kNow + 1h * i, false, kLimits)) << i;
        EXPECT_EQ(state.standing(kNow + 1h * i), Standing::active) << i;
        EXPECT_EQ(state.reason(), none) << i;
    }
    EXPECT_TRUE(state.fail(kNow + 4h, false, kLimits)) << "however long it took";
    EXPECT_EQ(state.standing(kNow + 4h), Standing::out);
    EXPECT_EQ(state.standing(kNow + 4h + 29'999ms), Standing::out);
    EXPECT_EQ(state.standing(kNow + 4h + 30s), Standing::probe_due);
    EXPECT_EQ(state.until(), kNow + 4h + 30s);
    EXPECT_EQ(state.reason(), failing);
}

TEST(Failing, AServedAnswerResets) {
    EntryState state;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 4; ++i) EXPECT_FALSE(state.fail(kNow, false, kLimits)) << round;
        state.served();
    }
    EXPECT_EQ(state.standing(kNow), Standing::active);
    EXPECT_TRUE(fail_five_times(state, kNow));
}

TEST(Failing, TheLimitIsTheOperators) {
    for (const unsigned failures : {1U, 2U, 7U}) {
        EntryState::Limits limits;
        limits.failures = failures;
        EntryState state;
        for (unsigned i = 1; i < failures; ++i) EXPECT_FALSE(state.fail(kNow, false, limits));
        EXPECT_TRUE(state.fail(kNow, false, limits)) << failures;
    }
}

TEST(Failing, FailuresWhileItIsOutChangeNothing) {
    struct Row {
        const char* name;
        SuspendReason reason;
        std::chrono::milliseconds at;
        bool probed;
    };
    const Row rows[] = {
        {"failing", failing, 1s, false},
        {"refused", rate_limited, 1s, false},
        {"by the operator", operator_request, 1s, false},
        {"nobody has probed it yet", failing, 31s, false},
        {"somebody probes it", failing, 31s, true},
        {"somebody probes what was refused", rate_limited, 31s, true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EntryState state;
        if (row.reason == failing) {
            fail_five_times(state, kNow);
        } else {
            state.suspend(kNow, 30s, row.reason, kLimits);
        }
        if (row.probed) {
            ASSERT_TRUE(state.claim_probe(kNow + row.at, kLimits));
        }
        const SteadyTime until = state.until();
        const Standing standing = state.standing(kNow + row.at);
        for (int i = 0; i < 20; ++i) EXPECT_FALSE(state.fail(kNow + row.at, false, kLimits));
        EXPECT_EQ(state.until(), until);
        EXPECT_EQ(state.reason(), row.reason);
        EXPECT_EQ(state.standing(kNow + row.at), standing);

        // …and are not remembered against it either.
        if (!row.probed) {
            ASSERT_TRUE(state.claim_probe(kNow + 31s, kLimits));
        }
        state.probe_passed();
        for (int i = 0; i < 4; ++i) EXPECT_FALSE(state.fail(kNow + 32s, false, kLimits));
        EXPECT_EQ(state.standing(kNow + 32s), Standing::active);
    }
}

TEST(Failing, EachFailedProbeSuspendsForLonger) {
    EntryState state;
    ASSERT_TRUE(fail_five_times(state, kNow));
    EXPECT_EQ(state.until() - kNow, 30s);
    for (const auto expected : {60s, 120s, 240s, 300s, 300s, 300s}) {
        const SteadyTime now = state.until();
        ASSERT_TRUE(state.claim_probe(now, kLimits));
        EXPECT_TRUE(state.fail(now, true, kLimits)) << "one is enough";
        EXPECT_EQ(state.until() - now, expected);
        EXPECT_EQ(state.reason(), failing);
        EXPECT_EQ(state.standing(now), Standing::out);
    }
}

// A provider that is down for a while is asked again before it has been away for as long again.
TEST(Failing, ItIsBackSoonAfterItsProviderIs) {
    const EntryState::Limits limits;
    for (const auto down : {1s, 4s, 6s, 20s, 30s, 100s, 250s}) {
        EntryState state;
        ASSERT_TRUE(fail_five_times(state, kNow, limits));
        SteadyTime now = state.until();
        unsigned probes = 1;
        for (; now < kNow + down; ++probes) {
            ASSERT_TRUE(state.claim_probe(now, limits));
            ASSERT_TRUE(state.fail(now, true, limits));
            now = state.until();
        }
        EXPECT_LE(now - kNow, 2 * down + 5s) << down.count();
        EXPECT_LE(probes, 6U) << down.count();
        ASSERT_TRUE(state.claim_probe(now, limits));
        state.probe_passed();
        EXPECT_EQ(state.standing(now), Standing::active);
    }
}

// What did not answer keeps its next visitor waiting: it is visited less often.
TEST(Failing, SilenceIsOutForLonger) {
    const EntryState::Limits limits;
    struct Row {
        const char* name;
        bool fifth_silent, probe_silent;
        std::chrono::milliseconds first, second;
    };
    const Row rows[] = {
        {"it answers", false, false, 5s, 10s},
        {"it is silent", true, true, 30s, 60s},
        {"it falls silent", false, true, 5s, 60s},
        {"it answers again", true, false, 30s, 10s},
    };
    for (const Row& row : rows) {
        EntryState state;
        for (int i = 0; i < 4; ++i) ASSERT_FALSE(state.fail(kNow, false, limits, true));
        ASSERT_TRUE(state.fail(kNow, false, limits, row.fifth_silent));
        EXPECT_EQ(state.until() - kNow, row.first) << row.name;
        const SteadyTime now = state.until();
        ASSERT_TRUE(state.claim_probe(now, limits));
        ASSERT_TRUE(state.fail(now, true, limits, row.probe_silent));
        EXPECT_EQ(state.until() - now, row.second) << row.name;
        EXPECT_EQ(state.reason(), failing);
    }
}

TEST(PutOut, LongerEachTimeInARow) {
    struct Row {
        const char* name;
        SuspendReason reason;
        std::vector<std::chrono::milliseconds> lengths;
    };
    const Row rows[] = {
        {"a key", credential_refused, {60s, 120s, 180s, 240s, 300s, 300s}},
        {"a model", model_unknown, {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}},
    };
    const EntryState::Limits limits;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EntryState state;
        SteadyTime now = kNow;
        for (const auto length : row.lengths) {
            EXPECT_TRUE(state.put_out(now, row.reason, limits)) << "one is enough";
            EXPECT_EQ(state.until() - now, length);
            EXPECT_EQ(state.reason(), row.reason);
            EXPECT_EQ(state.standing(now), Standing::out);
            now = state.until();
            ASSERT_TRUE(state.claim_probe(now, limits));
        }
        state.probe_passed();
        EXPECT_EQ(state.standing(now), Standing::active);
        EXPECT_EQ(state.reason(), none);
        // Back for as long as it was out: the next time is the first.
        EXPECT_TRUE(state.put_out(now + row.lengths.back(), row.reason, limits));
        EXPECT_EQ(state.until() - now, row.lengths.back() + row.lengths.front());
    }
}

// Others behind the same key never met the provider themselves.
TEST(PutOut, WithoutAProbeOfItsOwnItIsInARowToo) {
    EntryState state;
    SteadyTime now = kNow;
    for (const auto length : {60s, 120s, 180s}) {
        ASSERT_TRUE(state.put_out(now, credential_refused, kLimits));
        ASSERT_EQ(state.until() - now, length);
        now = state.until() + 1h;  // nobody asked in between
    }
    EXPECT_EQ(state.standing(now), Standing::probe_due);
}

TEST(PutOut, BesideWhatIsUnderWay) {
    struct Row {
        const char* name;
        SuspendReason before;
        std::chrono::milliseconds first;
        bool fresh;
        std::chrono::milliseconds end;
        SuspendReason reason;
    };
    const Row rows[] = {
        {"the same, by a request from before", credential_refused, 60s, false, 60s,
         credential_refused},
        {"another one, shorter", rate_limited, 10s, false, 61s, credential_refused},
        {"another one, longer", rate_limited, 90s, false, 90s, rate_limited},
        {"the operator's word, longer", operator_request, 90s, false, 90s, operator_request},
        {"another one that is over", rate_limited, 1s, true, 61s, credential_refused},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EntryState state;
        if (row.before == credential_refused) {
            state.put_out(kNow, row.before, kLimits);
        } else {
            state.suspend(kNow, row.first, row.before, kLimits);
        }
        EXPECT_EQ(state.put_out(kNow + 1s, credential_refused, kLimits), row.fresh);
        EXPECT_EQ(state.until(), kNow + row.end);
        EXPECT_EQ(state.reason(), row.reason);
    }
}

TEST(PutOut, FailuresFromBeforeCountForNothing) {
    EntryState state;
    for (int i = 0; i < 4; ++i) state.fail(kNow, false, kLimits);
    ASSERT_TRUE(state.put_out(kNow, model_unknown, kLimits));
    const SteadyTime until = state.until();
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(state.fail(kNow, false, kLimits));
    EXPECT_EQ(state.until(), until);
    ASSERT_TRUE(state.claim_probe(until, kLimits));
    state.probe_passed();
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(state.fail(until, false, kLimits));
}

TEST(PutOut, WithoutAVerdictOneMoreAtATime) {
    for (const SuspendReason reason : {credential_refused, model_unknown}) {
        EntryState state;
        state.put_out(kNow, reason, kLimits);
        const SteadyTime back = state.until();
        for (int second = 0; second < 5; ++second) {
            EXPECT_TRUE(state.claim_probe(back + 1s * second, kLimits));
            EXPECT_FALSE(state.claim_probe(back + 1s * second + 999ms, kLimits));
        }
        EXPECT_TRUE(state.put_out(back + 5s, reason, kLimits)) << "the first of them, at last";
        EXPECT_FALSE(state.put_out(back + 6s, reason, kLimits)) << "they were refused together";
    }
}

TEST(Failing, TheLimitsOfItsLengthAreTheOperators) {
    struct Row {
        const char* name;
        std::chrono::milliseconds failing, longest;
        std::vector<std::chrono::milliseconds> lengths;
    };
    const Row rows[] = {
        {"as it is", 5s, 300s, {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}},
        {"short", 10ms, 25ms, {10ms, 20ms, 25ms, 25ms}},
        {"never longer", 30s, 30s, {30s, 30s, 30s}},
        {"longer than the longest", 30s, 7s, {7s, 7s}},
        {"longer than a refusal's", 3h, 6h, {3h, 6h, 6h}},
    };
    for (const Row& row : rows) {
        EntryState::Limits limits;
        limits.failing = row.failing;
        limits.failing_longest = row.longest;
        EntryState state;
        SteadyTime now = kNow;
        ASSERT_TRUE(fail_five_times(state, now, limits));
        for (const auto length : row.lengths) {
            EXPECT_EQ(state.until() - now, length) << row.name;
            now = state.until();
            ASSERT_TRUE(state.claim_probe(now, limits));
            ASSERT_TRUE(state.fail(now, true, limits));
        }
    }
}

TEST(Failing, InARowUntilItWasBackAsLongAsItWasOut) {
    struct Row {
        const char* name;
        std::chrono::milliseconds back_after;   // its end: the probe that passes
        std::chrono::milliseconds again_after;  // that probe: five failures
        std::chrono::milliseconds length;
    };
    const Row rows[] = {
        {"at once", 0s, 0s, 60s},
        {"almost as long", 0s, 29'999ms, 60s},
        {"as long", 0s, 30s, 30s},
        {"an hour", 0s, 1h, 30s},
        {"nobody asked for an hour, then at once", 1h, 0s, 60s},
        {"nobody asked for an hour, then almost as long", 1h, 29'999ms, 60s},
        {"nobody asked for an hour, then as long", 1h, 30s, 30s},
    };
    for (const Row& row : rows) {
        EntryState state;
        ASSERT_TRUE(fail_five_times(state, kNow));
        const SteadyTime back = kNow + 30s + row.back_after;
        ASSERT_TRUE(state.claim_probe(back, kLimits));
        state.probe_passed();
        state.served();
        const SteadyTime again = back + row.again_after;
        ASSERT_TRUE(fail_five_times(state, again)) << row.name;
        EXPECT_EQ(state.until() - again, row.length) << row.name;
    }
}

TEST(Failing, OutLongerBackLonger) {
    EntryState state;
    fail_five_times(state, kNow);
    ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    state.fail(kNow + 30s, true, kLimits);
    ASSERT_EQ(state.until(), kNow + 90s);
    ASSERT_TRUE(state.claim_probe(kNow + 90s, kLimits));
    state.probe_passed();
    fail_five_times(state, kNow + 149s);
    EXPECT_EQ(state.until(), kNow + 149s + 120s) << "it was out for sixty";
}

// A refusal that came late changed the reason and the end.
TEST(Failing, InARowThoughItWasRefusedMeanwhile) {
    for (const bool soon : {true, false}) {
        EntryState state;
        fail_five_times(state, kNow);
        EXPECT_FALSE(state.suspend(kNow + 1s, 39s, rate_limited, kLimits));
        EXPECT_EQ(state.reason(), rate_limited);
        ASSERT_TRUE(state.claim_probe(kNow + 40s, kLimits));
        state.probe_passed();
        const SteadyTime again = kNow + (soon ? 59s : 60s);
        ASSERT_TRUE(fail_five_times(state, again));
        EXPECT_EQ(state.until() - again, soon ? 60s : 30s);
    }
}

// A provider that accepts and says nothing: the verdict takes longer than the suspension did.
TEST(Failing, ASlowVerdictIsInARowToo) {
    EntryState state;
    fail_five_times(state, kNow);
    SteadyTime now = kNow + 30s;
    for (const auto expected : {60s, 120s, 240s}) {
        ASSERT_TRUE(state.claim_probe(now, kLimits));
        now += 600s;
        EXPECT_TRUE(state.fail(now, true, kLimits));
        EXPECT_EQ(state.until() - now, expected);
        now = state.until();
    }
}

TEST(Failing, WithoutAVerdictOneMoreAtATime) {
    EntryState state;
    fail_five_times(state, kNow);
    for (int second = 30; second < 40; ++second) {
        const SteadyTime now = kNow + 1s * second;
        EXPECT_EQ(state.standing(now), Standing::probe_due) << second;
        EXPECT_TRUE(state.claim_probe(now, kLimits)) << second;
        for (const auto later : {0ms, 1ms, 999ms}) {
            EXPECT_FALSE(state.claim_probe(now + later, kLimits)) << second;
            EXPECT_EQ(state.standing(now + later), Standing::out) << second;
        }
        EXPECT_EQ(state.reason(), failing);
        EXPECT_EQ(state.until(), now + 1s);
    }
    EXPECT_TRUE(state.fail(kNow + 40s, true, kLimits)) << "the first of them, at last";
    EXPECT_EQ(state.until(), kNow + 100s);
    EXPECT_FALSE(state.fail(kNow + 41s, true, kLimits)) << "the second";
    EXPECT_EQ(state.until(), kNow + 100s) << "they failed together";
}

TEST(Failing, OneOfSeveralProbesPasses) {
    EntryState state;
    fail_five_times(state, kNow);
    ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    ASSERT_TRUE(state.claim_probe(kNow + 31s, kLimits));
    state.probe_passed();
    EXPECT_EQ(state.standing(kNow + 31s), Standing::active);
    EXPECT_FALSE(state.fail(kNow + 32s, true, kLimits)) << "late: a failure like any other";
    EXPECT_EQ(state.standing(kNow + 32s), Standing::active);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(state.fail(kNow + 32s, false, kLimits));
    EXPECT_TRUE(state.fail(kNow + 32s, false, kLimits)) << "the fifth";
}

TEST(Failing, TheProbeOfARefusedEntryFails) {
    EntryState state;
    probe(state);
    EXPECT_TRUE(state.fail(kNow + 10s, true, kLimits));
    EXPECT_EQ(state.until(), kNow + 40s);
    EXPECT_EQ(state.reason(), failing);
}

TEST(Failing, ALateProbeOfARefusedEntryIsAFailureLikeAnyOther) {
    EntryState state;
    probe(state);
    ASSERT_FALSE(state.claim_probe(kNow + 11s, kLimits)) << "all follow";
    EXPECT_FALSE(state.fail(kNow + 12s, true, kLimits));
    EXPECT_EQ(state.standing(kNow + 12s), Standing::active);
}

TEST(Failing, TheProbeOfAFailingEntryIsRefused) {
    EntryState state;
    fail_five_times(state, kNow);
    ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    EXPECT_TRUE(state.suspend(kNow + 30s, 600s, rate_limited, kLimits));
    EXPECT_EQ(state.reason(), rate_limited);
    EXPECT_EQ(state.until(), kNow + 630s);
    EXPECT_FALSE(state.fail(kNow + 31s, true, kLimits));
    EXPECT_EQ(state.until(), kNow + 630s);
}

TEST(Failing, ADroppedProbeIsNoVerdict) {
    EntryState state;
    fail_five_times(state, kNow);
    ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    state.probe_dropped();
    EXPECT_EQ(state.standing(kNow + 30s), Standing::probe_due);
    EXPECT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    EXPECT_TRUE(state.fail(kNow + 30s, true, kLimits));
    EXPECT_EQ(state.until(), kNow + 90s);
}

TEST(Failing, ResumeForgetsIt) {
    EntryState state;
    fail_five_times(state, kNow);
    for (int i = 0; i < 4; ++i) state.fail(kNow, false, kLimits);
    state.resume();
    EXPECT_EQ(state.standing(kNow), Standing::active);
    EXPECT_EQ(state.reason(), none);
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(state.fail(kNow + 1s, false, kLimits));
    EXPECT_TRUE(state.fail(kNow + 1s, false, kLimits));
    EXPECT_EQ(state.until(), kNow + 31s) << "the first time";
}

TEST(Failing, ResumeForgetsWhatWasCounted) {
    EntryState state;
    for (int i = 0; i < 4; ++i) state.fail(kNow, false, kLimits);
    state.resume();
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(state.fail(kNow, false, kLimits));
    EXPECT_TRUE(state.fail(kNow, false, kLimits));
}

TEST(Failing, ResumeDuringAProbeThatFails) {
    EntryState state;
    fail_five_times(state, kNow);
    ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
    state.resume();
    EXPECT_FALSE(state.fail(kNow + 30s, true, kLimits)) << "the operator's word stands";
    EXPECT_EQ(state.standing(kNow + 30s), Standing::active);
}

TEST(Jitter, AddsUpToItsShareToWhatIsMadeUpHere) {
    for (const unsigned percent : {1U, 20U, 100U}) {
        EntryState::Limits limits = kLimits;
        limits.jitter_percent = percent;
        std::chrono::nanoseconds least = 1h, most = 0s;
        std::chrono::nanoseconds doubled_least = 1h, doubled_most = 0s;
        for (int i = 0; i < 500; ++i) {
            const SteadyTime now = kNow + std::chrono::microseconds(i * 977);
            EntryState state;
            fail_five_times(state, now, limits);
            least = std::min<std::chrono::nanoseconds>(least, state.until() - now);
            most = std::max<std::chrono::nanoseconds>(most, state.until() - now);

            EntryState refused;
            refused.suspend(now, 10s, rate_limited, limits);
            ASSERT_EQ(refused.until(), now + 10s) << "a provider's word is taken as it is";
            const SteadyTime then = refused.until();
            ASSERT_TRUE(refused.claim_probe(then, limits));
            refused.suspend(then, 1s, rate_limited, limits);
            doubled_least =
                std::min<std::chrono::nanoseconds>(doubled_least, refused.until() - then);
            doubled_most = std::max<std::chrono::nanoseconds>(doubled_most, refused.until() - then);
        }
        EXPECT_GE(least, 30s);
        EXPECT_LE(most, 30'000ms * (100 + percent) / 100);
        EXPECT_GT(most - least, 30'000ms * percent / 200) << "they spread";
        EXPECT_GE(doubled_least, 20s);
        EXPECT_LE(doubled_most, 20'000ms * (100 + percent) / 100);
        EXPECT_GT(doubled_most - doubled_least, 20'000ms * percent / 200);
    }
}

TEST(Jitter, NeverBeyondTheCaps) {
    EntryState::Limits limits = kLimits;
    limits.jitter_percent = 100;
    limits.longest = 20s;
    limits.failing_longest = 30s;
    for (int i = 0; i < 200; ++i) {
        const SteadyTime now = kNow + std::chrono::microseconds(i * 977);
        EntryState state;
        fail_five_times(state, now, limits);
        ASSERT_EQ(state.until(), now + 30s);
        EntryState refused;
        refused.suspend(now, 15s, rate_limited, limits);
        ASSERT_TRUE(refused.claim_probe(now + 15s, limits));
        refused.suspend(now + 15s, 15s, rate_limited, limits);
        ASSERT_EQ(refused.until(), now + 35s);
    }
}

TEST(Jitter, LeavesALongerHintAndAnOperatorsWordAlone) {
    EntryState::Limits limits = kLimits;
    limits.jitter_percent = 100;
    for (int i = 0; i < 100; ++i) {
        const SteadyTime now = kNow + std::chrono::microseconds(i * 977);
        for (const SuspendReason reason : {rate_limited, quota_exhausted, operator_request}) {
            EntryState state;
            state.suspend(now, 10s, rate_limited, limits);
            ASSERT_TRUE(state.claim_probe(now + 10s, limits));
            state.suspend(now + 10s, 25s, reason, limits);
            ASSERT_EQ(state.until(), now + 35s);
        }
    }
}

// The health check's word and the suspension stand side by side.
TEST(Health, BesideEachSuspension) {
    struct Row {
        const char* name;
        bool suspended, probed, down;
        std::chrono::milliseconds at;  // the suspension ends at 10 s, the check comes at 15 s
        Standing standing;
        SuspendReason reason;
        std::chrono::milliseconds until;  // 0: SteadyTime::min()
    };
    const Row rows[] = {
        {"well", false, false, false, 0s, Standing::active, none, 0s},
        {"down", false, false, true, 0s, Standing::out, unhealthy, 15s},
        {"down, the check is late", false, false, true, 1h, Standing::out, unhealthy, 15s},
        {"suspended", true, false, false, 5s, Standing::out, rate_limited, 10s},
        {"suspended and down", true, false, true, 5s, Standing::out, unhealthy, 15s},
        {"over", true, false, false, 10s, Standing::probe_due, rate_limited, 10s},
        {"over, but down", true, false, true, 10s, Standing::out, unhealthy, 15s},
        {"probed", true, true, false, 10s, Standing::out, rate_limited, 11s},
        {"probed, but down", true, true, true, 10s, Standing::out, unhealthy, 15s},
        {"no verdict", true, true, false, 11s, Standing::probe_due, rate_limited, 11s},
        {"no verdict, but down", true, true, true, 11s, Standing::out, unhealthy, 15s},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EntryState state;
        if (row.suspended) state.suspend(kNow, 10s, rate_limited, kLimits);
        if (row.probed) {
            ASSERT_TRUE(state.claim_probe(kNow + 10s, kLimits));
        }
        const Standing before = state.standing(kNow + row.at);
        const SteadyTime until = state.until();
        const SuspendReason reason = state.reason();
        if (row.down) state.set_down(kNow + 15s);
        EXPECT_EQ(state.standing(kNow + row.at), row.standing);
        EXPECT_EQ(state.reason(), row.reason);
        EXPECT_EQ(state.until(), row.until == 0s ? SteadyTime::min() : kNow + row.until);

        state.set_up();
        EXPECT_EQ(state.standing(kNow + row.at), before);
        EXPECT_EQ(state.until(), until);
        EXPECT_EQ(state.reason(), reason);
    }
}

TEST(Health, TheLaterEndIsTold) {
    EntryState state;
    state.suspend(kNow, 60s, account_exhausted, kLimits);
    state.set_down(kNow + 15s);
    EXPECT_EQ(state.until(), kNow + 60s);
    state.set_down(kNow + 90s);
    EXPECT_EQ(state.until(), kNow + 90s);
    state.set_down(kNow + 20s);
    EXPECT_EQ(state.until(), kNow + 60s) << "each check says it anew";
    state.set_down(SteadyTime{});
    EXPECT_EQ(state.standing(kNow), Standing::out) << "whatever the clock says";
}

TEST(Health, SuspensionsGoOnMeanwhile) {
    EntryState state;
    state.set_down(kNow + 15s);
    EXPECT_TRUE(state.suspend(kNow, 60s, rate_limited, kLimits));
    EXPECT_EQ(state.reason(), unhealthy);
    state.set_up();
    EXPECT_EQ(state.standing(kNow), Standing::out);
    EXPECT_EQ(state.reason(), rate_limited);
    state.set_down(kNow + 15s);
    state.resume();
    EXPECT_EQ(state.standing(kNow), Standing::out) << "the operator can't make it well";
    EXPECT_EQ(state.reason(), unhealthy);
    state.set_up();
    EXPECT_EQ(state.standing(kNow), Standing::active);
    EXPECT_EQ(state.until(), SteadyTime::min());
}

TEST(Health, FailuresCountMeanwhile) {
    EntryState state;
    state.set_down(kNow + 1s);
    EXPECT_TRUE(fail_five_times(state, kNow));
    state.set_up();
    EXPECT_EQ(state.reason(), failing);
    EXPECT_EQ(state.until(), kNow + 30s);
}

// Runs `body(thread)` in eight threads that begin together.
template <class Body>
void at_once(const Body& body) {
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&, t] {
            ++ready;
            while (ready < 8) std::this_thread::yield();
            body(t);
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(Threads, FailingTogetherSuspendsOnce) {
    for (int round = 0; round < 200; ++round) {
        EntryState state;
        std::atomic<int> suspended{0};
        at_once([&](int) {
            for (int i = 0; i < 5; ++i) suspended += state.fail(kNow, false, kLimits) ? 1 : 0;
        });
        ASSERT_EQ(suspended, 1);
        ASSERT_EQ(state.until(), kNow + 30s);
        ASSERT_EQ(state.reason(), failing);
        // Nothing of the crowd is left over.
        ASSERT_TRUE(state.claim_probe(kNow + 30s, kLimits));
        state.probe_passed();
        for (int i = 0; i < 4; ++i) ASSERT_FALSE(state.fail(kNow + 31s, false, kLimits));
    }
}

TEST(Threads, FourFailuresNeverSuspend) {
    for (int round = 0; round < 200; ++round) {
        EntryState state;
        at_once([&](int t) {
            const bool is_out = t < 4 && state.fail(kNow, false, kLimits);
            EXPECT_FALSE(is_out);
        });
        ASSERT_EQ(state.standing(kNow), Standing::active);
    }
}

TEST(Threads, OneProbeAtATimeOfAFailingEntry) {
    for (int round = 0; round < 100; ++round) {
        EntryState state;
        fail_five_times(state, kNow);
        for (const auto at : {30s, 31s, 32s}) {
            std::atomic<int> claimed{0};
            at_once([&](int) { claimed += state.claim_probe(kNow + at, kLimits) ? 1 : 0; });
            ASSERT_EQ(claimed, 1);
        }
        std::atomic<int> suspended{0};
        at_once([&](int) { suspended += state.fail(kNow + 33s, true, kLimits) ? 1 : 0; });
        ASSERT_EQ(suspended, 1);
        ASSERT_EQ(state.until(), kNow + 93s);
    }
}

TEST(LateNews, OlderRequestsDontDoubleARunningSuspension) {
    EntryState state;
    state.suspend(kNow, 10s, rate_limited, kLimits);
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(state.suspend(kNow + 1s, 10s, rate_limited, kLimits));
    }
    EXPECT_EQ(state.until(), kNow + 11s);
    ASSERT_TRUE(state.claim_probe(kNow + 11s, kLimits));
    state.suspend(kNow + 11s, 10s, rate_limited, kLimits);
    EXPECT_EQ(state.until(), kNow + 31s) << "twice ten, whatever came in between";
}

TEST(LateNews, TwoRefusalsDuringOneProbeDoubleOnce) {
    EntryState state;
    probe(state);
    EXPECT_TRUE(state.suspend(kNow + 10s, 10s, rate_limited, kLimits));
    EXPECT_FALSE(state.suspend(kNow + 10s, 10s, rate_limited, kLimits));
    EXPECT_FALSE(state.suspend(kNow + 10s, 10s, rate_limited, kLimits)) << "the probe's own";
    EXPECT_EQ(state.until(), kNow + 30s);
}

TEST(LateNews, ASuccessDoesNotLiftANewerSuspension) {
    EntryState state;
    probe(state);
    state.suspend(kNow + 10s, 10s, rate_limited, kLimits);
    state.probe_passed();
    EXPECT_EQ(state.standing(kNow + 11s), Standing::out);
    state.probe_dropped();
    EXPECT_EQ(state.standing(kNow + 11s), Standing::out);
    EXPECT_EQ(state.until(), kNow + 30s);
}

TEST(LateNews, ARefusalAfterTheVerdictWasDueIsAnOrdinaryOne) {
    EntryState state;
    probe(state);
    ASSERT_FALSE(state.claim_probe(kNow + 11s, kLimits));
    EXPECT_TRUE(state.suspend(kNow + 12s, 10s, rate_limited, kLimits));
    EXPECT_EQ(state.until(), kNow + 22s);
}

TEST(LateNews, ARefusalAfterTheVerdictWasDueAndNobodyCame) {
    EntryState state;
    probe(state);
    EXPECT_TRUE(state.suspend(kNow + 15s, 10s, rate_limited, kLimits));
    EXPECT_EQ(state.until(), kNow + 35s) << "still the probe's verdict, only slow";
}

TEST(Resume, ForgetsEverything) {
    EntryState state;
    probe(state);
    state.suspend(kNow + 10s, 10s, rate_limited, kLimits);
    state.resume();
    EXPECT_EQ(state.standing(kNow + 11s), Standing::active);
    EXPECT_EQ(state.reason(), none);
    EXPECT_TRUE(state.suspend(kNow + 20s, 10s, rate_limited, kLimits));
    EXPECT_EQ(state.until(), kNow + 30s);
}

TEST(Resume, DuringAProbe) {
    EntryState state;
    probe(state);
    state.resume();
    state.probe_passed();
    state.probe_dropped();
    EXPECT_EQ(state.standing(kNow + 10s), Standing::active);
}

TEST(Threads, ExactlyOneClaimsTheProbe) {
    for (int round = 0; round < 200; ++round) {
        EntryState state;
        state.suspend(kNow, 10s, rate_limited, kLimits);
        std::atomic<int> claimed{0};
        std::atomic<int> ready{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&] {
                ++ready;
                while (ready < 8) std::this_thread::yield();
                const bool due = state.standing(kNow + 10s) == Standing::probe_due;
                if (due && state.claim_probe(kNow + 10s, kLimits)) ++claimed;
            });
        }
        for (auto& thread : threads) thread.join();
        ASSERT_EQ(claimed, 1);
        ASSERT_EQ(state.standing(kNow + 10s), Standing::out);
    }
}

TEST(Threads, ExactlyOneSuspensionIsFreshAndTheLatestEndHolds) {
    for (int round = 0; round < 100; ++round) {
        EntryState state;
        std::atomic<int> fresh{0};
        std::vector<std::thread> threads;
        for (int t = 1; t <= 8; ++t) {
            threads.emplace_back([&, t] {
                if (state.suspend(kNow, std::chrono::seconds(t), rate_limited, kLimits)) ++fresh;
            });
        }
        for (auto& thread : threads) thread.join();
        ASSERT_EQ(fresh, 1);
        ASSERT_EQ(state.until(), kNow + 8s);
    }
}

TEST(Threads, RefusalsDuringOneProbeDoubleOnce) {
    for (int round = 0; round < 100; ++round) {
        EntryState state;
        probe(state);
        std::vector<std::thread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&] { state.suspend(kNow + 10s, 10s, rate_limited, kLimits); });
        }
        for (auto& thread : threads) thread.join();
        ASSERT_EQ(state.until(), kNow + 30s);
    }
}

}  // namespace
}  // namespace rotary::rotation
