#include <rotary/quota/counter.hpp>

#include <gtest/gtest.h>

#include "unit/quota/quota_times.hpp"

#include <limits>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// A counter with what of its terms stays the same.
struct Kept {
    std::int64_t limit = 5000;
    Unit unit = Unit::minute;
    bool strict = false;
    bool sliding = false;
    bool carry_debt = false;
    Counter counter{};

    Terms terms(std::chrono::milliseconds more) const {
        const WallTime now = noon_and(more);
        return {window_of(unit, now), now, limit, strict, sliding, carry_debt};
    }
    Taken take(std::chrono::milliseconds at, std::int64_t amount) {
        return counter.take(terms(at), amount);
    }
    std::int64_t used(std::chrono::milliseconds at) const { return counter.look(terms(at)).used; }
    // A request that is estimated at one thing and comes to another, all within a window.
    bool serve(std::chrono::milliseconds at, std::int64_t estimate, std::int64_t actual) {
        const Taken taken = take(at, estimate);
        if (taken.admitted) counter.settle(terms(at), taken.window, estimate, actual);
        return taken.admitted;
    }
};

// APK's scenario: limit 5000; 300 a call, then one of 40,000, which passes; the next is refused;
// the next minute is fresh.
TEST(Counter, AdmitsWhileAnythingIsLeft) {
    Kept kept;
    EXPECT_TRUE(kept.serve(1s, 256, 300));
    EXPECT_EQ(kept.used(1s), 300);
    EXPECT_TRUE(kept.serve(2s, 256, 300));
    EXPECT_EQ(kept.used(2s), 600);
    EXPECT_TRUE(kept.serve(3s, 256, 40'000));
    const Taken refused = kept.take(4s, 1);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.used, 40'600);
    EXPECT_EQ(refused.free_at, noon_and(60s));
    EXPECT_TRUE(kept.take(60s, 1).admitted);
    EXPECT_EQ(kept.used(60s), 1);
}

TEST(Counter, IsFullAtTheLimitExactly) {
    Kept kept{.limit = 10};
    EXPECT_TRUE(kept.take(0s, 9).admitted);
    EXPECT_TRUE(kept.take(0s, 1).admitted);
    EXPECT_FALSE(kept.take(0s, 0).admitted);
    EXPECT_EQ(kept.used(0s), 10);
}

TEST(Counter, OfNothingAdmitsNothing) {
    Kept kept{.limit = 0};
    EXPECT_FALSE(kept.take(0s, 1).admitted);
    EXPECT_EQ(kept.used(0s), 0);
}

TEST(Counter, IsStrictWhenAsked) {
    Kept kept{.limit = 10, .strict = true};
    EXPECT_TRUE(kept.take(0s, 6).admitted);
    const Taken refused = kept.take(0s, 5);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.used, 6);
    EXPECT_TRUE(kept.take(0s, 4).admitted);
    EXPECT_FALSE(kept.take(60s, 11).admitted);
}

TEST(Counter, AddsBeyondTheLimitWhereItOnlyCounts) {
    Kept kept{.limit = 1};
    EXPECT_TRUE(kept.counter.add(kept.terms(0s), 1).admitted);
    const Taken beyond = kept.counter.add(kept.terms(0s), 5);
    EXPECT_FALSE(beyond.admitted);
    EXPECT_EQ(beyond.used, 6);
}

TEST(Counter, SettlesInTheWindowThatIsStillOpen) {
    Kept kept;
    const Taken taken = kept.take(1s, 1000);
    kept.counter.settle(kept.terms(59s), taken.window, 1000, 40);
    EXPECT_EQ(kept.used(59s), 40);
}

TEST(Counter, SettlesWhatWasUsedBeyondInTheNextWindow) {
    Kept kept;
    const Taken taken = kept.take(59s, 100);
    kept.counter.settle(kept.terms(61s), taken.window, 100, 130);
    EXPECT_EQ(kept.used(61s), 30);
}

TEST(Counter, GivesNothingBackToALaterWindow) {
    Kept kept;
    const Taken taken = kept.take(59s, 100);
    kept.take(60s, 7);
    kept.counter.settle(kept.terms(61s), taken.window, 100, 0);
    EXPECT_EQ(kept.used(61s), 7);
}

TEST(Counter, IsNeverLessThanNothing) {
    Kept kept;
    const Taken taken = kept.take(0s, 10);
    kept.counter.settle(kept.terms(0s), taken.window, 10, 0);
    kept.counter.undo(taken.window, 10);
    EXPECT_EQ(kept.used(0s), 0);
    kept.take(0s, -5);
    EXPECT_EQ(kept.used(0s), 0);
}

TEST(Counter, SaturatesAtTheEndOfNumbers) {
    Kept kept{.limit = kMost};
    EXPECT_TRUE(kept.take(0s, kMost - 1).admitted);
    EXPECT_TRUE(kept.take(0s, kMost).admitted);
    EXPECT_EQ(kept.used(0s), kMost);
    EXPECT_FALSE(kept.take(0s, 1).admitted);
}

TEST(Counter, UndoesWhatWasTaken) {
    Kept kept{.limit = 2};
    const Taken taken = kept.take(0s, 1);
    kept.take(0s, 1);
    kept.counter.undo(taken.window, 1);
    EXPECT_EQ(kept.used(0s), 1);
    EXPECT_TRUE(kept.take(0s, 1).admitted);
}

TEST(Counter, UndoesInThePastWithoutTouchingWhatIsOpen) {
    Kept kept;
    const Taken taken = kept.take(59s, 10);
    kept.take(60s, 3);
    kept.counter.undo(taken.window, 10);
    EXPECT_EQ(kept.used(60s), 3);
}

// The clock is an hour behind all at once: the window that it had come to stays open, and ends for
// that clock when it has come there again.
TEST(Counter, KeepsTheLaterWindowWhenTheClockGoesBack) {
    Kept kept{.limit = 10};
    kept.take(2h, 10);
    const Taken refused = kept.take(2h - 1s, 1);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.window, noon_and(2h));
    EXPECT_EQ(refused.free_at, noon_and(2h + 1min));
    EXPECT_FALSE(kept.take(2h - 1min, 1).admitted);
    EXPECT_TRUE(kept.take(2h + 1min, 1).admitted);
}

