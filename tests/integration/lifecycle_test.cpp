#include "edge_support.hpp"

#include <array>
#include <future>
#include <regex>
#include <set>
#include <sstream>

// Reloading, draining and stopping under traffic, and what the admin listener says meanwhile.
namespace rotary::test {
namespace {

Request streaming() { return chat(R"({"stream":true,"messages":[]})"); }

// Streams that run for `tokens` times 20 ms.
mock::MockOptions slow_streams(unsigned tokens) {
    mock::MockOptions options;
    options.tokens = tokens;
    options.chunk_interval = 20ms;
    return options;
}

// A stream whose head has arrived.
struct LiveStream {
    explicit LiveStream(const Gateway& gateway) : client(gateway.connect()) {
        client.send(streaming());
        head = client.read_head();
    }
    std::string finish() {
        std::string body;
        while (const auto piece = client.read_body_piece()) body += *piece;
        return body;
    }
    TestClient client;
    ResponseHead head;
};

std::string model_of(const Response& response) {
    return std::string(response.header("x-rotary-model"));
}

TEST(Lifecycle, AReloadIsForNewRequestsAndLeavesRunningStreamsAlone) {
    Edge edge({}, slow_streams(40));
    LiveStream stream(edge.gateway);
    EXPECT_EQ(stream.head.header("x-rotary-model"), "gpt");
    TestClient kept = edge.gateway.connect();
    EXPECT_EQ(kept.exchange(request_for("GET", "/open/1.0/models")).status, 404U);
    ASSERT_EQ(model_of(kept.exchange(chat())), "gpt");

    GatewayOptions next = in_front_of(*edge.mock, with_resources(open_api()));
    next.production = {{"newer"}};
    next.backends[0].key = "Bearer sk-newer";
    edge.gateway.files().write(next);
    const admin::ReloadOutcome outcome = edge.gateway.server().reload();
    ASSERT_TRUE(outcome.ok) << outcome.findings;
    edge.mock->reset();
    EXPECT_EQ(model_of(kept.exchange(chat())), "newer") << "on a connection that was there";
    EXPECT_EQ(model_of(fetch(edge.gateway.client(), chat())), "newer");
    EXPECT_EQ(kept.exchange(request_for("GET", "/open/1.0/models")).status, 200U);
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_EQ(captured.header("authorization"), "Bearer sk-newer");
    }
    const std::string body = stream.finish();
    EXPECT_EQ(stream.client.ending(), Ending::framed);
    EXPECT_TRUE(body.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(body.find("newer"), std::string::npos);
    EXPECT_EQ(stream.client.exchange(chat()).status, 200U) << "its connection goes on";
}

TEST(Lifecycle, ABrokenFileLeavesTheOldConfigurationInForce) {
    Edge edge;
    const std::string gauge = "rotary_config_last_reload_successful";
    EXPECT_EQ(edge.gateway.metric(gauge), 1);
    edge.gateway.files().dir().write("apis/broken.yaml", "kind: Backend\napiVersion: [\n");
    const admin::ReloadOutcome outcome = edge.gateway.server().reload();
    EXPECT_FALSE(outcome.ok);
    EXPECT_THAT(outcome.findings, testing::ContainsRegex("broken.yaml:[0-9]+:[0-9]+: error: "));
    EXPECT_EQ(edge.gateway.metric(gauge), 0);
    EXPECT_THAT(edge.gateway.admin("/readyz?verbose"), testing::HasSubstr("last reload: failed"));
    EXPECT_EQ(fetch(edge.gateway.client(), chat()).status, 200U);

    Request post;
    post.method = "POST";
    post.target = "/api/v1/reload";
    const Response again = edge.gateway.admin_request(post);
    EXPECT_EQ(again.status, 422U);
    EXPECT_EQ(json_at(again.body, "reloaded"), "false");
    EXPECT_THAT(json_at(again.body, "findings"), testing::HasSubstr("broken.yaml"));

    edge.gateway.files().dir().write("apis/broken.yaml", "");
    EXPECT_EQ(edge.gateway.admin_request(post).status, 200U);
    EXPECT_EQ(edge.gateway.metric(gauge), 1);
    EXPECT_THAT(edge.gateway.admin("/readyz?verbose"), testing::HasSubstr("last reload: ok"));
}

TEST(Lifecycle, AReloadSaysWhatOnlyARestartChanges) {
    Edge edge;
    const std::string restart = "these settings wait for a restart: ";
    EXPECT_THAT(edge.gateway.server().reload().findings, testing::Not(testing::HasSubstr(restart)));
    GatewayOptions more_workers = in_front_of(*edge.mock);
    more_workers.workers = 3;
    edge.gateway.files().write(more_workers);
    for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(edge.gateway.server().reload().findings,
                    testing::HasSubstr(restart + "workers\n"))
            << i;
    }
    GatewayOptions no_tls = in_front_of(*edge.mock, unencrypted());
    edge.gateway.files().write(no_tls);
    EXPECT_THAT(edge.gateway.server().reload().findings,
                testing::HasSubstr(restart + "listeners\n"));
    EXPECT_EQ(fetch(edge.gateway.client(), chat()).status, 200U) << "still TLS";
}

std::string id_of(const Gateway& gateway, const std::string& model) {
    const std::string page = gateway.admin("/api/v1/models");
    for (std::size_t i = 0; i < json_size(page, "models"); ++i) {
        const std::string place = "models." + std::to_string(i);
        if (json_at(page, place + ".model") == model) return json_at(page, place + ".id");
    }
    return {};
}

std::string encoded(std::string_view text) {
    std::ostringstream out;
    for (const char c : text) out << '%' << std::hex << (c >> 4 & 15) << (c & 15);
    return out.str();
}

TEST(Lifecycle, SuspensionsSurviveAReload) {
    GatewayOptions options;
    options.production = {{"one"}, {"two"}};
    Edge edge(options);
    Request suspend;
    suspend.method = "POST";
    suspend.target = "/api/v1/models/" + encoded(id_of(edge.gateway, "one")) + "/suspend";
    ASSERT_EQ(edge.gateway.admin_request(suspend).status / 100, 2U);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    GatewayOptions heavier = in_front_of(*edge.mock, options);
    heavier.production[0].weight = 5;
    edge.gateway.files().write(heavier);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_TRUE(edge.gateway.wait_for_state("one", "suspended", kPatience));
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(model_of(fetch(edge.gateway.client(), chat())), "two");
    }
}

