#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rotary/config/settings/setting_keys.hpp>

#include <rotary/config/yaml/node.hpp>
#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

const std::string kShipped = std::string(ROTARY_SOURCE_DIR) + "/config/rotary.yaml";

// Certificates are made on each machine and may not be there yet. APK's AIProvider must have fields
// that have no effect.
std::string findings_but_missing_files(const Loaded& loaded) {
    std::vector<Finding> rest;
    for (const Finding& finding : loaded.findings) {
        if (finding.message.find("there is no file") == std::string::npos &&
            !finding.message.starts_with("is not served: ")) {
            rest.push_back(finding);
        }
    }
    return to_text(rest);
}

TEST(ShippedConfiguration, HasEveryKeyWithItsDefault) {
    const Loaded loaded = load(kShipped, variables());
    EXPECT_EQ(findings_but_missing_files(loaded), "");
    const Config& config = loaded.config;
    const Config defaults;
    for (const LimitKey& key : limit_keys()) {
        EXPECT_EQ(config.limits.*key.member, defaults.limits.*key.member) << key.name;
    }
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_EQ(config.timeouts.*key.member, defaults.timeouts.*key.member) << key.name;
    }
    EXPECT_EQ(config.workers, defaults.workers);
    EXPECT_EQ(config.prices.size(), defaults.prices.size());
    EXPECT_EQ(config.budgets.currency, defaults.budgets.currency);
    EXPECT_EQ(config.budgets.ledger, defaults.budgets.ledger);
    EXPECT_EQ(config.budgets.refuses_unpriced, defaults.budgets.refuses_unpriced);
    EXPECT_EQ(config.proxies.trusted, defaults.proxies.trusted);
    EXPECT_EQ(config.proxies.protocol, defaults.proxies.protocol);
    EXPECT_EQ(config.proxies.field, defaults.proxies.field);
    EXPECT_EQ(config.resolvers, defaults.resolvers);
    EXPECT_EQ(config.watch, defaults.watch);
    EXPECT_EQ(config.admin.address, defaults.admin.address);
    EXPECT_EQ(config.admin.port, defaults.admin.port);
    EXPECT_EQ(config.admin.token_file, defaults.admin.token_file);
    EXPECT_EQ(config.routing.max_attempts, defaults.routing.max_attempts);
    EXPECT_EQ(config.routing.on_all_suspended, defaults.routing.on_all_suspended);
    EXPECT_EQ(config.routing.retry_after, defaults.routing.retry_after);
    EXPECT_EQ(config.routing.expose_route, defaults.routing.expose_route);
    EXPECT_EQ(config.routing.retry_budget_percent, defaults.routing.retry_budget_percent);
    EXPECT_EQ(config.routing.failures_to_suspend, defaults.routing.failures_to_suspend);
    EXPECT_EQ(config.routing.suspension_jitter_percent, defaults.routing.suspension_jitter_percent);
    EXPECT_EQ(config.routing.stream_ping_seconds, defaults.routing.stream_ping_seconds);
    EXPECT_EQ(config.routing.without_rotation, defaults.routing.without_rotation);
    EXPECT_EQ(config.routing.forward_headers, defaults.routing.forward_headers);
    EXPECT_EQ(config.routing.withheld_query, defaults.routing.withheld_query);
    EXPECT_EQ(config.usage.charges_failed, defaults.usage.charges_failed);
    EXPECT_EQ(config.keys.revoke_streams, defaults.keys.revoke_streams);
    EXPECT_EQ(config.auth.failures_per_minute, defaults.auth.failures_per_minute);
    EXPECT_EQ(config.quotas.max_concurrent_per_consumer,
              defaults.quotas.max_concurrent_per_consumer);
    EXPECT_EQ(config.quotas.metric_consumers, defaults.quotas.metric_consumers);
    EXPECT_EQ(config.usage.streams, defaults.usage.streams);
    EXPECT_EQ(config.usage.bytes_per_token, defaults.usage.bytes_per_token);
    EXPECT_EQ(config.usage.tokens_per_image, defaults.usage.tokens_per_image);
    EXPECT_EQ(config.accept_unserved, defaults.accept_unserved);
    EXPECT_FALSE(config.state.redis);
    EXPECT_EQ(config.log.level, defaults.log.level);
    EXPECT_EQ(config.log.access, defaults.log.access);
    EXPECT_EQ(config.log.access_file, defaults.log.access_file);
    EXPECT_EQ(config.log.tries, defaults.log.tries);
    EXPECT_EQ(config.tracing.endpoint, defaults.tracing.endpoint);
    EXPECT_EQ(config.tracing.headers, defaults.tracing.headers);
    EXPECT_EQ(config.tracing.service_name, defaults.tracing.service_name);
    EXPECT_EQ(config.tracing.attributes, defaults.tracing.attributes);
    EXPECT_EQ(config.tracing.sample_ratio, defaults.tracing.sample_ratio);
    ASSERT_EQ(config.listeners.size(), 1U);
    EXPECT_EQ(config.listeners[0].address, Listener().address);
    EXPECT_EQ(config.listeners[0].port, Listener().port);
    EXPECT_EQ(config.listeners[0].plaintext, Listener().plaintext);
    EXPECT_TRUE(config.listeners[0].tls->certificate.ends_with("/certs/dev-server.crt"));
}

