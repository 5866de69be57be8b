#include <rotary/fleet/spend_words.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::fleet {
namespace {

control::DaySum sum_of(std::array<std::string, quota::SpendKey::kNames> names) {
    control::DaySum sum;
    sum.day = 20'000;
    sum.names = std::move(names);
    sum.spend.requests = 3;
    sum.spend.unpriced = 1;
    sum.spend.estimated = 2;
    sum.spend.usage.input = 40;
    sum.spend.usage.output = 50;
    sum.spend.usage.web_searches = 6;
    sum.spend.nanos = 9'007'199'254'740'993;  // no double holds it
    return sum;
}

TEST(SpendWords, AreReadAsTheyWereWritten) {
    const std::string name(256, 'n');
    for (const auto& names : {std::array<std::string, 6>{"a", "b", "c", "d", "e", "f"},
                              std::array<std::string, 6>{"", "", "", "", "", ""},
                              std::array<std::string, 6>{"1:a", " ", ":", "12", "\x1f\n", name}}) {
        const control::DaySum sum = sum_of(names);
        const std::string field = spend_field("0123456789abcdef", sum);
        const auto read = parse_spend(20'000, field, spend_value(sum.spend));
        ASSERT_TRUE(read) << field;
        EXPECT_EQ(read->day, sum.day);
        EXPECT_EQ(read->names, sum.names);
        EXPECT_EQ(spend_value(read->spend), spend_value(sum.spend));
        EXPECT_EQ(read->spend.nanos, sum.spend.nanos);
        EXPECT_EQ(read->spend.usage.web_searches, 6u);
    }
}

TEST(SpendWords, OfOthersAreNoRow) {
    const control::DaySum sum = sum_of({"a", "b", "c", "d", "e", "f"});
    const std::string field = spend_field("0123456789abcdef", sum);
    const std::string value = spend_value(sum.spend);
    ASSERT_TRUE(parse_spend(1, field, value));
    EXPECT_TRUE(parse_spend(1, field, value + " 7")) << "of a later version";
    struct Row {
        const char* name;
        std::string field;
        std::string value;
    };
    const Row rows[] = {
        {"the sum", "t", "12"},
        {"no journal", field.substr(1), value},
        {"a name too short", field.substr(0, field.size() - 1), value},
        {"more behind", field + "1:x", value},
        {"a size beyond", "0123456789abcdef 9:a", value},
        {"a huge size", "0123456789abcdef 18446744073709551615:a1:b1:c1:d1:e1:f", value},
        {"no size", "0123456789abcdef x:a", value},
        {"empty", "", ""},
        {"no value", field, ""},
        {"too few numbers", field, "1 2 3"},
        {"negative", field, "-1" + value.substr(1)},
        {"more nanodollars than there are", field, "1 9223372036854775808" + value.substr(18)},
        {"a word", field, value.substr(0, value.size() - 1) + "x"},
    };
    for (const Row& row : rows) EXPECT_FALSE(parse_spend(1, row.field, row.value)) << row.name;
}

TEST(SpendWords, AKeyIsOfADayAndACurrency) {
    EXPECT_EQ(spend_key("production", "EUR", 0), "{rotary:production}:m:EUR:1970-01-01");
    EXPECT_EQ(spend_key("p", "USD", 20'786), "{rotary:p}:m:USD:2026-11-29");
    EXPECT_EQ(mark_key("p", "0123"), "{rotary:p}:j:0123");
}

TEST(SpendWords, AQuestionNamesEachDayOnce) {
    SpendQuestion question;
    question.name_space = "p";
    question.currency = "USD";
    question.today = 20'786;
    question.now_ms = 20'786 * 86'400'000LL + 1000;
    question.kept_days = 2;
    question.from = 7;
    question.page.journal = "0123456789abcdef";
    question.page.to = 9;
    for (const std::int64_t day : {20'786, 20'785, 20'786}) {
        question.page.sums.push_back(sum_of({}));
        question.page.sums.back().day = day;
    }
    const std::vector<std::string> keys{
        "{rotary:p}:j:0123456789abcdef", "{rotary:p}:m:USD:2026-11-29",
        "{rotary:p}:m:USD:2026-11-28", "{rotary:p}:m:USD:2026-11-29"};
    EXPECT_EQ(spend_keys(question), keys);
    const auto arguments = spend_arguments(question);
    ASSERT_EQ(arguments.size(), 5u + 3 * 3);
    EXPECT_EQ(arguments[0], "7");
    EXPECT_EQ(arguments[1], "9");
    EXPECT_EQ(arguments[2], "259199000");
    EXPECT_EQ(arguments[3], "172799000");
    EXPECT_EQ(arguments[4], "259199000");
    EXPECT_EQ(arguments[5], "4");
    EXPECT_EQ(arguments[8], "3");
}

TEST(SpendWords, AnAnswerIsThreeNumbers) {
    Reply reply;
    reply.kind = Reply::Kind::array;
    reply.elements.resize(3);
    for (Reply& element : reply.elements) element.kind = Reply::Kind::text;
    reply.elements[0].text = "18446744073709551615";
    reply.elements[1].text = "9223372036854775807";
    reply.elements[2].kind = Reply::Kind::integer;
    reply.elements[2].integer = 2;
    const auto answer = spend_answer(reply);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->mark, 18'446'744'073'709'551'615u);
    EXPECT_EQ(answer->today, 9'223'372'036'854'775'807);
    EXPECT_EQ(answer->refused, 2u);
    Reply spoiled = reply;
    spoiled.elements[0].text = "x";
    EXPECT_FALSE(spend_answer(spoiled));
    spoiled = reply;
    spoiled.elements[1].text = "-1";
    EXPECT_FALSE(spend_answer(spoiled));
    spoiled = reply;
    spoiled.elements.pop_back();
    EXPECT_FALSE(spend_answer(spoiled));
    EXPECT_FALSE(spend_answer(Reply()));
}

}  // namespace
}  // namespace rotary::fleet
