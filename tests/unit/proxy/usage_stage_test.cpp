// What of an answer is read as it passes, and the one event that is kept from a client.
#include "proxy/usage_stage.hpp"
#include "proxy/event_gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace rotary::proxy {
namespace {

using Body = UsageStage::Body;

// An answer on its way through the stages of a relay. The memory that pieces lie in is used again
// as soon as they are sent, as a read buffer is.
class Passage {
public:
    Passage(Body body, bool drops)
        : usage_(events_, body, drops), is_stream_(body == Body::events) {
        events_.begin(65536);
        usage_.begin(places_, headers_);
    }

    void pass(std::vector<std::string> parts, bool is_last = false) {
        wire::Pieces pieces;
        pieces.clear();
        for (const std::string& part : parts) pieces.add(part);
        if (is_stream_) gate_.pass(pieces, is_last);
        usage_.pass(pieces, is_last);
        for (const std::string_view piece : pieces.all()) gone_ += piece;
        if (is_stream_) gate_.sent();
        usage_.sent();
        for (std::string& part : parts) std::fill(part.begin(), part.end(), '#');
    }
    const std::string& gone() const { return gone_; }
    llm::Usage usage() {
        std::uint64_t invalid = 0;
        return llm::usage_of(usage_.read(invalid));
    }
    UsageStage& stage() { return usage_; }

private:
    llm::UsagePlaces places_;
    wire::HeaderTable headers_;
    BufferPool buffers_{BufferPool::Limits{}};
    wire::SseScanner events_;
    EventGate gate_{events_, buffers_};
    UsageStage usage_;
    bool is_stream_;
    std::string gone_;
};

struct Row {
    const char* name;
    std::string before;
    std::string dropped;
    std::string behind;
};

const std::string kChunk = R"(data: {"choices":[{"delta":{"content":"Hi"}}],"usage":null})";
const std::string kUsage = R"(data: {"id":"1","choices":[],"usage":{"prompt_tokens":9,"x":[]}})";
constexpr const char* kDone = "data: [DONE]";

std::vector<Row> rows() {
    return {
        {"LF", kChunk + "\n\n", kUsage + "\n\n", std::string(kDone) + "\n\n"},
        {"CRLF", kChunk + "\r\n\r\n", kUsage + "\r\n\r\n", std::string(kDone) + "\r\n\r\n"},
        {"CR", kChunk + "\r\r", kUsage + "\r\r", std::string(kDone) + "\r\r"},
        {"nothing before", "", kUsage + "\n\n", std::string(kDone) + "\n\n"},
        {"nothing behind", kChunk + "\r\n\r\n", kUsage + "\r\n\r\n", ""},
        {"its comments go with it", kChunk + "\n\n", ": c\nid: 7\n" + kUsage + "\n\n",
         "data: x\n\n"},
        {"a comment of its own stays", kChunk + "\n\n: ping\n\n", kUsage + "\n\n", ": bye\n\n"},
        {"the last content tells too",
         R"(data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":9}})"
         "\n\n",
         kUsage + "\n\n", std::string(kDone) + "\n\n"},
        {"Azure's filters come first",
         R"(data: {"choices":[],"prompt_filter_results":[{}]})"
         "\n\n",
         kUsage + "\n\n", std::string(kDone) + "\n\n"},
        {"one is dropped, not two", kChunk + "\n\n", kUsage + "\n\n", kUsage + "\n\n"},
        {"nothing is to be dropped", kChunk + "\n\n", "", std::string(kDone) + "\n\n"},
        {"an empty line more", kChunk + "\r\n\r\n", kUsage + "\r\n\r\n", "\r\n\ndata: x\n\n"},
    };
}

TEST(UsageStage, OneEventIsMissingWhereverThePiecesEnd) {
    for (const Row& row : rows()) {
        SCOPED_TRACE(row.name);
        const std::string all = row.before + row.dropped + row.behind;
        const std::string rest = row.before + row.behind;
        for (std::size_t first = 0; first <= all.size(); ++first) {
            for (std::size_t second = first; second <= all.size(); second += 1 + first % 3) {
                const std::string a = all.substr(0, first);
                const std::string b = all.substr(first, second - first);
                const std::string c = all.substr(second);
                Passage alone(Body::events, true);
                alone.pass({a});
                alone.pass({b});
                alone.pass({c}, true);
                ASSERT_EQ(alone.gone(), rest) << first << " " << second;
                Passage together(Body::events, true);
                together.pass({a, b, c}, true);
                ASSERT_EQ(together.gone(), rest) << first << " " << second;
            }
        }
    }
}

TEST(UsageStage, EveryByteAlone) {
    for (const Row& row : rows()) {
        SCOPED_TRACE(row.name);
        Passage passage(Body::events, true);
        for (const char byte : row.before + row.dropped + row.behind) {
            passage.pass({std::string(1, byte)});
        }
        passage.pass({}, true);
        EXPECT_EQ(passage.gone(), row.before + row.behind);
    }
}

// As many pieces as there may be, and the event in the middle of one of them.
TEST(UsageStage, ThereIsRoomToCutAFullSetOfPieces) {
    std::vector<std::string> parts(wire::Pieces::kPayload, ": c\n\n");
    parts[3] = kChunk + "\n\n" + kUsage + "\n\n" + kDone + "\n\n";
    Passage passage(Body::events, true);
    passage.pass({"data: 1"});
    parts[0] = "\n\n";
    passage.pass(parts, true);
    EXPECT_EQ(passage.gone().find(kUsage), std::string::npos);
    EXPECT_TRUE(passage.gone().starts_with("data: 1\n\n: c\n\n: c\n\n" + kChunk + "\n\n" + kDone));
    EXPECT_TRUE(passage.gone().ends_with(": c\n\n"));
}