std::vector<std::string> keys_of(const Node& map) {
    std::vector<std::string> keys;
    for (const Member& member : map.members) {
        keys.push_back(member.key);
    }
    return keys;
}

TEST(ShippedConfiguration, LeavesNoKeyOut) {
    std::vector<Finding> findings;
    std::string unread;
    const std::vector<Document> documents =
        parse_yaml(kShipped, read_text(kShipped), findings, unread);
    ASSERT_EQ(documents.size(), 1U);
    const Node& root = documents[0].root;
    std::vector<std::string> limits;
    for (const LimitKey& key : limit_keys()) {
        limits.emplace_back(key.name);
    }
    std::vector<std::string> timeouts;
    for (const TimeoutKey& key : timeout_keys()) {
        timeouts.emplace_back(key.name);
    }
    EXPECT_EQ(keys_of(*root.find("limits")), limits);
    EXPECT_EQ(keys_of(*root.find("timeouts")), timeouts);
    std::vector<std::string> others;
    for (const Member& member : root.members) {
        if (member.key == "limits" || member.key == "timeouts") continue;
        if (member.value.kind != Node::Kind::map) {
            others.push_back(member.key);
        } else {
            for (const std::string& key : keys_of(member.value)) {
                others.push_back(member.key + "." + key);
            }
        }
    }
    std::vector<std::string> known;
    for (const OtherKey& key : other_keys()) {
        const std::string_view name = key.name;
        const bool is_elsewhere = name == "listeners.tls" || name == "kubernetes";  // a comment
        if (!is_elsewhere) known.emplace_back(name);
    }
    EXPECT_THAT(others, testing::UnorderedElementsAreArray(known));
    using Keys = std::vector<std::string>;
    EXPECT_EQ(keys_of(root.find("listeners")->items.at(0)),
              (Keys{"address", "port", "tls", "plaintext"}));
}

TEST(ShippedConfiguration, ServesOneApiInTwoEnvironments) {
    const Loaded loaded = load(kShipped, variables());
    ASSERT_EQ(loaded.resources.apis.size(), 1U);
    EXPECT_EQ(loaded.resources.apis[0].base_path, "/chat-service-prod-sand/1.0");
    ASSERT_EQ(loaded.resources.policies.size(), 6U);
    const std::optional<ModelRotation>& rotation = loaded.resources.policies[0].defaults.rotation;
    ASSERT_TRUE(rotation);
    EXPECT_EQ(rotation->production.size(), 3U);
    EXPECT_EQ(rotation->sandbox.size(), 3U);
    EXPECT_EQ(loaded.resources.find_backend("provider-2")->port, 8082);
    EXPECT_EQ(loaded.resources.find_value({"provider-keys", "provider-1", {}, {}})->reveal(),
              "Bearer dev-key-1");
    EXPECT_TRUE(loaded.resources.issuers.at(0).jwks->file.ends_with("/certs/dev-issuer.jwks.json"));
    EXPECT_EQ(loaded.files.size(), 7U);  // itself, the folder, two in it; certificate, key, key set
}