// Another configuration each time that serves alike: only what differs is taken into force.
void reload_another(Edge& edge, GatewayOptions options, int number) {
    options.process += "# " + std::to_string(number) + "\n";
    edge.gateway.files().write(in_front_of(*edge.mock, options));
    EXPECT_TRUE(edge.gateway.server().reload().ok);
}

std::vector<std::string> picks(bool reloading) {
    GatewayOptions options;
    options.workers = 1;
    options.process = "watch: false\n";
    options.production = {{.model = "a", .weight = 5}, {.model = "b", .weight = 3}, {"c"}};
    Edge edge(options);
    std::vector<std::string> models;
    for (int i = 0; i < 18; ++i) {
        models.push_back(model_of(fetch(edge.gateway.client(), chat())));
        if (reloading) reload_another(edge, options, i);
    }
    EXPECT_EQ(json_at(edge.gateway.admin("/api/v1/status"), "generation"), reloading ? "19" : "1");
    return models;
}

TEST(Lifecycle, PositionsSurviveAReload) {
    const auto steady = picks(false);
    EXPECT_EQ(std::count(steady.begin(), steady.end(), "a"), 10);
    EXPECT_EQ(picks(true), steady);
}

TEST(Lifecycle, ADrainFinishesWhatRunsAndTakesOnNothing) {
    Edge edge(with_process("timeouts: {shutdown: 700ms}\n"), slow_streams(50));
    TestClient idle = edge.gateway.connect();
    ASSERT_EQ(idle.exchange(chat()).status, 200U);
    TestClient fresh = edge.gateway.connect();
    TestClient silent = edge.gateway.connect();
    LiveStream stream(edge.gateway);
    TestClient waiting = edge.gateway.connect();
    Request slow = chat();
    set_header(slow, "x-mock-fault", "slow-head=400ms");
    const std::uint64_t before = edge.mock->request_count();
    ASSERT_TRUE(waiting.send(slow));
    ASSERT_TRUE(edge.mock->wait_for_requests(before + 1, kPatience));

    edge.gateway.server().request_stop();
    Request readyz;
    readyz.target = "/readyz";
    ASSERT_TRUE(eventually([&] { return edge.gateway.admin_request(readyz).status == 503; }));
    EXPECT_EQ(edge.gateway.admin("/readyz"), "draining\n");
    EXPECT_EQ(idle.wait_for_end(kPatience), ReadEnd::close_notify);
    const Response first = fresh.exchange(chat());
    EXPECT_EQ(first.status, 200U) << "who was let in gets one answer";
    EXPECT_EQ(first.header("connection"), "close");
    EXPECT_EQ(fresh.wait_for_end(kPatience), ReadEnd::close_notify);
    EXPECT_EQ(silent.wait_for_end(kPatience), ReadEnd::close_notify);
    EXPECT_TRUE(eventually([&] {
        try {
            edge.gateway.connect();
            return false;
        } catch (const ClientError&) {
            return true;
        }
    })) << "nobody listens any more";

    const Response late = waiting.read_response();
    EXPECT_EQ(late.status, 200U);
    EXPECT_EQ(late.header("connection"), "close");
    EXPECT_EQ(waiting.wait_for_end(kPatience), ReadEnd::close_notify);
    EXPECT_TRUE(stream.finish().ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(stream.client.ending(), Ending::framed);
    EXPECT_EQ(stream.client.wait_for_end(kPatience), ReadEnd::close_notify);
    EXPECT_EQ(edge.gateway.wait(), 0);
}

TEST(Lifecycle, ADrainHasAnEndAndSaysSoInTheStream) {
    GatewayOptions options =
        with_process("timeouts: {drain: 300ms, shutdown: 300ms, log_flush: 20ms}\n");
    Edge edge(options, slow_streams(1000));
    LiveStream stream(edge.gateway);
    Request stalled = chat();
    set_header(stalled, "x-mock-fault", "stall");
    TestClient waiting = edge.gateway.connect();
    ASSERT_TRUE(waiting.send(stalled));
    ASSERT_TRUE(edge.mock->wait_for_requests(2, kPatience));

    const auto begun = std::chrono::steady_clock::now();
    edge.gateway.server().request_stop();
    const std::string body = stream.finish();
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 200ms);
    EXPECT_EQ(stream.client.ending(), Ending::cut) << "nobody may take the piece for the whole";
    EXPECT_EQ(body.find("[DONE]"), std::string::npos);
    const std::string last = body.substr(body.rfind("data: "));
    EXPECT_EQ(json_at(last.substr(6), "error.code"), "upstream_stream_interrupted") << last;
    expect_problem(waiting.read_response(), "draining");
    EXPECT_EQ(edge.gateway.wait(), 0);
    EXPECT_EQ(edge.mock->request_count(), 2U) << "nothing was tried again";
}

