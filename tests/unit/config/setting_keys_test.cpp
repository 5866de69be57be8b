// The tables of settings: names and bounds, and which change waits for a restart.
#include <rotary/config/settings/setting_keys.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace rotary::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SettingKeys, HaveEachANameOfTheirOwn) {
    std::set<std::string> names;
    for (const LimitKey& key : limit_keys()) names.insert("limits." + std::string(key.name));
    for (const TimeoutKey& key : timeout_keys()) names.insert("timeouts." + std::string(key.name));
    for (const OtherKey& key : other_keys()) names.insert(key.name);
    EXPECT_EQ(names.size(), limit_keys().size() + timeout_keys().size() + other_keys().size());
}

TEST(SettingKeys, SetEachAMemberOfTheirOwn) {
    Limits limits;
    std::size_t count = 0;
    for (const LimitKey& key : limit_keys()) limits.*key.member = ++count;
    std::set<std::size_t> values;
    for (const LimitKey& key : limit_keys()) values.insert(limits.*key.member);
    EXPECT_EQ(values.size(), limit_keys().size());

    Timeouts timeouts;
    Duration time{0};
    for (const TimeoutKey& key : timeout_keys()) timeouts.*key.member = ++time;
    std::set<Duration> times;
    for (const TimeoutKey& key : timeout_keys()) times.insert(timeouts.*key.member);
    EXPECT_EQ(times.size(), timeout_keys().size());
}

TEST(SettingKeys, HaveTheirDefaultsWithinTheirBounds) {
    const Limits limits;
    for (const LimitKey& key : limit_keys()) {
        EXPECT_LE(key.minimum, limits.*key.member) << key.name;
        EXPECT_GE(key.maximum, limits.*key.member) << key.name;
    }
    const Timeouts timeouts;
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_LE(key.minimum, timeouts.*key.member) << key.name;
        EXPECT_GE(key.maximum, timeouts.*key.member) << key.name;
    }
}

Config started() {
    Config config;
    Listener listener;
    listener.address = "127.0.0.1";
    listener.tls = TlsFiles{"a.crt", "a.key", {}, {}};
    config.listeners = {listener, listener};
    config.listeners[1].port = 9096;
    config.listeners[1].tls.reset();
    config.resources = {{"a.yaml", {}}, {"b.yaml", {}}};
    return config;
}

struct Row {
    const char* name;
    std::function<void(Config&)> change;
    std::vector<std::string> differ;  // of the other keys
    std::vector<std::string> wait;
};

