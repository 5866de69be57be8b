#include "unit/fleet/fleet_of.hpp"

#include <gtest/gtest.h>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;
using rotation::Standing;
using rotation::SuspendReason;
using test::kEntry;
using test::ModelFleet;
using test::ModelReplica;

constexpr const char* kHash = "{rotary:test}:s";

TEST(SharedSuspensions, WhatOneReadsAllKnowAfterTwoWays) {
    ModelFleet fleet(3);
    fleet[0].suspend(10s);
    fleet.move(199us);
    EXPECT_TRUE(fleet[1].is_active());
    fleet.move(1us);
    for (const std::size_t i : {1u, 2u}) {
        EXPECT_NEAR(static_cast<double>(fleet[i].left()), 10'000, 1) << i;
        EXPECT_EQ(fleet[i].entry->reason(), SuspendReason::rate_limited);
        EXPECT_EQ(fleet[i].other->standing(fleet.time->now()), Standing::active);
        EXPECT_EQ(fleet[i].shared->counts().heard, 1u);
        EXPECT_EQ(fleet[i].shared->counts().told, 0u) << "heard is not told on";
    }
    EXPECT_EQ(fleet[0].shared->counts().heard, 0u);
    EXPECT_EQ(fleet[0].shared->counts().told, 1u);
}

TEST(SharedSuspensions, OneReplicaProbesAndTheOthersFollowItsVerdict) {
    for (const bool passes : {true, false}) {
        ModelFleet fleet(5);
        fleet[0].suspend(10s);
        fleet.move(10s);
        std::size_t probes = 0;
        std::size_t prober = 0;
        for (int round = 0; round < 200; ++round) {  // a request each everywhere, each millisecond
            for (std::size_t i = 0; i < 5; ++i) {
                if (fleet[i].entry->standing(fleet.time->now()) != Standing::probe_due) continue;
                if (!fleet[i].claims()) continue;
                ++probes;
                prober = i;
            }
            fleet.move(1ms);
        }
        EXPECT_EQ(probes, 1u);
        if (passes) {
            fleet[prober].entry->probe_passed();
        } else {
            fleet[prober].suspend(10s);
        }
        fleet.move(1ms);
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_EQ(fleet[i].is_active(), passes) << i;
            if (!passes) {
                EXPECT_NEAR(static_cast<double>(fleet[i].left()), 20'000, 2) << i;
            }
        }
    }
}

TEST(SharedSuspensions, TheProbeIsAskedForWithinFiftyMilliseconds) {
    ModelFleet fleet(1);
    fleet[0].suspend(10s);
    fleet.move(10s);
    EXPECT_FALSE(fleet[0].claims());
    fleet.move(52ms);
    EXPECT_EQ(fleet[0].shared->counts().probes_granted, 1u);
    EXPECT_TRUE(fleet[0].claims());
}

TEST(SharedSuspensions, AProberThatDiesIsFollowedByAnother) {
    ModelFleet fleet(2);
    fleet[0].suspend(10s);
    fleet.move(10s);
    fleet[0].claims();
    fleet.move(60ms);
    ASSERT_TRUE(fleet[0].claims());
    fleet[1].claims();
    fleet.replicas.front().reset();
    fleet.move(1400ms);
    EXPECT_EQ(fleet[1].entry->standing(fleet.time->now()), Standing::out);
    fleet.move(200ms);
    EXPECT_FALSE(fleet[1].claims()) << "it asks once more";
    fleet.move(1ms);
    EXPECT_TRUE(fleet[1].claims());
}

TEST(SharedSuspensions, AnOperatorsWordHoldsEverywhere) {
    ModelFleet fleet(2);
    fleet[0].suspend(60s, SuspendReason::operator_request);
    fleet.move(1ms);
    EXPECT_EQ(fleet[1].entry->reason(), SuspendReason::operator_request);
    fleet[1].entry->resume();
    fleet.move(1ms);
    EXPECT_TRUE(fleet[0].is_active());
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 0u);
    // What failed there alone too.
    for (int i = 0; i < 5; ++i) fleet[0].entry->fail(fleet.time->now(), false, fleet[0].limits);
    fleet.move(1ms);
    EXPECT_TRUE(fleet[1].is_active()) << "failures are this replica's own";
    fleet[1].entry->resume();
    fleet.move(1ms);
    EXPECT_TRUE(fleet[0].is_active());
}

