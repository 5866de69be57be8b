#include <rotary/llm/request_facts.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

struct Row {
    const char* name;
    std::string body;
    RequestFacts expected;
};

const std::vector<Row> kRows{
    {"empty", "", {}},
    {"an empty object", "{}", {}},
    {"chat",
     R"({"model":"m","messages":[{"role":"system","content":"abcd"},)"
     R"({"role":"user","content":"ef"}]})",
     {.text_bytes = 6, .messages = 2}},
    {"spaces between",
     "{ \"messages\" : [ { \"role\" : \"user\" ,\n \"content\" : \"abc\" } ] , \"n\" : 3 }",
     {.text_bytes = 3, .messages = 1, .n = 3}},
    {"escapes count as they are written",
     R"({"messages":[{"role":"user","content":"a\"b\\"}]})",
     {.text_bytes = 6, .messages = 1}},
    {"parts, an image sent and one named",
     R"({"messages":[{"role":"user","content":[{"type":"text","text":"abc"},)"
     R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAA","detail":"high"}},)"
     R"({"type":"image_url","image_url":{"url":"https://h.example/i.png"}}]}]})",
     {.text_bytes = 3, .messages = 1, .media = 2}},
    {"Anthropic's image and system",
     R"({"system":"be kind","messages":[{"role":"user","content":[{"type":"image","source":)"
     R"({"type":"base64","media_type":"image/png","data":"AAAA"}}]}],"max_tokens":1024})",
     {.text_bytes = 7, .messages = 1, .media = 1, .max_output = 1024}},
    {"Gemini",
     R"({"contents":[{"role":"user","parts":[{"text":"abcde"}]}],)"
     R"("generationConfig":{"maxOutputTokens":77,"candidateCount":2}})",
     {.text_bytes = 5, .messages = 1, .max_output = 77, .n = 2}},
    {"Bedrock",
     R"({"messages":[{"role":"user","content":[{"text":"ab"}]}],)"
     R"("inferenceConfig":{"maxTokens":9}})",
     {.text_bytes = 2, .messages = 1, .max_output = 9}},
    {"a prompt", R"({"prompt":"abc","max_tokens":5})", {.text_bytes = 3, .max_output = 5}},
    {"embeddings", R"({"input":["abc","de"]})", {.text_bytes = 5}},
    {"responses",
     R"({"instructions":"abc","input":[{"role":"user","content":"de"}],"max_output_tokens":8})",
     {.text_bytes = 5, .messages = 1, .max_output = 8}},
    {"tools", R"({"tools":[{"name":"f"}],"messages":[]})", {.tool_bytes = 15}},
    {"tools last", R"({"messages":[],"tools":[{"name":"f"}]})", {.tool_bytes = 15}},
    {"the newer name goes before",
     R"({"max_completion_tokens":7,"max_tokens":900})",
     {.max_output = 7}},
    {"and in the other order",
     R"({"max_tokens":900,"max_completion_tokens":7})",
     {.max_output = 7}},
    {"a fraction is no bound", R"({"max_tokens":1.5})", {}},
    {"a huge bound", R"({"max_tokens":99999999999999999999999})", {.max_output = 1ULL << 40}},
    {"no candidate is one", R"({"n":0})", {}},
    {"too many candidates", R"({"n":99999999999})", {.n = 65535}},
    {"names within messages mean nothing",
     R"({"messages":[{"role":"user","content":"a","max_tokens":5,"n":9}]})",
     {.text_bytes = 1, .messages = 1}},
    {"a text that looks like members",
     R"({"messages":[{"role":"user","content":"\"max_tokens\":5,{[\"n\":3"}]})",
     {.text_bytes = 26, .messages = 1}},
};

TEST(MeasureRequest, FindsWhatTokensAreEstimatedFrom) {
    for (const Row& row : kRows) {
        SCOPED_TRACE(row.name);
        const RequestFacts facts = measure_request(row.body);
        EXPECT_EQ(facts.text_bytes, row.expected.text_bytes);
        EXPECT_EQ(facts.tool_bytes, row.expected.tool_bytes);
        EXPECT_EQ(facts.messages, row.expected.messages);
        EXPECT_EQ(facts.media, row.expected.media);
        EXPECT_EQ(facts.max_output, row.expected.max_output);
        EXPECT_EQ(facts.n, row.expected.n);
    }
}

// No body makes it read beyond its end, whatever it breaks off in.
TEST(MeasureRequest, EndsWithABodyThatIsCutAnywhere) {
    for (const Row& row : kRows) {
        SCOPED_TRACE(row.name);
        for (std::size_t size = 0; size < row.body.size(); ++size) {
            const std::vector<char> cut(row.body.begin(),
                                        row.body.begin() + static_cast<std::ptrdiff_t>(size));
            const RequestFacts facts = measure_request({cut.data(), cut.size()});
            EXPECT_LE(facts.text_bytes, size);
            EXPECT_LE(facts.tool_bytes, size);
        }
    }
}

TEST(SizeOf, IsOnTheHighSide) {
    const config::UsageSettings settings;
    RequestFacts facts{.text_bytes = 100, .tool_bytes = 10, .messages = 2, .media = 1};
    EXPECT_EQ(size_of(facts, settings).input_tokens, 34u + 4u + 8u + 1000u);
    EXPECT_EQ(likely_input(facts, settings), 29u + 3u + 8u + 1000u);
    EXPECT_FALSE(size_of(facts, settings).max_output);
    facts.max_output = 50;
    facts.n = 3;
    EXPECT_EQ(size_of(facts, settings), (RequestSize{1046, 50, 3}));
}

TEST(SizeOf, GoesByTheSettings) {
    config::UsageSettings settings;
    settings.bytes_per_token = 1;
    settings.tokens_per_image = 7;
    const RequestFacts facts{.text_bytes = 9, .media = 2};
    EXPECT_EQ(size_of(facts, settings).input_tokens, 9u + 14u);
    EXPECT_EQ(likely_output(9, settings), 6u);
    EXPECT_EQ(likely_output(0, settings), 0u);
}

}  // namespace
}  // namespace rotary::llm
