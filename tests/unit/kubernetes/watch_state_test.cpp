#include "kubernetes/watch_state.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::kubernetes {
namespace {

using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using Do = Step::Do;
using How = Ending::How;
using Standing = WatchState::Standing;

constexpr double kNoChance = 1;  // the whole wait

WatchState watching() {
    WatchState state(1, 30s);
    state.listed("100");
    state.event("101");
    return state;
}

// What an API server v1.36 was seen to do, and what follows.
struct Row {
    const char* name;
    Ending ending;
    Do what;
    std::chrono::milliseconds wait;
    Standing standing;
};

TEST(WatchState, OfEveryEndOfAWatch) {
    const Row rows[] = {
        {"its time is over", {How::clean}, Do::watch, 0ms, Standing::complete},
        {"the version is too old", {How::told, 410}, Do::list, 0ms, Standing::complete},
        {"too old, by status", {How::refused, 410}, Do::list, 0ms, Standing::complete},
        {"cut in a chunk", {How::cut}, Do::watch, 800ms, Standing::away},
        {"from the future", {How::told, 504, 1s}, Do::list, 1200ms, Standing::complete},
        {"an error of its own", {How::told, 500}, Do::list, 800ms, Standing::complete},
        {"starting", {How::refused, 503}, Do::watch, 800ms, Standing::away},
        {"too many", {How::refused, 429, 1s}, Do::watch, 1200ms, Standing::away},
        {"removed", {How::refused, 404}, Do::list, 0ms, Standing::complete},
        {"no right any more", {How::refused, 403}, Do::list, 800ms, Standing::forbidden},
        {"token refused", {How::refused, 401}, Do::list, 800ms, Standing::forbidden},
    };
    for (const Row& row : rows) {
        WatchState state = watching();
        const Step step = state.watch_ended(row.ending, kNoChance);
        EXPECT_EQ(step.what, row.what) << row.name;
        EXPECT_EQ(step.wait, row.wait) << row.name;
        EXPECT_EQ(state.standing(), row.standing) << row.name;
        EXPECT_TRUE(state.is_complete()) << row.name;
        EXPECT_EQ(state.resource_version(), "101") << row.name;
    }
}

TEST(WatchState, OfEveryEndOfAList) {
    const Row rows[] = {
        {"the pages are too old", {How::refused, 410}, Do::list, 0ms, Standing::starting},
        {"not installed", {How::refused, 404}, Do::list, 30s, Standing::not_installed},
        {"no right", {How::refused, 403}, Do::list, 800ms, Standing::forbidden},
        {"token refused", {How::refused, 401}, Do::list, 800ms, Standing::forbidden},
        {"too many", {How::refused, 429, 1s}, Do::list, 1200ms, Standing::away},
        {"starting", {How::refused, 503}, Do::list, 800ms, Standing::away},
        {"from the future", {How::refused, 504, 1s}, Do::list, 1200ms, Standing::away},
        {"refused connection", {How::cut}, Do::list, 800ms, Standing::away},
    };
    for (const Row& row : rows) {
        WatchState state(1, 30s);
        const Step step = state.list_ended(row.ending, kNoChance);
        EXPECT_EQ(step.what, row.what) << row.name;
        EXPECT_EQ(step.wait, row.wait) << row.name;
        EXPECT_EQ(state.standing(), row.standing) << row.name;
        EXPECT_EQ(state.is_complete(), row.standing == Standing::not_installed) << row.name;
    }
}

TEST(WatchState, AListIsWatchedFromItsVersion) {
    WatchState state(1, 30s);
    const Step step = state.listed("349");
    EXPECT_EQ(step.what, Do::watch);
    EXPECT_EQ(step.wait, 0ms);
    EXPECT_EQ(state.resource_version(), "349");
    EXPECT_TRUE(state.is_complete());
    state.event("350");
    state.event("");  // a line without one
    EXPECT_EQ(state.resource_version(), "350");
}

TEST(WatchState, LowerVersionsAreTriedAtOnceAndThenTheHighestAgain) {
    WatchState state(3, 30s);
    for (const std::size_t next : {1U, 2U}) {
        const Step step = state.list_ended({How::refused, 404}, 0);
        EXPECT_EQ(step.wait, 0ms);
        EXPECT_EQ(state.version(), next);
        EXPECT_EQ(state.standing(), Standing::starting);
    }
    EXPECT_EQ(state.list_ended({How::refused, 404}, 0).wait, 30s);
    EXPECT_EQ(state.standing(), Standing::not_installed);
    EXPECT_EQ(state.version(), 0U);
}

TEST(WatchState, WaitsGrowToTheLongestAndBeginAnewAfterASuccess) {
    WatchState state(1, 30s);
    std::vector<std::chrono::milliseconds> waits;
    for (int i = 0; i < 8; ++i) waits.push_back(state.list_ended({How::cut}, kNoChance).wait);
    EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{800ms, 1600ms, 3200ms, 6400ms, 12800ms,
                                                             25600ms, 30s, 30s}));
    state.listed("1");
    EXPECT_EQ(state.watch_ended({How::cut}, kNoChance).wait, 800ms);
    EXPECT_EQ(state.watch_ended({How::cut}, 0).wait, 800ms);  // half of 1.6 s
}

