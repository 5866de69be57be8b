// The script of what a fleet has spent, at a real Redis and as the tests' model has it.
#include <rotary/fleet/spend_words.hpp>

#include <gtest/gtest.h>

#include "support/redis_server.hpp"
#include "support/spend_books.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

constexpr std::int64_t kToday = 20'786;
constexpr std::int64_t kNow = kToday * 86'400'000 + 1000;

fleet::SpendQuestion question_of(std::uint64_t from, std::uint64_t to) {
    fleet::SpendQuestion question;
    question.name_space = "test";
    question.currency = "USD";
    question.today = kToday;
    question.now_ms = kNow;
    question.kept_days = 40;
    question.from = from;
    question.page.journal = "0123456789abcdef";
    question.page.to = to;
    return question;
}

void add(fleet::SpendQuestion& question, const std::string& consumer, std::uint64_t requests,
         quota::Nanos nanos, std::int64_t day = kToday) {
    control::DaySum sum;
    sum.day = day;
    sum.names = {consumer, "chat", "production", "OpenAI", "gpt-4o", "b"};
    sum.spend.requests = requests;
    sum.spend.nanos = nanos;
    question.page.sums.push_back(std::move(sum));
}

class SpendScript : public testing::Test {
protected:
    SpendScript() { model_.teach(fleet::spend_script(), take_spend); }

    // "MARK TODAY REFUSED" of both, which must be the same.
    std::string ask(const fleet::SpendQuestion& question) {
        const auto keys = fleet::spend_keys(question);
        const auto arguments = fleet::spend_arguments(question);
        std::vector<std::string> words{"EVAL", std::string(fleet::spend_script().text()),
                                       std::to_string(keys.size())};
        words.insert(words.end(), keys.begin(), keys.end());
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::string real = redis_.command(words);
        std::replace(real.begin(), real.end(), '\n', ' ');
        const auto answer =
            fleet::spend_answer(model_.run(fleet::spend_script(), keys, arguments)).value();
        EXPECT_EQ(real, std::to_string(answer.mark) + " " + std::to_string(answer.today) + " " +
                            std::to_string(answer.refused));
        return real;
    }
    std::string sum(std::int64_t day = kToday) const {
        return redis_.command({"HGET", fleet::spend_key("test", "USD", day), "t"});
    }

    RedisServer redis_;
    MovedTime time_;
    ModelServer model_{time_};
};

TEST_F(SpendScript, TakesWhatIsMoreAndCountsItOnce) {
    auto question = question_of(0, 2);
    add(question, "a", 1, 5);
    add(question, "b", 1, 60);
    EXPECT_EQ(ask(question), "2 65 0");
    EXPECT_EQ(ask(question), "2 65 0");
    auto more = question_of(2, 3);
    add(more, "a", 2, 700);
    EXPECT_EQ(ask(more), "3 760 0");
    EXPECT_EQ(ask(question), "2 760 0") << "late: nothing is taken back";
}

// Around what a double holds, and what 64 bits do.
TEST_F(SpendScript, AddsIntegers) {
    constexpr quota::Nanos kDouble = 9'007'199'254'740'993;  // 2^53 + 1
    constexpr quota::Nanos kMost = 9'223'372'036'854'775'807;
    auto question = question_of(0, 1);
    add(question, "a", 1, kDouble);
    EXPECT_EQ(ask(question), "1 9007199254740993 0");
    question = question_of(1, 2);
    add(question, "a", 2, kDouble + 2);
    add(question, "b", 9'999'999'999'999'999'999U, 1);
    EXPECT_EQ(ask(question), "2 9007199254740996 0");
    question = question_of(2, 3);
    add(question, "a", 3, kMost - 1);
    EXPECT_EQ(ask(question), "3 9223372036854775807 0");
    question = question_of(3, 4);
    add(question, "a", 4, kMost);
    add(question, "b", 10'000'000'000'000'000'000U, 0);
    add(question, "c", 1, 1);
    EXPECT_EQ(ask(question), "4 9223372036854775807 1") << "refused, and the rest is taken";
    question = question_of(4, 5);
    add(question, "d", 1, 1);
    EXPECT_EQ(ask(question), "5 9223372036854775807 1");
}

