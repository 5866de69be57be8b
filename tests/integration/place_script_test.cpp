// The script of places at a real Redis, beside its model.
#include <rotary/fleet/place_question.hpp>

#include <gtest/gtest.h>

#include "support/place_books.hpp"
#include "support/redis_server.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

// At a moment that the test names: the script's own clock is replaced by two more arguments.
class RealPlaces {
public:
    RealPlaces() : text_(fleet::place_script().text()) {
        const std::string time = "redis.call('TIME')";
        text_.replace(text_.find(time), time.size(), "{ARGV[#ARGV - 1], ARGV[#ARGV]}");
        // What is published is kept as well, for the test to read.
        const std::string publish = "redis.call('PUBLISH', ARGV[7], ";
        text_.replace(text_.find(publish), publish.size(),
                      "redis.call('RPUSH', '{rotary:test}:told', ");
    }

    PlaceBooks::Answered answer(const std::vector<std::string>& keys,
                                const std::vector<std::string>& arguments, std::int64_t now) const {
        std::vector<std::string> words{"EVAL", text_, std::to_string(keys.size())};
        words.insert(words.end(), keys.begin(), keys.end());
        words.insert(words.end(), arguments.begin(), arguments.end());
        words.push_back(std::to_string(now / 1000));
        words.push_back(std::to_string(now % 1000 * 1000));
        PlaceBooks::Answered answered;
        std::istringstream printed(server_.command(words));
        for (std::int64_t number = 0; printed >> number;) answered.numbers.push_back(number);
        const std::string told = "{rotary:test}:told";
        std::istringstream lines(server_.command({"LRANGE", told, "0", "-1"}));
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty()) answered.wishes.push_back(line);
        }
        server_.command({"DEL", told});
        return answered;
    }
    const RedisServer& server() const { return server_; }

private:
    RedisServer server_;
    std::string text_;
};

class Story {
public:
    explicit Story(std::uint64_t seed) : random_(seed) {}

    std::int64_t any(std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
    }
    fleet::PlaceQuestion question(std::uint64_t key) {
        fleet::PlaceQuestion question;
        question.key = key;
        question.most = 20;
        question.held = any(0, 1) * any(0, 12);
        question.others = any(0, 12);
        question.peak = any(0, 10);
        question.need = any(0, 2) == 0 ? any(0, 15) : any(0, 2);
        question.asks = any(0, 3) != 0;
        return question;
    }

private:
    std::mt19937_64 random_;
};

TEST(PlaceScript, SaysAtARealRedisWhatItsModelSays) {
    const RealPlaces real;
    PlaceBooks model;
    Story story(12);
    std::int64_t now = 1'796'040'000'000;
    std::size_t wishes = 0;
    std::size_t void_ones = 0;
    for (int step = 0; step < 400; ++step) {
        fleet::PlaceAsker asker{"{rotary:test}", "r" + std::to_string(story.any(0, 5)),
                                static_cast<std::uint32_t>(story.any(1, 4)),
                                step + (story.any(0, 9) == 0 ? -5 : 1)};
        std::vector<fleet::PlaceQuestion> questions;
        for (std::uint64_t key = 0; key < 3; ++key) {
            if (story.any(0, 1) == 0) questions.push_back(story.question(key));
        }
        // Now and then long enough for some to be dead, never for a key to end.
        now += story.any(0, 30) == 0 ? story.any(3000, 4900) : story.any(0, 400);
        const auto keys = fleet::place_keys(asker, questions);
        const auto arguments = fleet::place_arguments(asker, questions);
        const auto expected = model.answer(keys, arguments, now);
        const auto answered = real.answer(keys, arguments, now);
        ASSERT_EQ(answered.numbers, expected.numbers) << step;
        ASSERT_EQ(answered.wishes, expected.wishes) << step;
        wishes += expected.wishes.size();
        if (expected.numbers.empty()) ++void_ones;
    }
    EXPECT_GT(wishes, 30u);
    EXPECT_GT(void_ones, 5u);
}

// By the store's own clock, as a fleet asks it.
TEST(PlaceScript, KeepsAPlaceAsLongAsItIsHeld) {
    const RedisServer server;
    const auto run = [&](std::int64_t number, const fleet::PlaceQuestion& question) {
        const fleet::PlaceAsker asker{"{rotary:test}", "a", 1, number};
        std::vector<std::string> words{"EVAL", std::string(fleet::place_script().text()), "2"};
        for (const auto& key : fleet::place_keys(asker, {question})) words.push_back(key);
        for (const auto& word : fleet::place_arguments(asker, {question})) words.push_back(word);
        return server.command(words);
    };
    fleet::PlaceQuestion question;
    question.key = 5;
    question.most = 3;
    question.need = 1;
    question.asks = true;
    run(1, question);
    const std::string key = "{rotary:test}:c:0000000000000005";
    EXPECT_EQ(server.command({"HGET", key, "r:a"}), "1");
    EXPECT_GT(std::stoi(server.command({"PTTL", key})), 500'000);
    EXPECT_GT(std::stoi(server.command({"PTTL", "{rotary:test}:c"})), 80'000'000);
    EXPECT_EQ(run(1, question), "") << "a question that comes twice";
    question.asks = false;
    run(2, question);
    EXPECT_EQ(server.command({"HGET", key, "t"}), "0");
    EXPECT_LE(std::stoi(server.command({"PTTL", key})), 5000);
}

}  // namespace
}  // namespace rotary::test