TEST(Lifecycle, ASecondStopWaitsForNobody) {
    const auto mock = start_mock(slow_streams(1000));
    auto gateway = std::make_unique<Gateway>(in_front_of(*mock));
    LiveStream stream(*gateway);
    gateway->server().request_stop();
    gateway->server().request_stop();
    EXPECT_EQ(gateway->wait(), 0);
    gateway.reset();  // as the end of the process does
    EXPECT_EQ(stream.finish().find("[DONE]"), std::string::npos);
    EXPECT_EQ(stream.client.ending(), Ending::cut);
    EXPECT_NE(stream.client.last_end(), ReadEnd::timeout);
}

TEST(Lifecycle, AnIdleGatewayStopsAtOnce) {
    Edge edge;
    TestClient idle = edge.gateway.connect();
    ASSERT_EQ(idle.exchange(chat()).status, 200U);
    EXPECT_EQ(edge.gateway.stop(), 0);
    EXPECT_EQ(idle.wait_for_end(kPatience), ReadEnd::close_notify);
}

// The mock's answers differ in these alone.
std::string without_ids(const std::string& stream) {
    static const std::regex varying(R"RX("(id|created)":("[^"]*"|[0-9]+))RX");
    return std::regex_replace(stream, varying, R"("$1":0)");
}

