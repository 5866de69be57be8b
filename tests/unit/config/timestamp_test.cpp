#include <rotary/config/yaml/timestamp.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace rotary::config {
namespace {

using namespace std::chrono_literals;

TEST(TimestampTest, IsReadToTheNanosecond) {
    struct Row {
        const char* text;
        std::chrono::nanoseconds since_1970;
    };
    const Row rows[] = {
        {"1970-01-01", 0s},
        {"1970-01-01T00:00:00Z", 0s},
        {"1970-01-02", 24h},
        {"2000-02-29T00:00:00Z", 951'782'400s},
        {"2026-12-31T23:59:59Z", 1'798'761'599s},
        {"2026-12-31t23:59:59z", 1'798'761'599s},
        {"2026-12-31 23:59:59Z", 1'798'761'599s},
        {"2027-01-01T00:59:59+01:00", 1'798'761'599s},
        {"2026-12-31T18:29:59-05:30", 1'798'761'599s},
        {"1970-01-01T00:00:00.5Z", 500ms},
        {"1970-01-01T00:00:00.123456789Z", 123'456'789ns},
        {"1970-01-01T00:00:00.1234567899Z", 123'456'789ns},
        {"2016-12-31T23:59:60Z", 1'483'228'800s},
        {"2199-12-31", 7'258'032'000s},
    };
    for (const Row& row : rows) {
        const auto time = parse_timestamp(row.text);
        ASSERT_TRUE(time) << row.text;
        EXPECT_EQ(time->time_since_epoch(), row.since_1970) << row.text;
    }
}

TEST(TimestampTest, WhatIsNoTimeIsNone) {
    for (const char* text : {"",
                             "2026",
                             "2026-1-1",
                             "2026-13-01",
                             "2026-00-01",
                             "2026-02-29",
                             "2026-04-31",
                             "1969-12-31",
                             "2200-01-01",
                             "2026-01-01T",
                             "2026-01-01T00:00Z",
                             "2026-01-01T00:00:00",
                             "2026-01-01T24:00:00Z",
                             "2026-01-01T00:60:00Z",
                             "2026-01-01T00:00:61Z",
                             "2026-01-01T00:00:00.Z",
                             "2026-01-01T00:00:00+1",
                             "2026-01-01T00:00:00+24:00",
                             "2026-01-01T00:00:00Z ",
                             "2026-01-01x",
                             "+026-01-01",
                             "tomorrow",
                             "20260101"}) {
        EXPECT_FALSE(parse_timestamp(text)) << text;
    }
}

}  // namespace
}  // namespace rotary::config
