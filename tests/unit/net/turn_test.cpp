#include <rotary/net/turn.hpp>

#include <gtest/gtest.h>

namespace rotary::net {
namespace {

using namespace std::chrono_literals;

Turn turn_of(std::size_t bytes, std::chrono::microseconds time) {
    Turn turn;
    turn.set_limits({bytes, time});
    turn.begin();
    return turn;
}

TEST(Turn, IsOverWithItsBytes) {
    Turn turn = turn_of(100, 1h);
    EXPECT_FALSE(turn.is_over());
    turn.spend(99);
    EXPECT_FALSE(turn.is_over());
    turn.spend(1);
    EXPECT_TRUE(turn.is_over());
    turn.begin();
    EXPECT_FALSE(turn.is_over());
}

TEST(Turn, MayGoBeyondItsBytesWithOneCall) {
    Turn turn = turn_of(100, 1h);
    turn.spend(5000);
    EXPECT_TRUE(turn.is_over());
}

TEST(Turn, LooksAtTheClockFromTheFourthCallOn) {
    Turn turn = turn_of(100, 0us);
    for (int call = 1; call <= 3; ++call) {
        turn.spend(1);
        EXPECT_FALSE(turn.is_over()) << "call " << call;
    }
    turn.spend(1);
    EXPECT_TRUE(turn.is_over()) << "no time is what it was given";
}

TEST(Turn, WithTimeLeftGoesOn) {
    Turn turn = turn_of(1'000'000, 1h);
    for (int call = 0; call < 100; ++call) {
        turn.spend(1);
        EXPECT_FALSE(turn.is_over());
    }
}

TEST(Turn, KeepsItsLimits) {
    const Turn turn = turn_of(7, 8us);
    EXPECT_EQ(turn.limits().bytes, 7U);
    EXPECT_EQ(turn.limits().time, 8us);
}

}  // namespace
}  // namespace rotary::net
