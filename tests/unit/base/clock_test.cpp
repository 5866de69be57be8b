#include <rotary/base/clock.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary {
namespace {

using namespace std::chrono_literals;

TEST(Clock, FormatsTimestamps) {
    struct Row {
        std::int64_t milliseconds;
        const char* text;
    };
    const std::vector<Row> rows{
        {0, "1970-01-01T00:00:00.000Z"},
        {784111777008, "1994-11-06T08:49:37.008Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1767225599999, "2025-12-31T23:59:59.999Z"},
        {1767225600000, "2026-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {9'000'000'000'000, "2255-03-14T16:00:00.000Z"},
    };
    for (const auto& row : rows) {
        TimestampBuffer buffer;
        EXPECT_EQ(format_timestamp(WallTime(std::chrono::milliseconds(row.milliseconds)), buffer),
                  row.text);
    }
    TimestampBuffer buffer;
    EXPECT_EQ(format_timestamp(WallTime(1999999ns), buffer), "1970-01-01T00:00:00.001Z");
    EXPECT_EQ(format_timestamp(WallTime(-1ns), buffer), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, CoarseTimesFollowTheExactOnes) {
    const Now before = read_coarse_clock();
    const Now exact = read_clock();
    const Now after = read_coarse_clock();
    EXPECT_LE(before.steady, exact.steady);
    EXPECT_LE(before.steady, after.steady);
    EXPECT_LT(exact.steady - before.steady, 1s);
    EXPECT_LT(exact.wall - before.wall, 1s);
    EXPECT_GT(exact.wall - before.wall, -1s);
}

}  // namespace
}  // namespace rotary
