#include "quick_client.hpp"
#include "served.hpp"

#include <support/dns_server.hpp>
#include <support/sanitized.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <iostream>
#include <mutex>

// The end of a process: what runs is finished, who has come is served, and who comes meets the
// process that follows.
namespace rotary::test {
namespace {

constexpr std::size_t kStreams = 100;

mock::MockOptions streams_of(unsigned tokens) {
    mock::MockOptions options;
    options.tokens = tokens;
    options.chunk_interval = 20ms;
    return options;
}

std::vector<TestClient> start_streams(const Gateway& gateway) {
    std::vector<TestClient> clients;
    for (std::size_t i = 0; i < kStreams; ++i) {
        clients.push_back(gateway.connect());
        EXPECT_TRUE(clients.back().send(chat(R"({"stream":true,"messages":[]})")));
    }
    for (TestClient& client : clients) EXPECT_EQ(client.read_head().status, 200U);
    return clients;
}

std::string rest_of(TestClient& client) {
    std::string body;
    while (const auto piece = client.read_body_piece()) body += *piece;
    return body;
}

TEST(Drain, ALongOneLetsEveryStreamEnd) {
    Edge edge({}, streams_of(100));
    std::vector<TestClient> clients = start_streams(edge.gateway);
    edge.gateway.server().request_stop();
    for (TestClient& client : clients) {
        EXPECT_TRUE(rest_of(client).ends_with("data: [DONE]\n\n"));
        EXPECT_EQ(client.ending(), Ending::framed);
        EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
    }
    EXPECT_EQ(edge.gateway.wait(), 0);
}

TEST(Drain, AShortOneEndsEveryStreamHonestlyAndInTime) {
    Edge edge(with_process("timeouts: {drain: 400ms, shutdown: 5s}\n"), streams_of(2'000));
    std::vector<TestClient> clients = start_streams(edge.gateway);
    const auto begun = std::chrono::steady_clock::now();
    edge.gateway.server().request_stop();
    EXPECT_EQ(edge.gateway.wait(), 0);
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(took, 400ms) << "they had their time";
    EXPECT_LE(took, 400ms + 5s + 5s);
    for (TestClient& client : clients) {
        const std::string body = rest_of(client);
        EXPECT_EQ(client.ending(), Ending::cut);
        EXPECT_EQ(body.find("[DONE]"), std::string::npos);
        ASSERT_TRUE(body.ends_with("\n\n")) << body;
        const std::size_t last = body.rfind("data: ");
        ASSERT_NE(last, std::string::npos);
        EXPECT_TRUE(last < 2 || body.substr(last - 2, 2) == "\n\n") << "at an event's boundary";
        EXPECT_EQ(json_at(body.substr(last + 6), "error.code"), "upstream_stream_interrupted");
    }
}

// Everybody whom the kernel has let in: in the queue, before and in the middle of the handshake,
// before the request.
TEST(Drain, WhoHasComeGetsOneAnswer) {
    GatewayOptions options = with_process("timeouts: {shutdown: 5s}\n");
    options.workers = 1;  // it sees the end of one's handshake before it answers the other
    Edge edge(options);
    const std::string bytes = chat().bytes();
    QuickClient silent(edge.gateway.port());
    QuickClient shaken(edge.gateway.port());
    ASSERT_TRUE(shaken.handshake());
    TestClient kept = edge.gateway.connect();
    ASSERT_EQ(kept.exchange(chat()).status, 200U);
    ASSERT_TRUE(eventually([&] { return edge.gateway.metric("rotary_client_connections") == 3; }));
    edge.gateway.server().request_stop();
    EXPECT_EQ(kept.wait_for_end(kPatience), ReadEnd::close_notify);

    ASSERT_TRUE(silent.handshake()) << std::strerror(errno);
    for (QuickClient* client : {&shaken, &silent}) {
        EXPECT_EQ(client->status_of(bytes), 200U);
        std::string rest;
        for (std::string more = client->read(); !more.empty(); more = client->read()) rest += more;
        EXPECT_TRUE(eventually([client] { return client->ended(); }));
        EXPECT_FALSE(client->send(bytes) && !client->read().empty()) << "one, not two";
    }
    EXPECT_EQ(edge.gateway.wait(), 0);
}

TEST(Drain, WhoHasComeAndSaysNothingHoldsItUpForAMomentOnly) {
    Edge edge(with_process("timeouts: {shutdown: 300ms}\n"));
    QuickClient silent(edge.gateway.port());
    QuickClient shaken(edge.gateway.port());
    ASSERT_TRUE(shaken.handshake());
    ASSERT_TRUE(eventually([&] { return edge.gateway.metric("rotary_client_connections") == 2; }));
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(edge.gateway.stop(), 0);
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(took, 300ms);
    EXPECT_LE(took, 8s) << "less than the handshake's and the drain's time";
    EXPECT_TRUE(eventually([&] { return silent.ended(); }));
    EXPECT_EQ(shaken.read(), "");
    EXPECT_TRUE(eventually([&] { return shaken.ended(); }));
}

TEST(Drain, ASecondSignalEndsTheProcessAtOnce) {
    const auto mock = start_mock(streams_of(2'000));
    Served served(*mock, {});
    TestClient client(served.client());
    ASSERT_TRUE(client.send(chat(R"({"stream":true,"messages":[]})")));
    ASSERT_EQ(client.read_head().status, 200U);
    served.process().signal(SIGTERM);
    ASSERT_TRUE(served.process().wait_for_errors("draining", kPatience));
    Request readyz;
    readyz.target = "/readyz";
    EXPECT_EQ(served.admin_request(readyz).status, 503U);
    EXPECT_FALSE(served.process().wait(100ms).has_value());
    const auto begun = std::chrono::steady_clock::now();
    served.process().signal(SIGTERM);
    const auto status = served.process().wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
    EXPECT_LE(std::chrono::steady_clock::now() - begun, 8s) << "far less than the drain's 30 s";
    EXPECT_EQ(rest_of(client).find("[DONE]"), std::string::npos);
    EXPECT_EQ(client.ending(), Ending::cut);
}

TEST(Drain, ANameThatHangsDoesNotHoldASignalUp) {
    const auto mock = start_mock();
    DnsServer names;
    names.hold("hanging.test");
    Served::Options options;
    options.gateway.backends = {{.host = "hanging.test", .port = mock->port(), .key = "Bearer sk"}};
    options.gateway.process =
        "resolvers: [\"" + names.address() + "\"]\ntimeouts: {dns: 1h, total: 1h, drain: 200ms}\n";
    Served served(*mock, options);
    std::vector<TestClient> waiting;
    for (int i = 0; i < 5; ++i) {
        waiting.emplace_back(served.client());
        ASSERT_TRUE(waiting.back().send(chat()));
    }
    ASSERT_TRUE(names.wait_for("hanging.test"));
    served.process().signal(SIGTERM);
    const auto status = served.process().wait(60s);
    ASSERT_TRUE(status.has_value()) << "the name has an hour";
    EXPECT_EQ(status->code, 0);
    for (TestClient& client : waiting) EXPECT_EQ(client.read_response().status, 503U);
}

// What came of many connects.
struct Tally {
    std::mutex mutex;
    std::map<std::string, std::size_t> outcomes;
    std::chrono::nanoseconds slowest{};

    void add(const std::string& outcome, std::chrono::nanoseconds took) {
        const std::lock_guard lock(mutex);
        ++outcomes[outcome];
        slowest = std::max(slowest, took);
    }
    std::size_t of(const std::string& outcome) {
        const std::lock_guard lock(mutex);
        return outcomes[outcome];
    }
    std::string text() {
        const std::lock_guard lock(mutex);
        std::ostringstream out;
        for (const auto& [outcome, count] : outcomes) out << outcome << ": " << count << "; ";
        out << "slowest " << slowest / std::chrono::milliseconds(1) << " ms";
        return out.str();
    }
};

// One connection, with TLS; every fourth asks for something too.
std::string connect_once(std::uint16_t port, bool asks, const std::string& request) {
    QuickClient client;
    if (!client.connect(port)) return std::string("connect: ") + std::strerror(errno);
    if (!client.handshake()) return std::string("handshake: ") + std::strerror(errno);
    if (!asks) return "shaken";
    const unsigned status = client.status_of(request);
    if (status == 0) return std::string("request: ") + std::strerror(errno);
    return "status " + std::to_string(status);
}

TEST(Drain, TenThousandConnectsAcrossARestartLoseNobody) {
    constexpr std::size_t kConnects = kSanitized ? 2'000 : 10'000;
    mock::MockOptions light;
    light.kept_requests = 0;
    const auto mock = start_mock(light);
    auto first = std::make_unique<Served>(*mock, Served::Options{});
    const std::uint16_t port = first->port();
    const std::string request = chat().bytes();
    std::atomic<std::size_t> begun{0};
    Tally tally;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            for (std::size_t number = begun++; number < kConnects; number = begun++) {
                const auto at = std::chrono::steady_clock::now();
                const std::string outcome = connect_once(port, number % 4 == 0, request);
                tally.add(outcome, std::chrono::steady_clock::now() - at);
            }
        });
    }
    const auto after = [&](std::size_t share) {
        return eventually([&] { return begun >= kConnects * share / 100; }, 120s);
    };
    // Three processes, one after the other, on one port.
    std::unique_ptr<Served> now = std::move(first);
    for (const std::size_t share : {20U, 50U, 80U}) {
        ASSERT_TRUE(after(share));
        Served::Options options;
        options.port = port;
        auto next = std::make_unique<Served>(*mock, options);
        now->process().signal(SIGTERM);
        const auto status = now->process().wait(60s);
        EXPECT_TRUE(status.has_value() && status->code == 0 && status->signal == 0);
        now = std::move(next);
    }
    for (std::thread& client : clients) client.join();
    std::cout << tally.text() << '\n';
    EXPECT_EQ(tally.of("shaken"), kConnects - kConnects / 4) << tally.text();
    EXPECT_EQ(tally.of("status 200"), kConnects / 4) << tally.text();
}

}  // namespace
}  // namespace rotary::test
