#include <rotary/llm/text_meter.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

std::string chunk(const std::string& text) {
    return R"({"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":")" + text +
           R"("},"finish_reason":null}]})";
}

TEST(TextMeter, CountsTheTextOfEachVendorsEvents) {
    struct Row {
        const char* name;
        std::vector<std::string> events;
        std::uint64_t bytes;
    };
    const std::vector<Row> rows{
        {"nothing", {}, 0},
        {"empty data", {"", "[DONE]"}, 0},
        {"chat", {chunk(""), chunk("Hello"), chunk(" you"), "[DONE]"}, 9},
        {"escapes are one byte each", {chunk(R"(a\n\"b)")}, 4},
        {"the place moves",
         {chunk("abc"), R"({"x":1,"choices":[{"delta":{"content":"de"}}]})", chunk("f")},
         6},
        {"another name in between",
         {chunk("abc"), R"({"choices":[{"delta":{"reasoning_content":"defg"}}]})", chunk("h")},
         8},
        {"a call's arguments",
         {R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}}]})"},
         7},
        {"Anthropic",
         {R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi you"}})",
          R"({"type":"ping"})"},
         6},
        {"Gemini", {R"({"candidates":[{"content":{"parts":[{"text": "Hi"}]}}]})"}, 2},
        {"responses", {R"({"type":"response.output_text.delta","delta":"Hi!"})"}, 3},
        {"a text that is not closed", {R"({"delta":"Hi)", R"({"delta":"Hi\)"}, 5},
        {"shorter than the place", {chunk("abc"), "{}"}, 3},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        TextMeter meter;
        for (const std::string& event : row.events) meter.measure(event);
        EXPECT_EQ(meter.bytes(), row.bytes);
    }
}

}  // namespace
}  // namespace rotary::llm
