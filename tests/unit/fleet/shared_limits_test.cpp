#include <rotary/quota/limit_use.hpp>

#include <gtest/gtest.h>

#include "support/logged_lines.hpp"
#include "unit/fleet/leased_fleet.hpp"

#include <random>
#include <string>
#include <vector>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

// One and a half times what the limit allows, in one minute: scale-out's table.
struct Case {
    std::string name;
    std::int64_t limit;
    std::vector<double> parts;
    std::uint64_t most_questions;
};

class Minute : public testing::TestWithParam<Case> {};

TEST_P(Minute, AdmitsWhatTheLimitSaysAndAsksSeldom) {
    const Case& row = GetParam();
    LeasedFleet fleet(row.parts.size(), limit_of(row.limit));
    Traffic{static_cast<double>(row.limit) * 1.5 / 60, row.parts}.run(fleet);
    EXPECT_EQ(fleet.admitted(), row.limit);
    EXPECT_LE(fleet.questions(), row.most_questions);
    for (std::size_t i = 0; i < fleet.size(); ++i) EXPECT_LE(fleet[i].longest_wait, 2ms);
}

std::vector<double> skewed(std::size_t replicas) {
    std::vector<double> parts(replicas, 0.1 / static_cast<double>(replicas - 1));
    parts.front() = 0.9;
    return parts;
}

