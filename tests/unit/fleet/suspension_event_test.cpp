#include <rotary/fleet/suspension_event.hpp>

#include <gtest/gtest.h>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;
using rotation::SuspendReason;
using Kind = SuspensionEvent::Kind;

TEST(SuspensionEvent, SaysWhatHappenedToAnEntry) {
    const auto out = parse_event("s 7 1500 3000 2 credential_refused 0123456789abcdef A/p/m n@b");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->kind, Kind::out);
    EXPECT_EQ(out->number, 7u);
    EXPECT_EQ(out->left, 1500ms);
    EXPECT_EQ(out->outage.lasts, 3s);
    EXPECT_EQ(out->outage.times, 2u);
    EXPECT_EQ(out->outage.reason, SuspendReason::credential_refused);
    EXPECT_EQ(out->outage.replica, "0123456789abcdef");
    EXPECT_EQ(out->entry, "A/p/m n@b");
    EXPECT_EQ(parse_event("b 8 me E")->kind, Kind::back);
    EXPECT_EQ(parse_event("r 8 me E")->kind, Kind::resumed);
    EXPECT_EQ(parse_event("r 8 me a b  c ")->entry, "a b  c ");
}

TEST(SuspensionEvent, IsNoneOfWhatIsAnythingElse) {
    const std::string longest(kMaxEntryName, 'e');
    EXPECT_TRUE(parse_event("b 8 me " + longest));
    EXPECT_TRUE(parse_event("b 8 " + std::string(64, 'r') + " E"));
    const std::string rows[] = {
        "",
        " ",
        "s",
        "t 7 1500 0 0 operator me E",
        "s x 1500 0 0 operator me E",
        "s -7 1500 0 0 operator me E",
        "s 7 1500 0 0 failing me E",
        "s 7 1500 0 0 limit me E",
        "s 7 1500 0 0 none me E",
        "s 7 1500 0 0 new_reason me E",
        "s 7 9007199254740993 0 0 operator me E",
        "s 7 18446744073709551616 0 0 operator me E",
        "s 7 1500 9007199254740993 0 operator me E",
        "s 7 1500 0 1000001 operator me E",
        "s 7 1500 0 0 operator me",
        "s 7 1500 0 0 operator  E",
        "s 7 1500.5 0 0 operator me E",
        "b 8 me ",
        "b 8 E",
        "b 8 me " + longest + "e",
        "b 8 " + std::string(65, 'r') + " E",
    };
    for (const std::string& row : rows) EXPECT_FALSE(parse_event(row)) << row;
}

TEST(SuspensionRow, HasItsEndByTheClockOfRedis) {
    const auto row = parse_row("1800000000123 5000 0 rate_limited me");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->ends, 1'800'000'000'123ms);
    EXPECT_EQ(row->outage.lasts, 5s);
    for (const char* junk : {"", "1", "1 2 3 operator", "1 2 3 operator me more",
                             "x 2 3 operator me", "1 2 3 failing me", "1 2 3 operator "}) {
        EXPECT_FALSE(parse_row(junk)) << junk;
    }
}

}  // namespace
}  // namespace rotary::fleet
