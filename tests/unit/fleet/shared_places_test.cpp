#include <gtest/gtest.h>

#include "unit/fleet/placed_fleet.hpp"

#include <random>
#include <string>
#include <vector>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

TEST(SharedPlaces, AreAllForTheOneReplicaThatNeedsThem) {
    PlacedFleet fleet(3, 30);
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(fleet.enter(0)) << i;
    EXPECT_FALSE(fleet.enter(0));
    EXPECT_EQ(fleet[0].shared->granted(), 30u);
    EXPECT_LE(fleet.questions(), 25u);
    EXPECT_LE(fleet[0].longest_wait, 12ms);
}

TEST(SharedPlaces, ABurstHasThemWithOneQuestion) {
    PlacedFleet fleet(3, 30);
    EXPECT_EQ(fleet.enter(1, 40), 30u);
    EXPECT_EQ(fleet[1].refused, 10);
    EXPECT_LE(fleet.questions(), 4u);
}

TEST(SharedPlaces, GoWhereTheRequestsGo) {
    PlacedFleet fleet(3, 30);
    EXPECT_EQ(fleet.enter(0, 30), 30u);
    EXPECT_FALSE(fleet.enter(1));
    fleet[0].inside.clear();
    fleet.run_for(300ms);
    EXPECT_EQ(fleet.enter(1, 40), 30u) << "what lies idle is given back at once";
    EXPECT_LE(fleet[1].longest_wait, 20ms);
    EXPECT_EQ(fleet[0].shared->granted(), 0u);
    EXPECT_EQ(fleet.highest, 30u);
}

TEST(SharedPlaces, AreNotAskedForWhileTheyAreRefused) {
    PlacedFleet fleet(3, 30);
    fleet.enter(0, 30);
    fleet.enter(1);
    const std::uint64_t before = fleet.questions();
    for (int i = 0; i < 2000; ++i) {
        EXPECT_FALSE(fleet.enter(1));
        EXPECT_FALSE(fleet.enter(0));
        fleet.run_for(1ms);
    }
    // Four times a second and a heartbeat; the holder says what it hears of.
    EXPECT_LE(fleet.questions() - before, 2 * (3 * 4 + 3) * 2u);
}

TEST(SharedPlaces, WhatLiesIdleIsGivenBack) {
    PlacedFleet fleet(3, 1000);
    fleet.enter(0, 50);
    fleet[0].inside.clear();
    fleet.run_for(2s);
    EXPECT_GE(fleet[0].shared->granted(), 50u) << "it may be needed again";
    fleet.run_for(6s);
    EXPECT_EQ(fleet[0].shared->granted(), 0u);
    EXPECT_EQ(fleet.books.taken(), 0);
    EXPECT_GE(fleet[0].shared->counts().given_back, 50u);
}

TEST(SharedPlaces, FewForManyReplicasAreNotStrandedWhereTheyAreIdle) {
    PlacedFleet fleet(10, 3);
    std::mt19937_64 random(5);
    for (int i = 0; i < 500; ++i) {  // one after the other, wherever they come
        const std::size_t index = random() % 10;
        ASSERT_TRUE(fleet.enter(index)) << i;
        fleet.run_for(30ms);
        fleet.end_one(index);
    }
    EXPECT_EQ(fleet.highest, 1u);
}

// All want all there is, all the time.
void saturate(PlacedFleet& fleet, std::chrono::milliseconds time) {
    std::mt19937_64 random(3);
    const auto steps = time / 5ms;
    for (std::int64_t step = 0; step < steps; ++step) {
        for (std::size_t i = 0; i < fleet.size(); ++i) {
            auto& inside = fleet[i].inside;
            for (std::size_t j = 0; j < inside.size();) {  // requests of 100 ms, on average
                if (random() % 20 == 0) {
                    inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(j));
                } else {
                    ++j;
                }
            }
            fleet.enter(i, 3);
        }
        fleet.run_for(5ms);
    }
}

TEST(SharedPlaces, NoReplicaStarvesBesideOneThatHasThemAll) {
    PlacedFleet fleet(3, 30);
    fleet.enter(0, 30);
    saturate(fleet, 5s);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_GE(fleet[i].entered, 200) << i;
        EXPECT_GE(fleet[i].inside.size(), 5u) << i;
    }
    EXPECT_EQ(fleet.highest, 30u);
}

