#include <rotary/base/percent.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::text {
namespace {

TEST(Percent, KnowsHexadecimalDigitsAndNoOthers) {
    const std::string_view digits = "0123456789abcdefABCDEF";
    for (int c = 0; c < 256; ++c) {
        const auto at = digits.find(static_cast<char>(c));
        const int value = at == digits.npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
        EXPECT_EQ(hex_value(static_cast<char>(c)), value) << c;
    }
}

TEST(Percent, EncodesAllButTheUnreserved) {
    EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encoded("a b/c?d&e=f+g%"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25");
    EXPECT_EQ(percent_encoded(std::string_view("\0\x7f\xc3\xa9", 4)), "%00%7F%C3%A9");
}

struct Row {
    const char* name;
    const char* encoded;
    const char* decoded;  // null: malformed
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

const Row kRows[] = {
    {"Empty", "", ""},
    {"Plain", "abc", "abc"},
    {"Escapes", "a%2fb%2Fc", "a/b/c"},
    {"PlusIsAPlus", "a+b", "a+b"},
    {"OnlyAnEscape", "%41", "A"},
    {"PercentOfAPercent", "%2541", "%41"},
    {"CutBehindThePercent", "a%", nullptr},
    {"CutBehindADigit", "a%4", nullptr},
    {"NoDigit", "%4g", nullptr},
    {"NoFirstDigit", "%g4", nullptr},
    {"Sign", "%+4", nullptr},
};

class PercentTest : public testing::TestWithParam<Row> {};

TEST_P(PercentTest, Decodes) {
    const auto decoded = percent_decoded(GetParam().encoded);
    ASSERT_EQ(decoded.has_value(), GetParam().decoded != nullptr);
    if (decoded) {
        EXPECT_EQ(*decoded, GetParam().decoded);
    }
}

INSTANTIATE_TEST_SUITE_P(All, PercentTest, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Percent, WhatWasEncodedIsDecoded) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    EXPECT_EQ(percent_decoded(percent_encoded(all)), all);
}

}  // namespace
}  // namespace rotary::text
