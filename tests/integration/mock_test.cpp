// What `rotary mock` answers when nothing goes wrong. How it speaks HTTP: mock_http_test.cpp; its
// faults: mock_fault_test.cpp.
#include <integration/mock_fixture.hpp>
#include <support/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rotary::test {
namespace {

using mock::MockOptions;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<Event> read_events(TestClient& client) {
    std::vector<Event> events;
    while (auto event = client.read_event()) events.push_back(*event);
    return events;
}

TEST_F(MockTest, AnswersAChatAsOpenAiDoes) {
    MockOptions options;
    options.tokens = 3;
    start(options);
    const Response answer = chat(kChat);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.ending, Ending::framed);
    EXPECT_EQ(answer.header("content-type"), "application/json");
    EXPECT_THAT(std::string(answer.header("x-request-id")), StartsWith("req_"));
    EXPECT_EQ(json_at(answer.body, "object"), "chat.completion");
    EXPECT_THAT(json_at(answer.body, "id"), StartsWith("chatcmpl-"));
    EXPECT_EQ(json_at(answer.body, "model"), "gpt-4o");
    EXPECT_EQ(json_at(answer.body, "choices.0.message.role"), "assistant");
    EXPECT_EQ(json_at(answer.body, "choices.0.message.content"), "The wheel turns");
    EXPECT_EQ(json_at(answer.body, "choices.0.finish_reason"), "stop");
    EXPECT_EQ(json_at(answer.body, "usage.prompt_tokens"), "3");
    EXPECT_EQ(json_at(answer.body, "usage.completion_tokens"), "3");
    EXPECT_EQ(json_at(answer.body, "usage.total_tokens"), "6");
}

TEST_F(MockTest, ServesAnyPrefixAndItsModels) {
    MockOptions options;
    options.models = {"gpt-4o", "o1-mini"};
    start(options);
    struct Row {
        const char* name;
        Request request;
        unsigned status;
    };
    const Row rows[] = {
        {"no prefix", {"POST", "/chat/completions", {}, kChat}, 200},
        {"deep prefix", {"POST", "/a/b/v1/chat/completions", {}, kChat}, 200},
        {"query", {"POST", "/v1/chat/completions?api-version=1", {}, kChat}, 200},
        {"models", {"GET", "/openai/models", {}, ""}, 200},
        {"elsewhere", {"GET", "/v1/images", {}, ""}, 404},
        {"wrong method", {"GET", "/v1/chat/completions", {}, ""}, 405},
        {"no JSON", {"POST", "/v1/chat/completions", {}, "{"}, 400},
        {"no model", {"POST", "/v1/chat/completions", {}, "{}"}, 400},
        {"model is a number", {"POST", "/v1/chat/completions", {}, R"({"model":4})"}, 400},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(fetch(to(), row.request).status, row.status);
    }
    const Response models = get("/v1/models");
    EXPECT_EQ(json_size(models.body, "data"), 2U);
    EXPECT_EQ(json_at(models.body, "data.1.id"), "o1-mini");

    const Response unknown = chat_with_model("gpt-5");
    EXPECT_EQ(unknown.status, 400U);
    EXPECT_EQ(json_at(unknown.body, "error.code"), "model_not_found");
    EXPECT_EQ(json_at(unknown.body, "error.param"), "null");
    EXPECT_THAT(json_at(unknown.body, "error.message"), HasSubstr("`gpt-5` does not exist"));
}

