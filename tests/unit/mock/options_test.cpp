// How the texts of the mock's options and of x-mock-fault are read.
#include <rotary/mock/provider.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace rotary::mock {
namespace {

using namespace std::chrono_literals;
using Nanoseconds = std::chrono::nanoseconds;

struct DurationRow {
    const char* name;
    const char* text;
    std::optional<Nanoseconds> value;
};

TEST(MockOptions, ReadsDurations) {
    const DurationRow rows[] = {
        {"nanoseconds", "7ns", 7ns},
        {"microseconds", "250us", 250us},
        {"milliseconds", "50ms", 50ms},
        {"seconds with a fraction", "1.5s", 1500ms},
        {"minutes", "2m", 2min},
        {"hours", "1h", 1h},
        {"a fraction of an hour", "0.5h", 30min},
        {"a fraction of a nanosecond is rounded", "1.6ns", 2ns},
        {"zero needs no unit", "0", 0ns},
        {"zero may have one", "0s", 0ns},
        {"thirty years are the most", "277777h", 277777h},
        {"beyond them", "9999999999999h", {}},
        {"no unit", "5", {}},
        {"nothing", "", {}},
        {"a unit alone", "ms", {}},
        {"a sign", "-1s", {}},
        {"a plus", "+1s", {}},
        {"a blank between", "1 s", {}},
        {"a blank behind", "1s ", {}},
        {"two points", "1.2.3s", {}},
        {"a point alone", ".s", {}},
        {"an exponent", "1e3s", {}},
        {"a unit that is none", "1d", {}},
        {"a unit in capitals", "1S", {}},
        {"two units", "1m30s", {}},
    };
    for (const DurationRow& row : rows) {
        EXPECT_EQ(parse_mock_duration(row.text), row.value) << row.name;
    }
}

TEST(MockOptions, ReadsQuotas) {
    struct Row {
        const char* name;
        const char* text;
        const char* model;
        std::uint64_t requests;
        Nanoseconds window;
    };
    const Row rows[] = {
        {"as the help has it", "gpt-4o=3/10s", "gpt-4o", 3, 10s},
        {"a name with '=' and '/'", "org/model=v2=30/1m", "org/model=v2", 30, 1min},
        {"no request at all", "m=0/1s", "m", 0, 1s},
        {"a window with a fraction", "m=1/0.25s", "m", 1, 250ms},
        {"any model's star is a name", "*=1/1h", "*", 1, 1h},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto quota = parse_mock_quota(row.text);
        ASSERT_TRUE(quota);
        EXPECT_EQ(quota->model, row.model);
        EXPECT_EQ(quota->requests, row.requests);
        EXPECT_EQ(quota->window, row.window);
    }
}

TEST(MockOptions, RefusesWhatIsNoQuota) {
    const char* const rows[] = {"",       "m",       "m=3",      "m/1s",  "=3/1s",
                                "m=x/1s", "m=/1s",   "m=3/",     "m=3/0", "m=3/0s",
                                "m=3/5",  "m=-1/1s", "m=1.5/1s", "m=3/1d"};
    for (const char* text : rows) EXPECT_FALSE(parse_mock_quota(text)) << text;
}

TEST(MockOptions, ReadsFailRates) {
    struct Row {
        const char* name;
        const char* text;
        unsigned status;
        double fraction;
    };
    const Row rows[] = {
        {"an eighth", "503=0.125", 503, 0.125},
        {"all", "500=1", 500, 1},
        {"none", "429=0", 429, 0},
        {"the lowest status", "400=0.5", 400, 0.5},
        {"the highest", "599=0.5", 599, 0.5},
        {"one with a fraction", "502=1.0", 502, 1},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto rate = parse_mock_fail_rate(row.text);
        ASSERT_TRUE(rate);
        EXPECT_EQ(rate->status, row.status);
        EXPECT_DOUBLE_EQ(rate->fraction, row.fraction);
    }
}

TEST(MockOptions, RefusesWhatIsNoFailRate) {
    const char* const rows[] = {"",        "503",      "503=",     "=0.1",    "399=0.1", "200=0.1",
                                "600=0.1", "503=1.01", "503=-0.1", "503=x",   "x=0.1",   "503=.1.",
                                "503=nan", "503=inf",  "503=1e-1", "503= 0.1"};
    for (const char* text : rows) EXPECT_FALSE(parse_mock_fail_rate(text)) << text;
}

struct FaultRow {
    const char* name;
    const char* text;
    MockFault::Kind kind;
    std::uint64_t bytes = 0;
};

TEST(MockFaultText, ReadsWhereAnAnswerIsCut) {
    using Kind = MockFault::Kind;
    const FaultRow rows[] = {
        {"a reset at once", "reset", Kind::reset},
        {"a reset after some bytes", "reset=120", Kind::reset, 120},
        {"a stall at once", "stall", Kind::stall},
        {"a stall after some bytes", "stall=7", Kind::stall, 7},
        {"an end after some bytes", "close-after=1", Kind::close_after, 1},
        {"an end before the first", "close-after=0", Kind::close_after},
        {"an end without close_notify", "truncate=33", Kind::truncate, 33},
        {"no HTTP", "garbage", Kind::garbage},
        {"blanks around", "  reset=5\t", Kind::reset, 5},
        {"more bytes than any answer has", "reset=18446744073709551615", Kind::reset,
         std::numeric_limits<std::uint64_t>::max()},
    };
    for (const FaultRow& row : rows) {
        SCOPED_TRACE(row.name);
        const auto fault = MockFault::parse(row.text);
        ASSERT_TRUE(fault);
        EXPECT_EQ(fault->kind, row.kind);
        EXPECT_EQ(fault->bytes, row.bytes);
    }
}

TEST(MockFaultText, ReadsDelaysAndStatuses) {
    const auto slow = MockFault::parse("slow-head=500ms");
    ASSERT_TRUE(slow);
    EXPECT_EQ(slow->kind, MockFault::Kind::slow_head);
    EXPECT_EQ(slow->delay, 500ms);
    for (const unsigned status : {200U, 429U, 599U}) {
        const auto fault = MockFault::parse("status=" + std::to_string(status));
        ASSERT_TRUE(fault) << status;
        EXPECT_EQ(fault->kind, MockFault::Kind::status);
        EXPECT_EQ(fault->status, status);
    }
}

TEST(MockFaultText, RefusesWhatItDoesNotKnow) {
    const char* const rows[] = {"",
                                "none",
                                "resets",
                                "RESET",
                                "reset=",
                                "reset=x",
                                "reset=-1",
                                "stall=1.5",
                                "close-after",
                                "truncate",
                                "truncate=",
                                "garbage=1",
                                "slow-head",
                                "slow-head=500",
                                "slow-head=",
                                "status",
                                "status=199",
                                "status=600",
                                "status=abc",
                                "canned",
                                "raw",
                                "reset=5 now",
                                "=5",
                                "reset=18446744073709551616"};
    for (const char* text : rows) EXPECT_FALSE(MockFault::parse(text)) << text;
}

TEST(MockFaultMakers, SayWhatTheyWereToldTo) {
    EXPECT_EQ(MockFault::reset(3).bytes, 3U);
    EXPECT_EQ(MockFault::stall().kind, MockFault::Kind::stall);
    EXPECT_EQ(MockFault::close_after(4).kind, MockFault::Kind::close_after);
    EXPECT_EQ(MockFault::truncate(5).bytes, 5U);
    EXPECT_EQ(MockFault::slow_head(9ms).delay, 9ms);
    EXPECT_EQ(MockFault::answer_status(418).status, 418U);
    const MockFault canned = MockFault::canned(302, {{"location", "/x"}}, "moved");
    EXPECT_EQ(canned.status, 302U);
    EXPECT_EQ(canned.headers.at(0).second, "/x");
    EXPECT_EQ(canned.text, "moved");
    EXPECT_EQ(MockFault::raw("SSH-2.0\r\n").text, "SSH-2.0\r\n");
    EXPECT_EQ(MockFault().kind, MockFault::Kind::none);
}

TEST(CapturedRequest, FindsTheFirstHeaderOfAName) {
    Captured request;
    request.headers = {{"Host", "a"}, {"X-Id", "1"}, {"x-id", "2"}, {"Empty", ""}};
    EXPECT_EQ(request.header("host"), "a");
    EXPECT_EQ(request.header("x-ID"), "1");
    EXPECT_EQ(request.header("empty"), "");
    EXPECT_EQ(request.header("x-i"), "");
    EXPECT_TRUE(request.has_header("EMPTY"));
    EXPECT_FALSE(request.has_header("x-i"));
    EXPECT_FALSE(request.has_header(""));
}

}  // namespace
}  // namespace rotary::mock
