// What the mock answers to a request, and in which order it asks: key, fault, path, failure, quota.
#include "mock/answers.hpp"

#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace rotary::mock {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPath = "/v1/chat/completions";

// The members after the braces of {"model":"m"…}.
std::string body_of(const std::string& more = "", const std::string& model = "m") {
    return R"({"model":")" + model + "\"" + (more.empty() ? "" : "," + more) + "}";
}

struct Ask {
    std::string target = kPath;
    std::string body = body_of();
    std::string method = "POST";
    HeaderList headers = {};
};

// A provider without its sockets.
class Mock {
public:
    explicit Mock(MockOptions options = {}) : state(std::move(options)), answers_(state) {}

    Answer operator()(const Ask& ask = {}) {
        auto request = std::make_shared<Captured>();
        request->method = ask.method;
        request->target = ask.target;
        request->headers = ask.headers;
        request->body = ask.body;
        return answers_.answer(request);
    }

    State state;

private:
    Answers answers_;
};

// The string at error.code, "null" or "none".
std::string code_of(const Answer& answer) {
    const auto body = wire::JsonDocument::parse(answer.body);
    const auto error = body ? body->root().find("error") : std::nullopt;
    const auto code = error ? error->find("code") : std::nullopt;
    if (!code) return "none";
    return code->is_null() ? "null" : std::string(code->string().value_or("?"));
}

struct Row {
    const char* name;
    Ask ask;
    unsigned status;
    std::string code = "none";
};

void expect_all(const MockOptions& options, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Answer answer = Mock(options)(row.ask);
        EXPECT_EQ(answer.status, row.status);
        EXPECT_EQ(code_of(answer), row.code);
    }
}

TEST(MockAnswers, WhatIsAChat) {
    expect_all({}, {
                       {"as OpenAI has it", {}, 200},
                       {"without a version", {"/chat/completions"}, 200},
                       {"behind any prefix", {"/a/b/c/chat/completions"}, 200},
                       {"with a query", {"/v1/chat/completions?api-version=2"}, 200},
                       {"a path that only contains it", {"/chat/completions/x"}, 404, "null"},
                       {"another resource", {"/v1/images"}, 404, "null"},
                       {"a query that names it", {"/x?/chat/completions"}, 404, "null"},
                       {"GET", {kPath, "", "GET"}, 405, "method_not_supported"},
                       {"HEAD", {kPath, "", "HEAD"}, 405, "method_not_supported"},
                   });
}

TEST(MockAnswers, WhatIsAListOfModels) {
    expect_all({}, {
                       {"GET", {"/v1/models", "", "GET"}, 200},
                       {"HEAD", {"/v1/models", "", "HEAD"}, 200},
                       {"POST", {"/v1/models"}, 405, "method_not_supported"},
                       {"behind any prefix", {"/x/models", "", "GET"}, 200},
                   });
    EXPECT_THAT(Mock()({"/v1/models"}).header_lines, HasSubstr("allow: GET\r\n"));
    EXPECT_THAT(Mock()({kPath, "", "GET"}).header_lines, HasSubstr("allow: POST\r\n"));
}

TEST(MockAnswers, WhichBodiesItReads) {
    const std::string deep(600, '[');
    expect_all({}, {
                       {"a model is enough", {kPath, R"({"model":"m"})"}, 200},
                       {"an empty model", {kPath, R"({"model":""})"}, 200},
                       {"nothing", {kPath, ""}, 400, "null"},
                       {"no JSON", {kPath, "{"}, 400, "null"},
                       {"no object", {kPath, "[]"}, 400, "null"},
                       {"no model", {kPath, R"({"messages":[]})"}, 400, "null"},
                       {"a model that is a number", {kPath, R"({"model":4})"}, 400, "null"},
                       {"a model that is null", {kPath, R"({"model":null})"}, 400, "null"},
                       {"two models", {kPath, R"({"model":"a","model":"b"})"}, 400, "null"},
                       {"nested too deep", {kPath, body_of(R"("x":)" + deep)}, 400, "null"},
                       {"messages that are none", {kPath, body_of(R"("messages":7)")}, 200},
                   });
}

TEST(MockAnswers, ServesItsModelsAlone) {
    MockOptions options;
    options.models = {"m", "n"};
    expect_all(options, {
                            {"the first", {}, 200},
                            {"the second", {kPath, body_of("", "n")}, 200},
                            {"another", {kPath, body_of("", "o")}, 400, "model_not_found"},
                            {"in capitals", {kPath, body_of("", "M")}, 400, "model_not_found"},
                        });
    EXPECT_EQ(Mock(options)({"/v1/models", "", "GET"}).body,
              R"({"object":"list","data":[)"
              R"({"id":"m","object":"model","created":1721172741,"owned_by":"mock"},)"
              R"({"id":"n","object":"model","created":1721172741,"owned_by":"mock"}]})");
    EXPECT_EQ(Mock()({"/v1/models", "", "GET"}).body, R"({"object":"list","data":[]})");
}

