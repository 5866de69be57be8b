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

}  // namespace
}  // namespace rotary::wire
