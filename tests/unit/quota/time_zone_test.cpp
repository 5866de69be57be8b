#include <rotary/quota/time_zone.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

namespace rotary::quota {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

std::string file_of(const std::string& name) {
    std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

seconds offset(const TimeZone& zone, sys_seconds time) {
    return zone.local(time).time_since_epoch() - time.time_since_epoch();
}

TEST(TimeZone, ReadsTheSystemsDatabase) {
    if (file_of("Europe/Zurich").empty()) GTEST_SKIP() << "this machine has no tz database";
    struct Row {
        const char* zone;
        sys_seconds time;
        seconds offset;
    };
    const Row rows[] = {
        {"Europe/Zurich", sys_days(2026y / 7 / 1), 2h},
        {"Europe/Zurich", sys_days(2026y / 1 / 1), 1h},
        {"Europe/Zurich", sys_days(2026y / 3 / 29) + 59min + 59s, 1h},
        {"Europe/Zurich", sys_days(2026y / 3 / 29) + 1h, 2h},
        {"Europe/Zurich", sys_days(2150y / 7 / 1), 2h},  // beyond what a file lists
        {"Europe/Dublin", sys_days(2026y / 7 / 1), 1h},
        {"Europe/Dublin", sys_days(2026y / 1 / 1), 0h},
        {"America/New_York", sys_days(2026y / 7 / 1), -4h},
        {"Asia/Kolkata", sys_days(2026y / 7 / 1), 5h + 30min},
        {"Asia/Kathmandu", sys_days(2150y / 7 / 1), 5h + 45min},
        {"Pacific/Apia", sys_days(2011y / 12 / 30), -10h},
        {"Pacific/Apia", sys_days(2011y / 12 / 31), 14h},
        {"UTC", sys_days(2026y / 7 / 1), 0h},
    };
    for (const Row& row : rows) {
        const auto zone = TimeZone::load(row.zone);
        ASSERT_TRUE(zone) << row.zone;
        EXPECT_EQ(offset(*zone, row.time), row.offset) << row.zone;
    }
    // Samoa had no 30th of December.
    const auto samoa = TimeZone::load("Pacific/Apia");
    EXPECT_EQ(samoa->first_at(local_days(2011y / 12 / 30)),
              samoa->first_at(local_days(2011y / 12 / 31)));
}

TEST(TimeZone, HasNoOtherNames) {
    for (const char* name : {"", "Europe", "Europe/Nowhere", "../../../etc/passwd", "/etc/passwd",
                             "Europe/../Europe/Zurich", "zone.tab", "CET-1", "Europe/Zürich"}) {
        EXPECT_FALSE(TimeZone::load(name)) << name;
    }
}

TEST(TimeZone, IsNoneOfAPieceOfAFile) {
    const std::string file = file_of("Europe/Zurich");
    if (file.empty()) GTEST_SKIP() << "this machine has no tz database";
    ASSERT_TRUE(TimeZone::parse(file));
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string piece = file.substr(0, size);
        EXPECT_FALSE(TimeZone::parse(piece)) << size;
    }
}

// Whatever a file holds: no crash and no read beyond its end.
TEST(TimeZone, StandsSpoiltFiles) {
    const std::string file = file_of("Europe/Zurich");
    for (std::size_t at = 0; at < file.size(); ++at) {
        for (const char c : {'\0', '\x7f', '\xff'}) {
            std::string spoilt = file;
            spoilt[at] = c;
            const auto zone = TimeZone::parse(spoilt);
            if (zone) zone->first_at(zone->local(sys_days(2026y / 7 / 1)));
        }
    }
}

TEST(TimeZone, KnowsEveryRule) {
    const auto zone = [](const std::string& rule) {
        const std::string header = "TZif2" + std::string(31, '\0') + std::string("\0\0\0\1", 4) +
                                   std::string("\0\0\0\1", 4);
        const std::string data(7, '\0');
        return TimeZone::parse(header + data + header + data + "\n" + rule + "\n");
    };
    EXPECT_EQ(offset(*zone("<+0545>-5:45"), {}), 5h + 45min);
    EXPECT_EQ(offset(*zone("X-1:02:03"), {}), 1h + 2min + 3s);
    // The 60th day is the first of March in every year, or is the last of February in some.
    const auto julian = zone("A0B,J60/0,J300/0");
    EXPECT_EQ(offset(*julian, sys_days(2028y / 2 / 29) + 12h), 0h);
    EXPECT_EQ(offset(*julian, sys_days(2028y / 3 / 1) + 12h), 1h);
    EXPECT_EQ(offset(*julian, sys_days(2027y / 3 / 1) + 12h), 1h);
    const auto counted = zone("A0B,59/0,300/0");
    EXPECT_EQ(offset(*counted, sys_days(2028y / 2 / 29) + 12h), 1h);
    EXPECT_EQ(offset(*counted, sys_days(2027y / 2 / 28) + 12h), 0h);
    const auto early = zone("A0B,M3.2.0/-1,M11.1.0/26");
    EXPECT_EQ(offset(*early, sys_days(2026y / 3 / 7) + 23h), 1h);
    for (const char* rule :
         {"A", "5", "AB5C", "A5B,", "A5B,M3", "A5B,M13.1.0,M1.1.0", "A5B,M1.6.0,M1.1.0",
          "A5B,M1.1.7,M1.1.0", "A5B,M1.1.0,M1.1.0x", "A5B,J0,J1", "A5B,366,1", "A168", "A5:60",
          "<+5", "A5B,M3.0.0,M1.1.0", "A99999999999"}) {
        EXPECT_FALSE(zone(rule)) << rule;
    }
}

}  // namespace
}  // namespace rotary::quota
