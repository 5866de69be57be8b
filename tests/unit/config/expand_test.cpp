#include "config/yaml/expand.hpp"

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

struct Row {
    const char* name;
    const char* raw;
    const char* text;
    const char* error = "";
    bool changed = false;
};

class Expand : public testing::TestWithParam<Row> {};

TEST_P(Expand, Replaces) {
    const Environment environment = variables({{"A", "1"}, {"EMPTY", ""}, {"NEST", "${A}"}});
    const Expansion expansion = expand(GetParam().raw, environment);
    if (*GetParam().error != '\0') {
        EXPECT_NE(expansion.error.find(GetParam().error), std::string::npos) << expansion.error;
        return;
    }
    EXPECT_EQ(expansion.error, "");
    EXPECT_EQ(expansion.text, GetParam().text);
    EXPECT_EQ(expansion.changed, GetParam().changed);
}

const Row kRows[] = {
    {"plain", "abc", "abc"},
    {"empty", "", ""},
    {"variable", "x${A}y", "x1y", "", true},
    {"two", "${A}${A}", "11", "", true},
    {"set_but_empty", "[${EMPTY}]", "[]", "", true},
    {"unset", "${B}", "", "the variable B is not set"},
    {"default_when_unset", "${B:-d}", "d", "", true},
    {"default_when_empty", "${EMPTY:-d}", "d", "", true},
    {"default_not_needed", "${A:-d}", "1", "", true},
    {"default_empty", "${B:-}", "", "", true},
    {"default_with_marks", "${B:-Bearer a:b $x}", "Bearer a:b $x", "", true},
    {"demanded_and_there", "${A:?no}", "1", "", true},
    {"demanded_and_unset", "${B:?set it}", "", "B is not set: set it"},
    {"demanded_and_empty", "${EMPTY:?set it}", "", "EMPTY is not set: set it"},
    {"two_dollars", "$${A}", "${A}"},
    {"dollar_alone", "cost $5, $x, end$", "cost $5, $x, end$"},
    {"json_path", "$.usage.prompt_tokens", "$.usage.prompt_tokens"},
    {"value_is_not_expanded", "${NEST}", "${A}", "", true},
    {"unclosed", "a${A", "", "without its }"},
    {"no_name", "${}", "", "does not name a variable"},
    {"name_with_digit_first", "${1A}", "", "does not name a variable"},
    {"name_with_space", "${A B}", "", "does not name a variable"},
    {"unknown_operator", "${A:+x}", "", "after the colon"},
    {"colon_alone", "${A:}", "", "after the colon"},
};

INSTANTIATE_TEST_SUITE_P(Rows, Expand, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

TEST(Expand, CannotInjectStructure) {
    const Loaded loaded =
        load_process("listeners: [{port: 1, plaintext: true}]\nlog:\n  access: ${A}\n",
                     variables({{"A", "off\n  level: trace"}}));
    EXPECT_TRUE(has_errors(loaded.findings));
    EXPECT_EQ(loaded.config.log.level, LogLevel::info);
}

TEST(Expand, NeverShowsWhatCameFromTheEnvironment) {
    const Loaded loaded = load_process("workers: ${KEY}\nlisteners: [{port: 1, plaintext: true}]\n",
                                       variables({{"KEY", "sk-canary"}}));
    const std::string text = to_text(loaded.findings);
    EXPECT_NE(text.find("found \"${KEY}\""), std::string::npos) << text;
    EXPECT_EQ(text.find("sk-canary"), std::string::npos) << text;
}

TEST(Expand, LeavesKeysAlone) {
    const Loaded loaded = load_process("${A}: 2\nlisteners: [{port: 1, plaintext: true}]\n",
                                       variables({{"A", "workers"}}));
    EXPECT_NE(to_text(loaded.findings).find("unknown field \"${A}\""), std::string::npos);
}

}  // namespace
}  // namespace rotary::config
