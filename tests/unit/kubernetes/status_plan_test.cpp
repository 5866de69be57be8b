// Which object's status is looked at, and when.
#include "kubernetes/status_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rotary::kubernetes {
namespace {

using namespace std::chrono_literals;
using Result = StatusPlan::Result;

constexpr SteadyTime kStart{1000s};

Judged judged(const std::string& name, const std::string& text = "{}", Verdict verdict = {}) {
    return {{"v1", "API", "default", name, "uid-" + name},
            "/apis/" + name,
            std::make_shared<const std::string>(text),
            std::move(verdict)};
}

Verdict wrong(const std::string& message) {
    return {Verdict::Outcome::held, {{config::Severity::error, "", 0, 0, "spec", message}}};
}

std::string taken(StatusPlan& plan, SteadyTime now) {
    const std::optional<Judged> one = plan.take(now);
    return one ? one->object.name : "";
}

TEST(StatusPlan, ReplicasSpreadOverTwoSeconds) {
    StatusPlan plan;
    plan.tell({judged("a")}, kStart, 0.5);
    EXPECT_EQ(plan.next(), kStart + 1s);
    EXPECT_EQ(taken(plan, kStart + 999ms), "");
    EXPECT_EQ(taken(plan, kStart + 1s), "a");
    EXPECT_EQ(plan.next(), std::nullopt);
}

TEST(StatusPlan, WhatIsNoNewsIsNotLookedAtAgain) {
    StatusPlan plan;
    plan.tell({judged("a"), judged("b")}, kStart, 0);
    EXPECT_EQ(taken(plan, kStart), "a");
    EXPECT_EQ(taken(plan, kStart), "b");
    EXPECT_EQ(taken(plan, kStart), "");
    plan.tell({judged("a"), judged("b")}, kStart + 1min, 0);
    EXPECT_EQ(plan.next(), std::nullopt);
}

TEST(StatusPlan, AnEditOrAnotherVerdictIsNews) {
    const std::vector<Judged> news = {judged("a", "{\"x\":1}"), judged("a", "{}", wrong("one")),
                                      judged("a", "{}", wrong("two"))};
    StatusPlan plan;
    plan.tell({judged("a")}, kStart, 0);
    SteadyTime now = kStart;
    EXPECT_EQ(taken(plan, now), "a");
    for (const Judged& one : news) {
        now += 1min;
        plan.tell({one}, now, 0);
        EXPECT_EQ(taken(plan, now), "a");
    }
}

TEST(StatusPlan, AnObjectIsLookedAtOnceInTenSeconds) {
    StatusPlan plan;
    plan.tell({judged("a")}, kStart, 0);
    EXPECT_EQ(taken(plan, kStart), "a");
    plan.tell({judged("a", "{\"x\":1}")}, kStart + 1s, 0.5);
    EXPECT_EQ(plan.next(), kStart + 10s);
    plan.tell({judged("a", "{\"x\":2}")}, kStart + 9s, 0.5);
    EXPECT_EQ(plan.next(), kStart + 10s) << "it does not wait longer for being edited again";
    const std::optional<Judged> one = plan.take(kStart + 10s);
    ASSERT_TRUE(one);
    EXPECT_EQ(*one->text, "{\"x\":2}");
}

TEST(StatusPlan, AConflictIsTriedAgainAtOnceAFailureLater) {
    StatusPlan plan;
    plan.tell({judged("a")}, kStart, 0);
    std::optional<Judged> one = plan.take(kStart);
    ASSERT_TRUE(one);
    plan.finish(*one, Result::conflict, kStart + 1s);
    one = plan.take(kStart + 1s);
    ASSERT_TRUE(one);
    plan.finish(*one, Result::failed, kStart + 2s);
    EXPECT_EQ(plan.next(), kStart + 2s + StatusPlan::kFailed);
    one = plan.take(kStart + 2s + StatusPlan::kFailed);
    ASSERT_TRUE(one);
    plan.finish(*one, Result::said, kStart + 33s);
    EXPECT_EQ(plan.next(), std::nullopt);
}

TEST(StatusPlan, WhatIsGoneIsForgotten) {
    StatusPlan plan;
    plan.tell({judged("a"), judged("b")}, kStart, 0);
    const std::optional<Judged> one = plan.take(kStart);
    ASSERT_TRUE(one);
    plan.tell({}, kStart, 0);
    EXPECT_EQ(plan.next(), std::nullopt);
    plan.finish(*one, Result::conflict, kStart);
    EXPECT_EQ(plan.next(), std::nullopt);
}

// What was told while an object was in hand is not lost by what came of that.
TEST(StatusPlan, NewsOfAnObjectInHandStay) {
    StatusPlan plan;
    plan.tell({judged("a")}, kStart, 0);
    const std::optional<Judged> one = plan.take(kStart);
    ASSERT_TRUE(one);
    plan.tell({judged("a", "{\"x\":1}")}, kStart, 0);
    plan.finish(*one, Result::said, kStart);
    EXPECT_EQ(plan.next(), kStart + 10s);
}

// A right that is missing, or a server that is away, is not asked once for each of thousands.
TEST(StatusPlan, AFailureHoldsUpAll) {
    StatusPlan plan;
    plan.tell({judged("a"), judged("b")}, kStart, 0);
    const std::optional<Judged> one = plan.take(kStart);
    ASSERT_TRUE(one);
    plan.finish(*one, Result::failed, kStart);
    EXPECT_EQ(plan.next(), kStart + StatusPlan::kFailed);
    EXPECT_EQ(taken(plan, kStart + StatusPlan::kFailed - 1ms), "");
    EXPECT_NE(taken(plan, kStart + StatusPlan::kFailed), "");
    EXPECT_NE(taken(plan, kStart + StatusPlan::kFailed), "");
}

TEST(EventMemory, ThingsAreNewsAgainAfterTenMinutes) {
    EventMemory memory;
    EXPECT_FALSE(memory.knows("x", kStart));
    memory.keep("x", kStart);
    EXPECT_TRUE(memory.knows("x", kStart + 10min - 1ms));
    EXPECT_FALSE(memory.knows("y", kStart + 1s));
    EXPECT_FALSE(memory.knows("x", kStart + 10min));
}

}  // namespace
}  // namespace rotary::kubernetes
