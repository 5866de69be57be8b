// Answers that come piece by piece, and ends that come too early, from either side.
#include "gateway_fixture.hpp"
#include "raw_provider.hpp"

#include <support/system_figures.hpp>

#include <algorithm>

namespace rotary::test {
namespace {

using mock::MockFault;
using mock::MockOptions;
using namespace std::chrono_literals;

constexpr const char* kStream = R"({"model":"x","stream":true})";

MockOptions streaming(unsigned tokens, std::chrono::nanoseconds interval) {
    MockOptions options;
    options.tokens = tokens;
    options.chunk_interval = interval;
    return options;
}

std::vector<Event> read_events(TestClient& client) {
    std::vector<Event> events;
    while (auto event = client.read_event()) events.push_back(std::move(*event));
    return events;
}

TEST(StreamingTest, EventsArriveOneByOne) {
    const auto mock = start_mock(streaming(97, 20ms));
    const Gateway gateway(rotating(*mock, {{"a"}}));
    TestClient client = gateway.connect();
    ASSERT_TRUE(client.send(chat(kStream)));
    const ResponseHead head = client.read_head();
    EXPECT_EQ(head.status, 200U);
    EXPECT_TRUE(head.header("content-type").starts_with("text/event-stream"));
    EXPECT_EQ(head.header("cache-control"), "no-cache");
    const std::vector<Event> events = read_events(client);
    ASSERT_EQ(events.size(), 100U);
    EXPECT_EQ(events.back().data(), "[DONE]");
    EXPECT_EQ(client.ending(), Ending::framed);
    std::size_t together = 0;
    for (std::size_t i = 1; i < events.size(); ++i) {
        if (events[i].arrived_at - events[i - 1].arrived_at < 5ms) ++together;
    }
    EXPECT_LE(together, 25U);  // a busy machine may hold some up
    EXPECT_GE(events.back().arrived_at - events.front().arrived_at, 99 * 10ms);
    EXPECT_LT(events.front().arrived_at - mock->requests().at(0).received_at, 1s);
    EXPECT_EQ(client.exchange(chat()).status, 200U);
}

// The bytes of the mock's streamed answer: its head, and where each event's chunk begins.
struct Recorded {
    std::string bytes;
    std::size_t head = 0;
    std::vector<std::size_t> events;  // offsets of their first bytes, in `bytes`
    std::vector<std::size_t> ends;    // behind their empty lines

    explicit Recorded(const mock::MockProvider& mock) {
        ClientOptions to;
        to.port = mock.port();
        to.tls = false;
        TestClient client(to);
        Request request =
            with(chat(R"({"model":"a","stream":true})"), "x-mock-fault", "close-after=1000000");
        request.target = "/v1/chat/completions";
        client.send(request);
        bytes = client.read_to_end();
        head = bytes.find("\r\n\r\n") + 4;
        for (std::size_t at = bytes.find("data: "); at != std::string::npos;
             at = bytes.find("data: ", at + 1)) {
            events.push_back(at);
            ends.push_back(bytes.find("\n\n", at) + 2);
        }
    }
};

// Ids differ from answer to answer, lengths do not.
TEST(StreamingTest, NoEventWaitsForTheNext) {
    const auto mock = start_mock(streaming(6, 0ns));
    const Recorded recorded(*mock);
    const Gateway gateway(rotating(*mock, {{"a"}}));
    for (std::size_t events : {1U, 2U, 5U, 8U}) {
        SCOPED_TRACE(events);
        TestClient client = gateway.connect();
        // Everything up to the end of that event's chunk, and then silence.
        const std::size_t offset = recorded.ends.at(events - 1) + 2;
        client.send(with(chat(kStream), "x-mock-fault", "stall=" + std::to_string(offset)));
        ASSERT_EQ(client.read_head().status, 200U);
        for (std::size_t i = 0; i < events; ++i) {
            const auto event = client.read_event();
            ASSERT_TRUE(event) << i;
            EXPECT_TRUE(event->data().starts_with("{\"id\":"));
        }
    }
}

TEST(StreamingTest, UsageAndOddEventsPassUntouched) {
    MockOptions options = streaming(5, 1ms);
    const auto mock = start_mock(options);
    const Gateway gateway(rotating(*mock, {{"a"}}));
    TestClient client = gateway.connect();
    client.send(chat(R"({"stream":true,"stream_options":{"include_usage":true}})"));
    ASSERT_EQ(client.read_head().status, 200U);
    const std::vector<Event> events = read_events(client);
    ASSERT_EQ(events.size(), 9U);
    EXPECT_EQ(json_at(events[7].data(), "choices"), "[0]");
    EXPECT_EQ(json_at(events[7].data(), "usage.completion_tokens"), "5");
    EXPECT_EQ(json_at(events[6].data(), "usage"), "null");
    EXPECT_EQ(json_at(events[6].data(), "model"), "a");
    EXPECT_EQ(events[8].data(), "[DONE]");

    const std::string odd =
        ": comment\r\n\r\nevent: x\ndata: {\"a\":\ndata:2}\n\n\n\ndata: 1\n\ndata: "
        "{\"usage\":1}\r\r"
        "id: 7\nretry: 5\n\ndata: [DONE]\n\nleft over";
    mock->respond_with("a", 200, {{"content-type", "text/event-stream"}}, odd);
    const Response response = client.exchange(chat(kStream));
    EXPECT_EQ(response.body, odd);
    EXPECT_EQ(response.ending, Ending::framed);
}

TEST(StreamingTest, ManyStreamsRunAtOnce) {
    const auto mock = start_mock(streaming(37, 20ms));
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
    const auto begun = Clock::now();
    in_parallel(50, [&](std::size_t) {
        TestClient client = gateway.connect();
        client.send(chat(kStream));
        ASSERT_EQ(client.read_head().status, 200U);
        const std::vector<Event> events = read_events(client);
        EXPECT_EQ(events.size(), 40U);
        EXPECT_EQ(events.back().data(), "[DONE]");
        EXPECT_EQ(client.ending(), Ending::framed);
    });
    EXPECT_LT(Clock::now() - begun, 50 * 40 * 20ms / 4);
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 25}, {"b", 25}}));
}