// Ten minutes of absence are thirty tries; each kind would find out by itself, up to 30 s apart,
// that they are over.
TEST(WatchState, AWaitThatTheServerDidNotAskForMayBeCutShort) {
    const struct {
        const char* name;
        Ending ending;
        bool may_hurry;
    } rows[] = {
        {"no answer", {How::cut}, true},
        {"starting", {How::refused, 503}, true},
        {"starting, in a second", {How::refused, 503, 1s}, false},
        {"too many", {How::refused, 429, 1s}, false},
        {"no right", {How::refused, 403}, false},
    };
    for (const auto& row : rows) {
        WatchState state = watching();
        state.watch_ended(row.ending, kNoChance);
        EXPECT_EQ(state.may_hurry(), row.may_hurry) << row.name;
        state.opened();
        EXPECT_FALSE(state.may_hurry()) << row.name;
        EXPECT_EQ(state.standing(), Standing::complete) << row.name;
    }
    WatchState state = watching();
    std::chrono::milliseconds away{0};
    int tries = 0;
    for (; away < 10min; ++tries) away += state.watch_ended({How::cut}, kNoChance).wait;
    EXPECT_EQ(tries, 25);
    state.opened();
    EXPECT_EQ(state.watch_ended({How::cut}, kNoChance).wait, 30s) << "until a line comes";
}

// It says 503, then 429 and when to come again, some seconds long; what it was away for is over.
TEST(WatchState, AServerThatStartsIsWaitedForAnew) {
    WatchState state = watching();
    for (int i = 0; i < 10; ++i) state.watch_ended({How::cut}, kNoChance);
    EXPECT_EQ(state.watch_ended({How::refused, 503}, kNoChance).wait, 800ms);
    EXPECT_EQ(state.watch_ended({How::refused, 429, 1s}, kNoChance).wait, 1400ms);
    EXPECT_EQ(state.watch_ended({How::refused, 429, 1s}, kNoChance).wait, 1800ms);
    // One in front of it that answers now and then is none that starts.
    EXPECT_EQ(state.watch_ended({How::cut}, kNoChance).wait, 6400ms);
    EXPECT_EQ(state.watch_ended({How::refused, 503}, kNoChance).wait, 12800ms);
}

TEST(WatchState, TwoSilentWatchesAreMadeSureOfByAList) {
    WatchState state(1, 30s);
    state.listed("1");
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::watch);
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::list);
    state.listed("1");
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::watch);
    state.event("2");
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::watch);
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::watch);
    EXPECT_EQ(state.watch_ended({How::clean}, 0).what, Do::list);
}

// A server that ends all watches at once, or calls every version too old, is not asked for ever
// without a pause.
TEST(WatchState, WhatComesAgainAndAgainIsWaitedFor) {
    WatchState state = watching();
    Ending quick;
    quick.was_quick = true;
    EXPECT_EQ(state.watch_ended(quick, kNoChance).wait, 800ms);
    EXPECT_EQ(state.watch_ended(quick, kNoChance).wait, 1600ms);
    WatchState old = watching();
    EXPECT_EQ(old.watch_ended({How::told, 410}, kNoChance).wait, 0ms);
    old.listed("5");
    EXPECT_EQ(old.watch_ended({How::told, 410}, kNoChance).wait, 800ms);
    old.listed("6");
    old.event("7");
    EXPECT_EQ(old.watch_ended({How::told, 410}, kNoChance).wait, 0ms);
}

}  // namespace
}  // namespace rotary::kubernetes