// Where the clock was wrong by many windows what was used counts in the window of now.
TEST(Counter, RefusesForOneWindowWhenTheClockGoesBackByMany) {
    for (const bool is_used_before : {false, true}) {
        Kept kept{.limit = 10};
        if (is_used_before) kept.take(2h - 1min, 7);
        kept.take(2h, 10);
        const Taken refused = kept.take(1h, 1);
        EXPECT_FALSE(refused.admitted);
        EXPECT_EQ(refused.window, noon_and(1h));
        EXPECT_EQ(refused.free_at, noon_and(1h + 1min));
        for (int minute = 1; minute < 70; ++minute) {
            EXPECT_EQ(kept.take(1h + minute * 1min, 10).used, 10) << minute;
            EXPECT_FALSE(kept.take(1h + minute * 1min + 59s, 1).admitted) << minute;
        }
    }
}

TEST(Counter, ForgetsAnHourThatWasAheadAfterALongRest) {
    Kept kept{.limit = 10};
    kept.take(2h - 1min, 10);
    kept.take(2h, 10);
    EXPECT_FALSE(kept.take(1h, 1).admitted);
    EXPECT_EQ(kept.take(1h + 30min, 4).used, 4);
    EXPECT_EQ(kept.take(2h, 4).used, 4);
}

// There and back within a window: no window is had twice, and none is missed.
TEST(Counter, GoesOnWhereItWasWhenTheClockWasAheadForAMoment) {
    Kept kept{.limit = 10};
    kept.take(0s, 7);
    EXPECT_EQ(kept.take(1h, 10).used, 10);
    EXPECT_EQ(kept.take(10s, 1).used, 8);
    EXPECT_EQ(kept.used(20s), 8);
    EXPECT_EQ(kept.take(1min, 4).used, 4);
    EXPECT_EQ(kept.take(1h, 4).used, 4) << "what was used then was used an hour ago";
}

TEST(Counter, SettlesAndUndoesAcrossAStepBack) {
    Kept kept{.limit = 100};
    const Taken ahead = kept.take(1h, 10);
    kept.counter.settle(kept.terms(0s), ahead.window, 10, 30);
    EXPECT_EQ(kept.used(0s), 30) << "what it used beyond, with what it had taken";
    kept.counter.settle(kept.terms(0s), ahead.window, 10, 0);
    kept.counter.undo(ahead.window, 10);
    EXPECT_EQ(kept.used(0s), 30) << "nothing is given back to a window that is gone";
}

TEST(Counter, OpensANewWindowWhenTheClockJumpsAhead) {
    Kept kept{.limit = 10};
    const Taken taken = kept.take(0s, 10);
    EXPECT_TRUE(kept.take(1h, 1).admitted);
    kept.counter.settle(kept.terms(1h), taken.window, 10, 0);
    EXPECT_EQ(kept.used(1h), 1);
}

TEST(Counter, AppliesAChangedLimitToTheWindowThatIsOpen) {
    Kept kept{.limit = 100};
    kept.take(0s, 50);
    kept.limit = 40;
    EXPECT_FALSE(kept.take(1s, 1).admitted);
    kept.limit = 60;
    EXPECT_TRUE(kept.take(1s, 1).admitted);
}