TEST(SharedSuspensions, OneThatJoinsKnowsWhatIsOut) {
    ModelFleet fleet(1);
    fleet[0].suspend(10s);
    fleet.move(4s);
    ModelReplica& late = fleet.join();
    bool informed = false;
    late.shared->when_informed([&] { informed = true; });
    EXPECT_FALSE(informed);
    fleet.move(1ms);
    EXPECT_TRUE(informed);
    EXPECT_NEAR(static_cast<double>(late.left()), 6'000, 2);
    // And what is over, but was not probed.
    fleet.move(7s);
    ModelReplica& later = fleet.join();
    fleet.move(1ms);
    EXPECT_EQ(later.entry->standing(fleet.time->now()), Standing::probe_due);
}

TEST(SharedSuspensions, AnEntryThatAReloadBringsIsLookedUp) {
    ModelFleet fleet(2);
    fleet[1].shared->take({});
    fleet[0].suspend(10s);
    fleet.move(1ms);
    EXPECT_TRUE(fleet[1].is_active());
    EXPECT_EQ(fleet[1].shared->counts().unknown, 1u);
    fleet[1].take();
    fleet.move(1ms);
    EXPECT_FALSE(fleet[1].is_active());
}

TEST(SharedSuspensions, WhatWasFlushedIsSaidAgainWithinASecond) {
    ModelFleet fleet(2);
    fleet[0].suspend(10s);
    fleet.move(1ms);
    fleet.server.flush();
    fleet.move(1100ms);
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 1u);
    EXPECT_EQ(fleet[0].shared->counts().repairs, 1u);
    EXPECT_FALSE(fleet[0].is_active());
    EXPECT_FALSE(fleet[1].is_active());
    ModelReplica& late = fleet.join();
    fleet.move(1ms);
    EXPECT_NEAR(static_cast<double>(late.left()), 8'900, 5);
}

TEST(SharedSuspensions, WhatADeadReplicaSaidIsSaidAgainByThoseWhoHeardIt) {
    ModelFleet fleet(4);
    fleet[0].suspend(60s);
    fleet.move(1ms);
    fleet.replicas[0].reset();
    fleet.server.flush();
    fleet.move(4500ms);
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 1u);
    std::uint64_t told = 0;
    for (const std::size_t i : {1u, 2u, 3u}) {
        EXPECT_FALSE(fleet[i].is_active()) << i;
        told += fleet[i].shared->counts().told;
    }
    EXPECT_EQ(told, 1u) << "the others have heard the first";
    ModelReplica& late = fleet.join();
    fleet.move(1ms);
    EXPECT_NEAR(static_cast<double>(late.left()), 55'500, 10);
    EXPECT_EQ(late.entry->reason(), SuspendReason::rate_limited);
    // What was lost and said again is brought back like any other.
    fleet[2].entry->resume();
    fleet.move(1ms);
    for (const std::size_t i : {1u, 2u, 3u, 4u}) EXPECT_TRUE(fleet[i].is_active()) << i;
    fleet.move(10s);
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 0u);
}

TEST(SharedSuspensions, AThousandReplicasDoNotAllSayWhatWasLost) {
    ModelFleet fleet(1000);
    fleet[0].suspend(60s);
    fleet.move(1ms);
    fleet.replicas[0].reset();
    fleet.server.flush();
    fleet.move(4500ms);
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 1u);
    std::uint64_t told = 0;
    for (std::size_t i = 1; i < 1000; ++i) {
        told += fleet[i].shared->counts().told;
        ASSERT_FALSE(fleet[i].is_active()) << i;
    }
    EXPECT_LE(told, 10u);
}

TEST(SharedSuspensions, WhoSaidItIsFirstAndWhatIsBroughtBackMeanwhileIsNotSaid) {
    ModelFleet fleet(3);
    fleet[0].suspend(60s);
    fleet.move(1ms);
    fleet.server.flush();
    fleet.move(5s);
    EXPECT_EQ(fleet[0].shared->counts().told, 2u);
    for (const std::size_t i : {1u, 2u}) EXPECT_EQ(fleet[i].shared->counts().told, 0u) << i;
    fleet.replicas[0].reset();
    fleet.server.flush();
    fleet.move(1100ms);
    fleet[1].entry->resume();
    fleet.move(5s);
    EXPECT_EQ(fleet.server.hash(kHash).count(kEntry), 0u);
    for (const std::size_t i : {1u, 2u}) EXPECT_TRUE(fleet[i].is_active()) << i;
}

