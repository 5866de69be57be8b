#include "config/prices/decimal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rotary::config {
namespace {

TEST(Decimals, AreReadDigitByDigit) {
    struct Row {
        const char* name;
        std::string text;
        int exponent;
        std::int64_t value;
        bool is_exact;
    };
    const Row rows[] = {
        {"whole", "3", 6, 3'000'000, true},
        {"zero", "0", 12, 0, true},
        {"zero with decimals", "0.000", 12, 0, true},
        {"cents", "0.15", 6, 150'000, true},
        {"a trailing zero", "22.50", 6, 22'500'000, true},
        {"what a double is not", "7.5e-08", 12, 75'000, true},
        {"upper case", "7.5E-08", 12, 75'000, true},
        {"a positive exponent", "1e+2", 0, 100, true},
        {"half of the last place", "0.0000005", 6, 1, false},
        {"below half of it", "0.00000049", 6, 0, false},
        {"far below it", "1e-99", 12, 0, false},
        {"nine tenths below the last place", "0.00000009", 6, 0, false},
        {"noise of a binary fraction", "4.9999999999999996e-07", 12, 500'000, false},
        {"zeros behind the last place", "0.1500000000", 6, 150'000, true},
        {"the largest", "9223372036854775806", 0, 9'223'372'036'854'775'806, true},
    };
    for (const Row& row : rows) {
        const auto read = parse_decimal(row.text, row.exponent);
        ASSERT_TRUE(read) << row.name;
        EXPECT_EQ(read->value, row.value) << row.name;
        EXPECT_EQ(read->is_exact, row.is_exact) << row.name;
    }
}

TEST(Decimals, AreNothingElse) {
    for (const char* text :
         {"",
          "-1",
          "+1",
          ".5",
          "5.",
          "1e",
          "1e+",
          "1e101",
          "1e9999",
          "0x10",
          "1,5",
          "1 ",
          " 1",
          "nan",
          "inf",
          "1.2.3",
          "1e5e5",
          "$3",
          "9223372036854775807",
          "99999999999999999999",
          "1000000000000000000000000000000000000000000000000000000000000000000000"}) {
        EXPECT_FALSE(parse_decimal(text, 0)) << text;
    }
    EXPECT_FALSE(parse_decimal("1e30", 12)) << "it does not fit";
}

}  // namespace
}  // namespace rotary::config