TEST(SharedPlaces, FewerThanReplicasPassFromOneToTheOther) {
    PlacedFleet fleet(10, 3);
    saturate(fleet, 20s);
    std::int64_t all = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_GE(fleet[i].entered, 5) << i;
        all += fleet[i].entered;
    }
    EXPECT_GE(all, 200) << "of 600 that three places hold";
    EXPECT_EQ(fleet.highest, 3u);
}

TEST(SharedPlaces, OfADeadReplicaAreFreeOnceTheStoreHasNotHeardOfItForLong) {
    PlacedFleet fleet(3, 30);
    fleet.enter(0, 25);
    fleet.run_for(3s);
    fleet.kill(0);
    EXPECT_LE(fleet.enter(1, 30), 5u);
    fleet.run_for(kPlacesGone - 3s);
    EXPECT_FALSE(fleet.enter(1));
    fleet.run_for(5s);
    fleet.enter(1, 30);
    EXPECT_EQ(fleet[1].inside.size(), 30u);
}

TEST(SharedPlaces, OfOneThatEndsAreFreeAtOnce) {
    PlacedFleet fleet(2, 10);
    fleet.enter(0, 10);
    fleet[0].shared->leave();
    fleet[0].inside.resize(3);
    fleet.run_for(2s);
    EXPECT_EQ(fleet.enter(1, 10), 7u) << "what has ended";
    fleet[0].inside.clear();
    fleet[0].shared.reset();
    fleet.run_for(300ms);
    EXPECT_EQ(fleet.books.taken(), 7);
    EXPECT_EQ(fleet[0].table->shares(), nullptr) << "it counts by itself again";
}

TEST(SharedPlaces, AFlushForgetsNothing) {
    PlacedFleet fleet(3, 30);
    fleet.enter(0, 20);
    fleet.enter(1, 5);
    fleet.run_for(1s);
    fleet.books.forget_all();
    fleet.enter(1, 30);
    fleet.enter(2, 30);
    EXPECT_LE(fleet.highest, 30u + 10) << "one that has not asked before has its part at most";
    const std::uint32_t before = fleet.in_flight();
    fleet.run_for(1500ms);
    fleet.enter(2, 30);
    EXPECT_EQ(fleet.in_flight(), before) << "by now all have said what they have";
    EXPECT_EQ(fleet.books.taken(), before);
    for (int i = 0; i < 20; ++i) fleet.end_one(0);
    fleet.run_for(4s);
    fleet.highest = 0;
    fleet.enter(2, 30);
    EXPECT_EQ(fleet.highest, 30u) << "the fleet is as before";
}

TEST(SharedPlaces, AFlushIsNoticedByAReplicaThatAsksNothing) {
    PlacedFleet fleet(2, 30);
    fleet.enter(0, 20);
    fleet.run_for(10s);
    fleet.books.forget_all();
    fleet.run_for(2s);
    EXPECT_EQ(fleet.books.taken(), static_cast<std::int64_t>(fleet[0].shared->granted()));
    EXPECT_GE(fleet.books.taken(), 20);
}

TEST(SharedPlaces, BehindAFlushOneKnowsWhatTheOthersHad) {
    PlacedFleet fleet(2, 30);
    fleet.enter(0, 27);
    fleet.enter(1, 1);
    fleet.run_for(300ms);
    fleet.books.forget_all();
    EXPECT_EQ(fleet.enter(1, 10), 2u);
    EXPECT_EQ(fleet.highest, 30u);
}