TEST(StreamingTest, SlowReaderHoldsTheProviderBackAndGetsItAll) {
    constexpr std::size_t kSize = 64 << 20;
    RawProvider provider({kSize, kSize});
    GatewayOptions options;
    options.backends = {provider.backend()};
    options.production = {{"a"}};
    const Gateway gateway(options);
    ClientOptions to = gateway.client();
    to.receive_buffer = 4096;
    TestClient client(to);
    const std::size_t resident = resident_bytes();
    client.send(chat());
    ASSERT_EQ(client.read_head().status, 200U);
    // Not reading: until the provider has not got rid of a byte for a while.
    std::size_t sent = 0;
    auto since = Clock::now();
    ASSERT_TRUE(eventually(
        [&] {
            if (sent != provider.sent()) {
                sent = provider.sent();
                since = Clock::now();
            }
            return Clock::now() - since > 300ms;
        },
        20s));
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, most_a_kernel_holds("tcp_rmem") + 2 * most_a_kernel_holds("tcp_wmem") +
                        (std::size_t{4} << 20));
    EXPECT_LT(resident_bytes(), resident + (std::size_t{16} << 20));
    std::size_t at = 0;
    while (const auto piece = client.read_body_piece()) {
        ASSERT_TRUE(RawProvider::is_part(*piece, at)) << at;
        at += piece->size();
    }
    EXPECT_EQ(at, kSize);
    EXPECT_EQ(client.ending(), Ending::framed);
}

// What a dead provider has sent is the client's, even when the client reads it much later.
TEST(StreamingTest, SlowReaderGetsAllThatADeadProviderSent) {
    // Less than the read buffer holds would be kept back and refused.
    for (const std::size_t size : {40'000U, 300'000U, 3'000'000U}) {
        SCOPED_TRACE(size);
        RawProvider provider({size + 1, size});
        GatewayOptions options;
        options.backends = {provider.backend()};
        options.production = {{"a"}};
        const Gateway gateway(options);
        ClientOptions to = gateway.client();
        to.receive_buffer = 4096;
        TestClient client(to);
        client.send(chat());
        eventually([&] { return gateway.metric("rotary_requests_in_flight") == 0; }, 300ms);
        ASSERT_EQ(client.read_head().status, 200U);
        std::string body;
        while (const auto piece = client.read_body_piece()) body += *piece;
        EXPECT_EQ(body.size(), size);
        EXPECT_TRUE(RawProvider::is_part(body, 0));
        EXPECT_EQ(client.ending(), Ending::cut);
    }
}

}  // namespace
}  // namespace rotary::test
