// What the page, the terminal, the log, the metrics, the API and the ledger say of a gateway under
// load is one and the same, and what the providers counted: with a suspension, failovers, refused
// consumers, clients that leave in mid-stream and a reload that fails.
#include "edge_support.hpp"
#include "told.hpp"

#include <rotary/auth/api_key.hpp>
#include <rotary/control/ledger_file.hpp>
#include <support/process.hpp>
#include <support/sanitized.hpp>
#include <support/temp_dir.hpp>
#include <support/tokens.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

constexpr std::size_t kClients = 12;
constexpr std::size_t kRequestsEach = kSanitized ? 20 : 60;
constexpr std::size_t kAll = kClients * kRequestsEach;

class Agreement : public testing::Test {
protected:
    Agreement() {
        mock::MockOptions one;
        one.tokens = 8;
        one.kept_requests = 100'000;
        one.kept_usage = 100'000;
        mock::MockOptions other = one;
        one.quotas = {{"small", 5, std::chrono::hours(1)}};
        other.fail_rates = {{503, 0.1}};
        mock::MockOptions slow = one;
        slow.quotas.clear();
        slow.chunk_interval = std::chrono::hours(1);  // a first event, and no second one
        mocks_[0] = start_mock(one);
        mocks_[1] = start_mock(other);
        mocks_[2] = start_mock(slow);
    }

    GatewayOptions options() const {
        GatewayOptions made;
        made.workers = 2;
        for (const auto& mock : mocks_) made.backends.push_back(backend_of(*mock));
        made.production = {{"small", 0, 2}, {"large", 0, 3}, {"other", 1, 2}};
        made.sandbox = {{"slow", 2}};
        made.process =
            "watch: false\ntimeouts: {log_flush: 20ms}\n"
            "auth: {failures_per_minute: 0}\nquotas: {metric_consumers: 100}\n"
            "limits: {access_log_buffer_bytes: 67108864, admin_requests: 1000}\n"
            "prices: [" +
            dir_.write("p.yaml",
                       "- {provider: \"*\", model: small, input: \"2.5\", output: 10}\n"
                       "- {provider: \"*\", model: large, input: 3, output: 12}\n"
                       "- {provider: \"*\", model: other, input: \"0.1\", output: 1}\n"
                       "- {provider: \"*\", model: slow, input: 1, output: 5}\n") +
            "]\nbudgets: {ledger: " + ledger() + "}\n";
        made.resources =
            "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: poor}\nspec: "
            "{target: {kind: Consumer, name: poor}, amount: \"0.000000001\", period: Total}\n"
            "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: "
            "elsewhere}\nspec:\n  consumer: elsewhere\n  apis: [open-api]\n  keys: [{hash: \"" +
            auth::hash_text(auth::digest_of(key_)) + "\"}]\n" + open_api();
        return made;
    }
    std::string ledger() const { return dir_ / "ledger.db"; }

    static Request of_consumer(const std::string& name, bool stream) {
        tools::TokenOptions token = token_options();
        token.subject = name;
        Request request = chat(stream ? R"({"model":"any","stream":true,"messages":[)"
                                        R"({"role":"user","content":"hello there"}]})"
                                      : R"({"model":"any","messages":[{"role":"user",)"
                                        R"("content":"hi"}]})");
        set_header(request, "Authorization", "Bearer " + make_token(token));
        return request;
    }

