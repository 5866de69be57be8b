#include <rotary/quota/counter_table.hpp>

#include <gtest/gtest.h>

#include "unit/quota/quota_times.hpp"

#include <string>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

const Window kWindow = window_of(Unit::minute, kNoon);

std::int64_t take(CounterTable& table, const std::shared_ptr<Family>& family, std::string_view who,
                  WallTime now = kNoon) {
    HeldCounter held = table.hold(family, who, window_of(Unit::minute, now));
    return held->take(minute_terms(1'000'000, now), 1).used;
}

TEST(CounterTable, GivesEachCallerItsOwn) {
    CounterTable table;
    const auto family = table.family("custom/team");
    const auto other = table.family("custom/other");
    EXPECT_EQ(take(table, family, "a"), 1);
    EXPECT_EQ(take(table, family, "a"), 2);
    EXPECT_EQ(take(table, family, "b"), 1);
    EXPECT_EQ(take(table, other, "a"), 1);
    EXPECT_EQ(table.size(), 3u);
}

TEST(CounterTable, KeepsAFamilyForAsLongAsAConfigurationHasIt) {
    CounterTable table;
    auto family = table.family("api/chat");
    family->common().take(minute_terms(10, kNoon), 4);
    const auto reloaded = table.family("api/chat");
    family.reset();
    table.prune();
    EXPECT_EQ(table.family("api/chat")->common().latest().used, 4);
    EXPECT_EQ(table.family("api/chat"), reloaded);
}

TEST(CounterTable, ForgetsAFamilyThatNoneHas) {
    CounterTable table;
    table.family("api/chat")->common().take(minute_terms(10, kNoon), 4);
    table.prune();
    EXPECT_EQ(table.family("api/chat")->common().latest().used, 0);
}

TEST(CounterTable, HasOneCounterForAllWhomItHasNoRoomFor) {
    CounterTable table;
    table.set_most(2);
    const auto family = table.family("custom/team");
    take(table, family, "a");
    take(table, family, "b");
    EXPECT_FALSE(table.hold(family, "c", kWindow).is_known());
    EXPECT_EQ(take(table, family, "c"), 1);
    EXPECT_EQ(take(table, family, "d"), 2);
    EXPECT_TRUE(table.hold(family, "a", kWindow).is_known()) << "the known ones keep theirs";
    EXPECT_EQ(take(table, family, "a"), 2);
    EXPECT_EQ(table.size(), 2u);
    EXPECT_EQ(table.overflows(), 3u);
}

TEST(CounterTable, HasNoRoomForNamesWithoutEnd) {
    CounterTable table;
    const auto family = table.family("custom/team");
    std::string name(CounterTable::kLongestName, 'x');
    EXPECT_TRUE(table.hold(family, name, kWindow).is_known());
    name.push_back('x');
    EXPECT_FALSE(table.hold(family, name, kWindow).is_known());
    EXPECT_EQ(table.size(), 1u);
}

// As many as there may be, again and again: those of two windows ago make room.
TEST(CounterTable, DropsWhoHasNotComeForTwoWindows) {
    CounterTable table;
    table.set_most(1000);
    const auto family = table.family("custom/team");
    for (int i = 0; i < 1000; ++i) take(table, family, std::to_string(i));
    EXPECT_FALSE(table.hold(family, "new", kWindow).is_known());
    const WallTime next = kNoon + 1min;
    EXPECT_FALSE(table.hold(family, "new", window_of(Unit::minute, next)).is_known());
    const WallTime later = kNoon + 3min;
    int known = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string who = "later " + std::to_string(i);
        known += table.hold(family, who, window_of(Unit::minute, later)).is_known() ? 1 : 0;
    }
    EXPECT_GT(known, 900);
    EXPECT_LE(table.size(), 1000u);
}

TEST(CounterTable, NeverDropsWhatIsHeld) {
    CounterTable table;
    table.set_most(4000);
    const auto family = table.family("custom/team");
    HeldCounter held = table.hold(family, "held", kWindow);
    held->take(minute_terms(10, kNoon), 7);
    for (int i = 0; i < 4000; ++i) take(table, family, std::to_string(i), kNoon + 1h);
    EXPECT_EQ(held->latest().used, 7);
    EXPECT_EQ(take(table, family, "held", kNoon), 8);
}

TEST(CounterTable, StaysBoundedUnderAMillionCallers) {
    CounterTable table;
    table.set_most(10'000);
    const auto family = table.family("custom/team");
    const WallTime now = kNoon;
    take(table, family, "known", now);
    for (int i = 0; i < 1'000'000; ++i) {
        table.hold(family, std::to_string(i), kWindow)->add(minute_terms(10, now), 1);
    }
    EXPECT_EQ(table.size(), 10'000u);
    EXPECT_TRUE(table.hold(family, "known", kWindow).is_known());
    EXPECT_EQ(take(table, family, "known", now), 2);
}

TEST(CounterTable, ShowsAllCallers) {
    CounterTable table;
    const auto family = table.family("custom/team");
    take(table, family, "a");
    take(table, family, "b");
    take(table, table.family("other"), "c");
    std::string names;
    table.each([&](const KeyedCounter& one) {
        if (one.family == family) names += one.who;
    });
    EXPECT_TRUE(names == "ab" || names == "ba") << names;
}

TEST(CounterTable, LooksWithoutMakingACounter) {
    CounterTable table;
    const auto family = table.family("custom/team");
    take(table, family, "a");
    EXPECT_EQ((*table.find(*family, "a"))->look(minute_terms(10, kNoon)).used, 1);
    EXPECT_FALSE(table.find(*family, "b"));
    EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace rotary::quota
