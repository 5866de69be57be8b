#include <rotary/quota/period.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace rotary::quota {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

// "2026-11-29 22:30", UTC.
WallTime utc(const char* text) {
    int parts[5] = {};
    EXPECT_EQ(
        std::sscanf(text, "%d-%d-%d %d:%d", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4]),
        5)
        << text;
    const year_month_day date = year{parts[0]} / parts[1] / parts[2];
    const sys_days day{date};
    return day + hours(parts[3]) + minutes(parts[4]);
}

std::string text_of(WallTime time) {
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const auto rest = duration_cast<minutes>(time - day).count();
    char text[32];
    std::snprintf(text, sizeof text, "%d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(rest / 60), static_cast<int>(rest % 60));
    return text;
}

// A zone as a file of the tz database with nothing but its rule.
TimeZone zone(const std::string& rule) {
    const std::string version = "TZif2" + std::string(15, '\0');
    // No times, one type of six bytes, one letter, in both halves.
    const std::string header =
        version + std::string(16, '\0') + std::string("\0\0\0\1", 4) + std::string("\0\0\0\1", 4);
    const std::string data(7, '\0');
    const auto parsed = TimeZone::parse(header + data + header + data + "\n" + rule + "\n");
    EXPECT_TRUE(parsed) << rule;
    return parsed.value_or(TimeZone());
}

const char* const kZurich = "CET-1CEST,M3.5.0,M10.5.0/3";
const char* const kNewYork = "EST5EDT,M3.2.0,M11.1.0";
const char* const kKolkata = "IST-5:30";
const char* const kMidnight = "<-04>4<-03>,M9.1.0/0,M4.1.0/0";   // as in Chile, near enough
const char* const kBefore = "<-04>4<-03>,M9.1.0/0,M4.1.0/0:30";  // put back over midnight
const char* const kDublin = "IST-1GMT0,M10.5.0,M3.5.0/1";        // winter is what is saved

struct Row {
    const char* name;
    PeriodKind kind;
    const char* rule;
    const char* now;
    const char* begin;
    const char* end;
    unsigned first = 1;
};

const Row kRows[] = {
    {"a day", PeriodKind::day, "UTC0", "2026-11-29 22:30", "2026-11-29 00:00", "2026-11-30 00:00"},
    {"its first moment", PeriodKind::day, "UTC0", "2026-11-29 00:00", "2026-11-29 00:00",
     "2026-11-30 00:00"},
    {"east of Greenwich", PeriodKind::day, kZurich, "2026-11-29 22:59", "2026-11-28 23:00",
     "2026-11-29 23:00"},
    {"the next day there", PeriodKind::day, kZurich, "2026-11-29 23:00", "2026-11-29 23:00",
     "2026-11-30 23:00"},
    {"a day of 23 hours", PeriodKind::day, kZurich, "2026-03-29 12:00", "2026-03-28 23:00",
     "2026-03-29 22:00"},
    {"a day of 25 hours", PeriodKind::day, kZurich, "2026-10-25 12:00", "2026-10-24 22:00",
     "2026-10-25 23:00"},
    {"a day of 25 hours, in the second of two alike", PeriodKind::day, kZurich, "2026-10-25 01:30",
     "2026-10-24 22:00", "2026-10-25 23:00"},
    {"half hours", PeriodKind::day, kKolkata, "2026-11-29 18:30", "2026-11-29 18:30",
     "2026-11-30 18:30"},
    {"a midnight that is jumped over", PeriodKind::day, kMidnight, "2026-09-06 04:00",
     "2026-09-06 04:00", "2026-09-07 03:00"},
    {"before it", PeriodKind::day, kMidnight, "2026-09-06 03:59", "2026-09-05 04:00",
     "2026-09-06 04:00"},
    {"a midnight that is put back", PeriodKind::day, kMidnight, "2026-04-05 03:30",
     "2026-04-04 03:00", "2026-04-05 04:00"},
    {"a midnight that comes twice", PeriodKind::day, kBefore, "2026-04-05 03:45",
     "2026-04-05 03:00", "2026-04-06 04:00"},
    {"a week", PeriodKind::week, "UTC0", "2026-11-29 22:30", "2026-11-23 00:00",
     "2026-11-30 00:00"},
    {"on its Monday", PeriodKind::week, "UTC0", "2026-11-30 00:00", "2026-11-30 00:00",
     "2026-12-07 00:00"},
    {"a week in which clocks change", PeriodKind::week, kNewYork, "2026-11-01 12:00",
     "2026-10-26 04:00", "2026-11-02 05:00"},
    {"a month", PeriodKind::month, kZurich, "2026-03-31 21:59", "2026-02-28 23:00",
     "2026-03-31 22:00"},
    {"February of a leap year", PeriodKind::month, "UTC0", "2028-02-29 12:00", "2028-02-01 00:00",
     "2028-03-01 00:00"},
    {"December", PeriodKind::month, "UTC0", "2026-12-31 23:59", "2026-12-01 00:00",
     "2027-01-01 00:00"},
    {"a quarter", PeriodKind::quarter, "UTC0", "2026-11-29 22:30", "2026-10-01 00:00",
     "2027-01-01 00:00"},
    {"a quarter of a year from February", PeriodKind::quarter, "UTC0", "2026-01-15 00:00",
     "2025-11-01 00:00", "2026-02-01 00:00", 2},
    {"a year", PeriodKind::year, "UTC0", "2026-11-29 22:30", "2026-01-01 00:00",
     "2027-01-01 00:00"},
    {"a year from April", PeriodKind::year, kDublin, "2026-03-31 22:59", "2025-03-31 23:00",
     "2026-03-31 23:00", 4},
    {"on its first day", PeriodKind::year, kDublin, "2026-03-31 23:00", "2026-03-31 23:00",
     "2027-03-31 23:00", 4},
};

TEST(Period, IsThatOfTheCalendar) {
    for (const Row& row : kRows) {
        const Period period(row.kind, zone(row.rule), month(row.first));
        const Window window = period.window(utc(row.now));
        EXPECT_EQ(text_of(window.begin), row.begin) << row.name;
        EXPECT_EQ(text_of(window.end), row.end) << row.name;
    }
}

TEST(Period, OfTheTotalNeverEnds) {
    const Period period(PeriodKind::total, zone(kZurich));
    EXPECT_EQ(period.window(utc("2026-11-29 22:30")), period.window(utc("2126-11-29 22:30")));
    EXPECT_EQ(period.window(utc("2026-11-29 22:30")).end, WallTime::max());
}

// Every moment is in one period, and the periods follow each other without a gap.
TEST(Period, FollowEachOther) {
    for (const char* rule : {"UTC0", kZurich, kNewYork, kKolkata, kMidnight, kBefore, kDublin}) {
        for (const PeriodKind kind : {PeriodKind::day, PeriodKind::week, PeriodKind::month,
                                      PeriodKind::quarter, PeriodKind::year}) {
            const Period period(kind, zone(rule), month(4));
            Window before = period.window(utc("2025-12-31 00:00"));
            for (WallTime now = utc("2025-12-31 00:00"); now < utc("2027-01-02 00:00");
                 now += 30min) {
                const Window window = period.window(now);
                ASSERT_LE(window.begin, now) << rule << " " << to_string(kind);
                ASSERT_GT(window.end, now) << rule << " " << to_string(kind);
                if (window == before) continue;
                ASSERT_EQ(window.begin, before.end) << rule << " " << to_string(kind);
                before = window;
            }
        }
    }
}

TEST(Period, StandsAClockThatIsOutOfItsMind) {
    const Period period(PeriodKind::year, zone(kNewYork));
    for (const WallTime now : {WallTime::min(), WallTime::max(), WallTime{}}) {
        const Window window = period.window(now);
        EXPECT_LT(window.begin, window.end);
    }
}

}  // namespace
}  // namespace rotary::quota