INSTANTIATE_TEST_SUITE_P(
    Fleets, Minute,
    testing::Values(Case{"ThreeEven1000", 1000, {1, 1, 1}, 200},
                    Case{"ThreeSkewed60000", 60'000, skewed(3), 300},
                    Case{"TenSkewed60000", 60'000, skewed(10), 700},
                    Case{"ThreeEven60", 60, {1, 1, 1}, 120}, Case{"Two10", 10, {1, 1}, 40},
                    Case{"One1000", 1000, {1}, 100},
                    Case{"FiftyEven100", 100, std::vector<double>(50, 1), 400}),
    [](const auto& one) { return one.param.name; });

TEST(SharedLimits, ARefusalIsRememberedAndTheLimitIsFreshInTheNextWindow) {
    LeasedFleet fleet(2, limit_of(10));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(fleet.request(static_cast<std::size_t>(i) % 2));
    EXPECT_FALSE(fleet.request(0));
    EXPECT_FALSE(fleet.request(1));
    const std::uint64_t questions = fleet.questions();
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(fleet.request(static_cast<std::size_t>(i) % 2));
    EXPECT_EQ(fleet.questions(), questions);
    EXPECT_EQ(fleet.reached().free_at, kNoon + 60s);
    EXPECT_EQ(fleet.reached().used, 10);
    fleet.run_until(60s);
    EXPECT_TRUE(fleet.request(0));
}

TEST(SharedLimits, WhatIsLeftIsTheSameNumberAtEachReplica) {
    LeasedFleet fleet(2, limit_of(100));
    for (int i = 0; i < 20; ++i) fleet.request(0);
    fleet.request(1);
    EXPECT_EQ(fleet.last().reset, kNoon + 60s);
    // The other one's lease is used up to less than this.
    EXPECT_LE(fleet.last().remaining, 79);
    EXPECT_GE(fleet.last().remaining, 79 - 100 / 16);
}

TEST(SharedLimits, AReplicaThatIsLookedAtHearsWhatAllHaveUsedAndIsLentNothing) {
    LeasedFleet fleet(2, limit_of(1000));
    for (int i = 0; i < 60; ++i) fleet.request(0);
    LeasedFleet::Replica& other = fleet[1];
    const quota::HeldCounter counter(other.limit.family->common());
    const auto shown = [&] {
        quota::ask_fleet(other.limit, counter, fleet.wall_now());
        LeasedFleet::hear(other);
        fleet.run_for(1ms);
        return quota::use_of(other.limit, *counter.get(), fleet.wall_now()).stands.used;
    };
    const std::int64_t taken = fleet.books.taken();
    EXPECT_EQ(shown(), taken) << "what the first one has not used may be used yet";
    EXPECT_EQ(fleet.books.taken(), taken);
    fleet.run_for(7s);
    EXPECT_EQ(shown(), 60);
    EXPECT_EQ(fleet.books.taken(), 60);
}

TEST(SharedLimits, WhatLiesIdleIsGivenBack) {
    LeasedFleet fleet(2, limit_of(1000));
    fleet.request(0);
    EXPECT_GT(fleet.books.taken(), 1);
    fleet.run_for(7s);
    EXPECT_EQ(fleet.books.taken(), 1);
    EXPECT_EQ(fleet[0].shared->counts().given_back, 1u);
    for (int i = 0; i < 999; ++i) EXPECT_TRUE(fleet.request(1)) << i;
    EXPECT_FALSE(fleet.request(1));
    EXPECT_FALSE(fleet.request(0));
    EXPECT_EQ(fleet.admitted(), 1000);
}

TEST(SharedLimits, AReplicaThatWasRefusedHearsOfWhatOthersGiveBack) {
    LeasedFleet fleet(2, limit_of(16));
    for (int i = 0; i < 4; ++i) fleet.request(0);
    while (fleet.request(1)) {
    }
    ASSERT_LT(fleet.admitted(), 17);
    const std::int64_t stranded = 16 - fleet.admitted();
    fleet.run_for(12s);
    for (int i = 0; i < 20; ++i) {
        fleet.request(1);
        fleet.run_for(1ms);
    }
    EXPECT_EQ(fleet.admitted(), 16) << stranded;
}

TEST(SharedLimits, AStoreThatLosesAllIsToldWhatWasGranted) {
    LeasedFleet fleet(3, limit_of(1000));
    const auto drive = [&](int requests) {
        for (int i = 0; i < requests; ++i) {
            fleet.request(static_cast<std::size_t>(i) % 3);
            fleet.run_for(100us);
        }
    };
    drive(900);
    const std::int64_t taken = fleet.books.taken();
    fleet.books.forget_all();
    // One asks before the others have said what they hold.
    while (fleet.request(0)) {
    }
    EXPECT_GE(fleet.books.taken(), taken - 1000 / 16);
    drive(1000);
    EXPECT_GE(fleet.admitted(), 1000);
    // What others got in the moment since the first one heard of the rest.
    EXPECT_LE(fleet.admitted(), 1000 + 1000 / 16);
}

TEST(SharedLimits, AnAnswerThatIsLostLosesNothing) {
    LeasedFleet fleet(2, limit_of(100));
    fleet.request(0);
    for (int i = 0; i < 400; ++i) {
        fleet[0].store.set_way(i >= 10 && i < 40 ? 11ms : 1ms);  // it comes too late
        fleet.request(static_cast<std::size_t>(i) % 2);
        fleet.run_for(20ms);
    }
    EXPECT_EQ(fleet.admitted(), 100);
    EXPECT_GE(fleet[0].shared->counts().unanswered, 1u);
}

TEST(SharedLimits, AloneEachReplicaGoesOnWithItsPartAndNoMore) {
    LeasedFleet fleet(4, limit_of(400));
    for (std::size_t i = 0; i < 4; ++i) fleet.request(i);
    for (std::size_t i = 0; i < 4; ++i) fleet[i].store.cut();
    for (int i = 0; i < 2000; ++i) fleet.request(static_cast<std::size_t>(i) % 4);
    EXPECT_LE(fleet.admitted(), 400 + 4 * 400 / 16);  // by what others got since each heard
    EXPECT_GE(fleet.admitted(), 360);
    const std::int64_t before = fleet.admitted();
    fleet.run_until(60s);  // a window that no replica has heard of
    for (int i = 0; i < 2000; ++i) fleet.request(static_cast<std::size_t>(i) % 4);
    EXPECT_EQ(fleet.admitted() - before, 400);
    EXPECT_FALSE(fleet.request(0));
    for (std::size_t i = 0; i < 4; ++i) fleet[i].store.join();
    fleet.run_for(10ms);
    EXPECT_FALSE(fleet.request(0));
}

// Its memory is full: what it refuses once it refuses the next time too.
TEST(SharedLimits, AStoreThatRefusesIsAskedNowAndThenAndHoldsUpNoRequest) {
    test::LoggedLines lines;
    LeasedFleet fleet(2, limit_of(1000), 100us, &lines.log);
    fleet.request(0);
    fleet.refuse_writes();
    while (fleet.questions() < 2) fleet.request(0);
    fleet[0].longest_wait = 0ns;
    const std::uint64_t before = fleet.questions();
    for (int i = 0; i < 400; ++i) {
        EXPECT_TRUE(fleet.request(0));
        fleet.run_for(2500us);
    }
    EXPECT_LE(fleet.questions() - before, 5u) << "four a second";
    EXPECT_LT(fleet[0].longest_wait, 1ms);
    fleet.accept_writes();
    fleet.run_for(SharedLimits::kErrorPause + SharedLimits::kStale);
    EXPECT_GE(fleet.books.taken(), fleet.admitted()) << "and is told what was used meanwhile";
    EXPECT_EQ(lines.count("limits go on in parts"), 1u) << "once, not at each question";
    EXPECT_EQ(lines.count("limits are shared again"), 1u);
}

TEST(SharedLimits, AloneALimitThatIsSmallerThanTheFleetAdmitsOneEach) {
    LeasedFleet fleet(4, limit_of(2));
    for (std::size_t i = 0; i < 4; ++i) fleet[i].store.cut();
    for (int i = 0; i < 40; ++i) fleet.request(static_cast<std::size_t>(i) % 4);
    EXPECT_EQ(fleet.admitted(), 4);
    for (std::size_t i = 0; i < 4; ++i) fleet[i].store.join();
    fleet.run_until(60s);
    for (int i = 0; i < 40; ++i) fleet.request(static_cast<std::size_t>(i) % 4);
    EXPECT_EQ(fleet.admitted(), 4 + 2);
}

TEST(SharedLimits, ARequestWaitsNoLongerThanTheDeskSays) {
    LeasedFleet fleet(2, limit_of(100));
    fleet[0].store.set_silent(true);
    EXPECT_TRUE(fleet.request(0));  // its part
    EXPECT_GE(fleet[0].longest_wait, 20ms);
    EXPECT_LE(fleet[0].longest_wait, 21ms);
}

TEST(SharedLimits, TokensGoOverByWhatWasInFlightAndAreADebtOfTheNextQuestion) {
    LeasedFleet fleet(2, limit_of(1000, quota::What::total));
    EXPECT_TRUE(fleet.request(0, 10, 900));
    fleet.run_for(3ms);  // it tells
    EXPECT_GE(fleet.books.taken(), 900);
    EXPECT_TRUE(fleet.request(1, 10, 200));
    fleet.run_for(3ms);
    EXPECT_GE(fleet.books.taken(), 1100);
    for (const std::size_t replica : {0u, 1u}) {
        while (fleet.request(replica)) {
        }
    }
    EXPECT_GE(fleet.reached().used, 1100);
    EXPECT_LE(fleet.admitted(), 1000 + 200);
}

// A lease is asked for when a quarter of what was used of late is left: now and then just before an
// answer turns out long.
TEST(SharedLimits, ADebtThatFallsIntoAQuestionIsToldBehindItsAnswer) {
    LeasedFleet fleet(500, limit_of(1'000'000, quota::What::total));
    std::mt19937 random(1);
    for (int i = 0; i < 400; ++i) {
        const bool is_long = random() % 4 == 0;
        fleet.request(0, 1, is_long ? 6000 : 200);
        fleet.run_for(3ms);
        ASSERT_GE(fleet.books.taken(), fleet.admitted()) << "after " << i;
        fleet.run_for(std::chrono::milliseconds(random() % 100));
    }
}

TEST(SharedLimits, AStrictRequestGetsWhatItNeedsOrWaitsForNothing) {
    quota::Limit limit = limit_of(1000, quota::What::total);
    limit.strict = true;
    LeasedFleet fleet(4, limit);
    EXPECT_TRUE(fleet.request(0, 600, 600));  // far more than its usual part
    EXPECT_FALSE(fleet.request(1, 500, 500));
    EXPECT_TRUE(fleet.request(1, 300, 300));
    EXPECT_FALSE(fleet.request(2, 1001, 1001));
    EXPECT_TRUE(fleet.reached().never);
}

TEST(SharedLimits, ASlidingWindowCountsTheOneBeforeForTheWholeFleet) {
    quota::Limit limit = limit_of(100);
    limit.sliding = true;
    LeasedFleet fleet(2, limit);
    for (int i = 0; i < 200; ++i) fleet.request(static_cast<std::size_t>(i) % 2);
    EXPECT_EQ(fleet.admitted(), 100);
    fleet.run_until(90s);  // half of it still counts
    for (int i = 0; i < 200; ++i) fleet.request(static_cast<std::size_t>(i) % 2);
    EXPECT_NEAR(static_cast<double>(fleet.admitted()), 150, 1);
    EXPECT_LT(fleet.reached().free_at, kNoon + 92s);
    fleet.run_until(105s);
    for (int i = 0; i < 200; ++i) {
        fleet.request(static_cast<std::size_t>(i) % 2);
        fleet.run_for(1ms);
    }
    EXPECT_NEAR(static_cast<double>(fleet.admitted()), 175, 2);
}

TEST(SharedLimits, ADebtOfTheFleetIsPaidByTheNextWindows) {
    quota::Limit limit = limit_of(100, quota::What::total);
    limit.carry_debt = true;
    LeasedFleet fleet(2, limit);
    EXPECT_TRUE(fleet.request(0, 1, 250));
    fleet.run_for(2s);
    fleet.run_until(61s);
    EXPECT_FALSE(fleet.request(1, 1, 1));
    fleet.run_until(121s);
    std::int64_t admitted = 0;
    while (fleet.request(1, 1, 1)) ++admitted;
    EXPECT_EQ(admitted, 50);
}

TEST(SharedLimits, AShadowLimitNeitherWaitsNorRefuses) {
    quota::Limit limit = limit_of(10);
    limit.shadow = true;
    LeasedFleet fleet(2, limit);
    for (int i = 0; i < 30; ++i) {
        EXPECT_TRUE(fleet.request(static_cast<std::size_t>(i) % 2));
        fleet.run_for(1ms);
    }
    EXPECT_EQ(fleet[0].longest_wait, 0ms);
    EXPECT_EQ(fleet.last().remaining, 0);
}

TEST(SharedLimits, ManyLeasesAreOneQuestion) {
    LeasedFleet fleet(1, limit_of(10));
    auto& replica = fleet[0];
    std::vector<quota::Limit> limits(100, replica.limit);
    std::vector<quota::Admission> admissions(100);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        limits[i].family = replica.table.family("limit " + std::to_string(i));
        admissions[i].ask(limits[i], 1, fleet.wall_now());
        EXPECT_TRUE(admissions[i].waits());
    }
    replica.shared->look();
    fleet.run_for(2ms);
    EXPECT_EQ(replica.shared->counts().questions, 2u);
    EXPECT_EQ(replica.shared->counts().leases, 100u);
}

TEST(SharedLimits, EachCallersCounterIsSharedAndLeftAloneWhenItIsOver) {
    LeasedFleet fleet(2, limit_of(10));
    const auto ask = [&](std::size_t index) {
        auto& replica = fleet[index];
        for (int turn = 0; turn < 2; ++turn) {
            quota::Admission admission;
            const WallTime now = fleet.wall_now();
            admission.ask(
                replica.limit,
                replica.table.hold(replica.limit.family, "ann", replica.limit.window(now)), 1, now);
            LeasedFleet::hear(replica);
            if (!admission.waits()) {
                if (admission.reached() != nullptr) return false;
                quota::Amounts used;
                used[quota::What::requests] = 1;
                admission.settle(used, now);
                return true;
            }
            fleet.run_for(1ms);
        }
        return false;
    };
    int admitted = 0;
    for (std::size_t i = 0; i < 30; ++i) admitted += ask(i % 2) ? 1 : 0;
    EXPECT_EQ(admitted, 10);
    EXPECT_EQ(fleet[0].shared->leases(), 1u);
    fleet.run_for(80s);
    EXPECT_EQ(fleet[0].shared->leases(), 0u);
}

}  // namespace
}  // namespace rotary::fleet