TEST(SharedSuspensions, ALostOneIsNotTakenForOneThatWasBroughtBack) {
    ModelFleet fleet(2);
    fleet[0].suspend(60s);
    fleet.move(1ms);
    fleet.replicas[0].reset();
    fleet.server.flush();
    fleet.move(1010ms);  // found to be lost
    ModelReplica& late = fleet.join();
    fleet.move(1ms);
    for (int i = 0; i < 3; ++i) {  // a new hash, read more than once
        late.other->suspend(fleet.time->now(), 10s, SuspendReason::rate_limited, late.limits);
        fleet[1].store.cut();
        fleet[1].store.join();
        fleet.move(10ms);
        EXPECT_FALSE(fleet[1].is_active()) << i;
    }
    fleet.move(5s);
    EXPECT_FALSE(late.is_active());
}

TEST(SharedSuspensions, AwayEachIsOnItsOwnAndItIsSaidLater) {
    ModelFleet fleet(2);
    fleet[0].store.cut();
    fleet[0].suspend(10s);
    fleet.move(5s);
    EXPECT_TRUE(fleet[1].is_active());
    fleet[0].store.join();
    fleet.move(1ms);
    EXPECT_NEAR(static_cast<double>(fleet[1].left()), 5'000, 3);
    fleet[0].store.cut();
    fleet.move(5s);
    EXPECT_TRUE(fleet[0].claims()) << "at once, nobody to ask";
    fleet[0].entry->probe_passed();
    fleet.move(1s);
    EXPECT_FALSE(fleet[1].is_active());
    fleet[0].store.join();
    fleet.move(1ms);
    EXPECT_TRUE(fleet[1].is_active()) << "back is said later too";
    EXPECT_TRUE(fleet[0].is_active());
}

TEST(SharedSuspensions, WhatHappenedWhileOneWasAwayHoldsForItBehindThat) {
    struct Row {
        const char* name;
        void (*meanwhile)(ModelReplica& other);
        bool active;
    };
    const Row rows[] = {
        {"resumed", [](ModelReplica& other) { other.entry->resume(); }, true},
        {"suspended for longer", [](ModelReplica& other) { other.suspend(60s); }, false},
        {"nothing", [](ModelReplica&) {}, false},
    };
    for (const Row& row : rows) {
        ModelFleet fleet(2);
        fleet[0].suspend(30s);
        fleet.move(1ms);
        fleet[0].store.cut();
        row.meanwhile(fleet[1]);
        fleet.move(2s);
        fleet[0].store.join();
        fleet.move(1ms);
        EXPECT_EQ(fleet[0].is_active(), row.active) << row.name;
        EXPECT_NEAR(static_cast<double>(fleet[0].left()), static_cast<double>(fleet[1].left()), 3);
    }
}

TEST(SharedSuspensions, ANewerSuspensionOutlivesAWordThatCameTooLate) {
    ModelFleet fleet(2);
    fleet[0].suspend(10s);
    fleet.move(1ms);
    fleet[0].store.cut();
    fleet[0].entry->resume();
    fleet[1].suspend(60s);
    fleet.move(1s);
    fleet[0].store.join();
    fleet.move(1ms);
    EXPECT_FALSE(fleet[1].is_active());
    EXPECT_NEAR(static_cast<double>(fleet[0].left()), 59'000, 5);
}

TEST(SharedSuspensions, AMissedEventIsFoundWithinASecond) {
    ModelFleet fleet(2);
    fleet[1].store.set_silent(true);  // hears nothing either
    fleet[0].suspend(10s);
    fleet.move(100ms);
    fleet[1].store.set_silent(false);
    EXPECT_TRUE(fleet[1].is_active());
    fleet.move(1s);
    EXPECT_FALSE(fleet[1].is_active());
}

TEST(SharedSuspensions, NoAnswerToTheProbesQuestionIsAYes) {
    ModelFleet fleet(1);
    fleet[0].suspend(10s);
    fleet.move(10s);
    fleet[0].store.set_silent(true);
    EXPECT_FALSE(fleet[0].claims());
    fleet.move(80ms);
    EXPECT_TRUE(fleet[0].claims());
}

TEST(SharedSuspensions, CrossingWordsEndTheSameEverywhere) {
    // Both change it within one way, in both orders at the server.
    for (const bool back_first : {true, false}) {
        ModelFleet fleet(3);
        fleet[0].suspend(10s);
        fleet.move(1ms);
        if (back_first) fleet[1].entry->resume();
        fleet[2].suspend(30s);
        if (!back_first) {
            fleet.move(50us);
            fleet[1].entry->resume();
        }
        fleet.move(10ms);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(fleet[i].is_active(), !back_first) << i << " " << back_first;
        }
    }
}

TEST(SharedSuspensions, ItsOwnWordFromBeforeDoesNotBringItBack) {
    ModelFleet fleet(1);
    fleet[0].suspend(10s);
    fleet.move(1ms);
    fleet[0].entry->resume();
    fleet.move(50us);
    fleet[0].suspend(10s);
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(fleet[0].is_active()) << i;
        fleet.move(20us);
    }
}

