#include <rotary/wire/query.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

struct Row {
    const char* name;
    const char* query;
    std::vector<std::string> pairs;  // name, then '=' and the value where it has one
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row kRows[] = {
    {"Empty", "", {}},
    {"One", "a=1", {"a=1"}},
    {"Two", "a=1&b=2", {"a=1", "b=2"}},
    {"BareName", "a&b=", {"a", "b="}},
    {"EmptyOnes", "&a=1&&b=2&", {"", "a=1", "", "b=2"}},
    {"NoName", "=1", {"=1"}},
    {"SecondEqualsIsOfTheValue", "a=1=2", {"a=1=2"}},
    {"EncodedStays", "%61=%26&b=+", {"%61=%26", "b=+"}},
};

class QueryTest : public testing::TestWithParam<Row> {};

TEST_P(QueryTest, IsTakenPairByPair) {
    std::vector<std::string> pairs;
    for (std::string_view rest = GetParam().query; !rest.empty();) {
        const Parameter one = take_parameter(rest);
        pairs.emplace_back(one.name);
        if (one.has_value) pairs.back() += "=" + std::string(one.value);
        EXPECT_EQ(pairs.back(), one.whole);
        EXPECT_EQ(one.value.data() + one.value.size(), one.whole.data() + one.whole.size());
    }
    EXPECT_EQ(pairs, GetParam().pairs);
}

INSTANTIATE_TEST_SUITE_P(All, QueryTest, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Query, TheFirstOfANameIsFound) {
    const auto found = find_parameter("b&a=1&a=2", "a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->value, "1");
    EXPECT_FALSE(find_parameter("b&a=1&a=2", "b")->has_value);
    EXPECT_FALSE(find_parameter("aa=1&b=a", "a"));
    EXPECT_FALSE(find_parameter("", ""));
}

}  // namespace
}  // namespace rotary::wire