TEST(ShippedConfiguration, TakesItsProvidersFromTheEnvironment) {
    const Loaded loaded = load(kShipped, variables({{"PROVIDER_1_HOST", "api.openai.com"},
                                                    {"PROVIDER_1_PORT", "443"},
                                                    {"PROVIDER_1_PROTOCOL", "https"},
                                                    {"PROVIDER_KEY_1", "Bearer sk-real"}}));
    EXPECT_EQ(findings_but_missing_files(loaded), "");
    const Backend* backend = loaded.resources.find_backend("provider-1");
    EXPECT_EQ(backend->host, "api.openai.com");
    EXPECT_EQ(backend->port, 443);
    EXPECT_EQ(backend->protocol, Protocol::https);
    EXPECT_EQ(loaded.resources.find_value({"provider-keys", "provider-1", {}, {}})->reveal(),
              "Bearer sk-real");
}

TEST(Process, ReadsWhatIsWritten) {
    const Loaded loaded = load_process(R"(
workers: 7
watch: false
listeners:
  - {address: "::1", port: 0, plaintext: true}
  - {port: 8443, tls: {certificate: /a.crt, key: k/b.key}}
resources: [apis, ../x.yaml]
routing: {max_attempts: 1, on_all_suspended: passthrough, retry_after: prefer, expose_route: false,
          without_rotation: refuse, forward_headers: [x-tenant-*], withheld_query: [pin]}
usage: {streams: ask, bytes_per_token: 16, tokens_per_image: 0}
accept_unserved: [RateLimitPolicy]
limits: {body_bytes: 52428800}
timeouts: {drain: 600, first_byte: 1.5, event_gap: 2m, upstream_idle: 250ms}
log: {level: trace, access: off, access_file: logs/access.log, tries: true}
)");
    const Config& config = loaded.config;
    EXPECT_EQ(config.workers, 7U);
    EXPECT_FALSE(config.watch);
    ASSERT_EQ(config.listeners.size(), 2U);
    EXPECT_EQ(config.listeners[0].address, "::1");
    EXPECT_EQ(config.listeners[0].port, 0);
    EXPECT_FALSE(config.listeners[0].tls);
    EXPECT_EQ(config.listeners[1].tls->certificate, "/a.crt");
    EXPECT_EQ(config.listeners[1].tls->key, "k/b.key");
    ASSERT_EQ(config.resources.size(), 2U);
    EXPECT_EQ(config.resources[1].path, "../x.yaml");
    EXPECT_EQ(config.resources[1].mark.line, 7);
    EXPECT_EQ(config.routing.max_attempts, 1U);
    EXPECT_EQ(config.routing.on_all_suspended, OnAllSuspended::passthrough);
    EXPECT_EQ(config.routing.retry_after, HintUse::prefer);
    EXPECT_FALSE(config.routing.expose_route);
    EXPECT_EQ(config.routing.without_rotation, WithoutRotation::refuse);
    EXPECT_EQ(config.routing.forward_headers, std::vector<std::string>{"x-tenant-*"});
    EXPECT_EQ(config.routing.withheld_query, std::vector<std::string>{"pin"});
    EXPECT_EQ(config.usage.streams, StreamUsage::ask);
    EXPECT_EQ(config.usage.bytes_per_token, 16U);
    EXPECT_EQ(config.usage.tokens_per_image, 0U);
    EXPECT_EQ(config.accept_unserved, std::vector<std::string>{"RateLimitPolicy"});
    EXPECT_EQ(config.limits.body_bytes, 52428800U);
    EXPECT_EQ(config.limits.headers, 100U);
    EXPECT_EQ(config.timeouts.drain, std::chrono::seconds(600));
    EXPECT_EQ(config.timeouts.first_byte, Duration(1500));
    EXPECT_EQ(config.timeouts.event_gap, std::chrono::minutes(2));
    EXPECT_EQ(config.timeouts.upstream_idle, Duration(250));
    EXPECT_EQ(config.log.level, LogLevel::trace);
    EXPECT_EQ(config.log.access, AccessLogFormat::off);
    EXPECT_EQ(config.log.access_file, "logs/access.log");
    EXPECT_TRUE(config.log.tries);
}

