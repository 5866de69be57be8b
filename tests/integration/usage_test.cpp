// What the path makes of a provider's usage: asked for, kept from the client, told in the log.
#include "gateway_fixture.hpp"

#include <support/test_client.hpp>

#include <fstream>
#include <iterator>
#include <sstream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using mock::MockFault;

constexpr const char* kStream =
    R"({"model":"x","stream":true,"messages":[{"role":"user","content":"0123456789abc"}]})";
constexpr const char* kModel = R"("model":"gpt-4o",)";
constexpr const char* kAsk = R"("stream_options":{"include_usage":true},)";
const mock::HeaderList kEventStream{{"content-type", "text/event-stream"}};

GatewayOptions counting(const mock::MockProvider& mock, const std::string& streams) {
    GatewayOptions options = rotating(mock, {{"gpt-4o"}});
    options.workers = 1;
    options.process = "timeouts: {log_flush: 20ms}\nusage: {streams: " + streams + "}\n";
    return options;
}

std::string recording(const std::string& name) {
    std::ifstream file(std::string(ROTARY_SOURCE_DIR) + "/tests/data/usage/" + name,
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The recording of OpenAI's chat, and the same without the event that was asked for.
std::string asked_stream() { return recording("openai_chat.sse"); }
std::string without_usage() {
    std::string stream = asked_stream();
    const std::size_t at = stream.find("\"choices\":[]");
    const std::size_t begin = stream.rfind("\n\n", at) + 2;
    stream.erase(begin, stream.find("\n\n", at) + 2 - begin);
    return stream;
}

// The part of the log's line for the answer that tells of its usage.
std::string usage_of(const Gateway& gateway, std::string_view request_id) {
    std::string found;
    EXPECT_TRUE(eventually([&] {
        std::istringstream lines(gateway.access_log());
        for (std::string line; std::getline(lines, line);) {
            if (line.find(request_id) != std::string::npos) found = line;
        }
        return !found.empty();
    }));
    const std::size_t attempts = found.find("\"attempts\":");
    const std::size_t begin = found.find(',', attempts) + 1;
    return found.substr(begin, found.find(",\"reused_connection", begin) - begin);
}
std::string usage_of(const Gateway& gateway, const Response& response) {
    return usage_of(gateway, response.header("x-rotary-request-id"));
}

constexpr const char* kTold =
    R"("input_tokens":1117,"output_tokens":46,"cached_tokens":1024,"reasoning_tokens":30,)"
    R"("usage":"told")";

TEST(UsageTest, WithNothingToCountEveryByteIsTheClients) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, kEventStream, asked_stream());
    const Gateway gateway(counting(*mock, "auto"));
    TestClient client = gateway.connect();
    const Response response = client.exchange(chat(kStream));
    EXPECT_EQ(response.body, asked_stream());
    EXPECT_EQ(usage_of(gateway, response), kTold);
    std::string sent = kStream;
    sent.replace(sent.find(R"("model":"x",)"), 12, kModel);
    EXPECT_EQ(mock->requests().at(0).body, sent);
    EXPECT_EQ(mock->requests().at(0).header("accept-encoding"), "identity");
}

TEST(UsageTest, AStreamThatIsAskedLosesTheOneEvent) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, kEventStream, asked_stream());
    const Gateway gateway(counting(*mock, "ask"));
    TestClient client = gateway.connect();
    const Response response = client.exchange(chat(kStream));
    EXPECT_EQ(response.body, without_usage());
    EXPECT_EQ(usage_of(gateway, response), kTold);
    std::string sent = kStream;
    sent.replace(sent.find(R"("model":"x",)"), 12, kModel);
    sent.insert(1, kAsk);
    EXPECT_EQ(mock->requests().at(0).body, sent);
}

TEST(UsageTest, AClientThatAsksGetsWhatItAskedFor) {
    const auto mock = start_mock();
    const Gateway gateway(counting(*mock, "ask"));
    TestClient client = gateway.connect();
    std::string asking = kStream;
    asking.insert(1, kAsk);
    const Response response = client.exchange(chat(asking));
    EXPECT_NE(response.body.find("\"choices\":[],\"usage\":{"), std::string::npos);
    EXPECT_EQ(usage_of(gateway, response), R"("input_tokens":4,"output_tokens":16,"usage":"told")");
    // Of one that does not, the mock's whole story but that event.
    const Response other = client.exchange(chat(kStream));
    EXPECT_EQ(other.body.find("\"choices\":[]"), std::string::npos);
    EXPECT_TRUE(other.body.ends_with("data: [DONE]\n\n"));
    EXPECT_EQ(usage_of(gateway, other), R"("input_tokens":4,"output_tokens":16,"usage":"told")");
}

