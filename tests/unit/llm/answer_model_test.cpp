// What an answer says of itself besides counts: which model it is of, and how that was served.
#include <rotary/llm/usage_reader.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace rotary::llm {
namespace {

UsagePlaces place(std::vector<std::string> members) {
    UsagePlaces places;
    places.model_members = std::move(members);
    return places;
}

// An answer that comes in these pieces.
UsageReader read(const std::vector<std::string_view>& pieces, const UsagePlaces& places,
                 bool is_stream = false) {
    UsageReader reader;
    reader.begin(&places, true);
    wire::SseScanner events;
    for (const std::string_view piece : pieces) is_stream ? events.feed(piece) : reader.feed(piece);
    if (is_stream) read_events(reader, events.first_payload(), events.usage_payload());
    return reader;
}

// An answer that is there whole.
UsageReader read_whole(std::string_view text, const UsagePlaces& places, bool& by_its_end) {
    UsageReader reader;
    reader.begin(&places, true);
    by_its_end = reader.read_end(text);
    if (!by_its_end) reader.feed(text);
    return reader;
}

TEST(AnswerModel, IsReadFromRecordings) {
    struct Row {
        const char* file;
        const char* model;
        const char* member = "model";
        bool by_its_end = false;
    };
    const Row rows[] = {
        {"openai_chat.json", "gpt-4o-2024-08-06", "model", true},
        {"openai_chat.sse", "gpt-4o-2024-08-06"},
        {"openai_chat_silent.sse", "gpt-4o-2024-08-06"},
        {"openai_completions.json", "gpt-3.5-turbo-instruct", "model", true},
        {"openai_embeddings.json", "text-embedding-3-small"},
        {"openai_responses.json", "gpt-4.1-2025-04-14", "model", true},
        {"openai_responses.sse", "gpt-4.1-2025-04-14"},
        {"openai_images.json", ""},
        {"azure_chat.sse", "gpt-4o-2024-08-06"},
        {"anthropic_messages.json", "claude-sonnet-4-5", "model", true},
        {"anthropic_messages.sse", "claude-sonnet-4-5"},
        {"gemini_generate.json", "gemini-2.5-pro", "modelVersion", true},
        {"gemini_generate.sse", "gemini-2.5-pro", "modelVersion"},
        {"gemini_generate_array.json", "gemini-2.5-pro", "modelVersion"},
        {"bedrock_converse.json", ""},
        {"ollama_chat.ndjson", "llama3.2"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.file);
        std::ifstream file(std::string(ROTARY_SOURCE_DIR) + "/tests/data/usage/" + row.file,
                           std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const std::string_view view = text;
        const bool is_stream = std::string_view(row.file).ends_with(".sse");
        const UsagePlaces places = place({row.member});
        for (std::size_t at = 0; at <= text.size(); ++at) {
            const UsageReader reader =
                read({view.substr(0, at), view.substr(at)}, places, is_stream);
            ASSERT_EQ(reader.model(), row.model) << at;
        }
        if (is_stream) continue;
        bool by_its_end = false;
        const UsageReader whole = read_whole(text, places, by_its_end);
        EXPECT_EQ(whole.model(), row.model);
        EXPECT_EQ(by_its_end, row.by_its_end);
        const UsageReader followed = read({text}, places);
        EXPECT_TRUE(usage_of(whole.counts()) == usage_of(followed.counts()));
    }
}

TEST(AnswerModel, StandsWhereItsPathLeads) {
    struct Row {
        const char* name;
        std::string text;
        std::vector<std::string> members;
        std::string model;
    };
    const std::string longest(kMostModelBytes, 'm');
    const std::vector<Row> rows{
        {"at the top", R"({"model":"a"})", {"model"}, "a"},
        {"within", R"({"meta":{"x":{"model":"no"},"model":"a"}})", {"meta", "model"}, "a"},
        {"deeper than asked", R"({"x":{"model":"no"}})", {"model"}, ""},
        {"in a message", R"({"message":{"model":"a"}})", {"model"}, "a"},
        {"in a response, within", R"({"response":{"m":{"n":"a"}}})", {"m", "n"}, "a"},
        {"within a message's object", R"({"message":{"x":{"model":"no"}}})", {"model"}, ""},
        {"by a path through a message", R"({"message":{"model":"a"}})", {"message", "model"}, "a"},
        {"not below what such a path names",
         R"({"message":{"message":{"model":"no"}}})",
         {"message", "model"},
         ""},
        {"in a choice", R"({"choices":[{"message":{"model":"no"}}]})", {"model"}, ""},
        {"in a text", R"({"text":"\"model\":\"no\""})", {"model"}, ""},
        {"the last counts", R"({"model":"no","model":"a"})", {"model"}, "a"},
        {"an empty one does not", R"({"model":"a","model":""})", {"model"}, "a"},
        {"a number", R"({"model":12})", {"model"}, ""},
        {"null", R"({"model":null})", {"model"}, ""},
        {"an object", R"({"model":{"model":"no"}})", {"model"}, ""},
        {"a list", R"({"model":["no"]})", {"model"}, ""},
        {"with an escape", R"({"model":"a\/b"})", {"model"}, ""},
        {"the longest", R"({"model":")" + longest + R"("})", {"model"}, longest},
        {"a longer one", R"({"model":")" + longest + R"(m"})", {"model"}, ""},
        {"cut off", R"({"model":"gpt)", {"model"}, ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const UsagePlaces places = place(row.members);
        const UsageReader reader = read({row.text}, places);
        EXPECT_EQ(reader.model(), row.model);
        EXPECT_EQ(reader.invalid(), 0u);
    }
}

TEST(AnswerModel, IsNotReadUnasked) {
    const UsagePlaces places = place({"model"});
    UsageReader reader;
    reader.begin(&places);
    reader.feed(R"({"model":"a","usage":{"prompt_tokens":1}})");
    EXPECT_EQ(reader.model(), "");
    reader.begin();
    reader.feed(R"({"model":"a"})");
    EXPECT_EQ(reader.model(), "");
}

// Wherever in an answer it stands it is found, however the answer comes.
TEST(AnswerModel, FarFromBothEndsIsFoundByFollowingAll) {
    const UsagePlaces places = place({"model"});
    const std::string usage = R"(,"usage":{"prompt_tokens":5,"completion_tokens":7}})";
    for (const std::size_t before : {0UL, 90UL, 100UL, 110UL, 1000UL, 1100UL, 9000UL}) {
        SCOPED_TRACE(before);
        const std::string text =
            R"({"x":")" + std::string(before, 'x') + R"(","model":"a")" + usage;
        bool by_its_end = false;
        const UsageReader reader = read_whole(text, places, by_its_end);
        EXPECT_EQ(reader.model(), "a");
        EXPECT_EQ(by_its_end, before <= 1000);
        EXPECT_EQ(usage_of(reader.counts()).total(), 12u);
    }
    // What stands in the beginning is not read twice.
    bool by_its_end = false;
    const UsageReader small = read_whole(
        R"({"model":"","usage":{"prompt_tokens":-5,"completion_tokens":7}})", places, by_its_end);
    EXPECT_EQ(small.invalid(), 1u);
    EXPECT_EQ(usage_of(small.counts()).output, 7u);
}

TEST(AnswerService, IsToldInVendorsOwnPlaces) {
    struct Row {
        const char* name;
        const char* text;
        Service service;
        bool by_its_end = true;
    };
    const Row rows[] = {
        {"OpenAI's, behind the usage", R"({"usage":{"prompt_tokens":1},"service_tier":"priority"})",
         Service::priority},
        {"OpenAI's, before it", R"({"service_tier":"flex","usage":{"prompt_tokens":1}})",
         Service::flex, false},
        {"Anthropic's", R"({"usage":{"input_tokens":1,"service_tier":"batch"}})", Service::batch},
        {"an event's response",
         R"({"response":{"service_tier":"flex","usage":{"input_tokens":1}}})", Service::flex,
         false},
        {"an event's message",
         R"({"message":{"usage":{"input_tokens":1,"service_tier":"priority"}}})", Service::priority,
         false},
        {"the usual", R"({"usage":{"prompt_tokens":1},"service_tier":"default"})",
         Service::standard},
        {"an unknown one", R"({"usage":{"prompt_tokens":1},"service_tier":"Flex"})",
         Service::standard},
        {"the last counts",
         R"({"usage":{"prompt_tokens":1},"service_tier":"flex","service_tier":"default"})",
         Service::standard},
        {"none", R"({"usage":{"prompt_tokens":1}})", Service::standard, false},
        {"null", R"({"usage":{"prompt_tokens":1},"service_tier":null})", Service::standard, false},
        {"the client's own words",
         R"({"metadata":{"service_tier":"flex"},"usage":{"prompt_tokens":1}})", Service::standard,
         false},
        {"and behind", R"({"usage":{"prompt_tokens":1},"metadata":{"service_tier":"flex"}})",
         Service::standard, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        UsagePlaces places;
        EXPECT_EQ(read({row.text}, places).service(), row.service);
        places.needs_service = true;
        bool by_its_end = false;
        EXPECT_EQ(read_whole(row.text, places, by_its_end).service(), row.service);
        EXPECT_EQ(by_its_end, row.by_its_end);
    }
}

TEST(AnswerService, OfOneAnswerIsNotTheNextOnes) {
    UsageReader reader;
    reader.begin();
    reader.feed(R"({"service_tier":"flex"})");
    EXPECT_EQ(reader.service(), Service::flex);
    reader.begin();
    EXPECT_EQ(reader.service(), Service::standard);
}

}  // namespace
}  // namespace rotary::llm
