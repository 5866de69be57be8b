#include <rotary/config/yaml/suggest.hpp>

#include <gtest/gtest.h>

namespace rotary::config {
namespace {

struct Row {
    const char* name;
    const char* word;
    const char* nearest;  // empty: none is near
};

class Near : public testing::TestWithParam<Row> {};

TEST_P(Near, FindsTheNearest) {
    const std::vector<std::string> names{"listeners", "limits", "log", "admin", "timeouts"};
    const std::string nearest = GetParam().nearest;
    const std::string expected = nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?";
    EXPECT_EQ(did_you_mean(GetParam().word, names), expected);
}

const Row kRows[] = {
    {"letter_left_out", "listners", "listeners"},
    {"letter_added", "limmits", "limits"},
    {"letter_changed", "lomits", "limits"},
    {"letters_swapped", "amdin", "admin"},
    {"case", "TimeOuts", "timeouts"},
    {"short_word", "lag", "log"},
    {"far", "resources", ""},
    {"short_and_far", "la", ""},
    {"empty", "", ""},
};
INSTANTIATE_TEST_SUITE_P(Rows, Near, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

TEST(Near, SaysWhatIsThere) {
    const std::vector<std::string> names{"a1", "b2", "c3", "d4", "e5", "f6", "g7"};
    EXPECT_EQ(what_is_there("zzzz", names),
              "; there is \"a1\", \"b2\", \"c3\", \"d4\", \"e5\" and 2 more");
    EXPECT_EQ(what_is_there("zzzz", {}), "; there is none at all");
    EXPECT_EQ(what_is_there("a2", names), "; did you mean \"a1\"?");
}

TEST(Near, TakesNoTimeOverLongWords) {
    const std::vector<std::string> names{std::string(1'000'000, 'a')};
    EXPECT_EQ(did_you_mean(std::string(1'000'000, 'b'), names), "");
}

}  // namespace
}  // namespace rotary::config
