// Limits of a whole gateway while the wall clock goes where a test puts it.
#include "gateway_fixture.hpp"

#include <support/wall_clock.hpp>

namespace rotary::test {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;

// A policy whose default is a number of requests a minute, in `what` beside its other fields.
std::string policy(const std::string& head, const std::string& what, int requests,
                   const std::string& others) {
    return "---\napiVersion: dp.wso2.com/v1alpha3\n" + head + "\nspec:\n  default: {" + what +
           ": {" + others + "requestsPerUnit: " + std::to_string(requests) + ", unit: Minute}}\n";
}

std::string target(const std::string& kind, const std::string& name) {
    return "  targetRef: {group: dp.wso2.com, kind: " + kind + ", name: " + name + "}\n";
}

std::string limit_of_backend(int requests) {
    return policy("kind: AIRateLimitPolicy\nmetadata: {name: of-backend}", "requestCount", requests,
                  "") +
           target("Backend", "backend-0");
}

std::string limit_of_api(int requests) {
    return policy("kind: RateLimitPolicy\nmetadata: {name: whole}", "api", requests, "") +
           target("API", "chat-api");
}

std::string limit_of_each(int requests) {
    return policy("kind: RateLimitPolicy\nmetadata: {name: each}", "custom", requests,
                  "key: consumer, ");
}

WallTime this_minute() { return std::chrono::floor<std::chrono::minutes>(wall_now()); }

struct Asked {
    int served = 0;
    int refused = 0;
    Response last;
};

Asked ask_times(const Gateway& gateway, int times) {
    Asked asked;
    for (int i = 0; i < times; ++i) {
        asked.last = ask(gateway);
        if (asked.last.status == 200) ++asked.served;
        if (asked.last.status == 429) ++asked.refused;
    }
    EXPECT_EQ(asked.served + asked.refused, times) << asked.last.status << asked.last.body;
    return asked;
}

// The entry is out for as long as the minute has left: three seconds.
TEST(LimitClock, AFullBackendMovesItsTrafficAndHasItBackAtTheBoundary) {
    const auto first = start_mock();
    const auto second = start_mock();
    GatewayOptions options;
    options.backends = {backend_of(*first), backend_of(*second)};
    options.production = {{"a", 0}, {"b", 1}};
    options.resources = limit_of_backend(3);
    StandingWallClock clock(this_minute() + 57s);
    const WallTime next = this_minute() + 1min;
    const Gateway gateway(options);
    EXPECT_EQ(ask_times(gateway, 12).served, 12);
    EXPECT_EQ(first->request_count(), 3U);
    EXPECT_EQ(second->request_count(), 9U);
    EXPECT_EQ(entry_field(gateway, "a", "reason"), "limit");

    clock.put(next);
    EXPECT_TRUE(eventually([&] { return entry_field(gateway, "a", "state") == "active"; }));
    EXPECT_EQ(ask_times(gateway, 12).served, 12);
    EXPECT_EQ(first->request_count(), 6U) << "the whole window, and no more";
    EXPECT_EQ(second->request_count(), 18U);
}

// The boundary is the wall clock's: an entry whose time is over by the steady clock's measure is
// asked about again, and stays out.
TEST(LimitClock, AFullBackendStaysOutWhileItsWindowIsOpen) {
    const auto first = start_mock();
    const auto second = start_mock();
    GatewayOptions options;
    options.backends = {backend_of(*first), backend_of(*second)};
    options.production = {{"a", 0}, {"b", 1}};
    options.resources = limit_of_backend(1);
    const StandingWallClock clock(this_minute() + 57s);
    const Gateway gateway(options);
    EXPECT_EQ(ask_times(gateway, 4).served, 4);
    EXPECT_EQ(first->request_count(), 1U);
    EXPECT_TRUE(eventually([&] { return entry_field(gateway, "a", "state") == "active"; }));
    EXPECT_EQ(ask_times(gateway, 4).served, 4);
    EXPECT_EQ(first->request_count(), 1U);
}

// Whatever the clock does, each caller has three requests a minute and waits a minute at most.
TEST(LimitClock, AStepOfAnHourRefusesForAMinuteAtMost) {
    for (const bool is_each : {false, true}) {
        const auto mock = start_mock();
        GatewayOptions options = rotating(*mock, {{"a"}});
        options.resources = is_each ? limit_of_each(3) : limit_of_api(3);
        const WallTime start = this_minute();
        StandingWallClock clock(start + 10s);
        const Gateway gateway(options);
        EXPECT_EQ(ask_times(gateway, 5).served, 3);

        clock.put(start + 1h + 10s);
        EXPECT_EQ(ask_times(gateway, 5).served, 3) << "an hour ahead: another minute";

        clock.put(start + 1min + 10s);
        EXPECT_EQ(ask_times(gateway, 5).served, 3) << "back, where the next minute has come";

        // Before where it began: what was used last counts in the minute that is there now.
        clock.put(start - 1h + 10s);
        const Asked back = ask_times(gateway, 2);
        EXPECT_EQ(back.served, 0) << "the same requests are not had twice";
        EXPECT_LE(std::stoi(std::string(back.last.header("retry-after"))), 60);
        for (int minute = 1; minute < 4; ++minute) {
            clock.put(start - 1h + minute * 1min + 30s);
            EXPECT_EQ(ask_times(gateway, 5).served, 3) << minute;
        }
        EXPECT_EQ(mock->request_count(), 3U * 6U);
    }
}

TEST(LimitClock, AStepBackWithinAMinuteGivesNothingTwice) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = limit_of_api(3);
    const WallTime start = this_minute();
    StandingWallClock clock(start + 1s);
    const Gateway gateway(options);
    EXPECT_EQ(ask_times(gateway, 2).served, 2);
    clock.put(start - 2s);
    EXPECT_EQ(ask_times(gateway, 2).served, 1) << "the later minute is kept";
    clock.put(start + 59s);
    EXPECT_EQ(ask_times(gateway, 1).served, 0);
    clock.put(start + 1min);
    EXPECT_EQ(ask_times(gateway, 4).served, 3);
}

}  // namespace
}  // namespace rotary::test