TEST_F(MockTest, StreamsChunksEachOnItsOwn) {
    MockOptions options;
    options.tokens = 2;
    options.chunk_interval = 20ms;
    start(options);
    TestClient client(to());
    client.send(Request{"POST", "/v1/chat/completions", {}, R"({"model":"m","stream":true})"});
    const ResponseHead head = client.read_head();
    EXPECT_EQ(head.header("content-type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(head.header("transfer-encoding"), "chunked");
    const std::vector<Event> events = read_events(client);
    EXPECT_EQ(client.ending(), Ending::framed);
    ASSERT_EQ(events.size(), 5U);  // role, two words, finish, [DONE]
    EXPECT_EQ(json_at(events[0].data(), "object"), "chat.completion.chunk");
    EXPECT_EQ(json_at(events[0].data(), "choices.0.delta.role"), "assistant");
    EXPECT_EQ(json_at(events[1].data(), "choices.0.delta.content"), "The");
    EXPECT_EQ(json_at(events[2].data(), "choices.0.delta.content"), " wheel");
    EXPECT_EQ(json_at(events[2].data(), "choices.0.finish_reason"), "null");
    EXPECT_EQ(json_at(events[3].data(), "choices.0.finish_reason"), "stop");
    EXPECT_EQ(json_at(events[3].data(), "usage"), "<missing>");
    EXPECT_EQ(events[4].text, "data: [DONE]");
    EXPECT_EQ(json_at(events[0].data(), "id"), json_at(events[3].data(), "id"));
    // Had they come in one piece, they would have come at one time.
    EXPECT_GE(events[4].arrived_at - events[0].arrived_at, 40ms);
}

TEST_F(MockTest, SendsUsageInAStreamOnlyWhenAsked) {
    start();
    struct Row {
        const char* name;
        const char* stream_options;
        bool usage;
    };
    const Row rows[] = {
        {"asked", R"(,"stream_options":{"include_usage":true})", true},
        {"refused", R"(,"stream_options":{"include_usage":false})", false},
        {"null", R"(,"stream_options":null)", false},
        {"absent", "", false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        TestClient client(to());
        client.send(
            Request{"POST",
                    "/chat/completions",
                    {},
                    std::string(R"({"model":"m","stream":true)") + row.stream_options + "}"});
        client.read_head();
        const std::vector<Event> events = read_events(client);
        ASSERT_GT(events.size(), 3U);
        const std::string_view last = events[events.size() - 2].data();
        EXPECT_EQ(json_at(last, "choices"), row.usage ? "[0]" : "[1]");
        EXPECT_EQ(json_at(last, "usage.completion_tokens"), row.usage ? "16" : "<missing>");
        EXPECT_EQ(json_at(events[0].data(), "usage"), row.usage ? "null" : "<missing>");
        EXPECT_EQ(events.back().text, "data: [DONE]");
    }
}

TEST_F(MockTest, QuotaIsExactAndItsWindowEnds) {
    MockOptions options;
    options.quotas = {{"gpt-4o", 3, 300ms}};
    options.retry_after_ms = true;
    start(options);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(chat(kChat).status, 200U) << i;
    const Response refused = chat(kChat);
    ASSERT_EQ(refused.status, 429U);
    EXPECT_EQ(json_at(refused.body, "error.type"), "requests");
    EXPECT_EQ(json_at(refused.body, "error.code"), "rate_limit_exceeded");
    EXPECT_EQ(refused.header("retry-after"), "1");
    EXPECT_EQ(refused.header("x-ratelimit-limit-requests"), "3");
    EXPECT_EQ(refused.header("x-ratelimit-remaining-requests"), "0");
    const std::string reset(refused.header("x-ratelimit-reset-requests"));
    EXPECT_EQ(reset, std::string(refused.header("retry-after-ms")) + "ms");
    EXPECT_LE(std::stoi(reset), 300);
    EXPECT_EQ(chat_with_model("gpt-4o-mini").status, 200U) << "another model has no quota";

    unsigned status = 429;
    while (status == 429) status = chat(kChat).status;
    EXPECT_EQ(status, 200U);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
}

TEST_F(MockTest, TellsWhatRemainsOnlyWhenToldTo) {
    for (const bool told : {false, true}) {
        SCOPED_TRACE(told);
        MockOptions options;
        options.quotas = {{"gpt-4o", 2, 90min}};
        options.ratelimit_headers = told;
        start(options);
        const Response first = chat(kChat);
        const Response second = chat(kChat);
        EXPECT_EQ(first.header("x-ratelimit-remaining-requests"), told ? "1" : "");
        EXPECT_EQ(second.header("x-ratelimit-remaining-requests"), told ? "0" : "");
        EXPECT_EQ(first.header("x-ratelimit-reset-requests"), told ? "1h30m0s" : "");
        EXPECT_EQ(chat(kChat).header("retry-after"), "5400");
    }
}

TEST_F(MockTest, FailRateIsExact) {
    MockOptions options;
    options.fail_rates = {{503, 0.1}, {500, 0.25}};
    start(options);
    TestClient client(to());
    std::map<unsigned, int> seen;
    for (int i = 0; i < 200; ++i) {
        ++seen[client.exchange({"POST", "/chat/completions", {}, kChat}).status];
    }
    EXPECT_EQ(seen[503], 20);
    EXPECT_EQ(seen[500], 50);
    EXPECT_EQ(seen[200], 130);
    const Response models = client.exchange({"GET", "/models", {}, ""});
    EXPECT_EQ(models.status, 200U);
}

TEST_F(MockTest, RequiresItsKeyExactly) {
    MockOptions options;
    options.require_key = "Bearer sk-test";
    start(options);
    struct Row {
        const char* name;
        std::vector<std::pair<std::string, std::string>> headers;
        unsigned status;
    };
    const Row rows[] = {
        {"right", {{"authorization", "Bearer sk-test"}}, 200},
        {"none", {}, 401},
        {"another", {{"authorization", "Bearer sk-tesT"}}, 401},
        {"longer", {{"authorization", "Bearer sk-test2"}}, 401},
        {"other header", {{"x-api-key", "Bearer sk-test"}}, 401},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Response answer = fetch(to(), {"POST", "/chat/completions", row.headers, kChat});
        EXPECT_EQ(answer.status, row.status);
        EXPECT_EQ(json_at(answer.body, "error.code"),
                  row.status == 401 ? "invalid_api_key" : "<missing>");
    }
    EXPECT_EQ(provider->request_count(), 5U) << "refused ones are recorded too";
}

TEST_F(MockTest, AnswersNameTheModelWithItsSuffix) {
    MockOptions options;
    options.suffix = "-2024-07-18";
    options.models = {"gpt-4o-mini"};
    start(options);
    EXPECT_EQ(json_at(chat_with_model("gpt-4o-mini").body, "model"), "gpt-4o-mini-2024-07-18");
    EXPECT_EQ(chat_with_model("gpt-4o-mini-2024-07-18").status, 400U);
}

TEST_F(MockTest, WaitsItsLatency) {
    MockOptions options;
    options.latency = 60ms;
    start(options);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(chat(kChat).status, 200U);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms);
}

}  // namespace
}  // namespace rotary::test
