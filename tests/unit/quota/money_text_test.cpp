#include <rotary/quota/money_text.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace rotary::quota {
namespace {

TEST(MoneyText, IsAsPeopleWriteIt) {
    struct Row {
        Nanos nanos;
        const char* text;
    };
    const Row rows[] = {
        {0, "0.00"},
        {1, "0.000000001"},
        {1'500'000, "0.0015"},
        {10'000'000, "0.01"},
        {100'000'000, "0.10"},
        {1'000'000'000, "1.00"},
        {100'020'000'000, "100.02"},
        {123'456'789'012, "123.456789012"},
        {INT64_MAX, "9223372036.854775807"},
        {-1, "0.00"},
    };
    for (const Row& row : rows) {
        MoneyText text;
        EXPECT_EQ(write_money(row.nanos, text), row.text) << row.nanos;
    }
}

}  // namespace
}  // namespace rotary::quota
