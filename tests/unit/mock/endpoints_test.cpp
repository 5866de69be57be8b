// What the mock answers besides chats: responses, completions and embeddings.
#include "mock/answers.hpp"

#include <rotary/wire/base64url.hpp>
#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace rotary::mock {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Answer ask(const std::string& target, const std::string& body, MockOptions options = {}) {
    options.tokens = 2;
    options.suffix = "-1";
    State state(std::move(options));
    Answers answers(state);
    auto request = std::make_shared<Captured>();
    request->method = "POST";
    request->target = target;
    request->body = body;
    return answers.answer(request);
}

// The JSON behind "data: " of an event with its name before it, as the Responses API has it.
std::string data_of(const std::string& event) {
    const std::size_t at = event.find("data: ") + 6;
    return event.substr(at, event.size() - at - 2);
}

TEST(MockEndpoints, EachKindOfRequestHasItsPath) {
    struct Row {
        const char* path;
        Endpoint endpoint;
    };
    const Row rows[] = {
        {"/v1/chat/completions", Endpoint::chat}, {"/v1/completions", Endpoint::completion},
        {"/a/b/responses", Endpoint::response},   {"/embeddings", Endpoint::embedding},
        {"/v1/models", Endpoint::models},         {"/v1/responses/resp_1", Endpoint::none},
        {"/v1/xcompletions", Endpoint::none},     {"/v1/images/generations", Endpoint::none},
    };
    for (const Row& row : rows) EXPECT_EQ(endpoint_of(row.path), row.endpoint) << row.path;
}

TEST(MockEndpoints, AResponseIsAMessageWithItsUsage) {
    const Answer answer = ask("/v1/responses", R"({"model":"m","input":"four by four by"})");
    ASSERT_EQ(answer.status, 200U);
    EXPECT_TRUE(wire::JsonDocument::parse(answer.body)) << answer.body;
    EXPECT_THAT(answer.body, StartsWith(R"({"id":"resp_0000000000000001","object":"response",)"));
    EXPECT_THAT(answer.body, HasSubstr(R"("status":"completed")"));
    EXPECT_THAT(answer.body, HasSubstr(R"("model":"m-1")"));
    EXPECT_THAT(answer.body, HasSubstr(R"("type":"output_text","annotations":[],"logprobs":[],)"
                                       R"("text":"The wheel")"));
    EXPECT_THAT(answer.body, HasSubstr(R"("usage":{"input_tokens":4,)"));
    EXPECT_THAT(answer.body, HasSubstr(R"("total_tokens":6})"));
    ASSERT_TRUE(answer.usage);
    EXPECT_EQ(answer.usage->input, 4U);
    EXPECT_EQ(answer.usage->output, 2U);
    EXPECT_TRUE(answer.usage->was_told);
}

TEST(MockEndpoints, AStreamedResponseGoesFromCreatedToCompleted) {
    const Answer answer = ask("/v1/responses", R"({"model":"m","stream":true,"input":)"
                                               R"([{"role":"user","content":[{"type":)"
                                               R"("input_text","text":"12345678"}]}]})");
    ASSERT_TRUE(answer.stream);
    const char* const types[] = {
        "created",           "in_progress",       "output_item.added", "content_part.added",
        "output_text.delta", "output_text.delta", "output_text.done",  "content_part.done",
        "output_item.done",  "completed",
    };
    ASSERT_EQ(answer.events.size(), std::size(types));
    for (std::size_t i = 0; i < std::size(types); ++i) {
        const std::string name = std::string("response.") + types[i];
        EXPECT_THAT(answer.events[i], StartsWith("event: " + name + "\ndata: {\"type\":\"" + name +
                                                 "\",\"sequence_number\":" + std::to_string(i)));
        EXPECT_TRUE(wire::JsonDocument::parse(data_of(answer.events[i]))) << answer.events[i];
    }
    EXPECT_THAT(answer.events[5], HasSubstr(R"("delta":" wheel")"));
    EXPECT_THAT(answer.events[0], HasSubstr(R"("usage":null)"));
    EXPECT_THAT(answer.events[9], HasSubstr(R"("usage":{"input_tokens":2,)"));
    EXPECT_TRUE(answer.usage && answer.usage->was_told);
}