TEST(Lifecycle, TwentyReloadsUnderTwentyStreamsChangeNoByte) {
    const GatewayOptions unwatched = with_process("watch: false\n");
    Edge edge(unwatched, slow_streams(60));
    Request direct = streaming();
    direct.target = "/v1/chat/completions";
    direct.body = R"({"model":"gpt",)" + direct.body.substr(1);
    ClientOptions to_mock;
    to_mock.port = edge.mock->port();
    to_mock.tls = false;
    std::future<Response> reference =
        std::async(std::launch::async, [&] { return fetch(to_mock, direct); });
    std::vector<std::unique_ptr<LiveStream>> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(std::make_unique<LiveStream>(edge.gateway));
    for (int i = 0; i < 20; ++i) reload_another(edge, unwatched, i);
    EXPECT_EQ(json_at(edge.gateway.admin("/api/v1/status"), "generation"), "21");
    const std::string expected = without_ids(reference.get().body);
    ASSERT_TRUE(expected.ends_with("data: [DONE]\n\n"));
    for (auto& stream : streams) {
        EXPECT_EQ(without_ids(stream->finish()), expected);
        EXPECT_EQ(stream->client.ending(), Ending::framed);
    }
}

TEST(Lifecycle, HealthAndStatusSayWhatIs) {
    Edge edge;
    EXPECT_EQ(edge.gateway.admin("/livez"), "ok\n");
    EXPECT_EQ(edge.gateway.admin("/readyz"), "ok\n");
    EXPECT_THAT(edge.gateway.admin("/readyz?verbose"),
                testing::AllOf(
                    testing::StartsWith("ok\n"), testing::HasSubstr("configuration: loaded\n"),
                    testing::HasSubstr("listeners: bound\n"), testing::HasSubstr("draining: no\n"),
                    testing::HasSubstr("last reload: none\n")));
    const std::string status = edge.gateway.admin("/api/v1/status");
    EXPECT_EQ(json_at(status, "ready"), "true");
    EXPECT_EQ(json_at(status, "draining"), "false");
    EXPECT_EQ(json_at(status, "workers"), "2");
    const std::string config = edge.gateway.admin("/api/v1/config");
    EXPECT_TRUE(is_json(config));
    EXPECT_EQ(config.find("sk-up"), std::string::npos);
}

