#include "control/settling.hpp"

#include <gtest/gtest.h>

namespace rotary::control {
namespace {

using std::chrono_literals::operator""ms;

constexpr SteadyTime kStart{std::chrono::seconds(1000)};

TEST(Settling, TellsWhenItHasBeenQuietForAWhile) {
    Settling settling;
    EXPECT_FALSE(settling.pending());
    EXPECT_EQ(settling.changed(kStart, 100ms), kStart + 100ms);
    EXPECT_TRUE(settling.pending());
    EXPECT_EQ(settling.changed(kStart + 60ms, 100ms), kStart + 160ms) << "another puts it off";
    EXPECT_EQ(settling.changed(kStart + 60ms, 100ms), kStart + 160ms);
}

TEST(Settling, ChangesThatNeverEndAreToldOfToo) {
    Settling settling;
    SteadyTime due;
    for (auto at = kStart; at < kStart + 990ms; at += 10ms) due = settling.changed(at, 100ms);
    EXPECT_EQ(due, kStart + 1000ms);
    EXPECT_EQ(settling.changed(kStart + 995ms, 100ms), kStart + 1000ms);
}

TEST(Settling, WhatWasToldOfIsOver) {
    Settling settling;
    settling.changed(kStart, 100ms);
    settling.told();
    EXPECT_FALSE(settling.pending());
    EXPECT_EQ(settling.changed(kStart + 990ms, 100ms), kStart + 1090ms) << "counted anew";
}

TEST(Settling, WithoutAPauseItIsAtOnce) {
    Settling settling;
    EXPECT_EQ(settling.changed(kStart, 0ms), kStart);
    EXPECT_EQ(settling.changed(kStart + 5ms, 0ms), kStart) << "the first is due";
}

}  // namespace
}  // namespace rotary::control