TEST(MockEndpoints, ACompletionIsText) {
    const Answer plain = ask("/v1/completions", R"({"model":"m","prompt":["1234","5678"]})");
    EXPECT_TRUE(wire::JsonDocument::parse(plain.body)) << plain.body;
    EXPECT_THAT(plain.body, StartsWith(R"({"id":"cmpl-0000000000000001","object":)"
                                       R"("text_completion",)"));
    EXPECT_THAT(plain.body, HasSubstr(R"({"index":0,"text":"The wheel","logprobs":null,)"
                                      R"("finish_reason":"stop"})"));
    EXPECT_THAT(plain.body, HasSubstr(R"("usage":{"prompt_tokens":2,"completion_tokens":2,)"));

    const Answer streamed = ask("/v1/completions", R"({"model":"m","prompt":"1","stream":true,)"
                                                   R"("stream_options":{"include_usage":true}})");
    ASSERT_EQ(streamed.events.size(), 5U);
    EXPECT_THAT(streamed.events[0], HasSubstr(R"("text":"The","logprobs":null)"));
    EXPECT_THAT(streamed.events[2], HasSubstr(R"("finish_reason":"stop")"));
    EXPECT_THAT(streamed.events[3], HasSubstr(R"("choices":[],"usage":{"prompt_tokens":1,)"));
    EXPECT_EQ(streamed.events[4], "data: [DONE]\n\n");
}

TEST(MockEndpoints, EmbeddingsAreAsManyAsTheirTexts) {
    struct Row {
        const char* name;
        std::string input;
        std::size_t count;  // 0: refused
    };
    std::string too_many = "[\"a\"";
    for (int i = 0; i < 2048; ++i) too_many += ",\"a\"";
    const Row rows[] = {
        {"one text", R"("a")", 1},
        {"two texts", R"(["a","b"])", 2},
        {"one text's tokens", "[1,2,3]", 1},
        {"two of them", "[[1,2],[3]]", 2},
        {"none", "[]", 0},
        {"a number", "7", 0},
        {"too many", too_many + "]", 0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Answer answer = ask("/v1/embeddings", R"({"model":"m","input":)" + row.input + "}");
        ASSERT_EQ(answer.status, row.count == 0 ? 400U : 200U);
        if (row.count == 0) continue;
        const auto body = wire::JsonDocument::parse(answer.body);
        ASSERT_TRUE(body) << answer.body;
        const auto data = body->root().find("data");
        ASSERT_EQ(data->size(), row.count);
        EXPECT_EQ(data->at(0)->find("embedding")->size(), 8U);
        EXPECT_EQ(body->root().find("model")->string(), "m-1");
    }
    EXPECT_EQ(ask("/v1/embeddings", R"({"model":"m"})").status, 400U) << "no input";
    const Answer counted = ask("/v1/embeddings", R"({"model":"m","input":["1234",[1,2]]})");
    EXPECT_THAT(counted.body, HasSubstr(R"("usage":{"prompt_tokens":3,"total_tokens":3})"));
    EXPECT_EQ(counted.usage->output, 0U);
}

TEST(MockEndpoints, EmbeddingsArePackedWhereTheClientAsksForIt) {
    const std::string start = R"({"model":"m","input":"a","dimensions":)";
    const Answer packed = ask("/v1/embeddings", start + R"(2,"encoding_format":"base64"})");
    const std::string floats("\0\0\0\x3e\0\0\x80\x3e", 8);  // 0.125 and 0.25
    EXPECT_THAT(packed.body, HasSubstr("\"embedding\":\"" + wire::base64_encode(floats) + "\""));
    EXPECT_THAT(ask("/v1/embeddings", start + "3}").body,
                HasSubstr(R"("embedding":[0.125,0.250,0.375])"));
    for (const char* wrong : {"0}", "-1}", "3073}", "1.5}"}) {
        EXPECT_EQ(ask("/v1/embeddings", start + wrong).status, 400U) << wrong;
    }
    EXPECT_EQ(ask("/v1/embeddings", start + "3072}").status, 200U);
}

TEST(MockEndpoints, ModelsQuotasAndFaultsHoldForAllOfThem) {
    MockOptions options;
    options.models = {"m"};
    options.fail_rates = {{503, 1.0}};
    for (const char* path : {"/v1/responses", "/v1/completions", "/v1/embeddings"}) {
        EXPECT_EQ(ask(path, R"({"model":"m","input":"a"})", options).status, 503U) << path;
        EXPECT_EQ(ask(path, R"({"model":"n","input":"a"})", options).status, 400U) << path;
    }
    EXPECT_THAT(ask("/v1/embeddings", R"({"model":"m","input":"a","stream":true})").header_lines,
                Not(HasSubstr("event-stream")));
}

}  // namespace
}  // namespace rotary::mock
