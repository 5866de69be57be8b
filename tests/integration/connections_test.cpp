#include "quick_client.hpp"
#include "served.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// As many clients as limits.connections allows, and then one more: the longest idle one makes room.
namespace rotary::test {
namespace {

const std::string kByLimit = "rotary_connections_refused_total{reason=\"limit\"}";
const std::string kByDescriptors = "rotary_connections_refused_total{reason=\"descriptors\"}";
const std::string kEvicted = "rotary_connections_evicted_total";

GatewayOptions with_limit(std::size_t connections, unsigned workers = 3) {
    GatewayOptions options =
        with_process("watch: false\nlimits: {connections: " + std::to_string(connections) + "}\n");
    options.workers = workers;
    return options;
}

// Streams that last for as long as a test may.
mock::MockOptions endless_streams() {
    mock::MockOptions options;
    options.tokens = 10'000;
    options.chunk_interval = 20ms;
    return options;
}

TestClient start_stream(const Gateway& gateway) {
    TestClient client = gateway.connect();
    EXPECT_TRUE(client.send(chat(R"({"stream":true,"messages":[]})")));
    EXPECT_EQ(client.read_head().status, 200U);
    return client;
}

TestClient served_once(const Gateway& gateway) {
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat()).status, 200U);
    return client;
}

bool wait_for_connections(const Gateway& gateway, double count) {
    return eventually([&] { return gateway.metric("rotary_client_connections") == count; });
}

// The series are there from the start, so that an alert on them can be tried.
TEST(Connections, TheLimitIsExactOverAllWorkersThatAreBusy) {
    Edge edge(with_limit(5), endless_streams());
    EXPECT_THAT(edge.gateway.admin("/metrics"),
                testing::AllOf(testing::HasSubstr(kByLimit + " 0\n"),
                               testing::HasSubstr(kByDescriptors + " 0\n"),
                               testing::HasSubstr(kEvicted + " 0\n")));
    std::vector<TestClient> busy;
    for (int i = 0; i < 5; ++i) busy.push_back(start_stream(edge.gateway));
    for (std::size_t round = 0; round < 3; ++round) {
        const double before = edge.gateway.metric(kByLimit);
        for (int i = 0; i < 3; ++i) EXPECT_THROW(edge.gateway.connect(), ClientError) << i;
        EXPECT_EQ(edge.gateway.metric(kByLimit), before + 3);
        busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(round));
        ASSERT_TRUE(wait_for_connections(edge.gateway, 4));
        busy.push_back(start_stream(edge.gateway));
    }
    for (TestClient& client : busy) EXPECT_TRUE(client.read_event().has_value());
    EXPECT_EQ(edge.gateway.metric(kByDescriptors), 0);
    EXPECT_EQ(edge.gateway.metric(kEvicted), 0) << "what is in progress is not cut";
}

TEST(Connections, TheLongestIdleOneMakesRoom) {
    Edge edge(with_limit(4), endless_streams());
    TestClient busy = start_stream(edge.gateway);
    std::vector<TestClient> idle;
    for (int i = 0; i < 3; ++i) idle.push_back(served_once(edge.gateway));
    EXPECT_EQ(idle[1].exchange(chat()).status, 200U);

    for (const std::size_t next : {0U, 2U, 1U, 3U, 4U}) {
        SCOPED_TRACE(next);
        const double before = edge.gateway.metric(kEvicted);
        idle.push_back(served_once(edge.gateway));
        EXPECT_EQ(edge.gateway.metric(kEvicted), before + 1);
        EXPECT_EQ(idle[next].wait_for_end(kPatience), ReadEnd::close_notify);
        idle[next].close();
        EXPECT_TRUE(wait_for_connections(edge.gateway, 4));
        EXPECT_TRUE(busy.read_event().has_value()) << "it is older than all";
    }
    EXPECT_EQ(edge.gateway.metric(kByLimit), 0);
    for (const std::size_t left : {5U, 6U, 7U}) EXPECT_EQ(idle[left].exchange(chat()).status, 200U);
}

