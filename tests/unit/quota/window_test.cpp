#include <rotary/quota/window.hpp>

#include <gtest/gtest.h>

#include "unit/quota/quota_times.hpp"

#include <string>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

struct WindowRow {
    const char* name;
    Unit unit;
    std::chrono::nanoseconds now;  // since 1970
    std::chrono::nanoseconds begin;
};

class Windows : public testing::TestWithParam<WindowRow> {};

TEST_P(Windows, BeginAtUtcMultiplesOfTheUnit) {
    const WallTime now{GetParam().now};
    const Window window = window_of(GetParam().unit, now);
    EXPECT_EQ(window.begin.time_since_epoch(), GetParam().begin);
    EXPECT_EQ(window.end - window.begin, length_of(GetParam().unit));
    EXPECT_LE(window.begin, now);
    EXPECT_LT(now, window.end);
}

INSTANTIATE_TEST_SUITE_P(
    OfUnits, Windows,
    testing::Values(WindowRow{"SecondInIts", Unit::second, 5999ms, 5s},
                    WindowRow{"MinuteAtItsBegin", Unit::minute, 120s, 120s},
                    WindowRow{"MinuteAtItsLastNanosecond", Unit::minute, 180s - 1ns, 120s},
                    WindowRow{"HourInIts", Unit::hour, 2h + 59min + 59s, 2h},
                    WindowRow{"DayInIts", Unit::day, 47h, 24h},
                    WindowRow{"BeforeTheEpoch", Unit::minute, -1ns, -60s},
                    WindowRow{"AtAMultipleBeforeTheEpoch", Unit::minute, -60s, -60s}),
    [](const auto& row) { return row.param.name; });

TEST(Window, OfAllTimeIsAsLongAsTimeGoes) {
    const Window window{WallTime::min(), WallTime::max()};
    EXPECT_EQ(window.length(), std::chrono::nanoseconds::max());
}

struct DurationRow {
    const char* name;
    std::chrono::nanoseconds duration;
    const char* text;
};

class DurationTexts : public testing::TestWithParam<DurationRow> {};

TEST_P(DurationTexts, AreGosOwn) {
    DurationText text;
    EXPECT_EQ(write_duration(GetParam().duration, text), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Written, DurationTexts,
    testing::Values(
        DurationRow{"Nothing", 0ns, "0s"}, DurationRow{"Negative", -5s, "0s"},
        DurationRow{"LessThanAMillisecondIsRoundedUp", 1ns, "1ms"},
        DurationRow{"Milliseconds", 20ms, "20ms"}, DurationRow{"Seconds", 12s, "12s"},
        DurationRow{"ADecimal", 59500ms, "59.5s"}, DurationRow{"ThreeDecimals", 1001ms, "1.001s"},
        DurationRow{"RoundedUpToTheSecond", 1999ms + 1ns, "2s"},
        DurationRow{"AMinute", 60s, "1m0s"}, DurationRow{"AMinuteAndABit", 61050ms, "1m1.05s"},
        DurationRow{"AnHour", 1h + 2s, "1h0m2s"}, DurationRow{"All", 3720s, "1h2m0s"},
        DurationRow{"Days", 48h, "48h0m0s"},
        DurationRow{"TheLongest", std::chrono::nanoseconds::max(), "2562047h47m16.855s"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace rotary::quota