TEST(UsageStage, WhatTheClientAskedForPasses) {
    for (const Row& row : rows()) {
        const std::string all = row.before + row.dropped + row.behind;
        Passage passage(Body::events, false);
        passage.pass({all.substr(0, all.size() / 2)});
        passage.pass({all.substr(all.size() / 2)}, true);
        EXPECT_EQ(passage.gone(), all) << row.name;
    }
}

// It is read all the same, and so it is when the stream breaks off right behind it.
TEST(UsageStage, WhatIsDroppedIsRead) {
    Passage passage(Body::events, true);
    passage.pass({kChunk + "\n\n" + kUsage + "\n"});
    EXPECT_EQ(passage.usage().input, 9u);
    EXPECT_EQ(passage.stage().text_bytes(), 2u);
}

TEST(UsageStage, AnEventTooLargeToKeepGoesWhole) {
    const std::string large = R"(data: {"choices":[],"usage":{"prompt_tokens":9},"x":")" +
                              std::string(40'000, 'x') + "\"}\n\n";
    Passage passage(Body::events, true);
    passage.pass({large.substr(0, 20'000)});
    passage.pass({large.substr(20'000, 15'000)});
    passage.pass({large.substr(35'000)}, true);
    EXPECT_EQ(passage.gone(), large);
    EXPECT_EQ(passage.usage().input, 9u);
}

TEST(UsageStage, JsonIsReadAndNothingElse) {
    const std::string text = R"({"choices":[],"usage":{"prompt_tokens":9}})";
    Passage json(Body::json, true);
    json.pass({text.substr(0, 25), text.substr(25)}, true);
    EXPECT_EQ(json.usage().input, 9u);
    EXPECT_EQ(json.gone(), text);
    Passage other(Body::other, true);
    other.pass({text}, true);
    EXPECT_EQ(other.usage().source, llm::UsageSource::none);
    EXPECT_EQ(other.gone(), text);
    EXPECT_EQ(other.stage().payload_bytes(), text.size());
}

TEST(UsageStage, AStartAloneIsTold) {
    const std::string start =
        R"(data: {"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}})"
        "\n\n";
    Passage passage(Body::events, false);
    passage.pass({start});
    EXPECT_TRUE(passage.stage().told_at_start_only());
    passage.pass({R"(data: {"type":"message_delta","usage":{"output_tokens":7}})"
                  "\n\n"});
    EXPECT_FALSE(passage.stage().told_at_start_only());
    EXPECT_EQ(passage.usage().input, 5u);
    EXPECT_EQ(passage.usage().output, 7u);
}

TEST(UsageStage, FramesOfAmazonsAreRead) {
    const std::string payload = R"({"usage":{"inputTokens":16,"outputTokens":9}})";
    std::string frame("\0\0\0\0\0\0\0\2cccch{", 14);
    frame[3] = static_cast<char>(16 + 2 + payload.size());
    frame.append(payload).append("cccc");
    for (std::size_t at = 0; at <= frame.size(); ++at) {
        Passage passage(Body::frames, true);
        passage.pass({frame.substr(0, at)});
        passage.pass({frame.substr(at)}, true);
        ASSERT_EQ(passage.gone(), frame);
        ASSERT_EQ(passage.usage().input, 16u) << at;
        ASSERT_EQ(passage.usage().output, 9u) << at;
    }
}

wire::HeaderTable headers_of(std::vector<wire::Header> headers) {
    wire::HeaderTable table;
    for (const wire::Header& header : headers) table.push(header);
    return table;
}

TEST(UsageStage, HeadersTellWhatTheConfigurationNames) {
    llm::UsagePlaces places;
    places.headers = {"prompt_tokens", "completion_tokens", "x-total"};
    const wire::HeaderTable headers = headers_of(
        {{"Prompt_Tokens", "12"}, {"completion_tokens", "-7"}, {"x-total", "99999999999999"}});
    wire::SseScanner events;
    UsageStage stage(events, Body::other, false);
    stage.begin(places, headers);
    std::uint64_t invalid = 0;
    const llm::UsageCounts counts = stage.read(invalid);
    EXPECT_EQ(llm::usage_of(counts).input, 12u);
    EXPECT_FALSE(counts.has_output());
    EXPECT_EQ(invalid, 2u);
}

TEST(UsageStage, HowABodyIsReadItsHeadersSay) {
    struct Head {
        const char* type;
        const char* coding;
        Body body;
    };
    const Head heads[] = {
        {"application/json", "", Body::json},
        {"application/json; charset=utf-8", "identity", Body::json},
        {"application/x-ndjson", "", Body::json},
        {"application/vnd.amazon.eventstream", "", Body::frames},
        {"audio/mpeg", "", Body::other},
        {"", "", Body::other},
        {"application/json", "gzip", Body::other},
    };
    for (const Head& row : heads) {
        std::vector<wire::Header> headers;
        if (*row.type != '\0') headers.push_back({"Content-Type", row.type});
        if (*row.coding != '\0') headers.push_back({"content-encoding", row.coding});
        EXPECT_EQ(usage_body(headers_of(headers), false), row.body) << row.type << row.coding;
    }
    EXPECT_EQ(usage_body(headers_of({}), true), Body::events);
    EXPECT_EQ(usage_body(headers_of({{"content-encoding", "br"}}), true), Body::other);
}

}  // namespace
}  // namespace rotary::proxy
