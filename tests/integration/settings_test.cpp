#include "edge_support.hpp"

#include "server/deployment.hpp"

#include <rotary/config/settings/setting_keys.hpp>
#include <support/certificates.hpp>
#include <support/temp_dir.hpp>

#include <boost/asio/io_context.hpp>

#include <cctype>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Every key of rotary.yaml either takes effect at a reload or is named as waiting for a restart.
// The walk asks, for each key of the tables: a part that holds a copy of it must tell the new value
// as a part that began with it does; what holds no copy must be read where it is used, from the
// configuration in force.
namespace rotary::test {
namespace {

namespace fs = std::filesystem;

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Whether the text ends in one of the names that an object with the group's members goes by.
bool ends_in_holder(std::string_view text, const std::string& group) {
    for (const std::string& holder :
         {group + "()", group, std::string("process"), std::string("bounds"), std::string("config"),
          std::string("Config")}) {
        if (!text.ends_with(holder)) continue;
        if (text.size() == holder.size()) return true;
        if (!is_of_a_word(text[text.size() - holder.size() - 1])) return true;
    }
    return false;
}

std::vector<std::string> read_sources_of_the_path() {
    std::vector<std::string> texts;
    for (const char* room :
         {"proxy", "downstream", "upstream", "routing", "rotation", "auth", "control", "admin",
          "fleet", "kubernetes", "server", "net", "config", "config/check"}) {
        for (const auto& entry :
             fs::directory_iterator(ROTARY_SOURCE_DIR "/src/" + std::string(room))) {
            if (entry.is_regular_file()) texts.push_back(read_file(entry.path().string()));
        }
    }
    return texts;
}

// Read once: a sanitizer makes a search by a regular expression, for each key, cost a minute.
const std::vector<std::string>& sources_of_the_path() {
    static const std::vector<std::string> kTexts = read_sources_of_the_path();
    return kTexts;
}

// A process without an admin listener, whose configuration is changed key by key.
class SettingsWalk : public testing::Test {
protected:
    SettingsWalk() : mock_(start_mock()), files_(in_front_of(*mock_, base())) {}

    // Without `workers`, which is changed too.
    static GatewayOptions base() { return with_process("log: {level: error}\n"); }

    // rotary.yaml with this instead of what it says of the group.
    config::Loaded load(const std::string& group, const std::string& text) {
        GatewayOptions options = in_front_of(*mock_, base());
        files_.write(options);
        std::string yaml = read_file(files_.config());
        if (!group.empty()) {
            yaml = std::regex_replace(yaml, std::regex("(^|\n)" + group + ":[^\n]*(\n  -[^\n]*)*"),
                                      "");
            if (group == "kubernetes") {  // which stands in their place
                yaml = std::regex_replace(yaml, std::regex("(^|\n)resources:[^\n]*"), "");
            }
            yaml += "\n" + group + ": " + text + "\n";
        }
        files_.dir().write("rotary.yaml", yaml);
        return config::load(files_.config(), config::process_environment());
    }

    std::unique_ptr<server::Deployment> deploy(config::Loaded loaded) {
        std::vector<config::Finding> findings;
        auto made = std::make_unique<server::Deployment>(control_, server::Logs{log_, 2},
                                                         std::move(loaded), findings);
        made->start();
        return made;
    }

    // What parts have copies of, in use after a reload and in use of one that began with it.
    struct Copies {
        server::WorkerSettings worker;
        control::JwksOptions jwks;
        bool operator==(const Copies&) const = default;
    };
    static Copies copies(server::Deployment& deployment) {
        return {deployment.worker_settings(), deployment.jwks_options()};
    }

    // Whether a source of the path reads the member where it is used.
    static bool is_read_where_it_is_used(const std::string& name) {
        const std::string group = name.substr(0, name.find('.'));
        const std::string member = name.substr(name.find('.'));
        for (const std::string& text : sources_of_the_path()) {
            for (std::size_t at = text.find(member); at != std::string::npos;
                 at = text.find(member, at + 1)) {
                const std::string_view holder = std::string_view(text).substr(0, at);
                if (!is_of_a_word(text[at + member.size()]) && ends_in_holder(holder, group)) {
                    return true;
                }
            }
        }
        return false;
    }

