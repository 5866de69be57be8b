#include <rotary/llm/usage_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

UsageReader read(std::string_view text, const UsagePlaces* places = nullptr) {
    UsageReader reader;
    reader.begin(places);
    reader.feed(text);
    return reader;
}

TEST(UsageReader, LeavesOutWhatIsNoCount) {
    struct Row {
        const char* name;
        std::string text;
        std::uint64_t input;
        std::uint64_t invalid;
    };
    const auto prompt = [](const std::string& value) {
        return R"({"usage":{"completion_tokens":1,"prompt_tokens":)" + value + "}}";
    };
    const std::vector<Row> rows{
        {"zero", prompt("0"), 0, 0},
        {"spaced", prompt(" 12 "), 12, 0},
        {"negative", prompt("-5"), 0, 1},
        {"fractional", prompt("5.5"), 0, 1},
        {"fractional in name only", prompt("5.0"), 0, 1},
        {"with an exponent", prompt("5e3"), 0, 1},
        {"the largest", prompt("1099511627776"), 1ULL << 40, 0},
        {"too large", prompt("1099511627777"), 0, 1},
        {"far too large", prompt(std::string(400, '9')), 0, 1},
        {"2^64 and 7", prompt("18446744073709551623"), 0, 1},
        {"null", prompt("null"), 0, 0},
        {"true", prompt("true"), 0, 0},
        {"a text", prompt(R"("12")"), 0, 0},
        {"an object", prompt(R"({"prompt_tokens":9})"), 0, 0},
        {"a list", prompt("[1,2]"), 0, 0},
        {"twice: the last counts", prompt(R"(7,"prompt_tokens":9)"), 9, 0},
        {"a broken one does not displace", prompt(R"(7,"prompt_tokens":-9)"), 7, 1},
        {"what counts nowhere may be anything",
         R"({"usage":{"prompt_tokens":3,"cost":-0.5,"x":1e9},"y":-1})", 3, 0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const UsageReader reader = read(row.text);
        EXPECT_EQ(usage_of(reader.counts()).input, row.input);
        EXPECT_EQ(reader.invalid(), row.invalid);
    }
}

TEST(UsageReader, LooksOnlyWhereUsageStands) {
    struct Row {
        const char* name;
        const char* text;
        std::uint64_t input;
    };
    const std::vector<Row> rows{
        {"in a text", R"({"a":"\"usage\":{\"prompt_tokens\":5}"})", 0},
        {"in a choice", R"({"choices":[{"usage":{"prompt_tokens":5}}]})", 0},
        {"in a call's input", R"({"content":[{"input":{"usage":{"prompt_tokens":5}}}]})", 0},
        {"behind it too",
         R"({"usage":{"prompt_tokens":4},"content":[{"usage":{"prompt_tokens":5}}]})", 4},
        {"in a response", R"({"response":{"usage":{"input_tokens":5}}})", 5},
        {"in a message", R"({"message":{"usage":{"input_tokens":5}}})", 5},
        {"in a message of a message", R"({"message":{"message":{"usage":{"input_tokens":5}}}})", 0},
        {"null", R"({"usage":null})", 0},
        {"a name with an escape", R"({"\u0075sage":{"prompt_tokens":5}})", 0},
        {"a name that begins alike", R"({"usages":{"prompt_tokens":5}})", 0},
        {"a very long name",
         R"({"usage":{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":1,)"
         R"("prompt_tokens":5}})",
         5},
        {"nested too deeply",
         "{\"usage\":{\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],"
         "\"prompt_tokens\":5}}",
         5},
        {"behind closings without openings", "]}]}{\"usage\":{\"prompt_tokens\":5}}", 5},
        {"no JSON", "hello", 0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(usage_of(read(row.text).counts()).input, row.input);
    }
}

TEST(UsageReader, KnowsTheEventThatWasAskedFor) {
    struct Row {
        const char* name;
        const char* text;
        bool expected;
    };
    const std::vector<Row> rows{
        {"OpenAI's", R"({"id":"x","choices":[],"usage":{"prompt_tokens":5}})", true},
        {"in the other order", R"({"usage":{"prompt_tokens":5},"choices": [ ] })", true},
        {"Azure's filters", R"({"choices":[],"prompt_filter_results":[{"a":[]}]})", false},
        {"Azure's filters and null", R"({"choices":[],"usage":null})", false},
        {"a last choice with usage", R"({"choices":[{"delta":{}}],"usage":{"prompt_tokens":5}})",
         false},
        {"a choice that is a text", R"({"choices":["a"],"usage":{"prompt_tokens":5}})", false},
        {"choices that are an object", R"({"choices":{},"usage":{"prompt_tokens":5}})", false},
        {"choices of choices", R"({"choices":[[]],"usage":{"prompt_tokens":5}})", false},
        {"choices within another member", R"({"x":{"choices":[]},"usage":{"a":5}})", false},
        {"no choices", R"({"usage":{"prompt_tokens":5}})", false},
        {"usage within a response", R"({"choices":[],"response":{"usage":{"a":5}}})", false},
        {"a list of usage", R"({"choices":[],"usage":[{"a":5}]})", false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(read(row.text).is_usage_alone(), row.expected);
    }
}

TEST(UsageReader, FindsWhatTheConfigurationNames) {
    UsagePlaces places;
    places.members = {{{"tokens", "in"}, {"tokens", "out"}, {"sum"}}};
    const UsageReader reader =
        read(R"({"sum":30,"tokens":{"x":{"in":3},"in":10,"out":15},"in":7})", &places);
    EXPECT_TRUE(usage_of(reader.counts()) ==
                (Usage{.input = 10, .output = 20, .reasoning = 5, .source = UsageSource::told}));
    places.members = {{{"usage", "prompt_tokens"}, {"usage", "extra"}, {}}};
    const UsageReader both =
        read(R"({"usage":{"prompt_tokens":5,"completion_tokens":2,"extra":9}})", &places);
    EXPECT_TRUE(usage_of(both.counts()) ==
                (Usage{.input = 5, .output = 9, .source = UsageSource::told}));
}

}  // namespace
}  // namespace rotary::llm
