#include <rotary/wire/sse_scanner.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

struct Row {
    const char* name;
    std::string stream;
    std::uint64_t events = 0;
    bool at_boundary = true;
    bool done = false;
    std::string usage = {};
};

void feed(SseScanner& scanner, std::string_view piece) {
    const std::vector<char> copy(piece.begin(), piece.end());  // exactly sized: no byte behind it
    scanner.feed({copy.data(), copy.size()});
}

void expect_row(const SseScanner& scanner, const Row& row) {
    EXPECT_EQ(scanner.events(), row.events);
    EXPECT_EQ(scanner.at_boundary(), row.at_boundary);
    EXPECT_EQ(scanner.done(), row.done);
    EXPECT_EQ(scanner.usage_payload(), row.usage);
}

void expect_everyhow(const Row& row, std::size_t line_bytes) {
    SCOPED_TRACE(row.name);
    SseScanner scanner(line_bytes);
    feed(scanner, row.stream);
    expect_row(scanner, row);

    scanner.begin();
    for (const char& c : row.stream) feed(scanner, {&c, 1});
    expect_row(scanner, row);

    for (std::size_t split = 0; split <= row.stream.size(); ++split) {
        SCOPED_TRACE(split);
        scanner.begin();
        feed(scanner, std::string_view(row.stream).substr(0, split));
        feed(scanner, std::string_view(row.stream).substr(split));
        expect_row(scanner, row);
        if (testing::Test::HasFailure()) return;
    }
}

const std::string kUsage = R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}})";

TEST(SseScanner, SeesErrors) {
    const std::pair<const char*, bool> rows[] = {
        {"data: {\"error\":{\"code\":500}}\n\n", true},
        {"data: { \"error\" : \"x\"}\n\n", true},
        {"event: error\ndata: {}\n\n", true},
        {"data: {\"error\":null,\"choices\":[]}\n\n", false},
        {"data: {\"choices\":[{\"error\":1}]}\n\n", false},
        {"data: {\"errors\":1}\n\n", false},
        {"data: \"error\"\n\n", false},
        {"data: {\"error\":{}}\n", false},
    };
    for (const auto& [stream, is_error] : rows) {
        SCOPED_TRACE(stream);
        SseScanner scanner;
        feed(scanner, "data: {}\n\n");
        feed(scanner, stream);
        feed(scanner, "data: {}\n");
        EXPECT_EQ(scanner.saw_error(), is_error);
    }
}

TEST(SseScanner, FollowsStreams) {
    const Row rows[] = {
        {"nothing", ""},
        {"one event", "data: {}\n\n", 1},
        {"CRLF", "data: {}\r\n\r\n", 1},
        {"CR", "data: {}\r\r", 1},
        {"mixed endings", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", 3},
        {"several empty lines", "\n\ndata: a\n\n\n\n", 1},
        {"no space", "data:a\n\n", 1},
        {"empty data", "data:\n\n", 1},
        {"data without a colon", "data\n\n", 1},
        {"event and id", "event: delta\nid: 1\ndata: {}\n\n", 1},
        {"event without data", "event: ping\n\n"},
        {"two lines of data", "data: a\ndata: b\n\n", 1},
        {"lone comment", ": ping\n\n"},
        {"comment and event", ": ping\n\ndata: a\n\n", 1},
        {"comment without its empty line", ": ping\n", 0, false},
        {"not quite data", "dat: a\ndatax: b\nxdata: c\nDATA: d\n data: e\n\n"},
        {"cut inside a line", "data: a\n\ndata: b", 1, false},
        {"cut after a line", "data: a\n\ndata: b\n", 1, false},
        {"cut inside the first byte", "d", 0, false},
        {"done", "data: a\n\ndata: [DONE]\n\n", 2, true, true},
        {"done without a space", "data:[DONE]\r\n\r\n", 1, true, true},
        {"done without its empty line", "data: [DONE]\n", 0, false},
        {"done is not over yet", "data: [DONE]", 0, false, false},
        {"done inside other text", "data: [DONE] x\n\ndata: \"[DONE]\"\n\n: [DONE]\n\n", 2},
        {"done as a second line", "data: a\ndata: [DONE]\n\n", 1},
        {"usage", "data: " + kUsage + "\n\n", 1, true, false, kUsage},
        {"usage by CR", "data: " + kUsage + "\r\rdata: [DONE]\r\r", 2, true, true, kUsage},
        {"usage null",
         R"(data: {"usage":null})"
         "\n\n",
         1},
        {"usage spaced null",
         R"(data: {"usage" : null})"
         "\n\n",
         1},
        {"null does not displace", "data: " + kUsage + "\n\ndata: {\"usage\":null}\n\n", 2, true,
         false, kUsage},
        {"null first, then another",
         R"(data: {"a":{"usage":null},"usage" : {}})"
         "\n\n",
         1, true, false, R"({"a":{"usage":null},"usage" : {}})"},
        {"last wins", "data: {\"usage\":1}\n\ndata: {\"usage\":2}\n\ndata: {}\n\n", 3, true, false,
         R"({"usage":2})"},
        {"usage as a value",
         R"(data: {"a":"usage"})"
         "\n\n",
         1},
        {"usage inside a text",
         R"(data: {"a":"say \"usage\": 5"})"
         "\n\n",
         1},
        {"other key",
         R"(data: {"usages":1,"my_usage":2})"
         "\n\n",
         1},
        {"Gemini's usage", "data: {\"usageMetadata\" : {}}\n\n", 1, true, false,
         R"({"usageMetadata" : {}})"},
        {"neither name", "data: {\"usageMeta\":{},\"usage_\":{}}\n\n", 1},
        {"usage in a comment", ": {\"usage\":1}\n\n"},
        {"usage without its empty line", "data: {\"usage\":1}\n", 0, false, false,
         R"({"usage":1})"},
        {"usage in a cut line", R"(data: {"usage":1})", 0, false},
        {"usage over two lines", "data: {\"a\":1,\ndata: \"usage\":{}}\n\n", 1, true, false,
         "{\"a\":1,\n\"usage\":{}}"},
        {"usage in the first of two lines", "data: {\"usage\":1\ndata: }\n\n", 1, true, false,
         "{\"usage\":1\n}"},
    };
    for (const Row& row : rows) expect_everyhow(row, 65536);
}