TEST(Lifecycle, TheModelsPageTellsOfEveryEntry) {
    GatewayOptions options;
    options.production = {{.model = "a", .weight = 3}, {"b"}, {.model = "never", .weight = 0}};
    Edge edge(options);
    for (int i = 0; i < 8; ++i) ASSERT_EQ(fetch(edge.gateway.client(), chat()).status, 200U);
    const std::string page = edge.gateway.admin("/api/v1/models");
    ASSERT_EQ(json_size(page, "models"), 4U) << page;
    std::set<std::string> ids;
    for (int i = 0; i < 4; ++i) {
        const std::string place = "models." + std::to_string(i);
        EXPECT_THAT(json_keys(page, place),
                    testing::IsSupersetOf({"id", "api", "policy", "env", "model", "backend",
                                           "weight", "state", "share", "requests"}));
        EXPECT_EQ(json_at(page, place + ".state"), "active");
        EXPECT_EQ(json_at(page, place + ".api"), "chat-api");
        ids.insert(json_at(page, place + ".id"));
    }
    EXPECT_EQ(ids.size(), 4U);
    EXPECT_EQ(json_at(page, "models.0.model"), "a");
    EXPECT_EQ(json_at(page, "models.0.env"), "production");
    EXPECT_EQ(json_at(page, "models.0.weight"), "3");
    EXPECT_EQ(json_at(page, "models.0.requests"), "6");
    EXPECT_EQ(json_at(page, "models.0.share"), "0.75");
    EXPECT_EQ(json_at(page, "models.1.requests"), "2");
    EXPECT_EQ(json_at(page, "models.2.requests"), "0");
    EXPECT_EQ(json_at(page, "models.3.env"), "sandbox");

    Request suspend;
    suspend.method = "POST";
    suspend.target = "/api/v1/models/" + encoded(json_at(page, "models.1.id")) + "/suspend";
    ASSERT_EQ(edge.gateway.admin_request(suspend).status / 100, 2U);
    const std::string after = edge.gateway.admin("/api/v1/models");
    EXPECT_EQ(json_at(after, "models.1.state"), "suspended");
    EXPECT_NE(json_at(after, "models.1.reason"), "<missing>");
    EXPECT_THAT(json_at(after, "models.1.until"), testing::ContainsRegex("^20[0-9-]+T[0-9:.]+Z$"));
    EXPECT_EQ(json_at(after, "models.0.state"), "active");
    suspend.target = "/api/v1/models/nobody/suspend";
    EXPECT_EQ(edge.gateway.admin_request(suspend).status, 404U);
}

// Prometheus text format 0.0.4: HELP and TYPE once a family, before its samples.
TEST(Lifecycle, TheMetricsPageIsWellFormed) {
    Edge edge;
    ASSERT_EQ(fetch(edge.gateway.client(), chat()).status, 200U);
    ASSERT_EQ(fetch(edge.gateway.client(), request_for("GET", "/\"odd\\path")).status / 100, 4U);
    static const std::regex sample(
        R"RX(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? )RX"
        R"RX(([-+0-9.eE]+|NaN|[+]Inf))RX");
    std::map<std::string, std::string> types;
    std::set<std::string> series;
    std::istringstream page(edge.gateway.admin("/metrics"));
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("# HELP ")) continue;
        if (line.starts_with("# TYPE ")) {
            std::istringstream words(line.substr(7));
            std::string name, type;
            words >> name >> type;
            EXPECT_TRUE(types.emplace(name, type).second) << line;
            continue;
        }
        std::smatch match;
        ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
        EXPECT_TRUE(series.insert(match[1].str() + match[2].str()).second) << line;
        std::string family = match[1];
        for (const char* suffix : {"_bucket", "_sum", "_count"}) {
            const std::string stem = family.substr(0, family.rfind(suffix));
            if (family.ends_with(suffix) && types.contains(stem) && types[stem] == "histogram") {
                family = stem;
            }
        }
        EXPECT_TRUE(types.contains(family)) << line;
        EXPECT_EQ(line.find("odd"), std::string::npos) << "labels never come from clients";
    }
    for (const char* name : {"rotary_requests_total", "rotary_upstream_requests_total",
                             "rotary_requests_in_flight", "rotary_client_connections",
                             "rotary_model_suspended", "rotary_config_last_reload_successful"}) {
        EXPECT_TRUE(types.contains(name)) << name;
    }
    EXPECT_EQ(edge.gateway.metric("rotary_requests_in_flight"), 0);
}

}  // namespace
}  // namespace rotary::test