TEST(UsageTest, ABackendThatDoesNotKnowTheFieldIsAskedOnce) {
    for (const unsigned status : {400U, 422U}) {
        SCOPED_TRACE(status);
        const auto mock = start_mock();
        mock->set_fault("*",
                        MockFault::canned(status, {{"content-type", "application/json"}},
                                          R"({"error":{"message":"stream_options: unknown"}})"),
                        1);
        const Gateway gateway(counting(*mock, "ask"));
        TestClient client = gateway.connect();
        const Response response = client.exchange(chat(kStream));
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
        EXPECT_EQ(client.exchange(chat(kStream)).status, 200U);
        ASSERT_EQ(mock->request_count(), 3U);
        EXPECT_NE(mock->requests().at(0).body.find(kAsk), std::string::npos);
        EXPECT_EQ(mock->requests().at(1).body.find(kAsk), std::string::npos);
        EXPECT_EQ(mock->requests().at(2).body.find(kAsk), std::string::npos);
        EXPECT_NE(usage_of(gateway, response).find("\"usage\":\"estimated\""), std::string::npos);
    }
}

// What is wrong with the client's own request is its own to hear.
TEST(UsageTest, AnotherRefusalIsTheClients) {
    const auto mock = start_mock();
    const std::string refusal = R"({"error":{"message":"messages: too few"}})";
    mock->respond_with("*", 400, {{"content-type", "application/json"}}, refusal);
    const Gateway gateway(counting(*mock, "ask"));
    TestClient client = gateway.connect();
    const Response response = client.exchange(chat(kStream));
    EXPECT_EQ(response.status, 400U);
    EXPECT_EQ(response.body, refusal);
    EXPECT_EQ(mock->request_count(), 1U);
    EXPECT_EQ(usage_of(gateway, response), R"("usage":"none")");
}

TEST(UsageTest, EveryVendorsAnswerIsToldInTheLog) {
    struct Row {
        const char* file;
        const char* type;
        const char* expected;
    };
    const std::vector<Row> rows{
        {"openai_chat.json", "application/json", kTold},
        {"openai_chat_silent.sse", "text/event-stream",
         R"("input_tokens":8,"output_tokens":6,"usage":"estimated")"},
        {"anthropic_messages.sse", "text/event-stream",
         R"("input_tokens":1125,"output_tokens":15,"cached_tokens":1000,)"
         R"("cache_write_tokens":100,"usage":"told")"},
        {"gemini_generate.sse", "text/event-stream; charset=utf-8",
         R"("input_tokens":1276,"output_tokens":224,"cached_tokens":1000,)"
         R"("reasoning_tokens":200,"usage":"told")"},
        {"bedrock_converse.json", "application/json; charset=utf-8",
         R"("input_tokens":2403,"output_tokens":9,"cache_write_tokens":2387,"usage":"told")"},
        {"ollama_chat.ndjson", "application/x-ndjson",
         R"("input_tokens":26,"output_tokens":282,"usage":"told")"},
    };
    const auto mock = start_mock();
    const Gateway gateway(counting(*mock, "observe"));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.file);
        const std::string answer = recording(row.file);
        mock->respond_with("*", 200, {{"content-type", row.type}}, answer);
        const Response response = client.exchange(chat(kStream));
        EXPECT_EQ(response.body, answer);
        EXPECT_EQ(usage_of(gateway, response), row.expected);
    }
}

// What came until then is what there is.
TEST(UsageTest, AStreamThatBreaksIsEstimatedOnce) {
    const auto mock = start_mock();
    const Gateway gateway(counting(*mock, "ask"));
    mock->set_fault("*", MockFault::close_after(3000));
    TestClient client = gateway.connect();
    const Response response = client.exchange(chat(kStream));
    EXPECT_NE(response.body.find("upstream_stream_interrupted"), std::string::npos);
    const std::string usage = usage_of(gateway, response);
    EXPECT_TRUE(usage.starts_with("\"input_tokens\":8,\"output_tokens\":")) << usage;
    EXPECT_TRUE(usage.ends_with("\"usage\":\"estimated\"")) << usage;
    EXPECT_EQ(usage.find("\"output_tokens\":0"), std::string::npos) << usage;
}

TEST(UsageTest, AClientThatLeavesBeforeTheFirstByteHasAsked) {
    const auto mock = start_mock();
    const Gateway gateway(counting(*mock, "ask"));
    mock->set_fault("*", MockFault::stall());
    {
        TestClient client = gateway.connect();
        ASSERT_TRUE(client.send(chat(kStream)));
        ASSERT_TRUE(mock->wait_for_requests(1, 10s));
    }
    EXPECT_EQ(usage_of(gateway, "\"response_code\":499"),
              R"("input_tokens":8,"output_tokens":0,"usage":"estimated")");
}

TEST(UsageTest, MetricsTellTheSameAsTheLog) {
    const auto mock = start_mock();
    const Gateway gateway(counting(*mock, "ask"));
    TestClient client = gateway.connect();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.exchange(chat(kStream)).status, 200U);
    const auto tokens = [&](const std::string& type) {
        return sum_of(gateway.admin("/metrics"), "rotary_tokens_total", "type=\"" + type + '"');
    };
    EXPECT_TRUE(eventually([&] { return tokens("output") == 48.0; })) << tokens("output");
    EXPECT_EQ(tokens("input"), 12.0);
    EXPECT_EQ(tokens("reasoning"), 0.0);
    EXPECT_TRUE(eventually(
        [&] { return gateway.metric(R"(rotary_usage_source_total{source="told"})") == 3.0; }));
}

}  // namespace
}  // namespace rotary::test
