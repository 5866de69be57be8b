#include <rotary/llm/usage_reader.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace rotary::llm {
namespace {

struct Recording {
    std::string file;  // of tests/data/usage
    Usage expected;
};

Usage told(Usage usage) {
    usage.source = UsageSource::told;
    return usage;
}

const std::vector<Recording> kRecordings{
    {"openai_chat.json",
     told({.input = 1117, .output = 46, .cached_read = 1024, .reasoning = 30, .audio_out = 2})},
    {"openai_chat.sse",
     told({.input = 1117, .output = 46, .cached_read = 1024, .reasoning = 30, .audio_out = 2})},
    {"openai_chat_silent.sse", {}},
    {"openai_completions.json", told({.input = 5, .output = 7})},
    {"openai_embeddings.json", told({.input = 8})},
    {"openai_responses.json", told({.input = 328,
                                    .output = 52,
                                    .cached_read = 64,
                                    .cache_write = 150,
                                    .cache_write_long = 50,
                                    .reasoning = 17})},
    {"openai_responses.sse", told({.input = 328,
                                   .output = 52,
                                   .cached_read = 64,
                                   .cache_write = 150,
                                   .cache_write_long = 50,
                                   .reasoning = 17})},
    {"openai_images.json", told({.input = 50, .output = 4160, .image_in = 40, .images = 2})},
    {"openai_images.sse", told({.input = 50, .output = 50, .image_in = 40})},
    {"openai_images_dalle.json", told({.images = 3})},
    {"openai_transcription.json", told({.input = 14, .output = 45, .audio_in = 14})},
    {"openai_transcription.sse", told({.input = 14, .output = 31, .audio_in = 10})},
    {"openai_transcription_seconds.json", told({.milliseconds = 9500})},
    {"azure_chat.sse", told({.input = 18, .output = 9})},
    {"anthropic_messages.json", told({.input = 5646,
                                      .output = 503,
                                      .cached_read = 1500,
                                      .cache_write = 1051,
                                      .cache_write_long = 1000,
                                      .reasoning = 400,
                                      .web_searches = 2})},
    {"anthropic_messages.sse", told({.input = 1125,
                                     .output = 15,
                                     .cached_read = 1000,
                                     .cache_write = 60,
                                     .cache_write_long = 40})},
    {"anthropic_messages_search.sse",
     told({.input = 10702, .output = 510, .cached_read = 20, .web_searches = 1})},
    {"gemini_generate.json", told({.input = 1276,
                                   .output = 224,
                                   .cached_read = 1000,
                                   .audio_in = 6,
                                   .image_in = 258,
                                   .reasoning = 200,
                                   .audio_out = 4})},
    {"gemini_generate.sse", told({.input = 1276,
                                  .output = 224,
                                  .cached_read = 1000,
                                  .audio_in = 6,
                                  .image_in = 258,
                                  .reasoning = 200,
                                  .audio_out = 4})},
    {"gemini_generate_array.json", told({.input = 1276,
                                         .output = 224,
                                         .cached_read = 1000,
                                         .audio_in = 6,
                                         .image_in = 258,
                                         .reasoning = 200,
                                         .audio_out = 4})},
    {"gemini_openai.json", told({.input = 7, .output = 395, .reasoning = 383})},
    {"gemini_openai_empty.json", told({.input = 7, .output = 1, .reasoning = 1})},
    {"bedrock_converse.json",
     told({.input = 2403, .output = 9, .cache_write = 387, .cache_write_long = 2000})},
    {"mistral_chat.json", told({.input = 13, .output = 34, .milliseconds = 3000})},
    {"mistral_chat.sse", told({.input = 13, .output = 34})},
    {"vllm_continuous.sse", told({.input = 31, .output = 2})},
    {"deepseek_chat.sse", told({.input = 84, .output = 20, .cached_read = 64, .reasoning = 12})},
    {"deepseek_like.sse", told({.input = 4, .output = 2, .cached_read = 3})},
    {"xai_chat.json", told({.input = 32, .output = 103, .cached_read = 6, .reasoning = 94})},
    {"ollama_chat.json", told({.input = 26, .output = 298})},
    {"ollama_chat.ndjson", told({.input = 26, .output = 282})},
};

std::string text_of(const Recording& recording) {
    std::ifstream file(std::string(ROTARY_SOURCE_DIR) + "/tests/data/usage/" + recording.file,
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_stream(const Recording& recording) { return recording.file.ends_with(".sse"); }

// As the path does: a stream's events are looked at and the ones that matter read at the end.
UsageReader read(const Recording& recording, const std::vector<std::string_view>& pieces) {
    UsageReader reader;
    reader.begin();
    wire::SseScanner events;
    for (const std::string_view piece : pieces) {
        is_stream(recording) ? events.feed(piece) : reader.feed(piece);
    }
    if (is_stream(recording)) read_events(reader, events.first_payload(), events.usage_payload());
    return reader;
}

TEST(UsageRecordings, GiveTheExpectedUsage) {
    for (const Recording& recording : kRecordings) {
        SCOPED_TRACE(recording.file);
        const std::string text = text_of(recording);
        ASSERT_FALSE(text.empty());
        const UsageReader reader = read(recording, {text});
        EXPECT_TRUE(usage_of(reader.counts()) == recording.expected)
            << usage_of(reader.counts()).input << " " << usage_of(reader.counts()).output;
        EXPECT_EQ(reader.invalid(), 0u);
    }
}

TEST(UsageRecordings, GiveTheSameInTwoPiecesSplitAnywhere) {
    for (const Recording& recording : kRecordings) {
        SCOPED_TRACE(recording.file);
        const std::string text = text_of(recording);
        const std::string_view view = text;
        for (std::size_t at = 0; at <= text.size(); ++at) {
            const UsageReader reader = read(recording, {view.substr(0, at), view.substr(at)});
            ASSERT_TRUE(usage_of(reader.counts()) == recording.expected) << at;
        }
    }
}

// Of answers that are there whole the end says as much.
TEST(UsageRecordings, GiveTheSameFromTheirEnd) {
    std::size_t ends = 0;
    for (const Recording& recording : kRecordings) {
        if (is_stream(recording)) continue;
        SCOPED_TRACE(recording.file);
        const std::string text = text_of(recording);
        UsageReader reader;
        reader.begin();
        if (!reader.read_end(text)) {
            EXPECT_FALSE(reader.counts().any());
            reader.feed(text);
        } else {
            ++ends;
        }
        EXPECT_TRUE(usage_of(reader.counts()) == recording.expected);
    }
    EXPECT_GE(ends, 8u) << "most have it there";
}

// What clients can put into an answer is not what it used.
TEST(UsageRecordings, NothingThatLooksLikeItIsTakenForTheEnd) {
    const std::string real = R"({"usage":{"prompt_tokens":5,"completion_tokens":7})";
    for (const std::string rest : {
             R"(,"metadata":{"usage":{"prompt_tokens":1,"completion_tokens":1}}})",
             R"(,"metadata":[{"usage":{"prompt_tokens":1}}],"b":{"c":1}})",
             R"(,"text":"\"usage\":{\"prompt_tokens\":1}"})",
             R"(,"name":"usage"})",
             R"(,"tool":{"usage":{"prompt_tokens":1}},"x":{"y":{}}})",
         }) {
        UsageReader reader;
        reader.begin();
        if (!reader.read_end(real + rest)) reader.feed(real + rest);
        EXPECT_EQ(usage_of(reader.counts()).input, 5u) << rest;
        EXPECT_EQ(usage_of(reader.counts()).output, 7u) << rest;
    }
}

// OpenAI's responses end with an event that holds the whole answer, however long that is.
TEST(UsageRecordings, TellTheSameBehindALongAnswer) {
    const Recording& recording =
        *std::find_if(kRecordings.begin(), kRecordings.end(),
                      [](const Recording& each) { return each.file == "openai_responses.sse"; });
    std::string text = text_of(recording);
    const std::size_t last = text.rfind(R"("usage":{)");
    ASSERT_NE(last, text.npos);
    text.insert(last, R"("text":")" + std::string(100000, 'x') + R"(",)");
    for (const std::size_t piece : {text.size(), std::size_t{16384}, std::size_t{1}}) {
        wire::SseScanner events;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            events.feed(std::string_view(text).substr(at, piece));
        }
        UsageReader reader;
        reader.begin();
        read_events(reader, events.first_payload(), events.usage_payload());
        EXPECT_TRUE(usage_of(reader.counts()) == recording.expected) << piece;
    }
}

// Never doubled: what a part of an answer tells is no more than what all of it does.
TEST(UsageRecordings, TellNoMoreWhenCutAnywhere) {
    for (const Recording& recording : kRecordings) {
        SCOPED_TRACE(recording.file);
        const std::string text = text_of(recording);
        for (std::size_t size = 0; size < text.size(); ++size) {
            const UsageReader reader = read(recording, {std::string_view(text).substr(0, size)});
            const Usage usage = usage_of(reader.counts());
            ASSERT_LE(usage.input, recording.expected.input) << size;
            ASSERT_LE(usage.output, recording.expected.output) << size;
            ASSERT_LE(usage.cached_read, recording.expected.cached_read) << size;
            ASSERT_LE(usage.images, recording.expected.images) << size;
            ASSERT_EQ(reader.invalid(), 0u) << size;
        }
    }
}

}  // namespace
}  // namespace rotary::llm
