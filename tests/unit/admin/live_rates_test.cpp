// Rates of the last minute, from sums that are noted each second.
#include <rotary/admin/live_rates.hpp>

#include <gtest/gtest.h>

#include <support/json.hpp>

#include <string>

namespace rotary::admin {

namespace {

using namespace std::chrono_literals;
using test::json_at;

class LiveRatesTest : public testing::Test {
protected:
    void answered(unsigned status, std::uint64_t times, std::chrono::nanoseconds overhead = 10us) {
        for (std::uint64_t i = 0; i < times; ++i) counts_.count(status, overhead);
    }
    void note(SteadyTime now) {
        proxy::LiveSums sums;
        counts_.add_to(sums);
        rates_.note(sums, now);
    }
    std::string told(const std::string& name) const {
        std::string out;
        wire::JsonWriter json(out);
        json.begin_object();
        rates_.write(json);
        json.end_object();
        return json_at(out, name);
    }
    double number(const std::string& name) const { return std::stod(told(name)); }

    const SteadyTime begin_{1000s};
    proxy::LiveCounts counts_;
    LiveRates rates_;
};

TEST_F(LiveRatesTest, AreNothingBeforeTheSecondNote) {
    EXPECT_EQ(number("requests_per_second"), 0);
    answered(500, 10);
    note(begin_);
    EXPECT_EQ(told("requests_last_minute"), "0");
    EXPECT_EQ(number("requests_per_second"), 0);
    EXPECT_EQ(number("server_errors_percent"), 0);
    EXPECT_EQ(told("overhead_p99_us"), "0");
    note(begin_);
    EXPECT_EQ(number("requests_per_second"), 0) << "no time has passed";
}

TEST_F(LiveRatesTest, AreOfTheTimeBetweenTheNotes) {
    note(begin_);
    answered(200, 15);
    answered(404, 4);
    answered(503, 1);
    note(begin_ + 10s);
    EXPECT_EQ(told("requests_last_minute"), "20");
    EXPECT_DOUBLE_EQ(number("requests_per_second"), 2);
    EXPECT_DOUBLE_EQ(number("client_errors_percent"), 20);
    EXPECT_DOUBLE_EQ(number("server_errors_percent"), 5);
}

TEST_F(LiveRatesTest, WhatIsMoreThanAMinuteAgoCountsNoMore) {
    note(begin_);
    answered(500, 100);
    note(begin_ + 1s);
    answered(200, 30);
    note(begin_ + 31s);
    EXPECT_EQ(told("requests_last_minute"), "130");
    note(begin_ + 61s);
    EXPECT_EQ(told("requests_last_minute"), "30");
    EXPECT_DOUBLE_EQ(number("requests_per_second"), 0.5);
    EXPECT_DOUBLE_EQ(number("server_errors_percent"), 0);
    note(begin_ + 1000s);
    EXPECT_EQ(told("requests_last_minute"), "0");
}

TEST_F(LiveRatesTest, PercentilesAreTheBoundsThatSoManyLieBelow) {
    struct Row {
        const char* name;
        std::uint64_t fast;  // 10 us
        std::uint64_t slow;  // 1 ms
        const char* p50;
        const char* p99;
    };
    SteadyTime now = begin_;
    for (const Row& row :
         {Row{"one", 1, 0, "12", "12"}, Row{"all fast", 100, 0, "12", "12"},
          Row{"one in a hundred", 99, 1, "12", "12"}, Row{"two in a hundred", 98, 2, "12", "1024"},
          Row{"half", 50, 50, "12", "1024"}, Row{"most", 49, 51, "1024", "1024"},
          Row{"none", 0, 0, "0", "0"}}) {
        now += 1000s;
        note(now);
        note(now + 1s);
        answered(200, row.fast, 10us);
        answered(200, row.slow, 1000us);
        note(now + 2s);
        EXPECT_EQ(told("overhead_p50_us"), row.p50) << row.name;
        EXPECT_EQ(told("overhead_p99_us"), row.p99) << row.name;
    }
}

}  // namespace

}  // namespace rotary::admin