TEST(Counter, ForgivesDebtsUnlessTheyAreCarried) {
    Kept forgiving{.limit = 10};
    forgiving.serve(0s, 1, 35);
    EXPECT_EQ(forgiving.used(60s), 0);
    Kept strict{.limit = 10, .carry_debt = true};
    strict.serve(0s, 1, 35);
    EXPECT_EQ(strict.used(60s), 25);
    EXPECT_FALSE(strict.take(60s, 1).admitted);
    EXPECT_EQ(strict.used(120s), 15);
    EXPECT_EQ(strict.used(180s), 5);
    EXPECT_TRUE(strict.take(180s, 1).admitted);
    EXPECT_EQ(strict.used(180s), 6);
    EXPECT_EQ(strict.used(240s), 0);
}

TEST(Counter, PaysADebtWithTheWindowsThatNobodyUsed) {
    Kept kept{.limit = 10, .carry_debt = true};
    kept.serve(0s, 1, 35);
    EXPECT_EQ(kept.used(180s), 5);
    EXPECT_EQ(kept.used(24h), 0);
}

TEST(Counter, SlidingWeighsTheWindowBefore) {
    Kept kept{.limit = 100, .sliding = true};
    kept.take(30s, 80);
    EXPECT_EQ(kept.used(59s), 80);
    EXPECT_EQ(kept.used(60s), 80);
    EXPECT_EQ(kept.used(75s), 60);
    EXPECT_TRUE(kept.take(90s, 10).admitted);
    EXPECT_EQ(kept.used(90s), 50);
    EXPECT_EQ(kept.used(120s), 10) << "of two windows ago nothing is left";
    EXPECT_EQ(kept.used(240s), 0);
}

TEST(Counter, SlidingHasNoDoubleAtABoundary) {
    Kept kept{.limit = 100, .sliding = true};
    EXPECT_TRUE(kept.take(59s, 100).admitted);
    EXPECT_FALSE(kept.take(60s, 1).admitted);
    EXPECT_TRUE(kept.take(61s, 1).admitted);
}

struct FreeRow {
    const char* name;
    std::int64_t before;  // taken at 30 s
    std::int64_t open;    // taken at 90 s
};

class FreeAt : public testing::TestWithParam<FreeRow> {};

// Not a nanosecond later than needed would be nice; a millisecond is what a client is told.
TEST_P(FreeAt, IsWhenAskingMakesSenseAgain) {
    Kept kept{.limit = 100, .sliding = true};
    kept.take(30s, GetParam().before);
    kept.take(90s, GetParam().open);
    const Taken refused = kept.take(90s, 1);
    ASSERT_FALSE(refused.admitted);
    const auto at = refused.free_at - kNoon;
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at);
    EXPECT_FALSE(kept.counter.look(kept.terms(ms - 2ms)).admitted);
    EXPECT_TRUE(kept.counter.look(kept.terms(ms)).admitted);
}

INSTANTIATE_TEST_SUITE_P(Sliding, FreeAt,
                         testing::Values(FreeRow{"InThisWindow", 120, 60},
                                         FreeRow{"InTheNext", 0, 100},
                                         FreeRow{"InTheNextWithDebt", 100, 1000}),
                         [](const auto& row) { return row.param.name; });

TEST(Counter, CountsAnyWindowThatACalendarSays) {
    const Window november{std::chrono::sys_days(std::chrono::year(2026) / 11 / 1),
                          std::chrono::sys_days(std::chrono::year(2026) / 12 / 1)};
    const Window december{november.end, std::chrono::sys_days(std::chrono::year(2027) / 1 / 1)};
    Counter counter;
    EXPECT_TRUE(counter.take({november, kNoon, 5}, 5).admitted);
    const Taken refused = counter.take({november, kNoon, 5}, 5);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.free_at, november.end);
    EXPECT_TRUE(counter.take({december, december.begin, 5}, 5).admitted);
}

TEST(Counter, OfAllTimeNeverBeginsAnew) {
    const Window all{WallTime{}, WallTime::max()};
    Counter counter;
    EXPECT_TRUE(counter.take({all, kNoon, 5}, 5).admitted);
    EXPECT_FALSE(counter.take({all, kNoon + 24h * 3650, 5}, 5).admitted);
}

TEST(Counter, GoesOnWhereAnotherProcessWas) {
    Kept kept{.limit = 10};
    kept.counter.restore(noon_and(0s), 9);
    EXPECT_EQ(kept.used(30s), 9);
    EXPECT_TRUE(kept.take(30s, 1).admitted);
    kept.counter.restore(noon_and(-60s), 4);
    EXPECT_EQ(kept.used(30s), 10) << "an older window says nothing of this one";
    EXPECT_EQ(kept.counter.latest().window, noon_and(0s));
    EXPECT_EQ(kept.counter.latest().used, 10);
}

TEST(Counter, HasNoWindowBeforeItsFirstUse) {
    Counter counter;
    EXPECT_EQ(counter.latest().window, WallTime::min());
    EXPECT_EQ(counter.latest().used, 0);
    counter.undo(kNoon, 5);
    EXPECT_EQ(counter.latest().window, WallTime::min());
}

}  // namespace
}  // namespace rotary::quota
