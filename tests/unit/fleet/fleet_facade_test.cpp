#include <rotary/fleet/fleet.hpp>

#include <gtest/gtest.h>

#include "support/model_store.hpp"

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

struct Member {
    Member(test::ModelServer& server, const std::shared_ptr<test::MovedTime>& time, bool ready)
        : store(server, *time, 100us) {
        if (!ready) store.cut();
        fleet = std::make_unique<Fleet>(store, time, Fleet::Options{"test", "one", 1h}, log);
        fleet->take({{"A/production/m@b", entry}}, 1h);
    }
    test::ModelStore store;
    Logger log{LogLevel::error};
    std::shared_ptr<rotation::EntryState> entry = std::make_shared<rotation::EntryState>();
    std::unique_ptr<Fleet> fleet;
};

TEST(Fleet, HasJoinedWhenItKnowsWhatTheOthersKnow) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Member member(server, time, true);
    int joined = 0;
    member.fleet->when_joined(700ms, [&] { ++joined; });
    EXPECT_EQ(joined, 0);
    time->move(1ms);
    EXPECT_EQ(joined, 1);
    time->move(1s);
    EXPECT_EQ(joined, 1) << "once";
    EXPECT_TRUE(member.fleet->is_joined());
    EXPECT_EQ(member.fleet->replicas(), 1u);
}

TEST(Fleet, OnItsOwnItWaitsNoLongerThanItIsTold) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Member member(server, time, false);
    int joined = 0;
    member.fleet->when_joined(700ms, [&] { ++joined; });
    time->move(699ms);
    EXPECT_EQ(joined, 0);
    time->move(1ms);
    EXPECT_EQ(joined, 1);
    EXPECT_FALSE(member.fleet->is_joined());
    const SteadyTime later = time->now();
    member.store.join();
    EXPECT_TRUE(member.fleet->is_joined());
    EXPECT_EQ(member.fleet->since(), later);
    time->move(1ms);
    EXPECT_EQ(joined, 1);
}

TEST(Fleet, MayGoWhileAQuestionIsUnderWay) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Member member(server, time, true);
    member.entry->suspend(time->now(), 10s, rotation::SuspendReason::rate_limited, {});
    time->move(50us);
    member.fleet->leave();
    member.fleet.reset();
    time->move(20s);
    EXPECT_TRUE(member.entry->claim_probe(time->now(), {})) << "alone";
}

}  // namespace
}  // namespace rotary::fleet
