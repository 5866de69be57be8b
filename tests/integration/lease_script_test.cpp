#include <rotary/fleet/lease_question.hpp>

#include <gtest/gtest.h>

#include "support/lease_books.hpp"
#include "support/redis_server.hpp"

#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

// Runs the script at a real Redis, as its own client prints the answer.
class RealLeases {
public:
    std::vector<fleet::LeaseAnswer> answer(const std::vector<fleet::LeaseQuestion>& questions,
                                           std::uint32_t replicas) const {
        std::vector<std::string> words{"EVAL", std::string(fleet::lease_script().text()),
                                       std::to_string(questions.size())};
        for (const auto& key : fleet::lease_keys(questions)) words.push_back(key);
        for (const auto& word : fleet::lease_arguments(questions, replicas)) words.push_back(word);
        std::istringstream printed(server_.command(words));
        std::vector<fleet::LeaseAnswer> answers;
        fleet::LeaseAnswer answer;
        while (printed >> answer.granted >> answer.rest >> answer.free_ms) {
            answers.push_back(answer);
        }
        return answers;
    }
    const RedisServer& server() const { return server_; }

private:
    RedisServer server_;
};

class Story {
public:
    explicit Story(std::uint64_t seed) : random_(seed) {}

    std::int64_t any(std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
    }
    fleet::LeaseQuestion question() {
        const std::int64_t kind = any(0, 2);  // of limit: it slides, carries debts, or neither
        fleet::LeaseQuestion question;
        question.key = "{rotary:test}:w:" + std::to_string(kind);
        question.field = "r:" + std::to_string(any(0, 2));
        question.length_ms = 60'000;
        question.begin_ms = 1'796'040'000'000 + window_ * question.length_ms;
        question.left_ms = any(1, 60'000);
        question.amount = 200;
        question.held = any(0, 1) * any(0, 90);
        question.heard = any(0, 2) == 0 ? any(0, 250) : 0;
        question.recent = any(0, 40);
        question.need = any(0, 3) == 0 ? any(0, 150) : 0;
        question.asks = any(0, 3) != 0;
        question.gives_back = !question.asks && any(0, 1) == 0;
        question.slides = kind == 1;
        question.carries_debt = kind == 2;
        return question;
    }
    void next_window() { window_ += any(1, 2); }

private:
    std::mt19937_64 random_;
    std::int64_t window_ = 0;
};

TEST(LeaseScript, SaysAtARealRedisWhatItsModelSays) {
    const RealLeases real;
    LeaseBooks model;
    Story story(11);
    for (int step = 0; step < 300; ++step) {
        std::vector<fleet::LeaseQuestion> questions;
        for (std::int64_t i = story.any(1, 5); i > 0; --i) questions.push_back(story.question());
        const auto replicas = static_cast<std::uint32_t>(story.any(1, 4));
        const auto expected = model.answer(questions, replicas);
        const auto answered = real.answer(questions, replicas);
        ASSERT_EQ(answered.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(answered[i].granted, expected[i].granted) << step << "." << i;
            EXPECT_EQ(answered[i].rest, expected[i].rest) << step << "." << i;
            EXPECT_EQ(answered[i].free_ms, expected[i].free_ms) << step << "." << i;
        }
        if (story.any(0, 20) == 0) story.next_window();
    }
}

TEST(LeaseScript, KeepsAWindowAsLongAsAnyWindowNeedsIt) {
    const RealLeases real;
    fleet::LeaseQuestion question;
    question.key = "{rotary:test}:w:plain";
    question.field = "r:a";
    question.length_ms = 60'000;
    question.left_ms = 10'000;
    question.amount = 9;
    question.asks = true;
    real.answer({question}, 1);
    const int plain = std::stoi(real.server().command({"PTTL", question.key + ":0"}));
    EXPECT_GT(plain, 10'000);
    EXPECT_LE(plain, 15'000);
    question.key = "{rotary:test}:w:sliding";
    question.slides = true;
    real.answer({question}, 1);
    EXPECT_GT(std::stoi(real.server().command({"PTTL", question.key + ":0"})), 70'000);
}

// Nanodollars of millions of dollars, to the last one.
TEST(LeaseScript, CountsToTheLastUnit) {
    const RealLeases real;
    fleet::LeaseQuestion question;
    question.key = "{rotary:test}:w:money";
    question.field = "r:a";
    question.length_ms = question.left_ms = 60'000;
    question.amount = 9'007'199'254'740'991;
    question.held = 9'007'199'254'740'990;
    const auto answers = real.answer({question}, 1);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].granted, 9'007'199'254'740'990);
    EXPECT_EQ(answers[0].rest, 1);
}

}  // namespace
}  // namespace rotary::test