// The findings of a value, and nothing of the listeners that this text lacks.
std::string findings_of(const std::string& group, const std::string& name,
                        const std::string& value) {
    const Loaded loaded = load_process("listeners: [{plaintext: true}]\n" + group + ": {" + name +
                                       ": " + value + "}\n");
    std::string errors;
    for (const Finding& finding : loaded.findings) {
        if (finding.severity == Severity::error) errors += to_text({&finding, 1});
    }
    return errors;
}

TEST(Process, EveryLimitHasTwoEdges) {
    for (const LimitKey& key : limit_keys()) {
        const std::string least = std::to_string(key.minimum);
        const std::string most = std::to_string(key.maximum);
        const std::string bounds = "must be between " + least + " and " + most;
        EXPECT_LE(key.minimum, Limits().*key.member) << key.name;
        EXPECT_GE(key.maximum, Limits().*key.member) << key.name;
        if (std::string_view(key.name) != "uri_bytes") {  // it is bounded by the head too
            EXPECT_EQ(findings_of("limits", key.name, most), "");
        }
        EXPECT_EQ(findings_of("limits", key.name, least), "");
        EXPECT_THAT(findings_of("limits", key.name, std::to_string(key.maximum + 1)),
                    testing::HasSubstr(std::string("limits.") + key.name + ": " + bounds));
        if (key.minimum > 0) {
            EXPECT_THAT(findings_of("limits", key.name, std::to_string(key.minimum - 1)),
                        testing::HasSubstr(bounds));
        }
    }
}

TEST(Process, EveryTimeoutHasTwoEdges) {
    const auto text = [](Duration duration) { return std::to_string(duration.count()) + "ms"; };
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_LE(key.minimum, Timeouts().*key.member) << key.name;
        EXPECT_GE(key.maximum, Timeouts().*key.member) << key.name;
        EXPECT_EQ(findings_of("timeouts", key.name, text(key.minimum)), "");
        EXPECT_EQ(findings_of("timeouts", key.name, text(key.maximum)), "");
        EXPECT_THAT(findings_of("timeouts", key.name, text(key.maximum + Duration(1))),
                    testing::HasSubstr(std::string("timeouts.") + key.name + ": must be between "));
        if (key.minimum > Duration(0)) {
            EXPECT_THAT(findings_of("timeouts", key.name, text(key.minimum - Duration(1))),
                        testing::HasSubstr("must be between "));
        }
    }
}

TEST(Process, NeedsListeners) {
    for (const char* text : {"workers: 1\n", "listeners: []\n", "listeners:\n", "# nothing\n"}) {
        const Loaded loaded = load_process(text);
        EXPECT_TRUE(has_errors(loaded.findings)) << text;
        EXPECT_NE(to_text(loaded.findings).find("error: listeners: "), std::string::npos) << text;
    }
}

TEST(Process, IsOneMapping) {
    EXPECT_NE(to_text(load_process("- a\n").findings).find("expected a mapping of settings"),
              std::string::npos);
    EXPECT_NE(to_text(load_process("workers: 1\n---\nworkers: 2\n").findings)
                  .find("rotary.yaml:3:1: error: only one document"),
              std::string::npos);
}

}  // namespace
}  // namespace rotary::config
