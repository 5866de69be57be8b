// overhead_us of the access log: what Rotary took of a request's time, and never what a client or a
// provider took.
#include "fault_fixture.hpp"
#include "scripted_provider.hpp"

#include <algorithm>
#include <ostream>
#include <thread>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Link = ScriptedProvider::Link;

constexpr auto kSlow = 1s;  // the one wait of each row

struct Case {
    const char* name;
    ScriptedProvider::Script script;
    std::string backend = "";  // more of its spec
    bool streamed = false;
    bool has_other = false;  // another entry, whose provider is quick
};

void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }

void answer(Link& link) {
    const std::string body = json_answer().body;
    link.write(head_of(200, body.size()) + body);
    link.wait_until_gone();
}

// In two halves, with the wait between them.
void answer_by_halves(Link& link, const std::string& body) {
    link.read_request();
    link.write(head_of(200, body.size()) + body.substr(0, body.size() / 2));
    link.pause(kSlow);
    link.write(body.substr(body.size() / 2));
    link.wait_until_gone();
}

// Of each request that took its time, less than half was ours: a busy machine may take some.
void expect_own_part_to_be_small(const Gateway& gateway, std::size_t lines = 1) {
    const auto count = [](const std::string& text) {
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    };
    ASSERT_TRUE(eventually([&] { return count(gateway.access_log()) >= lines; }));
    std::string log = gateway.access_log();
    while (!log.empty()) {
        const std::string line = log.substr(0, log.find('\n'));
        log.erase(0, line.size() + 1);
        const double duration = std::stod(json_at(line, "duration_ms"));
        EXPECT_GE(duration, 900) << "its wait is what this is about";
        EXPECT_LT(std::stod(json_at(line, "overhead_us")) / 1000, duration / 2) << line;
    }
}

class OwnTimeProviderTest : public testing::TestWithParam<Case> {};

TEST_P(OwnTimeProviderTest, TakesItsOwn) {
    const Case& row = GetParam();
    const ScriptedProvider provider(row.script);
    const FaultyProvider other;
    GatewayOptions options;
    options.workers = 1;
    options.backends = {provider.backend(row.backend), other.backend()};
    options.production = {{"a", 0}};
    if (row.has_other) options.production.push_back({"b", 1});
    options.process = "timeouts: {log_flush: 20ms, stream_head_patience: 60s}\n";
    const Gateway gateway(options);
    const Response response = ask(gateway, chat(row.streamed ? kStreamed : "{}"));
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_TRUE(response.whole());
    expect_own_part_to_be_small(gateway);
}

INSTANTIATE_TEST_SUITE_P(
    All, OwnTimeProviderTest,
    testing::Values(Case{"SlowHead",
                         [](Link& link) {
                             link.read_request();
                             link.pause(kSlow);
                             answer(link);
                         }},
                    Case{"HeldPieceByPiece",
                         [](Link& link) { answer_by_halves(link, json_answer().body); }},
                    Case{"RelayedPieceByPiece",
                         [](Link& link) { answer_by_halves(link, json_answer(200'000).body); }},
                    Case{"StreamThatThinks",
                         [](Link& link) {
                             link.read_request();
                             link.write(kStreamHead);
                             link.pause(kSlow);
                             link.write(chunk_of(recorded_stream()) + "0\r\n\r\n");
                             link.wait_until_gone();
                         },
                         "", true},
                    Case{"StreamInPieces",
                         [](Link& link) {
                             link.read_request();
                             link.write(kStreamHead + chunk_of(recorded_stream()));
                             link.pause(kSlow);
                             link.write("0\r\n\r\n");
                             link.wait_until_gone();
                         },
                         "", true},
                    Case{"Failover",
                         [](Link& link) {
                             link.read_request();
                             link.pause(kSlow);
                             link.write(head_of(503, 0));
                             link.wait_until_gone();
                         },
                         "", false, true}),
    [](const auto& test) { return std::string(test.param.name); });

// A place among the Backend's connections has to be waited for until the one before is through.
TEST(OwnTimeTest, IsNotTheWaitForAPlace) {
    const ScriptedProvider provider([](Link& link) {
        while (!link.read_request().empty()) {
            link.pause(kSlow);
            const std::string body = json_answer().body;
            link.write(head_of(200, body.size()) + body);
        }
    });
    GatewayOptions options;
    options.workers = 1;
    options.backends = {provider.backend("  circuitBreaker: {maxConnections: 1}\n")};
    options.production = {{"a"}};
    options.process = "timeouts: {log_flush: 20ms, connect: 30s}\n";
    const Gateway gateway(options);
    in_parallel(2, [&](std::size_t) { EXPECT_EQ(ask(gateway).status, 200U); });
    expect_own_part_to_be_small(gateway, 2);
}

TEST(OwnTimeTest, IsNotTheWaitBetweenTriesAtTheSameBackend) {
    std::atomic<int> asked{0};
    const ScriptedProvider provider([&](Link& link) {
        while (!link.read_request().empty()) {
            link.write(++asked == 1 ? head_of(503, 0) : head_of(200, 2) + "{}");
        }
    });
    GatewayOptions options;
    options.workers = 1;
    options.backends = {
        provider.backend("  retry: {count: 1, baseIntervalMillis: 1000, statusCodes: [503]}\n")};
    options.production = {{"a"}};
    options.process = "timeouts: {log_flush: 20ms}\n";
    const Gateway gateway(options);
    Request request = chat("");
    request.method = "GET";
    request.target = "/chat/1.0/models";
    EXPECT_EQ(ask(gateway, request).status, 200U);
    EXPECT_EQ(asked, 2);
    expect_own_part_to_be_small(gateway);
}

TEST(OwnTimeTest, IsNotTheClients) {
    const std::string large = json_answer(std::size_t{8} << 20).body;
    const ScriptedProvider provider([&](Link& link) {
        link.read_request();
        link.write(head_of(200, large.size()) + large);
        link.wait_until_gone();
    });
    GatewayOptions options;
    options.workers = 1;
    options.plaintext = true;
    options.backends = {provider.backend()};
    options.production = {{"a"}};
    options.process = "timeouts: {log_flush: 20ms}\n";
    const Gateway gateway(options);
    ClientOptions to = gateway.client();
    to.tls = false;
    to.receive_buffer = 4096;
    TestClient client(to);
    const std::string request = chat().bytes();
    // It is slow to send, and slower to read.
    client.send(std::string_view(request).substr(0, request.size() - 5));
    EXPECT_FALSE(client.has_unread_bytes(kSlow)) << "it has not asked yet";
    client.send(std::string_view(request).substr(request.size() - 5));
    ASSERT_EQ(client.read_head().status, 200U);
    std::this_thread::sleep_for(2 * kSlow);  // the client's own slowness
    const int hurry = 1 << 20;
    ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &hurry, sizeof hurry);
    std::size_t size = 0;
    while (const auto piece = client.read_body_piece()) size += piece->size();
    EXPECT_EQ(size, large.size());
    expect_own_part_to_be_small(gateway);
}

}  // namespace
}  // namespace rotary::test