    // One in ten has no credential, one a key that is for another API, one no money, and one leaves
    // behind the first event of a stream whose provider falls silent.
    void run_client(Gateway& gateway, std::size_t number) {
        auto client = std::make_unique<TestClient>(gateway.client());
        Request plain = of_consumer("team-a", false);
        Request stream = of_consumer("team-b", true);
        Request slow = stream;
        set_header(slow, "Host", "default.sandbox.gw.wso2.com");
        Request stranger = plain;
        set_header(stranger, "Authorization", "");
        Request elsewhere = plain;
        set_header(elsewhere, "Authorization", "Bearer " + key_);
        const Request poor = of_consumer("poor", number % 2 == 0);
        for (std::size_t i = 0; i < kRequestsEach; ++i) {
            if (number == 0 && i == kRequestsEach / 2) fail_a_reload(gateway);
            const std::size_t kind = (number + i) % 10;
            if (kind == 3) {
                leave(gateway, slow);
                continue;
            }
            const Request& request = kind == 0   ? stranger
                                     : kind == 1 ? elsewhere
                                     : kind == 2 ? poor
                                     : kind < 7  ? stream
                                                 : plain;
            const Response response = client->exchange(request);
            note(response.status);
            if (!response.whole() || response.header("connection") == "close") {
                client = std::make_unique<TestClient>(gateway.client());
            }
        }
    }

    void leave(Gateway& gateway, const Request& request) {
        TestClient client(gateway.client());
        client.send(request);
        const unsigned status = client.read_head().status;
        EXPECT_EQ(status, 200U);
        EXPECT_TRUE(client.read_event());
        client.reset();
        note(499);
    }

    void fail_a_reload(Gateway& gateway) {
        gateway.files().dir().write("rotary.yaml", "listeners: 7\n");
        EXPECT_FALSE(gateway.server().reload().ok);
    }

    void note(unsigned status) {
        const std::scoped_lock lock(mutex_);
        ++clients_[status];
    }

    Counts tries_of_mocks() const {
        Counts tries;
        for (std::size_t i = 0; i < mocks_.size(); ++i) {
            for (const auto& [model, count] : models_asked(*mocks_[i])) {
                tries[model + "@backend-" + std::to_string(i)] = count;
            }
        }
        return tries;
    }

    Sums entries_of_ledger() const {
        Sums sums;
        control::LedgerFile file(ledger());
        file.read(0, INT32_MAX, [&](const quota::SpendKey& key, const quota::Spend& spend) {
            sums[std::string(key.names[4]) + "@" + std::string(key.names[5])] +=
                Sum{spend.requests, spend.usage.input, spend.usage.output,
                    static_cast<std::uint64_t>(spend.nanos)};
        });
        return sums;
    }

    // Each answer that was told of, one by one: what its provider counted.
    void expect_as_counted(const std::string& log) const {
        std::map<std::string, mock::MockUsage> answers;
        for (std::size_t i = 0; i < mocks_.size(); ++i) {
            for (const mock::MockUsage& usage : mocks_[i]->usage()) {
                std::array<char, 48> name{};
                std::snprintf(name.data(), name.size(), "backend-%zu req_%016llx", i,
                              static_cast<unsigned long long>(usage.answer));
                answers.emplace(name.data(), usage);
            }
        }
        std::size_t told = 0;
        std::istringstream lines(log);
        for (std::string line; std::getline(lines, line);) {
            if (text_at(line, "usage") != "told") continue;
            ++told;
            const auto answer =
                answers.find(text_at(line, "backend") + " " + text_at(line, "upstream_request_id"));
            ASSERT_NE(answer, answers.end()) << line;
            EXPECT_EQ(count_at(line, "input_tokens"), answer->second.input) << line;
            EXPECT_EQ(count_at(line, "output_tokens"), answer->second.output) << line;
            EXPECT_EQ(text_at(line, "gen_ai.request.model"), answer->second.model) << line;
            answers.erase(answer);  // no answer is told of twice
        }
        EXPECT_EQ(told, clients_.at(200)) << "each that came whole";
    }

    TempDir dir_;
    std::string key_ = auth::make_api_key();
    std::array<std::unique_ptr<mock::MockProvider>, 3> mocks_;
    std::mutex mutex_;
    ByStatus clients_;  // what they got
};