TEST(MockAnswers, TheKeyComesFirst) {
    MockOptions options;
    options.require_key = "Bearer one";
    const HeaderList good = {{"Authorization", "Bearer one"}};
    const HeaderList bad = {{"Authorization", "bearer one"}};
    const HeaderList with_fault = {{"x-mock-fault", "status=503"}};
    expect_all(
        options,
        {
            {"the key", {kPath, body_of(), "POST", good}, 200},
            {"none", {}, 401, "invalid_api_key"},
            {"another", {kPath, body_of(), "POST", bad}, 401, "invalid_api_key"},
            {"none, at a path that is not there", {"/x"}, 401, "invalid_api_key"},
            {"none, with a fault", {kPath, body_of(), "POST", with_fault}, 401, "invalid_api_key"},
        });
}

TEST(MockAnswers, APlainChatIsWhole) {
    MockOptions options;
    options.tokens = 3;
    options.suffix = "-2024";
    Mock mock(options);
    const Answer answer = mock({kPath, body_of(R"("messages":[{"content":"12345"}])")});
    EXPECT_FALSE(answer.stream);
    EXPECT_THAT(answer.header_lines, StartsWith("content-type: application/json\r\n"));
    EXPECT_THAT(answer.body, StartsWith(R"({"id":"chatcmpl-0000000000000001",)"
                                        R"("object":"chat.completion","created":)"));
    EXPECT_THAT(
        answer.body,
        EndsWith(R"(,"model":"m-2024","system_fingerprint":null,"choices":[{"index":0,)"
                 R"("message":{"role":"assistant","content":"The wheel turns","refusal":null},)"
                 R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":2,)"
                 R"("completion_tokens":3,"total_tokens":5,)"
                 R"("prompt_tokens_details":{"cached_tokens":0},)"
                 R"("completion_tokens_details":{"reasoning_tokens":0}}})"));
    EXPECT_TRUE(wire::JsonDocument::parse(answer.body));
    EXPECT_THAT(mock().body, HasSubstr("chatcmpl-0000000000000002"));
}

TEST(MockAnswers, CountsTokensByTheTextOfMessages) {
    const std::pair<const char*, unsigned> rows[] = {
        {R"("messages":[])", 0},
        {R"("messages":[{"role":"user"}])", 0},
        {R"("messages":[{"content":""}])", 0},
        {R"("messages":[{"content":"1"}])", 1},
        {R"("messages":[{"content":"1234"}])", 1},
        {R"("messages":[{"content":"1234"},{"content":"5"}])", 2},
        {R"("messages":[{"content":[{"type":"text","text":"12345678"},{"image_url":"x"}]}])", 2},
        {R"("messages":[{"content":7},{"content":null}])", 0},
        {R"("input":"12345678")", 0},
    };
    for (const auto& [messages, tokens] : rows) {
        const std::string field = "\"prompt_tokens\":" + std::to_string(tokens) + ",";
        EXPECT_THAT(Mock()({kPath, body_of(messages)}).body, HasSubstr(field)) << messages;
    }
}

TEST(MockAnswers, AStreamHasAnEventAWord) {
    MockOptions options;
    options.tokens = 2;
    options.chunk_interval = 20ms;
    options.latency = 5ms;
    const Answer answer = Mock(options)({kPath, body_of(R"("stream":true)")});
    EXPECT_TRUE(answer.stream);
    EXPECT_EQ(answer.interval, 20ms);
    EXPECT_EQ(answer.delay, 5ms);
    EXPECT_THAT(answer.header_lines, StartsWith("content-type: text/event-stream"));
    ASSERT_EQ(answer.events.size(), 5U);
    const char* const ends[] = {
        R"("delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]})",
        R"("delta":{"content":"The"},"logprobs":null,"finish_reason":null}]})",
        R"("delta":{"content":" wheel"},"logprobs":null,"finish_reason":null}]})",
        R"("delta":{},"logprobs":null,"finish_reason":"stop"}]})",
    };
    for (std::size_t i = 0; i < std::size(ends); ++i) {
        EXPECT_THAT(answer.events[i], StartsWith("data: {\"id\":\"chatcmpl-"));
        EXPECT_THAT(answer.events[i], EndsWith(std::string(ends[i]) + "\n\n"));
        const std::string_view event = answer.events[i];
        EXPECT_TRUE(wire::JsonDocument::parse(event.substr(6, event.size() - 8)));
    }
    EXPECT_EQ(answer.events[4], "data: [DONE]\n\n");
}