TEST(SseScanner, OverlongLinesAreOnlyFollowed) {
    const std::string fits = R"({"usage":1,"a":"0123456789"})";  // 28 bytes, 34 with its field
    const std::string pad(100, 'x');
    const Row rows[] = {
        {"just fits", "data: " + fits + "\n\n", 1, true, false, fits},
        {"one byte more", "data: " + fits + " \n\n", 1},
        {"much more", "data: " + pad + "\n\n", 1},
        {"the next one is kept", "data: " + pad + fits + "\n\ndata: " + fits + "\n\n", 2, true,
         false, fits},
        {"not ended", "data: " + pad, 0, false},
        {"long comment", ":" + pad + "\n\n"},
        {"data in the tail of another field", "event: " + pad + "data: [DONE]\n\n"},
        {"done and more than fits", "data: [DONE]" + std::string(40, ' ') + "\n\n", 1},
        // The first line stood alone when it ended, and was kept; the rest did not fit.
        {"lines add up", "data: {\"usage\":1,\ndata: \"a\":\"0123456789abcdefghi\"\n\n", 1, true,
         false, "{\"usage\":1,"},
    };
    for (const Row& row : rows) expect_everyhow(row, 34);
}

// Some events hold all of an answer: of one too long to keep the end is looked at, 16 KiB or half
// of what a line may have.
TEST(SseScanner, OverlongLinesTellTheirUsageAtTheirEnd) {
    const std::string usage = R"("usage":{"input_tokens":5},"user":null},"n":1})";  // 46 bytes
    const std::string long_text = R"(data: {"response":{"text":")" + std::string(400, 'x') + "\",";
    const Row rows[] = {
        {"behind all else", long_text + usage + "\n\n", 1, true, false, "{" + usage},
        {"the last one counts", long_text + R"("usage":{"a":1},)" + usage + "\n\n", 1, true, false,
         "{" + usage},
        {"Gemini's", long_text + R"("usageMetadata" : {"a":1}})" + "\n\n", 1, true, false,
         R"({"usageMetadata" : {"a":1}})"},
        {"null", long_text + R"("usage":null})" + "\n\n", 1},
        {"a text", long_text + R"("usage":"{"})" + "\n\n", 1},
        {"in a text", long_text + R"("a":"\"usage\":{}"})" + "\n\n", 1},
        {"before the end that is kept",
         R"(data: {"usage":{"a":1},"text":")" + std::string(400, 'x') + "\"}\n\n", 1},
        {"of another field", "event: " + std::string(400, 'x') + usage + "\n\n"},
        {"not ended", long_text + usage, 0, false},
    };
    for (const Row& row : rows) expect_everyhow(row, 256);
}