std::string terminal(const Front& front) {
    ProcessOptions options;
    options.command = {ROTARY_BINARY,
                       "top",
                       "--once",
                       "--output",
                       "json",
                       "--admin",
                       "http://127.0.0.1:" + std::to_string(front.admin_port())};
    const ProcessResult result = run_process(options);
    EXPECT_EQ(result.status.code, 0) << result.errors;
    return result.output;
}

TEST_F(Agreement, OfAllThatTellUnderLoad) {
    Gateway gateway(options());
    in_parallel(kClients, [&](std::size_t number) { run_client(gateway, number); });
    ASSERT_TRUE(eventually([&] { return gateway.metric("rotary_requests_in_flight") == 0; }));
    std::string shown;
    ASSERT_TRUE(eventually([&] {
        shown = gateway.admin("/api/v1/requests?limit=1000");
        return json_size(shown, "requests") >= kAll;
    })) << json_size(shown, "requests");
    const std::string metrics = gateway.admin("/metrics");
    const std::string models = gateway.admin("/api/v1/models");
    const std::string consumers = gateway.admin("/api/v1/consumers");
    const std::string html = gateway.admin("/");
    const std::string top = terminal(gateway);
    // The suspension is told when the entries are looked at the next time.
    EXPECT_TRUE(eventually([&] {
        const std::string events = gateway.admin("/api/v1/events?format=json");
        return events.find(R"("kind":"reload failed")") != events.npos &&
               events.find(R"("kind":"suspended")") != events.npos;
    }));
    EXPECT_EQ(gateway.stop(), 0);
    const std::string lines = gateway.access_log();

    // All of it happened.
    for (const unsigned status : {200U, 401U, 403U, 429U, 499U}) {
        EXPECT_GT(clients_[status], 0U) << status;
    }
    const Told log = of_log(lines);
    const Told ring = of_requests(shown);
    EXPECT_EQ(log.statuses, clients_);
    EXPECT_EQ(ring.statuses, clients_);
    for (const auto& [status, count] : clients_) {
        const std::string label = "code=\"" + std::to_string(status) + "\"";
        EXPECT_EQ(sum_of(metrics, "rotary_requests_total", label), double(count)) << status;
    }

    const Counts tries = tries_of_mocks();
    EXPECT_EQ(ring.tries, tries);
    EXPECT_EQ(picks_of(models, "models"), tries);
    EXPECT_EQ(picks_of(top, "models.models"), tries);
    for (const auto& [entry, count] : tries) {
        const std::string model = entry.substr(0, entry.find('@'));
        EXPECT_EQ(picks_on_page(html, model), count) << model;
        EXPECT_EQ(sum_of(metrics, "rotary_upstream_requests_total", "model=\"" + model + "\""),
                  double(count));
    }
    EXPECT_GT(ring.moved, 1U);
    EXPECT_EQ(sum_of(metrics, "rotary_failovers_total"), double(ring.moved));

    const Sums booked = entries_of_ledger();
    EXPECT_EQ(log.entries, booked);
    EXPECT_EQ(ring.entries, booked);
    EXPECT_EQ(entries_of_metrics(metrics, booked), booked);
    expect_as_counted(lines);

    // The entry whose quota is used up, and the reload that failed.
    EXPECT_EQ(sum_of(metrics, "rotary_model_suspensions_total", "model=\"small\""), 1);
    EXPECT_EQ(json_at(top, "models.models.0.state"), "suspended");
    EXPECT_EQ(json_at(models, "models.0.state"), "suspended");
    EXPECT_THAT(html, testing::HasSubstr("<span class=\"chip bad\">suspended"));
    EXPECT_EQ(json_at(top, "status.last_reload_ok"), "false");
    EXPECT_THAT(html, testing::HasSubstr("rotary.yaml:1:12: error"));

    EXPECT_EQ(consumers_of(consumers), log.consumers);
    EXPECT_EQ(consumers_of_metrics(metrics, log.consumers), log.consumers);
    EXPECT_EQ(ring.consumers, log.consumers);
}

}  // namespace
}  // namespace rotary::test