const Row kRows[] = {
    {"nothing", [](Config&) {}, {}, {}},
    {"places in files alone",
     [](Config& c) {
         c.mark.line = c.admin.address_mark.line = c.resources[0].mark.line = 9;
         c.listeners[0].mark.line = c.listeners[0].tls->key_mark.line = 9;
     },
     {},
     {}},
    {"workers", [](Config& c) { c.workers = 7; }, {"workers"}, {"workers"}},
    {"watch", [](Config& c) { c.watch = false; }, {"watch"}, {}},
    {"a listener more",
     [](Config& c) { c.listeners.emplace_back(); },
     {"listeners", "listeners.tls"},
     {"listeners"}},
    {"a listener's port", [](Config& c) { c.listeners[1].port = 1; }, {"listeners"}, {"listeners"}},
    {"a listener's address",
     [](Config& c) { c.listeners[0].address = "::"; },
     {"listeners"},
     {"listeners"}},
    {"listeners in another order",
     [](Config& c) { std::swap(c.listeners[0], c.listeners[1]); },
     {"listeners"},
     {"listeners"}},
    {"a listener without its TLS",
     [](Config& c) { c.listeners[0].tls.reset(); },
     {"listeners"},
     {"listeners"}},
    {"a listener with TLS",
     [](Config& c) {
         c.listeners[1].tls = TlsFiles{"a.crt", "a.key", {}, {}};
     },
     {"listeners"},
     {"listeners"}},
    {"a certificate",
     [](Config& c) { c.listeners[0].tls->certificate = "b.crt"; },
     {"listeners.tls"},
     {}},
    {"a key", [](Config& c) { c.listeners[0].tls->key = "b.key"; }, {"listeners.tls"}, {}},
    {"admin's address",
     [](Config& c) { c.admin.address = "::1"; },
     {"admin.address"},
     {"admin.address"}},
    {"admin's port", [](Config& c) { c.admin.port = 0; }, {"admin.port"}, {"admin.port"}},
    {"admin's token",
     [](Config& c) { c.admin.token_file = "/run/token"; },
     {"admin.token_file"},
     {}},
    {"resources", [](Config& c) { c.resources.pop_back(); }, {"resources"}, {}},
    {"the order of resources",
     [](Config& c) { std::swap(c.resources[0], c.resources[1]); },
     {"resources"},
     {}},
    {"prices",
     [](Config& c) {
         c.prices = {{"p.yaml", {}}};
     },
     {"prices"},
     {}},
    {"where resources come from",
     [](Config& c) { c.kubernetes.is_on = true; },
     {"kubernetes"},
     {"kubernetes"}},
    {"the currency",
     [](Config& c) { c.budgets.currency = "EUR"; },
     {"budgets.currency"},
     {"budgets.currency"}},
    {"the ledger",
     [](Config& c) { c.budgets.ledger = "l.db"; },
     {"budgets.ledger"},
     {"budgets.ledger"}},
    {"models without a price",
     [](Config& c) { c.budgets.refuses_unpriced = true; },
     {"budgets.unpriced"},
     {}},
    {"trusted proxies",
     [](Config& c) { c.proxies.trusted = {*parse_ip_range("10.0.0.0/8")}; },
     {"proxies.trusted"},
     {}},
    {"the PROXY protocol", [](Config& c) { c.proxies.protocol = true; }, {"proxies.protocol"}, {}},
    {"the proxies' field",
     [](Config& c) { c.proxies.field = ForwardedField::forwarded; },
     {"proxies.field"},
     {}},
    {"resolvers", [](Config& c) { c.resolvers = {"192.0.2.1"}; }, {"resolvers"}, {}},
    {"usage_streams",
     [](Config& c) { c.usage.streams = StreamUsage::observe; },
     {"usage.streams"},
     {}},
    {"usage_failed", [](Config& c) { c.usage.charges_failed = true; }, {"usage.charge_failed"}, {}},
    {"streams of keys",
     [](Config& c) { c.keys.revoke_streams = true; },
     {"keys.revoke_streams"},
     {}},
    {"usage_bytes", [](Config& c) { c.usage.bytes_per_token = 4; }, {"usage.bytes_per_token"}, {}},
    {"usage_images",
     [](Config& c) { c.usage.tokens_per_image = 9; },
     {"usage.tokens_per_image"},
     {}},
    {"attempts", [](Config& c) { c.routing.max_attempts = 9; }, {"routing.max_attempts"}, {}},
    {"all suspended",
     [](Config& c) { c.routing.on_all_suspended = OnAllSuspended::passthrough; },
     {"routing.on_all_suspended"},
     {}},
    {"hints",
     [](Config& c) { c.routing.retry_after = HintUse::ignore; },
     {"routing.retry_after"},
     {}},
    {"the route's headers",
     [](Config& c) { c.routing.expose_route = false; },
     {"routing.expose_route"},
     {}},
    {"the retry budget",
     [](Config& c) { c.routing.retry_budget_percent = 0; },
     {"routing.retry_budget_percent"},
     {}},
    {"failures",
     [](Config& c) { c.routing.failures_to_suspend = 1; },
     {"routing.failures_to_suspend"},
     {}},
    {"jitter",
     [](Config& c) { c.routing.suspension_jitter_percent = 0; },
     {"routing.suspension_jitter_percent"},
     {}},
    {"pings",
     [](Config& c) { c.routing.stream_ping_seconds = std::chrono::seconds(5); },
     {"routing.stream_ping_seconds"},
     {}},
    {"what has no rotation",
     [](Config& c) { c.routing.without_rotation = WithoutRotation::refuse; },
     {"routing.without_rotation"},
     {}},
    {"headers that go on",
     [](Config& c) { c.routing.forward_headers = {"x-*"}; },
     {"routing.forward_headers"},
     {}},
    {"parameters that don't",
     [](Config& c) { c.routing.withheld_query.clear(); },
     {"routing.withheld_query"},
     {}},
    {"failures of clients",
     [](Config& c) { c.auth.failures_per_minute = 1; },
     {"auth.failures_per_minute"},
     {}},
    {"requests in flight",
     [](Config& c) { c.quotas.max_concurrent_per_consumer = 1; },
     {"quotas.max_concurrent_per_consumer"},
     {}},
    {"limits' windows",
     [](Config& c) { c.quotas.window = QuotaWindow::sliding; },
     {"quotas.window"},
     {}},
    {"limits' admission",
     [](Config& c) { c.quotas.admission = QuotaAdmission::strict; },
     {"quotas.admission"},
     {}},
    {"limits' debts", [](Config& c) { c.quotas.carry_debt = true; }, {"quotas.carry_debt"}, {}},
    {"limits' headers",
     [](Config& c) { c.quotas.headers = QuotaHeaders::off; },
     {"quotas.headers"},
     {}},
    {"what an answer may take",
     [](Config& c) { c.quotas.reserve_output_tokens = 1; },
     {"quotas.reserve_output_tokens"},
     {}},
    {"consumers' metrics",
     [](Config& c) { c.quotas.metric_consumers = 1; },
     {"quotas.metric_consumers"},
     {}},
    {"callers' counters", [](Config& c) { c.quotas.counters = 2000; }, {"quotas.counters"}, {}},
    {"what is accepted",
     [](Config& c) { c.accept_unserved = {"RateLimitPolicy"}; },
     {"accept_unserved"},
     {}},
    {"what replicas share", [](Config& c) { c.state.redis.emplace(); }, {"state.redis"}, {}},
    {"the log's level", [](Config& c) { c.log.level = LogLevel::error; }, {"log.level"}, {}},
    {"where the access log goes",
     [](Config& c) { c.log.access_file = "/var/log/a"; },
     {"log.access_file"},
     {"log.access_file"}},
    {"a line a try", [](Config& c) { c.log.tries = true; }, {"log.tries"}, {}},
    {"where spans go",
     [](Config& c) { c.tracing.endpoint = "http://a/v1/traces"; },
     {"tracing.endpoint"},
     {}},
    {"the collector's headers",
     [](Config& c) {
         c.tracing.headers = {{"a", Secret("b")}};
     },
     {"tracing.headers"},
     {}},
    {"the file with headers",
     [](Config& c) { c.tracing.headers_file = "/a"; },
     {"tracing.headers_file"},
     {}},
    {"who vouches for the collector", [](Config& c) { c.tracing.ca = "/a"; }, {"tracing.ca"}, {}},
    {"the service's name",
     [](Config& c) { c.tracing.service_name = "a"; },
     {"tracing.service_name"},
     {}},
    {"the resource's attributes",
     [](Config& c) {
         c.tracing.attributes = {{"a", "b"}};
     },
     {"tracing.attributes"},
     {}},
    {"how many traces",
     [](Config& c) { c.tracing.sample_ratio = 0; },
     {"tracing.sample_ratio"},
     {}},
    {"the access log", [](Config& c) { c.log.access = AccessLogFormat::off; }, {"log.access"}, {}},
    {"two that wait, in the tables' order",
     [](Config& c) {
         c.admin.port = 1;
         c.workers = 3;
     },
     {"workers", "admin.port"},
     {"workers", "admin.port"}},
};