TEST(SseScanner, TheEndOfALineIsKeptHoweverLongItIs) {
    const std::string usage = R"("usage":{"input_tokens":5},"user":null},"n":1})";
    for (std::size_t size = 256; size < 1000; ++size) {
        for (const std::size_t piece : {1u, 7u, 100u, 125u}) {
            const std::string text = "data: {" + std::string(size, 'x') + usage + "\n\n";
            SseScanner scanner(256);
            for (std::size_t at = 0; at < text.size(); at += piece) {
                scanner.feed(std::string_view(text).substr(at, piece));
            }
            ASSERT_EQ(scanner.usage_payload(), "{" + usage) << size << " by " << piece;
        }
    }
}

// The same stream with each kind of line ending.
std::vector<std::string> with_endings(const std::string& stream) {
    std::vector<std::string> made;
    for (const char* const ending : {"\n", "\r\n", "\r"}) {
        std::string text;
        for (const char c : stream) text += c == '\n' ? std::string(ending) : std::string(1, c);
        made.push_back(text);
    }
    return made;
}

// Whether another event may follow these bytes: nothing, or an empty line at their end.
bool ends_between_events(std::string_view sent) {
    std::string text;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        if (sent[i] == '\r') {
            text += '\n';
            if (i + 1 < sent.size() && sent[i + 1] == '\n') ++i;
        } else {
            text += sent[i];
        }
    }
    return text.empty() || text == "\n" || text.ends_with("\n\n");
}

const std::string kStream =
    "event: delta\nid: 1\ndata: {\"a\":1}\n\n: ping\n\n\ndata: x\ndata: y\n\ndata: [DONE]\n\n";

TEST(SseScanner, WhatIsSentUpToTheBoundariesEndsBetweenEvents) {
    for (const std::string& stream : with_endings(kStream)) {
        for (std::size_t first = 0; first <= stream.size(); ++first) {
            for (std::size_t second = first; second <= stream.size(); ++second) {
                const std::string_view all = stream;
                const std::string_view pieces[] = {
                    all.substr(0, first), all.substr(first, second - first), all.substr(second)};
                SseScanner scanner;
                std::size_t fed = 0, sent = 0;
                for (const std::string_view piece : pieces) {
                    feed(scanner, piece);
                    const std::size_t at = scanner.boundary();
                    if (at != SseScanner::npos) {
                        ASSERT_GT(at, 0U);
                        ASSERT_LE(at, piece.size());
                        sent = fed + at;
                    }
                    fed += piece.size();
                    ASSERT_TRUE(ends_between_events(all.substr(0, sent))) << first << " " << second;
                    // Nothing whole is kept back.
                    for (std::size_t more = sent + 1; more <= fed; ++more) {
                        ASSERT_FALSE(ends_between_events(all.substr(0, more)))
                            << first << " " << second;
                    }
                    ASSERT_EQ(scanner.at_boundary(), sent == fed);
                }
                ASSERT_EQ(sent, stream.size());
            }
        }
    }
}

TEST(SseScanner, BoundaryOfThePieceFedLast) {
    struct Piece {
        const char* name;
        std::string text;
        std::size_t boundary;
    };
    constexpr std::size_t npos = SseScanner::npos;
    const Piece pieces[] = {
        {"nothing", "", npos},
        {"an empty line at the start", "\n", 1},
        {"half an event", "data: a\n", npos},
        {"nothing again", "", npos},
        {"its end and half of the next", "\ndata: b", 1},
        {"a line's end", "\r", npos},
        {"the other half of it", "\n", npos},
        {"an empty line's end", "\r", 1},
        {"the other half of that", "\n", 1},
        {"a comment", ": c\n\n", 5},
        {"three events", "data: a\n\ndata: b\n\ndata: c\n\n", 27},
        {"two and a half", "data: a\n\ndata: b\n\ndata: c\n", 18},
        {"still no end", "id: 1", npos},
        {"two ends", "\n\n", 2},
    };
    SseScanner scanner;
    EXPECT_EQ(scanner.boundary(), npos);
    for (const Piece& piece : pieces) {
        feed(scanner, piece.text);
        EXPECT_EQ(scanner.boundary(), piece.boundary) << piece.name;
    }
    scanner.begin();
    EXPECT_EQ(scanner.boundary(), npos);
}

