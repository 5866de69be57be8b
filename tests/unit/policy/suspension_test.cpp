#include <rotary/policy/suspension.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rotary::policy {
namespace {

using namespace std::chrono_literals;
using enum SuspendReason;

constexpr SteadyTime kNow{std::chrono::hours(1)};
constexpr EntryState::Limits kLimits{};

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
    EXPECT_EQ(to_string(failing), "failing");
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
}  // namespace rotary::policy
