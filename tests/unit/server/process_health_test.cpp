#include "server/process_health.hpp"

#include <gtest/gtest.h>

#include <support/json.hpp>

#include <string>
#include <vector>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""s;
using Checks = std::vector<std::pair<std::string, std::string>>;

ProcessStatus serving() {
    ProcessStatus status;
    status.bound = true;
    status.last_reload = "none";
    status.generation = 1;
    status.workers = 2;
    return status;
}

TEST(ProcessHealth, ReadinessIsServingWithKeysAndNoDrain) {
    struct Row {
        const char* name;
        bool bound;
        bool draining;
        bool keys;
        bool ok;
        const char* reason;
    };
    const Row rows[] = {
        {"serving", true, false, true, true, ""},
        {"not yet", false, false, true, false, "starting"},
        {"waiting for keys", true, false, false, false, "no keys"},
        {"not yet, nor with keys", false, false, false, false, "starting"},
        {"draining", true, true, true, false, "draining"},
        {"draining without keys", true, true, false, false, "draining"},
    };
    for (const Row& row : rows) {
        ProcessStatus status = serving();
        status.bound = row.bound;
        status.draining = row.draining;
        const admin::Health health =
            readiness(status, {row.keys, row.keys ? "" : "no keys", {{"keys of a", "1 key"}}});
        EXPECT_EQ(health.ok, row.ok) << row.name;
        EXPECT_EQ(health.reason, row.reason) << row.name;
        EXPECT_EQ(health.checks, (Checks{{"configuration", "loaded"},
                                         {"listeners", row.bound ? "bound" : "starting"},
                                         {"draining", row.draining ? "yes" : "no"},
                                         {"last reload", "none"},
                                         {"keys of a", "1 key"}}))
            << row.name;
    }
}

TEST(ProcessHealth, ALoopThatDoesNotTurnIsNotAlive) {
    EXPECT_TRUE(liveness(true, 5s).ok);
    EXPECT_EQ(liveness(true, 5s).checks, (Checks{{"workers", "turning"}}));
    const admin::Health stuck = liveness(false, 5s);
    EXPECT_FALSE(stuck.ok);
    EXPECT_EQ(stuck.reason, "a worker's event loop has not turned for 5 seconds");
    EXPECT_EQ(stuck.checks, (Checks{{"workers", "stuck"}}));
}

struct Fetched {
    std::size_t keys;
    bool ever;
    const char* error;
};

control::JwksStatus status_of(const Fetched& fetched) {
    control::JwksStatus status;
    if (fetched.ever) status.last_success = WallTime(1000s);
    status.last_error = fetched.error;
    return status;
}

TEST(ProcessHealth, EachIssuerHasALine) {
    struct Row {
        const char* name;
        Fetched fetched;
        const char* state;
    };
    const Row rows[] = {
        {"several", {4, true, ""}, "4 keys"},
        {"one", {1, true, ""}, "1 key"},
        {"kept through an outage", {2, true, "timeout"}, "2 keys"},
        {"a certificate", {1, false, ""}, "1 key"},
        {"not asked yet", {0, false, ""}, "not fetched yet"},
        {"asked in vain", {0, false, "status 500"}, "not fetched yet (status 500)"},
        {"stale", {0, true, "status 500"}, "none: they went stale (status 500)"},
    };
    const std::string name = "a";
    for (const Row& row : rows) {
        const admin::Health health =
            health_of_keys({{name, 0, row.fetched.keys, false}}, {status_of(row.fetched)});
        EXPECT_EQ(health.checks, (Checks{{"keys of a", row.state}})) << row.name;
        EXPECT_TRUE(health.ok) << row.name << ": it had its time";
    }
}

TEST(ProcessHealth, ReadinessWaitsForEveryIssuerThatHoldsItUp) {
    const std::vector<std::string> names = {"a", "b", "c"};
    const std::vector<control::JwksStatus> none(3);
    EXPECT_TRUE(health_of_keys({}, {}).ok);
    const auto one = health_of_keys(
        {{names[0], 0, 1, false}, {names[1], 1, 0, true}, {names[2], 2, 0, false}}, none);
    EXPECT_FALSE(one.ok);
    EXPECT_EQ(one.reason, "waiting for the keys of b");
    EXPECT_EQ(one.checks.size(), 3U);
    const auto two = health_of_keys(
        {{names[0], 0, 0, true}, {names[1], 1, 1, false}, {names[2], 2, 0, true}}, none);
    EXPECT_EQ(two.reason, "waiting for the keys of a, c");
}

TEST(ProcessHealth, TheStatusPageSaysItAll) {
    ProcessStatus status = serving();
    status.generation = 7;
    status.uptime = 61s;
    status.last_reload_ok = false;
    status.in_flight = 3;
    status.last_reload = "failed: a \"quoted\" line";
    status.waiting_for_restart = {"workers", "admin.port"};
    status.now = WallTime(1'767'323'045s);
    status.certificates = {{"0.0.0.0:9095", status.now + std::chrono::hours(75)}};
    EXPECT_EQ(status_json(status, {}),
              R"({"ready":true,"draining":false,"uptime_seconds":61,"generation":7,)"
              R"("last_reload":"failed: a \"quoted\" line","last_reload_ok":false,)"
              R"("config_age_seconds":0,"workers":2,"in_flight":3,"requests_last_minute":0,)"
              R"("requests_per_second":0,"client_errors_percent":0,)"
              R"("server_errors_percent":0,"overhead_p50_us":0,"overhead_p99_us":0,)"
              R"("waiting_for_restart":["workers","admin.port"],"certificates":[)"
              R"({"listener":"0.0.0.0:9095","ends":"2026-01-05T06:04:05.000Z","days_left":3}]})"
              "\n");
    FleetStanding fleet;
    fleet.replica = "0123456789abcdef";
    fleet.replicas = 3;
    fleet.link = fleet::Redis::Link::slow;
    fleet.place = "redis:6379";
    fleet.error = "it is \"late\"";
    fleet.since = status.now;
    fleet.leases = 5;
    fleet.places = 7;
    status.fleet = fleet;
    EXPECT_NE(status_json(status, {})
                  .find(R"(,"fleet":{"replica":"0123456789abcdef","replicas":3,"state":"slow",)"
                        R"("since":"2026-01-02T03:04:05.000Z","redis":"redis:6379",)"
                        R"("last_error":"it is \"late\"","leases":5,"places":7}})"),
              std::string::npos);
    status.fleet->cost_today = 9'007'199'254'740'993;
    EXPECT_NE(status_json(status, {}).find(R"("places":7,"cost_today_nd":9007199254740993}})"),
              std::string::npos);
    status.draining = true;
    EXPECT_EQ(test::json_at(status_json(status, {}), "ready"), "false");
    EXPECT_EQ(test::json_at(status_json(status, {}), "draining"), "true");
}

}  // namespace
}  // namespace rotary::server