TEST(Connections, SilentOnesKeepNoClientOut) {
    constexpr std::size_t kLimit = 20;
    for (const bool plaintext : {false, true}) {
        SCOPED_TRACE(plaintext);
        GatewayOptions options = with_limit(kLimit, 2);
        options.plaintext = plaintext;
        Edge edge(options);
        ClientOptions client = edge.gateway.client();
        client.tls = !plaintext;
        std::vector<QuickClient> silent;
        for (int round = 0; round < 10; ++round) {
            for (std::size_t i = 0; i < kLimit / 2; ++i) silent.emplace_back(edge.gateway.port());
            EXPECT_EQ(fetch(client, chat()).status, 200U) << round;
        }
        const auto inside = [&] {
            return std::count_if(silent.begin(), silent.end(),
                                 [](const QuickClient& one) { return !one.ended(); });
        };
        EXPECT_TRUE(eventually([&] { return inside() <= static_cast<long>(kLimit); })) << inside();
        EXPECT_FALSE(silent.back().ended()) << "the newest is the last to go";
        EXPECT_TRUE(silent.front().ended());
    }
}

// One that comes while a worker looks for room waits: many at once are all served.
TEST(Connections, ManyWhoComeAtOnceFindRoomOneAfterTheOther) {
    Edge edge(with_limit(8));
    std::vector<TestClient> idle;
    for (int i = 0; i < 8; ++i) idle.push_back(served_once(edge.gateway));
    std::vector<QuickClient> come(8);
    for (QuickClient& client : come) ASSERT_TRUE(client.connect(edge.gateway.port()));
    for (QuickClient& client : come) {
        ASSERT_TRUE(client.handshake());
        EXPECT_EQ(client.status_of(chat().bytes()), 200U);
    }
    for (TestClient& client : idle)
        EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
    EXPECT_EQ(edge.gateway.metric(kEvicted), 8);
    EXPECT_EQ(edge.gateway.metric(kByLimit), 0);
}

TEST(Connections, TheLimitChangesWithAReloadAndEndsNoConnection) {
    Edge edge(with_limit(2), endless_streams());
    const auto change_to = [&edge](std::size_t connections) {
        edge.gateway.files().write(in_front_of(*edge.mock, with_limit(connections)));
        return edge.gateway.server().reload().ok;
    };
    TestClient first = start_stream(edge.gateway);
    TestClient second = start_stream(edge.gateway);
    EXPECT_THROW(edge.gateway.connect(), ClientError);
    ASSERT_TRUE(change_to(1));
    EXPECT_TRUE(first.read_event().has_value());
    EXPECT_TRUE(second.read_event().has_value());
    first.close();
    ASSERT_TRUE(wait_for_connections(edge.gateway, 1));
    EXPECT_THROW(edge.gateway.connect(), ClientError);
    ASSERT_TRUE(change_to(3));
    TestClient third = served_once(edge.gateway);
    EXPECT_TRUE(second.read_event().has_value());
    EXPECT_EQ(third.exchange(chat()).status, 200U);
}

// A flood of them does not fill the log.
TEST(Connections, MakingRoomAndRefusingAreLoggedOnceASecond) {
    const auto mock = start_mock(endless_streams());
    Served::Options options;
    options.gateway = with_limit(1, 1);
    Served served(*mock, options);
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) {
        const QuickClient silent(served.port());
        TestClient client(served.client());
        EXPECT_EQ(client.exchange(chat()).status, 200U);
    }
    TestClient busy(served.client());
    ASSERT_TRUE(busy.send(chat(R"({"stream":true,"messages":[]})")));
    ASSERT_EQ(busy.read_head().status, 200U);
    for (int i = 0; i < 20; ++i) EXPECT_THROW(TestClient(served.client()), ClientError);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun)
            .count();
    for (const char* const line : {"the longest idle connection was closed",
                                   "a connection was refused: limits.connections is reached"}) {
        EXPECT_TRUE(served.process().wait_for_errors(line, kPatience));
        const std::string log = served.process().errors();
        long count = 0;
        for (std::size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1))
            ++count;
        EXPECT_LE(count, seconds + 1) << line;
    }
}

}  // namespace
}  // namespace rotary::test