    void expect_taken_over(const std::string& name, const std::string& group,
                           const std::string& text) {
        SCOPED_TRACE(name + " = " + text);
        const auto running = deploy(load("", ""));
        const Copies before = copies(*running);
        config::Loaded changed = load(group, text);
        ASSERT_TRUE(changed.ok()) << config::to_text(changed.findings);
        const admin::ReloadOutcome outcome = running->reload(changed);
        ASSERT_TRUE(outcome.ok) << outcome.findings;
        EXPECT_EQ(running->record().generation(), 2U);
        EXPECT_THAT(running->waiting_for_restart(), testing::IsEmpty());
        const Copies after = copies(*running);
        const auto fresh = deploy(std::move(changed));
        EXPECT_TRUE(after == copies(*fresh)) << "a part goes on with what it began with";
        EXPECT_TRUE(!(after == before) || is_read_where_it_is_used(name)) << "nothing reads it";
    }

    std::unique_ptr<mock::MockProvider> mock_;
    GatewayFiles files_;
    boost::asio::io_context control_;
    Logger log_{LogLevel::error, LogFormat::json, 2};
};

TEST_F(SettingsWalk, EveryLimitTakesEffectAtAReload) {
    for (const config::LimitKey& key : config::limit_keys()) {
        ASSERT_EQ(key.takes_effect, config::TakesEffect::at_reload) << "tell how it is named";
        const std::size_t usual = config::Limits().*key.member;
        const std::size_t other = usual < key.maximum ? usual + 1 : usual - 1;
        expect_taken_over("limits." + std::string(key.name), "limits",
                          "{" + std::string(key.name) + ": " + std::to_string(other) + "}");
    }
}

TEST_F(SettingsWalk, EveryTimeoutTakesEffectAtAReload) {
    for (const config::TimeoutKey& key : config::timeout_keys()) {
        ASSERT_EQ(key.takes_effect, config::TakesEffect::at_reload) << "tell how it is named";
        const config::Duration usual = config::Timeouts().*key.member;
        const config::Duration other = usual + config::Duration(1) <= key.maximum
                                           ? usual + config::Duration(1)
                                           : usual - config::Duration(1);
        expect_taken_over(
            "timeouts." + std::string(key.name), "timeouts",
            "{" + std::string(key.name) + ": " + std::to_string(other.count()) + "ms}");
    }
}

// The values are as YAML has them: the whole of the first part of the key's name.
TEST_F(SettingsWalk, EveryOtherKeyTakesEffectAtAReloadOrIsNamed) {
    const std::string listener = "\n  - {address: 127.0.0.1, port: 0, ";
    const std::string pair = "tls: {certificate: " + certificates().unknown_ca.certificate +
                             ", key: " + certificates().unknown_ca.key + "}}";
    const TempDir dir;
    const std::string prices =
        dir.write("prices.yaml", "- {provider: \"*\", model: \"*\", input: 1, output: 2}\n");
    const std::map<std::string, std::string> other = {
        {"workers", "3"},
        {"watch", "false"},
        {"listeners", listener + "plaintext: true}"},
        {"listeners.tls", listener + pair},
        {"admin.address", "{address: 127.0.0.2, port: 0}"},
        {"admin.port", "{address: 127.0.0.1, port: 9}"},
        {"admin.token_file", "{address: 127.0.0.1, port: 0, token_file: " +
                                 dir.write("admin.token", "0123456789abcdef\n") + "}"},
        {"resources", "[apis/api.yaml]"},
        {"proxies.trusted", "{trusted: [127.0.0.1], field: forwarded}"},
        {"proxies.protocol", "{trusted: [127.0.0.1], protocol: true}"},
        {"proxies.field", "{trusted: [127.0.0.1], field: forwarded}"},
        {"resolvers", "[127.0.0.1:9]"},
        {"routing.max_attempts", "{max_attempts: 1}"},
        {"routing.on_all_suspended", "{on_all_suspended: passthrough}"},
        {"routing.retry_after", "{retry_after: ignore}"},
        {"routing.expose_route", "{expose_route: false}"},
        {"routing.retry_budget_percent", "{retry_budget_percent: 1}"},
        {"routing.failures_to_suspend", "{failures_to_suspend: 1}"},
        {"routing.suspension_jitter_percent", "{suspension_jitter_percent: 1}"},
        {"routing.stream_ping_seconds", "{stream_ping_seconds: 1}"},
        {"routing.without_rotation", "{without_rotation: refuse}"},
        {"routing.forward_headers", "{forward_headers: [x-a]}"},
        {"routing.withheld_query", "{withheld_query: [a]}"},
        {"quotas.window", "{window: sliding}"},
        {"quotas.admission", "{admission: strict}"},
        {"quotas.carry_debt", "{carry_debt: true}"},
        {"quotas.headers", "{headers: apk}"},
        {"quotas.reserve_output_tokens", "{reserve_output_tokens: 1}"},
        {"quotas.counters", "{counters: 1000}"},
        {"quotas.metric_consumers", "{metric_consumers: 1}"},
        {"quotas.max_concurrent_per_consumer", "{max_concurrent_per_consumer: 1}"},
        {"auth.failures_per_minute", "{failures_per_minute: 1}"},
        {"usage.streams", "{streams: ask}"},
        {"usage.bytes_per_token", "{bytes_per_token: 4}"},
        {"usage.tokens_per_image", "{tokens_per_image: 1}"},
        {"usage.charge_failed", "{charge_failed: consumer}"},
        {"keys.revoke_streams", "{revoke_streams: true}"},
        {"prices", "[" + prices + "]"},
        {"kubernetes", "{namespace: elsewhere}"},
        {"budgets.currency", "{currency: EUR}"},
        {"budgets.ledger", "{ledger: " + (dir / "ledger.db") + "}"},
        {"budgets.unpriced", "{unpriced: refuse}"},
        {"state.redis", "{redis: {url: \"redis://127.0.0.1:9\"}}"},
        {"accept_unserved", "[Subscription]"},
        {"log.level", "{level: warning}"},
        {"log.access", "{access: text}"},
        {"log.access_file", "{access_file: " + (dir / "access.log") + "}"},
        {"log.tries", "{tries: true}"},
        {"tracing.endpoint", "{endpoint: \"http://127.0.0.1:9\"}"},
        {"tracing.headers", "{headers: {a: b}}"},
        {"tracing.headers_file", "{headers_file: " + dir.write("otlp.headers", "a: b\n") + "}"},
        {"tracing.ca", "{ca: " + certificates().unknown_ca.certificate + "}"},
        {"tracing.service_name", "{service_name: front}"},
        {"tracing.attributes", "{attributes: {a: b}}"},
        {"tracing.sample_ratio", "{sample_ratio: \"0.5\"}"},
    };
    const auto running = deploy(load("", ""));
    for (const config::OtherKey& key : config::other_keys()) {
        SCOPED_TRACE(key.name);
        ASSERT_TRUE(other.contains(key.name)) << "give it another value";
        const std::string group = std::string(key.name).substr(0, std::string(key.name).find('.'));
        ASSERT_TRUE(running->reload(load("", "")).ok);
        const config::Config before = running->config();
        const server::WorkerSettings worker = running->worker_settings();
        config::Loaded changed = load(group, other.at(key.name));
        ASSERT_TRUE(changed.ok()) << config::to_text(changed.findings);
        const admin::ReloadOutcome outcome = running->reload(std::move(changed));
        ASSERT_TRUE(outcome.ok) << outcome.findings;
        EXPECT_FALSE(key.same(before, running->config()));
        if (key.takes_effect == config::TakesEffect::at_restart) {
            EXPECT_THAT(running->waiting_for_restart(), testing::ElementsAre(key.name));
            EXPECT_THAT(outcome.findings,
                        testing::HasSubstr("wait for a restart: " + std::string(key.name)));
        } else {
            EXPECT_THAT(running->waiting_for_restart(), testing::IsEmpty());
            EXPECT_THAT(outcome.findings, testing::Not(testing::HasSubstr("restart")));
        }
        if (std::string(key.name) == "log.access") {
            EXPECT_FALSE(worker == running->worker_settings());
        }
        if (std::string(key.name) == "log.level") {
            EXPECT_EQ(log_.level(), LogLevel::warn);
        }
    }
}

TEST(Settings, WhatWaitsForARestartStandsInTheStatus) {
    Edge edge(with_process("watch: false\n"));
    GatewayOptions next = in_front_of(*edge.mock, with_process("watch: false\n"));
    next.workers = 3;
    edge.gateway.files().write(next);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    const std::string status = edge.gateway.admin("/api/v1/status");
    EXPECT_EQ(json_size(status, "waiting_for_restart"), 1U);
    EXPECT_EQ(json_at(status, "waiting_for_restart.0"), "workers");
    next.workers = 2;
    edge.gateway.files().write(next);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(json_size(edge.gateway.admin("/api/v1/status"), "waiting_for_restart"), 0U);
}

// The admin listener is none of a worker's parts: it tells by what it does.
TEST(Settings, LimitsOfTheAdminListenerTakeEffectAtAReload) {
    Edge edge(with_process("watch: false\n"));
    Request post;
    post.method = "POST";
    post.target = "/api/v1/reload";
    post.body = std::string(2000, 'a');
    ASSERT_EQ(edge.gateway.admin_request(post).status, 200U);
    edge.gateway.files().write(
        in_front_of(*edge.mock, with_process("watch: false\nlimits: {admin_body_bytes: 1000}\n")));
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(edge.gateway.admin_request(post).status, 413U);
}

}  // namespace
}  // namespace rotary::test
