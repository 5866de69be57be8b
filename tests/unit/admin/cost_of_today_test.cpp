// What a day costs, of sums that go on and on.
#include <rotary/admin/cost_of_today.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace rotary::admin {

namespace {

using namespace std::chrono_literals;

const WallTime kDay{std::chrono::days(20'000)};

class CostOfTodayTest : public testing::Test {
protected:
    CostOfTodayTest() { uses_.set_most(2); }

    void spend(std::string_view consumer, std::uint64_t nanos) {
        quota::Use use;
        use.nanos = nanos;
        uses_.add(consumer, use);
    }
    void note(WallTime now) {
        today_.note(&uses_, now, [this](WallTime day) {
            ++asked_;
            asked_of_ = day;
            return recalled_;
        });
    }
    std::uint64_t cost(std::string_view consumer) const {
        std::uint64_t nanos = 0;
        uses_.each([&](std::string_view name, const quota::Use& use) {
            if (name == consumer) nanos = use.nanos;
        });
        return today_.of(consumer, nanos);
    }

    quota::ConsumerUse uses_;
    CostOfToday today_;
    std::optional<CostOfToday::Sums> recalled_;
    int asked_ = 0;
    WallTime asked_of_{};
};

TEST_F(CostOfTodayTest, WithoutALedgerItIsSinceCountingBegan) {
    note(uses_.since());
    spend("a", 70);
    EXPECT_EQ(cost("a"), 70U);
    EXPECT_EQ(today_.since(), uses_.since());
    EXPECT_FALSE(today_.is_of_whole_day());
    EXPECT_EQ(asked_, 1);
}

TEST_F(CostOfTodayTest, WhatIsLookedAtLateIsSinceCountingBegan) {
    note(uses_.since() + std::chrono::days(3));
    EXPECT_EQ(today_.since(), uses_.since());
    EXPECT_FALSE(today_.is_of_whole_day());
}

TEST_F(CostOfTodayTest, TheLedgerTellsOfTheHoursBefore) {
    recalled_ = CostOfToday::Sums{{"a", 1000}, {"gone", 5}};
    note(kDay + 13h);
    EXPECT_EQ(asked_of_, kDay);
    EXPECT_TRUE(today_.is_of_whole_day());
    EXPECT_EQ(today_.since(), kDay);
    spend("a", 70);
    spend("b", 3);
    note(kDay + 14h);
    EXPECT_EQ(cost("a"), 1070U);
    EXPECT_EQ(cost("b"), 3U);
    EXPECT_EQ(today_.of("gone", 0), 5U);
    EXPECT_EQ(today_.total(uses_), 1078U);
    EXPECT_EQ(asked_, 1) << "once";
}

TEST_F(CostOfTodayTest, ANewDayBeginsAtNothing) {
    recalled_ = CostOfToday::Sums{{"a", 1000}};
    note(kDay + 13h);
    spend("a", 70);
    spend("b", 5);
    spend("c", 6);  // among the others
    note(kDay + 24h);
    EXPECT_EQ(cost("a"), 0U);
    EXPECT_EQ(today_.total(uses_), 0U);
    EXPECT_EQ(today_.since(), kDay + 24h);
    spend("a", 1);
    spend("d", 2);
    EXPECT_EQ(cost("a"), 1U);
    EXPECT_EQ(today_.total(uses_), 3U);
    note(kDay + 25h);
    EXPECT_EQ(cost("a"), 1U) << "the same day";
    note(kDay + 48h);
    EXPECT_EQ(cost("a"), 0U);
}

TEST_F(CostOfTodayTest, AClockThatIsSetBackBeginsNoDay) {
    note(kDay + 24h);
    spend("a", 4);
    note(kDay + 23h);
    EXPECT_EQ(cost("a"), 4U);
    note(kDay + 24h + 1s);
    EXPECT_EQ(cost("a"), 4U);
}

TEST_F(CostOfTodayTest, WhereNoneIsCountedNothingIsAsked) {
    today_.note(nullptr, kDay, [this](WallTime) {
        ++asked_;
        return recalled_;
    });
    EXPECT_EQ(asked_, 0);
}

}  // namespace

}  // namespace rotary::admin