TEST_F(SpendScript, TakesNothingBehindALoss) {
    auto question = question_of(0, 5);
    add(question, "a", 1, 5);
    ask(question);
    redis_.command({"FLUSHALL"});
    model_.flush();
    question = question_of(5, 6);
    add(question, "a", 2, 9);
    EXPECT_EQ(ask(question), "0 0 0");
    EXPECT_EQ(redis_.command({"DBSIZE"}), "0");
    EXPECT_EQ(ask(question_of(5, 5)), "0 0 0") << "without a row it is noticed too";
}

TEST_F(SpendScript, DaysEndByThemselves) {
    auto question = question_of(0, 2);
    add(question, "a", 1, 5);
    add(question, "a", 1, 60, kToday - 39);
    EXPECT_EQ(ask(question), "2 5 0");
    EXPECT_EQ(sum(kToday - 39), "60");
    const auto left = [&](const std::string& key) {
        return std::stod(redis_.command({"PTTL", key}));
    };
    constexpr double kDay = 86'400'000;
    EXPECT_NEAR(left(fleet::spend_key("test", "USD", kToday)), 41 * kDay - 1000, 60'000);
    EXPECT_NEAR(left(fleet::spend_key("test", "USD", kToday - 39)), 2 * kDay - 1000, 60'000);
    EXPECT_NEAR(left(fleet::mark_key("test", "0123456789abcdef")), 41 * kDay - 1000, 60'000);
}

TEST_F(SpendScript, WithoutAJournalOnlyTells) {
    auto question = question_of(0, 1);
    add(question, "a", 1, 5);
    ask(question);
    auto other = question_of(0, 0);
    other.page = {};
    EXPECT_EQ(ask(other), "0 5 0");
    EXPECT_EQ(redis_.command({"DBSIZE"}), "2");
}

// Rows of three days, told in any order, twice, with marks lost and found.
TEST_F(SpendScript, IsWhatTheModelDoes) {
    std::mt19937_64 random(11);
    const auto any = [&](std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random);
    };
    for (int i = 0; i < 150; ++i) {
        const auto from = static_cast<std::uint64_t>(any(0, 3) == 0 ? 0 : any(0, 60));
        auto question = question_of(from, from + static_cast<std::uint64_t>(any(0, 9)));
        for (std::int64_t row = any(0, 5); row > 0; --row) {
            const auto requests = static_cast<std::uint64_t>(any(1, 20));
            const quota::Nanos nanos = any(0, 9) == 0 ? any(0, INT64_MAX) : any(0, 50);
            add(question, "c" + std::to_string(any(0, 3)), requests, nanos, kToday - any(0, 2));
        }
        ask(question);
        if (HasFailure()) FAIL() << "question " << i;
    }
}

// How long a Redis is held up by the largest question that there is.
TEST_F(SpendScript, HoldsARedisUpForLessThanAMillisecond) {
    constexpr std::uint64_t kRows = 64;
    constexpr int kTimes = 50;
    const std::string text(fleet::spend_script().text());
    redis_.command({"CONFIG", "RESETSTAT"});
    for (std::uint64_t i = 0; i < kTimes; ++i) {
        auto question = question_of(i, i + 1);
        for (std::uint64_t row = 0; row < kRows; ++row) {
            add(question, "c" + std::to_string(row), i + 1, 1'000'000);
        }
        ask(question);
    }
    const std::string all = redis_.command({"INFO", "commandstats"});
    const std::size_t at = all.find("usec_per_call=", all.find("cmdstat_eval:"));
    ASSERT_NE(at, all.npos);
    const double microseconds = std::stod(all.substr(at + std::string("usec_per_call=").size()));
    std::printf("64 rows: %.0f us of a Redis\n", microseconds);
    EXPECT_LT(microseconds, 20'000) << "a loaded machine; alone it is a third of a millisecond";
}

}  // namespace
}  // namespace rotary::test
