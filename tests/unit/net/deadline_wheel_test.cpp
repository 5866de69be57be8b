// When what is armed comes due, and when the wheel has to be looked at. The time is the test's.
#include <rotary/net/deadline_wheel.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rotary::net::DeadlineNode;
using rotary::net::DeadlineWheel;
using rotary::net::SteadyTime;
using Tick = DeadlineWheel::Tick;

constexpr Tick kTurn = DeadlineWheel::kSlots;
constexpr auto kTick = DeadlineWheel::kTick;

// At the beginning of a turn, so that rows can name ticks from there.
constexpr SteadyTime kStart = SteadyTime(7 * kTurn * kTick);

Tick since_start(Tick tick) { return tick - static_cast<Tick>(kStart.time_since_epoch() / kTick); }

// Those that expire by then, in order; they are disarmed.
std::vector<DeadlineNode*> expire(DeadlineWheel& wheel, SteadyTime now) {
    DeadlineNode head;
    head.previous = head.next = &head;
    wheel.expire(now, head);
    std::vector<DeadlineNode*> expired;
    while (head.next != &head) {
        expired.push_back(head.next);
        wheel.disarm(*head.next);
    }
    return expired;
}

TEST(DeadlineWheel, IsDueAtTheFirstTickThatIsNotEarly) {
    struct Row {
        const char* name;
        SteadyTime::duration after;
        Tick due;   // when the wheel has to be looked at, as arm() says
        Tick last;  // when it fires
    };
    const Row rows[] = {
        {"long past", -5s, 1, 1},
        {"now", 0ms, 1, 1},
        {"within a tick", 1ns, 1, 1},
        {"a tick", 10ms, 1, 1},
        {"just after it", 10ms + 1ns, 2, 2},
        {"the last tick of the turn", 10'230ms, 1023, 1023},
        {"the first of the next", 10'240ms, 1024, 1024},
        {"in the next turn", 15s, 1024, 1500},
        {"an idle connection", 75s, 1024, 7500},
        {"the last turn that has a list", 10'240ms * 63 + 10ms, 1024, 1024 * 63 + 1},
        {"further off than there are lists", 3600s, 1024, 360'000},
    };
    for (const Row& row : rows) {
        DeadlineWheel wheel(kStart);
        DeadlineNode node;
        EXPECT_EQ(since_start(wheel.arm(node, kStart + row.after)), row.due) << row.name;
        EXPECT_TRUE(node.armed()) << row.name;
        Tick fired = 0;
        while (fired == 0) {
            const Tick next = wheel.next();
            ASSERT_NE(next, DeadlineWheel::kNever) << row.name;
            if (!expire(wheel, DeadlineWheel::time_of(next)).empty()) fired = since_start(next);
        }
        EXPECT_EQ(fired, row.last) << row.name;
        EXPECT_TRUE(wheel.empty()) << row.name;
        EXPECT_EQ(wheel.next(), DeadlineWheel::kNever) << row.name;
    }
}

// Five thousand idle connections are no work until their time comes.
TEST(DeadlineWheel, WhatIsNotDueIsLeftAlone) {
    DeadlineWheel wheel(kStart);
    std::deque<DeadlineNode> nodes(5000);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        wheel.arm(nodes[i], kStart + 60s + i * 3ms);
    }
    std::vector<Tick> looks;
    for (Tick next = wheel.next(); since_start(next) < 6000; next = wheel.next()) {
        looks.push_back(since_start(next));
        EXPECT_TRUE(expire(wheel, DeadlineWheel::time_of(next)).empty());
    }
    EXPECT_EQ(looks, (std::vector<Tick>{1024, 2048, 3072, 4096, 5120}));
    for (DeadlineNode& node : nodes) wheel.disarm(node);
}

TEST(DeadlineWheel, ADisarmedOneCausesNoLook) {
    DeadlineWheel wheel(kStart);
    DeadlineNode soon;
    DeadlineNode later;
    wheel.arm(soon, kStart + 20ms);
    wheel.arm(later, kStart + 50ms);
    wheel.disarm(soon);
    wheel.disarm(soon);
    EXPECT_EQ(since_start(wheel.next()), 5U);
    wheel.disarm(later);
    EXPECT_TRUE(wheel.empty());
    EXPECT_EQ(wheel.next(), DeadlineWheel::kNever);
}

TEST(DeadlineWheel, ArmingAgainMovesIt) {
    DeadlineWheel wheel(kStart);
    DeadlineNode node;
    wheel.arm(node, kStart + 75s);
    EXPECT_EQ(since_start(wheel.arm(node, kStart + 40ms)), 4U);
    EXPECT_EQ(expire(wheel, kStart + 40ms).size(), 1U);
    EXPECT_TRUE(wheel.empty());
}

// A loop that was held up looks late: all that came due meanwhile fires at once, also turns of it.
TEST(DeadlineWheel, ALateLookFindsAllThatIsDue) {
    DeadlineWheel wheel(kStart);
    std::deque<DeadlineNode> nodes(4);
    wheel.arm(nodes[0], kStart + 1ms);
    wheel.arm(nodes[1], kStart + 12s);
    wheel.arm(nodes[2], kStart + 100s);
    wheel.arm(nodes[3], kStart + 101s);
    EXPECT_EQ(expire(wheel, kStart + 100s).size(), 3U);
    EXPECT_EQ(since_start(wheel.next()), 10'100U);
    wheel.disarm(nodes[3]);
}

// The hand stands between two turns: what the coming one holds is known already.
TEST(DeadlineWheel, ALookAtTheLastTickOfATurnKnowsTheNextOnes) {
    DeadlineWheel wheel(kStart);
    std::deque<DeadlineNode> nodes(2);
    wheel.arm(nodes[0], kStart + 10'230ms);
    wheel.arm(nodes[1], kStart + 11s);
    EXPECT_EQ(expire(wheel, kStart + 10'230ms).size(), 1U);
    EXPECT_EQ(since_start(wheel.next()), 1100U);
    wheel.disarm(nodes[1]);
}

TEST(DeadlineWheel, AnEmptyOneTakesTheTimeItIsTold) {
    DeadlineWheel wheel(kStart);
    wheel.set_now(kStart + 3600s);
    DeadlineNode node;
    EXPECT_EQ(since_start(wheel.arm(node, kStart)), 360'001U) << "the past is the next tick";
    wheel.disarm(node);
}

// Beside a list that is sorted: whatever is armed and disarmed, each fires at its own tick.
void agree_with_a_sorted_list(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    DeadlineWheel wheel(kStart);
    std::deque<DeadlineNode> nodes(2000);
    std::multimap<Tick, DeadlineNode*> model;
    SteadyTime now = kStart;
    const auto arm = [&](DeadlineNode& node) {
        // Most of what a gateway arms is some seconds off, some minutes, some an hour.
        const std::uint64_t spans[] = {50, 5'000, 80'000, 700'000, 4'000'000};
        const std::uint64_t span = spans[random() % std::size(spans)] * 1000;
        const auto after = std::chrono::microseconds(random() % span);
        wheel.arm(node, now + after);
        const auto ticks = (now + after).time_since_epoch() / kTick;
        const bool exact = (now + after).time_since_epoch() == ticks * kTick;
        const Tick first = static_cast<Tick>(now.time_since_epoch() / kTick) + 1;
        model.emplace(std::max(first, static_cast<Tick>(ticks) + (exact ? 0 : 1)), &node);
    };
    for (DeadlineNode& node : nodes) arm(node);
    for (int i = 0; i < 20'000 && !model.empty(); ++i) {
        if (random() % 4 == 0) {
            const auto some = std::next(
                model.begin(),
                static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(model.size(), 50)));
            wheel.disarm(*some->second);
            DeadlineNode& node = *some->second;
            model.erase(some);
            arm(node);
        }
        const Tick next = wheel.next();
        ASSERT_LE(next, model.begin()->first);
        now = DeadlineWheel::time_of(next);
        const auto expired = expire(wheel, now);
        const auto due = model.upper_bound(next);
        ASSERT_EQ(static_cast<std::ptrdiff_t>(expired.size()), std::distance(model.begin(), due));
        for (auto one = model.begin(); one != due; ++one) EXPECT_FALSE(one->second->armed());
        model.erase(model.begin(), due);
    }
    for (DeadlineNode& node : nodes) wheel.disarm(node);
    EXPECT_TRUE(wheel.empty());
}

TEST(DeadlineWheel, AgreesWithASortedList) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(seed);
        agree_with_a_sorted_list(seed);
        if (HasFatalFailure()) return;
    }
}

}  // namespace
