#include "fleet/questions.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "fleet/backoff.hpp"

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{std::chrono::hours(1)};

class FleetQuestions : public testing::Test {
protected:
    void ask(std::chrono::milliseconds deadline, std::string name = "") {
        Question question;
        question.deadline = kStart + deadline;
        question.answered = [this, name = std::move(name)](const Reply&) { told_ += name; };
        questions_.add(std::move(question));
    }
    // The names of those whose deadline has passed.
    std::string expire(std::chrono::milliseconds at) {
        told_.clear();
        for (const Store::Answered& answered : questions_.expire(kStart + at)) answered({});
        return told_;
    }
    // Whose answer came; "late", "nobody's".
    std::string take(std::chrono::milliseconds at) {
        told_.clear();
        const auto question = questions_.take(kStart + at);
        if (!question) return "nobody's";
        if (!question->answered) return "late";
        question->answered({});
        return told_;
    }

    Questions questions_;
    std::string told_;
};

TEST_F(FleetQuestions, AnswersGoToThoseWhoAskedInTheirOrder) {
    EXPECT_EQ(take(0ms), "nobody's");
    ask(20ms, "a");
    ask(20ms, "b");
    EXPECT_EQ(take(1ms), "a");
    EXPECT_EQ(take(1ms), "b");
    EXPECT_EQ(take(1ms), "nobody's");
}

TEST_F(FleetQuestions, AreLateFromTheirDeadlineOn) {
    ask(20ms, "a");
    ask(21ms, "b");
    EXPECT_EQ(questions_.next_deadline(), kStart + 20ms);
    EXPECT_EQ(expire(19ms), "");
    EXPECT_EQ(expire(20ms), "a");
    EXPECT_EQ(questions_.next_deadline(), kStart + 21ms);
    EXPECT_EQ(expire(20ms), "") << "told once";
    EXPECT_EQ(take(20ms), "late") << "its answer is thrown away, in its turn";
    EXPECT_EQ(take(20ms), "b");
    EXPECT_EQ(questions_.next_deadline(), std::nullopt);
    EXPECT_EQ(questions_.late(), 1U);
}

TEST_F(FleetQuestions, OneThatIsAskedAgainKeepsItsDeadline) {
    ask(20ms, "whole");
    auto again = questions_.take(kStart + 5ms);
    ASSERT_TRUE(again);
    ask(24ms, "behind");
    questions_.add(std::move(*again));
    EXPECT_EQ(questions_.next_deadline(), kStart + 20ms);
    EXPECT_EQ(expire(22ms), "whole");
    EXPECT_EQ(take(23ms), "behind");
    EXPECT_EQ(take(23ms), "late");
}

TEST_F(FleetQuestions, ThreeLateInARowAreSlow) {
    ask(1ms);
    ask(2ms);
    expire(2ms);
    EXPECT_FALSE(questions_.is_slow());
    ask(3ms);
    expire(3ms);
    EXPECT_TRUE(questions_.is_slow());
}

TEST_F(FleetQuestions, OneInTimeBetweenThemIsNotSlow) {
    ask(1ms);
    ask(2ms);
    ask(9ms, "in time");
    expire(2ms);
    take(3ms);
    take(3ms);
    EXPECT_EQ(take(3ms), "in time");
    ask(10ms);
    ask(10ms);
    expire(10ms);
    EXPECT_FALSE(questions_.is_slow());
    ask(11ms);
    expire(11ms);
    EXPECT_TRUE(questions_.is_slow());
}

TEST_F(FleetQuestions, ASlowOneIsAskedAgainOnceAllLateAnswersHaveCome) {
    for (int i = 0; i < kLateInARow; ++i) ask(1ms);
    ask(30ms, "in time");
    EXPECT_FALSE(questions_.recover()) << "it is not slow";
    expire(1ms);
    EXPECT_TRUE(questions_.is_slow());
    for (int i = 0; i < kLateInARow; ++i) {
        EXPECT_EQ(take(2ms), "late");
        EXPECT_FALSE(questions_.recover());
    }
    EXPECT_EQ(take(2ms), "in time");
    EXPECT_TRUE(questions_.is_slow());
    EXPECT_TRUE(questions_.recover());
    EXPECT_FALSE(questions_.is_slow());
    EXPECT_FALSE(questions_.recover());
    ask(40ms);
    ask(40ms);
    expire(40ms);
    EXPECT_FALSE(questions_.is_slow()) << "it is counted from the beginning";
}

TEST_F(FleetQuestions, ThatAnAnswerIsOwedIsToldByTheOldest) {
    ask(20ms);
    ask(500ms);
    expire(20ms);
    EXPECT_FALSE(questions_.owes(kStart + 2019ms, 2s));
    EXPECT_TRUE(questions_.owes(kStart + 2020ms, 2s));
    take(2020ms);
    EXPECT_FALSE(questions_.owes(kStart + 2499ms, 2s));
    EXPECT_TRUE(questions_.owes(kStart + 2500ms, 2s));
}

TEST_F(FleetQuestions, AnEndLeavesThoseWhoWereNotTold) {
    ask(1ms, "late");
    ask(20ms, "a");
    ask(20ms, "b");
    expire(1ms);
    told_.clear();
    for (const Store::Answered& answered : questions_.abandon()) answered({});
    EXPECT_EQ(told_, "ab");
    EXPECT_EQ(take(2ms), "nobody's");
    EXPECT_FALSE(questions_.owes(kStart + 1h, 2s));
}

TEST(FleetBackoff, DoublesAndIsHalfAtRandom) {
    Backoff backoff;
    const std::chrono::milliseconds wholes[] = {50ms, 100ms, 200ms, 400ms, 800ms, 1s, 1s};
    for (const auto whole : wholes) {
        Backoff same = backoff;
        EXPECT_EQ(same.next(0, 1s), whole - whole / 2);
        Backoff most = backoff;
        const auto half = static_cast<std::uint32_t>((whole / 2).count());
        EXPECT_EQ(most.next(half, 1s), whole);
        EXPECT_EQ(backoff.next(half + 1, 1s), whole - whole / 2) << "and no more";
    }
    backoff.reset();
    EXPECT_EQ(backoff.next(0, 1s), 25ms);
    EXPECT_EQ(Backoff().next(5, 10ms), 10ms) << "never above the most";
}

}  // namespace
}  // namespace rotary::fleet