TEST(SettingChanges, AreSeenByTheirKeysAlone) {
    const Config before = started();
    for (const Row& row : kRows) {
        Config after = started();
        row.change(after);
        std::vector<std::string> differ;
        for (const OtherKey& key : other_keys()) {
            EXPECT_EQ(key.same(before, after), key.same(after, before)) << row.name;
            if (!key.same(before, after)) differ.emplace_back(key.name);
        }
        EXPECT_EQ(differ, row.differ) << row.name;
    }
}

TEST(SettingChanges, WaitForARestartWhereNothingElseHelps) {
    const Config before = started();
    for (const Row& row : kRows) {
        Config after = started();
        row.change(after);
        EXPECT_EQ(waiting_for_restart(before, after), row.wait) << row.name;
    }
}

TEST(SettingChanges, OfEachOtherKeyHaveARow) {
    std::set<std::string> seen;
    for (const Row& row : kRows) seen.insert(row.differ.begin(), row.differ.end());
    for (const OtherKey& key : other_keys()) EXPECT_TRUE(seen.contains(key.name)) << key.name;
}

TEST(SettingChanges, OfLimitsAndTimeoutsTakeEffectAtAReload) {
    const Config before = started();
    Config after = started();
    for (const LimitKey& key : limit_keys()) {
        EXPECT_EQ(key.takes_effect, TakesEffect::at_reload) << key.name;
        after.limits.*key.member += 1;
    }
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_EQ(key.takes_effect, TakesEffect::at_reload) << key.name;
        after.timeouts.*key.member += Duration(1);
    }
    EXPECT_THAT(waiting_for_restart(before, after), IsEmpty());
    after.workers = 5;
    EXPECT_THAT(waiting_for_restart(before, after), ElementsAre("workers"));
}

}  // namespace
}  // namespace rotary::config