TEST(SseScanner, OverlongEventsHaveBoundariesToo) {
    const std::string pad(100, 'x');
    const std::string many = "data: " + pad + "\n\nevent: " + pad + "\ndata: a\ndata: " + pad +
                             "\n\n:" + pad + "\n\ndata: b\n\n";
    for (const std::string& stream : with_endings(many)) {
        for (std::size_t split = 0; split <= stream.size(); ++split) {
            SseScanner scanner(34);
            feed(scanner, std::string_view(stream).substr(0, split));
            std::size_t sent = scanner.boundary() == SseScanner::npos ? 0 : scanner.boundary();
            ASSERT_TRUE(ends_between_events(std::string_view(stream).substr(0, sent))) << split;
            feed(scanner, std::string_view(stream).substr(split));
            if (split < stream.size()) {
                ASSERT_EQ(scanner.boundary(), stream.size() - split);
            }
            ASSERT_EQ(scanner.events(), 3U);
            ASSERT_EQ(scanner.first_payload(), "") << "too long to keep, and no other is the first";
        }
    }
}

struct HeadRow {
    const char* name;
    std::string stream;
    std::string first;
    bool saw_error = false;
};

void expect_head(const HeadRow& row) {
    SCOPED_TRACE(row.name);
    for (const std::string& stream : with_endings(row.stream)) {
        SseScanner scanner(64);
        for (std::size_t split = 0; split <= stream.size(); ++split) {
            scanner.begin();
            ASSERT_EQ(scanner.first_payload(), "");
            ASSERT_FALSE(scanner.saw_error());
            feed(scanner, std::string_view(stream).substr(0, split));
            feed(scanner, std::string_view(stream).substr(split));
            ASSERT_EQ(scanner.first_payload(), row.first) << split;
            ASSERT_EQ(scanner.saw_error(), row.saw_error) << split;
        }
    }
}

TEST(SseScanner, TheFirstPayload) {
    const std::string pad(100, 'x');
    const HeadRow rows[] = {
        {"nothing", "", ""},
        {"not ended", "data: {\"a\":1}\n", ""},
        {"one", "data: {\"a\":1}\n\n", "{\"a\":1}"},
        {"the first of two", "data: a\n\ndata: b\n\n", "a"},
        {"behind comments and other fields", ": c\n\nevent: ping\n\nid: 1\ndata: a\n\n", "a"},
        {"of several lines", "data: {\ndata: \"a\":1}\n\ndata: b\n\n", "{\n\"a\":1}"},
        {"without a space", "data:a\n\n", "a"},
        {"spaces are its own", "data:  a \n\n", " a "},
        {"empty", "data:\n\ndata: b\n\n", ""},
        {"done", "data: [DONE]\n\n", "[DONE]"},
        {"overlong", "data: " + pad + "\n\ndata: b\n\n", ""},
        {"its lines add up",
         "data: " + pad.substr(0, 40) + "\ndata: " + pad.substr(0, 40) + "\n\ndata: b\n\n", ""},
    };
    for (const HeadRow& row : rows) expect_head(row);
}

TEST(SseScanner, ErrorsByNameAndByObject) {
    const std::string error = "data: {\"error\":{\"code\":500}}\n\n";
    const std::string payload = "{\"error\":{\"code\":500}}";
    const std::string pad(100, 'x');
    const HeadRow rows[] = {
        {"by its name", "event: error\ndata: x\n\n", "x", true},
        {"by its name, no space", "event:error\ndata: x\n\n", "x", true},
        {"its name behind the data", "data: x\nevent: error\n\n", "x", true},
        {"by its object", error, payload, true},
        {"at the end", "data: a\n\n" + error, "a", true},
        {"it is remembered", error + "data: a\n\ndata: [DONE]\n\n", payload, true},
        {"spaces", "data:  { \"error\" : {} }\n\n", " { \"error\" : {} }", true},
        {"over two lines", "data: {\ndata: \"error\":1}\n\n", "{\n\"error\":1}", true},
        {"a text", "data: {\"error\":\"x\"}\n\n", "{\"error\":\"x\"}", true},
        {"an overlong one by its name", "event: error\ndata: " + pad + "\n\n", "", true},
        {"null is none", "data: {\"error\":null,\"a\":1}\n\n", "{\"error\":null,\"a\":1}"},
        {"spaced null", "data: {\"error\" : null}\n\n", "{\"error\" : null}"},
        {"not ended", "data: a\n\nevent: error\ndata: x\n", "a"},
        {"without data it is none", "event: error\n\ndata: a\n\n", "a"},
        {"a longer name", "event: errors\ndata: a\n\n", "a"},
        {"another name", "event: my error\ndata: a\n\n", "a"},
        {"in a comment", ": event: error\ndata: a\n\n", "a"},
        {"as data", "data: event: error\n\n", "event: error"},
        {"a longer key", "data: {\"errors\":1}\n\n", "{\"errors\":1}"},
        {"a value", "data: [\"error\"]\n\n", "[\"error\"]"},
        {"a text alone", "data: \"error\"\n\n", "\"error\""},
        {"cut off", "data: {\"error\"\n\n", "{\"error\""},
        {"further in", "data: {\"a\":{\"error\":1}}\n\n", "{\"a\":{\"error\":1}}"},
        {"what a model says", "data: {\"a\":\"{\\\"error\\\":1}\"}\n\n",
         "{\"a\":\"{\\\"error\\\":1}\"}"},
    };
    for (const HeadRow& row : rows) expect_head(row);
}