TEST(SharedSuspensions, WhatWasHeardIsLaterThanAReplyThatTookItsTime) {
    ModelFleet fleet(2);
    fleet[0].suspend(10s);
    fleet.move(1ms);
    fleet[1].shared->take({});
    fleet[1].store.set_way(5ms);
    fleet[1].take();  // which asks for all
    fleet[1].store.set_way(100us);
    fleet.move(5500us);  // it is answered, and the answer under way
    fleet[0].entry->resume();
    fleet.move(6ms);
    EXPECT_TRUE(fleet[1].is_active());
}

TEST(SharedSuspensions, TheLeaseEndsWithTheVerdict) {
    ModelFleet fleet(2);
    fleet[0].suspend(200ms);
    fleet.move(300ms);
    fleet[0].claims();
    fleet.move(1ms);
    ASSERT_TRUE(fleet[0].claims());
    fleet[0].suspend(200ms);  // refused
    EXPECT_NEAR(static_cast<double>(fleet[0].left()), 400, 1);
    fleet.move(500ms);
    fleet[1].claims();
    fleet.move(1ms);
    EXPECT_TRUE(fleet[1].claims()) << "sooner than the first lease would have ended";
}

TEST(SharedSuspensions, WhatAStrangerWritesIsBoundedOrIgnored) {
    ModelFleet fleet(1);
    ModelReplica& replica = fleet[0];
    const std::string entry = kEntry;
    fleet.server.publish("s 5 99999999999999 0 0 rate_limited stranger " + entry);
    fleet.move(1ms);
    EXPECT_NEAR(static_cast<double>(replica.left()), 3'600'000, 1) << "the longest there is";
    EXPECT_EQ(replica.shared->counts().ignored, 0u);
    replica.entry->resume();
    fleet.move(1ms);
    for (const char* junk :
         {"", "x", "s 5 1000 0 0 failing stranger E", "s 1 2 3", "b 7 stranger "}) {
        fleet.server.publish(junk);
    }
    fleet.move(1ms);
    EXPECT_EQ(replica.shared->counts().ignored, 5u);
    EXPECT_TRUE(replica.is_active());

    auto& hash = fleet.server.hash(kHash);
    hash[entry] = "99999999999999 0 0 operator stranger";
    hash["of no replica here"] = "99999999999999 0 0 operator stranger";
    hash[test::kOther] = "junk";
    ModelReplica& late = fleet.join();
    fleet.move(1ms);
    EXPECT_NEAR(static_cast<double>(late.left()), 3'600'000, 1);
    EXPECT_EQ(late.other->standing(fleet.time->now()), Standing::active);
    EXPECT_EQ(late.shared->counts().ignored, 1u);
    // A time beyond measure is no later one: the next suspension takes its place.
    late.entry->resume();
    fleet.move(1ms);
    fleet.server.hash(kHash)[entry] = "99999999999999 0 0 operator stranger";
    late.suspend(10s);
    fleet.move(1ms);
    EXPECT_NE(fleet.server.hash(kHash)[entry].find("rate_limited"), std::string::npos);
}

TEST(SharedSuspensions, EntriesMayOutliveWhatSharesThem) {
    ModelFleet fleet(1);
    fleet[0].shared.reset();
    fleet[0].suspend(10s);
    fleet.move(10s);
    EXPECT_TRUE(fleet[0].claims()) << "alone again";
}

TEST(SharedSuspensions, NothingToSayIsOneSmallQuestionASecond) {
    ModelFleet fleet(1);
    fleet.move(10s);
    const std::uint64_t before = fleet.server.asked;
    fleet.move(10s);
    EXPECT_EQ(fleet.server.asked - before, 10u);
}

}  // namespace
}  // namespace rotary::fleet