TEST(SharedPlaces, WithoutTheStoreEachGoesOnWithWhatItHasAndItsPart) {
    PlacedFleet fleet(3, 30);
    fleet.enter(0, 12);
    fleet.enter(1, 3);
    fleet.run_for(1s);
    for (std::size_t i = 0; i < 3; ++i) fleet[i].store.cut();
    for (std::size_t i = 0; i < 3; ++i) fleet.enter(i, 40);
    EXPECT_GE(fleet[0].inside.size(), 12u);
    EXPECT_LE(fleet[0].inside.size(), 20u);
    EXPECT_EQ(fleet[2].inside.size(), 10u) << "its part: it has heard nothing";
    EXPECT_LE(fleet.highest, 45u);
    for (std::size_t i = 0; i < 3; ++i) fleet[i].inside.clear();
    fleet.run_for(kPlacesGone);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(fleet.enter(i, 40), 10u) << i;
    for (std::size_t i = 0; i < 3; ++i) fleet[i].store.join();
    fleet.run_for(100ms);
    EXPECT_EQ(fleet.books.taken(), 30);
    EXPECT_EQ(fleet.enter(0, 5), 0u);
    for (int i = 0; i < 10; ++i) fleet.end_one(2);
    fleet.run_for(2s);
    fleet.highest = 0;
    fleet.enter(0, 20);
    EXPECT_EQ(fleet.highest, 30u);
}

TEST(SharedPlaces, ASilentStoreHoldsNoRequestLongerThanItsPatience) {
    PlacedFleet fleet(3, 30);
    for (std::size_t i = 0; i < 3; ++i) fleet[i].store.set_silent(true);
    EXPECT_EQ(fleet.enter(0, 40), 10u);
    EXPECT_LE(fleet[0].longest_wait, 21ms);
}

TEST(SharedPlaces, ALowerLimitHoldsForThoseThatCome) {
    PlacedFleet fleet(2, 30);
    fleet.enter(0, 30);
    fleet.set_most(5);
    EXPECT_FALSE(fleet.enter(0));
    EXPECT_FALSE(fleet.enter(1));
    fleet[0].inside.clear();
    fleet.run_for(300ms);
    EXPECT_EQ(fleet.enter(1, 10), 5u);
}

struct Case {
    std::string name;
    std::size_t replicas;
    std::uint32_t most;
    double skew;  // of the first replica
    std::uint64_t most_questions;
};

class BusyMinute : public testing::TestWithParam<Case> {};

// Requests of half a second at random moments for a minute, four fifths of what there are places
// for on average, and at times more.
TEST_P(BusyMinute, NeverOverAndSeldomAsked) {
    const Case& row = GetParam();
    PlacedFleet fleet(row.replicas, row.most);
    std::mt19937_64 random(11);
    std::vector<double> parts(row.replicas, (1 - row.skew) / static_cast<double>(row.replicas - 1));
    parts.front() = row.skew;
    std::discrete_distribution<std::size_t> replica(parts.begin(), parts.end());
    std::poisson_distribution<int> coming(0.8 * row.most / 50.0);
    std::int64_t come = 0;
    std::int64_t refused_needlessly = 0;
    for (int step = 0; step < 6000; ++step) {
        for (std::size_t i = 0; i < row.replicas; ++i) {
            auto& inside = fleet[i].inside;
            for (std::size_t j = inside.size(); j-- > 0;) {
                if (random() % 50 == 0) {
                    inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(j));
                }
            }
        }
        for (int i = coming(random); i > 0; --i) {
            ++come;
            const bool has_room = fleet.in_flight() < row.most;
            if (!fleet.enter(replica(random)) && has_room) ++refused_needlessly;
        }
        fleet.run_for(10ms);
    }
    EXPECT_LE(fleet.highest, row.most);
    EXPECT_LE(fleet.questions(), row.most_questions);
    EXPECT_LE(refused_needlessly, come / 20) << "of " << come;
    std::printf("%s: %lld requests, %llu questions, %lld refused with room, highest %u of %u\n",
                row.name.c_str(), static_cast<long long>(come),
                static_cast<unsigned long long>(fleet.questions()),
                static_cast<long long>(refused_needlessly), fleet.highest, row.most);
}

INSTANTIATE_TEST_SUITE_P(Fleets, BusyMinute,
                         testing::Values(Case{"ThreeEven30", 3, 30, 1.0 / 3, 4000},
                                         Case{"ThreeSkewed30", 3, 30, 0.9, 4000},
                                         Case{"ThreeEven1000", 3, 1000, 1.0 / 3, 4000},
                                         Case{"ThreeSkewed1000", 3, 1000, 0.9, 4000},
                                         Case{"TenEven100", 10, 100, 0.1, 12000},
                                         Case{"TenSkewed100", 10, 100, 0.9, 9000},
                                         Case{"TenEven5", 10, 5, 0.1, 4000}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace rotary::fleet
