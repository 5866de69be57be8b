#include <rotary/fleet/place_question.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::fleet {
namespace {

TEST(PlaceRule, GivesWhatIsNeededElseALittleAhead) {
    struct Row {
        const char* name;
        PlaceRule rule;
        std::int64_t grant;
    };
    const Row rows[] = {
        {"one is needed", {30, 30, 3, 0, 0, 1}, 1},
        {"many are", {30, 30, 3, 0, 0, 25}, 25},
        {"more than there are", {30, 7, 3, 0, 0, 25}, 7},
        {"a sixteenth of its share of the rest", {960, 960, 3, 0, 0, 1}, 20},
        {"what it had of late and a quarter", {1000, 900, 3, 40, 80, 0}, 61},
        {"half its share of the rest at most", {1000, 60, 3, 40, 80, 0}, 10},
        {"the last ones only by need", {30, 5, 3, 5, 10, 0}, 0},
        {"by need", {30, 5, 3, 5, 10, 1}, 1},
        {"it has enough", {1000, 900, 3, 600, 100, 0}, 18},
        {"a fleet of one", {30, 30, 1, 0, 0, 1}, 1},
    };
    for (const Row& row : rows) EXPECT_EQ(row.rule.grant(), row.grant) << row.name;
}

TEST(PlaceRule, EachHasItsFairPartAndPassesOnAllWhereThatIsLessThanOne) {
    EXPECT_EQ((PlaceRule{30, 1, 4, 0, 0, 0}).fair(), 7);
    EXPECT_EQ((PlaceRule{30, 1, 4, 0, 0, 0}).kept(), 7);
    EXPECT_EQ((PlaceRule{3, 1, 4, 0, 0, 0}).fair(), 1);
    EXPECT_EQ((PlaceRule{3, 1, 4, 0, 0, 0}).kept(), 0);
}

PlaceAsker asker() { return {"{rotary:a}", "me", 3, 77}; }

TEST(PlaceQuestion, IsAHashForEachKeyAndOneForAll) {
    PlaceQuestion question;
    question.key = 0xab;
    question.most = 30;
    question.held = 4;
    question.others = 5;
    question.peak = 6;
    question.need = INT64_MAX;
    question.asks = true;
    EXPECT_EQ(place_keys(asker(), {question}),
              (std::vector<std::string>{"{rotary:a}:c", "{rotary:a}:c:00000000000000ab"}));
    EXPECT_EQ(place_arguments(asker(), {question}),
              (std::vector<std::string>{"me", "3", "77", "15000", "3000", "300", "{rotary:a}:ev",
                                        "30", "4", "5", "6", "16777216", "a"}));
    EXPECT_EQ(place_arguments(asker(), {}).size(), 7u) << "that it is alive";
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

TEST(PlaceAnswers, AreTwoNumbersEachBehindOne) {
    const auto answers = place_answers(numbers({9, 1, 2, 3, -4}), 2);
    ASSERT_TRUE(answers);
    EXPECT_EQ(answers->began, 9);
    EXPECT_EQ(answers->places[1].granted, 3);
    EXPECT_EQ(answers->places[1].rest, -4);
    EXPECT_TRUE(place_answers(numbers({9}), 0));
    EXPECT_FALSE(place_answers(numbers({}), 0));
    EXPECT_FALSE(place_answers(numbers({9, 1, 2}), 2));
    EXPECT_FALSE(place_answers(Reply(), 0));
    Reply text = numbers({9, 1, 2});
    text.elements[1].kind = Reply::Kind::text;
    EXPECT_FALSE(place_answers(text, 1));
}

TEST(PlaceWish, IsReadOrIsNone) {
    const auto wish = parse_wish("c 00000000000000ab me 12");
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->key, 0xabu);
    EXPECT_EQ(wish->replica, "me");
    EXPECT_EQ(wish->claim, 12);
    EXPECT_FALSE(wish->is_news);
    EXPECT_TRUE(parse_wish("f 00000000000000ab me 0")->is_news);
    for (const char* other :
         {"", "c", "s 1 2", "c 00000000000000ab me", "c 00000000000000ab  12", "c ab me 1",
          "c 00000000000000AB me 1", "c 00000000000000ab me -1", "c 00000000000000ab me 1 2",
          "c 00000000000000ab me 99999999999999999999", "c 00000000000000ab me 16777217"}) {
        EXPECT_FALSE(parse_wish(other)) << other;
    }
}

}  // namespace
}  // namespace rotary::fleet