TEST(MockAnswers, AStreamTellsItsUsageOnlyWhenAsked) {
    const auto events = [](const std::string& more) {
        MockOptions options;
        options.tokens = 1;
        return Mock(options)({kPath, body_of(R"("stream":true)" + more)}).events;
    };
    const auto with = events(R"(,"stream_options":{"include_usage":true})");
    ASSERT_EQ(with.size(), 5U);
    EXPECT_THAT(with[0], EndsWith("],\"usage\":null}\n\n"));
    EXPECT_THAT(with[3], HasSubstr(R"("choices":[],"usage":{"prompt_tokens":0,)"));
    EXPECT_EQ(with[4], "data: [DONE]\n\n");
    for (const char* more : {"", R"(,"stream_options":{"include_usage":false})",
                             R"(,"stream_options":{})", R"(,"stream_options":true)"}) {
        const auto without = events(more);
        EXPECT_EQ(without.size(), 4U) << more;
        EXPECT_THAT(without[0], Not(HasSubstr("usage"))) << more;
    }
}

TEST(MockAnswers, OnlyTrueMakesAStream) {
    const std::pair<const char*, bool> rows[] = {
        {R"("stream":true)", true},    {R"("stream":false)", false}, {R"("stream":1)", false},
        {R"("stream":"true")", false}, {R"("stream":null)", false},
    };
    for (const auto& [field, streams] : rows) {
        EXPECT_EQ(Mock()({kPath, body_of(field)}).stream, streams) << field;
    }
}

MockOptions with_quota() {
    MockOptions options;
    options.quotas = {{"m", 1, 90s}};
    return options;
}

TEST(MockAnswers, AQuotaThatIsUsedUpSaysWhenItIsBack) {
    Mock mock(with_quota());
    EXPECT_EQ(mock().status, 200U);
    const Answer refused = mock();
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(code_of(refused), "rate_limit_exceeded");
    EXPECT_THAT(refused.body, HasSubstr("Rate limit reached for m on requests per window: Limit 1, "
                                        "Used 1, Requested 1. Please try again in 1m"));
    EXPECT_THAT(refused.header_lines, HasSubstr("retry-after: 90\r\n"));
    EXPECT_THAT(refused.header_lines, HasSubstr("x-ratelimit-limit-requests: 1\r\n"));
    EXPECT_THAT(refused.header_lines, HasSubstr("x-ratelimit-remaining-requests: 0\r\n"));
    EXPECT_THAT(refused.header_lines, HasSubstr("x-ratelimit-reset-requests: 1m"));
    EXPECT_THAT(refused.header_lines, Not(HasSubstr("retry-after-ms")));
}

TEST(MockAnswers, TheHintsOfAQuotaAreOptions) {
    MockOptions options = with_quota();
    options.retry_after = false;
    options.retry_after_ms = true;
    options.ratelimit_headers = true;
    Mock mock(options);
    EXPECT_THAT(mock().header_lines, HasSubstr("x-ratelimit-remaining-requests: 0\r\n"));
    const std::string lines = mock().header_lines;
    EXPECT_THAT(lines, HasSubstr("retry-after-ms: "));
    EXPECT_THAT(lines, Not(HasSubstr("retry-after: ")));
    Mock quiet(with_quota());
    EXPECT_THAT(quiet().header_lines, Not(HasSubstr("x-ratelimit")));
}

TEST(MockAnswers, AFailureComesBeforeTheQuotaAndCostsNone) {
    MockOptions options = with_quota();
    options.fail_rates = {{503, 0.5}};
    Mock mock(options);
    EXPECT_EQ(mock().status, 503U);
    EXPECT_EQ(mock().status, 200U);
    EXPECT_EQ(mock().status, 503U);
    EXPECT_EQ(mock().status, 429U);
}

TEST(MockAnswers, WhatIsNoChatCostsNothing) {
    MockOptions options = with_quota();
    options.fail_rates = {{503, 0.5}};
    Mock mock(options);
    EXPECT_EQ(mock({"/v1/models", "", "GET"}).status, 200U);
    EXPECT_EQ(mock({kPath, "{"}).status, 400U);
    EXPECT_EQ(mock({kPath, "", "GET"}).status, 405U);
    EXPECT_EQ(mock().status, 503U);
    EXPECT_EQ(mock().status, 200U);
}

TEST(MockAnswers, EachHasAnIdOfItsOwn) {
    Mock mock;
    EXPECT_THAT(mock().header_lines, EndsWith("x-request-id: req_0000000000000001\r\n"));
    EXPECT_THAT(mock({"/x"}).header_lines, EndsWith("x-request-id: req_0000000000000002\r\n"));
    EXPECT_EQ(mock.state.request_count(), 2U);
}

TEST(MockAnswers, RecordsNothingWhenNothingIsKept) {
    MockOptions options;
    options.kept_requests = 0;
    Mock mock(options);
    EXPECT_EQ(mock().status, 200U);
    EXPECT_EQ(mock.state.request_count(), 0U);
    EXPECT_THAT(mock.state.requests(), IsEmpty());
}

}  // namespace
}  // namespace rotary::mock