TEST(SseScanner, ANameCutShortIsNotTaken) {
    for (std::size_t split = 0; split <= 20; ++split) {
        const std::string stream = "event: error-of-ours\ndata: a\n\n";
        SseScanner scanner(12);  // holds "event: error" and no more
        feed(scanner, stream.substr(0, split));
        feed(scanner, stream.substr(split));
        EXPECT_FALSE(scanner.saw_error()) << split;
    }
}

TEST(SseScanner, BeginForgets) {
    SseScanner scanner;
    scanner.feed("data: {\"usage\":1}\n\ndata: [DONE]\n\ndata: cut\r");
    scanner.begin();
    EXPECT_EQ(scanner.events(), 0U);
    EXPECT_TRUE(scanner.at_boundary());
    EXPECT_FALSE(scanner.done());
    EXPECT_EQ(scanner.usage_payload(), "");
    scanner.feed("\n");
    EXPECT_EQ(scanner.events(), 0U);
    EXPECT_TRUE(scanner.at_boundary());
}

TEST(SseScanner, BoundaryIsKnownAfterEveryByte) {
    const std::string stream = "data: a\n\n: c\n\ndata: b\r\n\r\n";
    SseScanner scanner;
    std::string seen;
    for (const char& c : stream) {
        feed(scanner, {&c, 1});
        seen += scanner.at_boundary() ? '+' : '-';
    }
    EXPECT_EQ(seen, "--------+----+---------++");
}

// It is looked for sixteen places at a time: wherever it stands, and whatever begins like it.
TEST(SseScanner, FindsUsageAtEveryPlace) {
    for (std::size_t before = 0; before < 70; ++before) {
        const std::string text = R"({"user":")" + std::string(before, 'u') + R"(",)";
        for (const std::string& end : {std::string("}"), std::string(40, ' ') + "}"}) {
            const std::string used = text + R"("usage":1)" + end;
            const std::string unused = text + R"("usag":1,"xusage":2)" + end;
            for (const auto& [data, kept] :
                 {std::pair(used, used), std::pair(unused, std::string())}) {
                SseScanner scanner(1000);
                feed(scanner, "data: " + data + "\n\n");
                EXPECT_EQ(scanner.usage_payload(), kept) << before;
            }
        }
    }
}

// What a listener hears, and where each event stands in the stream.
class Heard final : public SseScanner::Listener {
public:
    void on_event(const SseScanner::Event& event) override {
        text_.append(event.data).append(event.has_usage ? " usage " : " ");
        text_.append(std::to_string(event.begin)).append("-");
        text_.append(std::to_string(event.end)).append("\n");
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

TEST(SseScannerListener, HearsOfEachEventWhereverThePiecesEnd) {
    const std::string stream =
        ": c\n\ndata: 1\n\nid: x\r\ndata: {\"usage\":1}\r\n\r\ndata: a\rdata: b\r\rdata: cut";
    const std::string expected = "1 5-14\n{\"usage\":1} usage 14-41\na\nb 42-59\n";
    for (std::size_t at = 0; at <= stream.size(); ++at) {
        SseScanner scanner;
        Heard heard;
        scanner.listen(&heard);
        scanner.feed(std::string_view(stream).substr(0, at));
        scanner.feed(std::string_view(stream).substr(at));
        EXPECT_EQ(heard.text(), expected) << at;
    }
}

TEST(SseScannerListener, HearsNothingOfAnotherStream) {
    SseScanner scanner(16);
    Heard heard;
    scanner.listen(&heard);
    scanner.feed("data: 0123456789abcdefg\n\n");
    EXPECT_EQ(heard.text(), " 0-25\n");  // too long to be kept
    scanner.begin();
    scanner.feed("data: 1\n\n");
    EXPECT_EQ(heard.text(), " 0-25\n");
}

}  // namespace
}  // namespace rotary::wire
