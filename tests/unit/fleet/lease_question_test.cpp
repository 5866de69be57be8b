#include <rotary/fleet/lease_question.hpp>

#include <gtest/gtest.h>

#include "fleet/lease_key.hpp"

#include <string>
#include <vector>

namespace rotary::fleet {
namespace {

TEST(GrantRule, GivesWhatWasUsedOrAPartOfTheRest) {
    struct Row {
        GrantRule rule;
        std::int64_t grant;
    };
    const Row rows[] = {
        {{1000, 3, 0, 0}, 20},     // rest / 16 N
        {{1000, 3, 100, 0}, 100},  // as much as was used of late
        {{1000, 3, 900, 0}, 166},  // rest / 2 N
        {{5, 3, 900, 0}, 1},       // one at least
        {{1, 50, 0, 0}, 1},        //
        {{1000, 3, 0, 400}, 400},  // a request that needs more, and the rest has it
        {{1000, 3, 0, 1001}, 20},  // or has it not
        {{1000, 3, 100, 7}, 100},  // or needs less
        {{1000, 1, 0, 0}, 62},     // a fleet of one
    };
    for (const Row& row : rows) EXPECT_EQ(row.rule.grant(), row.grant) << row.rule.rest;
}

TEST(LeaseKey, IsSafeAndAsLongForAnyName) {
    const std::string plain = lease_key("{rotary:a}", "limit");
    EXPECT_EQ(plain.size(), std::string("{rotary:a}:w:").size() + 32);
    EXPECT_EQ(lease_key("{rotary:a}", std::string(5000, '}') + "\r\n").size(), plain.size());
    EXPECT_NE(lease_key("{rotary:a}", "limi}t"), lease_key("{rotary:a}", "limi}u"));
    EXPECT_EQ(plain, lease_key("{rotary:a}", "limit"));
}

Reply numbers(const std::vector<std::int64_t>& all) {
    Reply reply;
    reply.kind = Reply::Kind::array;
    for (const std::int64_t number : all) {
        Reply element;
        element.kind = Reply::Kind::integer;
        element.integer = number;
        reply.elements.push_back(element);
    }
    return reply;
}

TEST(LeaseAnswers, AreThreeNumbersEachOrNone) {
    const auto answers = lease_answers(numbers({1, 2, 3, 4, -5, 6}), 2);
    ASSERT_TRUE(answers);
    EXPECT_EQ((*answers)[1].granted, 4);
    EXPECT_EQ((*answers)[1].rest, -5);
    EXPECT_EQ((*answers)[1].free_ms, 6);
    EXPECT_FALSE(lease_answers(numbers({1, 2, 3}), 2));
    EXPECT_FALSE(lease_answers(Reply(), 0));
    Reply text = numbers({1, 2, 3});
    text.elements[1].kind = Reply::Kind::text;
    EXPECT_FALSE(lease_answers(text, 1));
}

TEST(LeaseArguments, AreCutToWhatLuaCanCount) {
    LeaseQuestion question;
    question.field = "r:a";
    question.amount = INT64_MAX;
    question.asks = question.slides = true;
    const std::vector<std::string> arguments = lease_arguments({question}, 0);
    EXPECT_EQ(arguments, (std::vector<std::string>{"1", "r:a", "0", "0", "0", "9007199254740992",
                                                   "0", "0", "0", "0", "-as"}));
}

}  // namespace
}  // namespace rotary::fleet
