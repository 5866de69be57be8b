#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

using namespace std::string_literals;

struct Response {
    std::vector<char> bytes;
    ResponseHead head;
    FaultKind fault = FaultKind::none;
};

Response read_response(std::string_view bytes, bool request_was_head = false,
                       const HeadLimits& limits = {}) {
    Response response;
    response.bytes.assign(bytes.begin(), bytes.end());
    const auto result = parse_response_head({response.bytes.data(), response.bytes.size()}, limits,
                                            request_was_head, response.head);
    if (result.has_error()) {
        response.fault = result.error().kind;
        EXPECT_EQ(result.error().origin, Origin::upstream);
    }
    return response;
}

std::string ok(std::string_view lines) {
    return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n";
}

struct Row {
    const char* name;
    std::string bytes;
};

TEST(Http1Response, Refuses) {
    const Row rows[] = {
        {"nothing", ""},
        {"empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
        {"cut", "HTTP/1.1 200\r\n"},
        {"bare LF", "HTTP/1.1 200 OK\n\n"},
        {"bare LF in a field", ok("X: a\nY: b\r\n")},
        {"bare CR", "HTTP/1.1 200 O\rK\r\n\r\n"},
        {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s},
        {"version 2", "HTTP/2.0 200 OK\r\n\r\n"},
        {"version 1.2", "HTTP/1.2 200 OK\r\n\r\n"},
        {"other protocol", "ICY/1.1 200 OK\r\n\r\n"},
        {"two digits", "HTTP/1.1 20 OK\r\n\r\n"},
        {"four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
        {"status 099", "HTTP/1.1 099 OK\r\n\r\n"},
        {"status 600", "HTTP/1.1 600 OK\r\n\r\n"},
        {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
        {"tab after the status", "HTTP/1.1 200\tOK\r\n\r\n"},
        {"switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
        {"obs-fold", ok("X: a\r\n b\r\n")},
        {"space before colon", ok("Content-Length : 5\r\n")},
        {"empty name", ok(": x\r\n")},
        {"length and chunked", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
        {"two lengths", ok("Content-Length: 5\r\nContent-Length: 6\r\n")},
        {"same length twice", ok("Content-Length: 5\r\nContent-Length: 5\r\n")},
        {"length list", ok("Content-Length: 5, 5\r\n")},
        {"negative length", ok("Content-Length: -1\r\n")},
        {"unknown coding", ok("Transfer-Encoding: gzip\r\n")},
        {"gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n")},
        {"chunked on 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"length and chunked after HEAD or 304",
         "HTTP/1.1 304 x\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n"},
        {"too large", ok("X: " + std::string(32768, 'a') + "\r\n")},
        {"bytes after the head", ok("") + "\r\n\r\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(read_response(row.bytes).fault, FaultKind::upstream_protocol_error);
        EXPECT_EQ(read_response(row.bytes, true).fault, FaultKind::upstream_protocol_error);
    }
    EXPECT_EQ(read_response(ok("A: 1\r\nB: 1\r\n"), false, {8192, 1, 32768}).fault,
              FaultKind::upstream_protocol_error);
}

struct Accepted {
    const char* name;
    std::string bytes;
    std::uint16_t status = 200;
    Framing framing = Framing::until_close;
    std::uint64_t length = 0;
    bool keep_alive = false;
    bool after_head = false;
};

TEST(Http1Response, AcceptsAndFrames) {
    const std::string length = "Content-Length: 5\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string old = "HTTP/1.0 200 OK\r\n";
    const Accepted rows[] = {
        {"no framing", ok("")},
        {"no reason", "HTTP/1.1 200\r\n\r\n"},
        {"empty reason", "HTTP/1.1 200 \r\n\r\n"},
        {"obs-text in the reason", "HTTP/1.1 404 n\xc3\xa4\r\n\r\n", 404},
        {"length", ok(length), 200, Framing::content_length, 5, true},
        {"length zero", ok("Content-Length: 0\r\n"), 200, Framing::content_length, 0, true},
        {"chunked", ok(chunked), 200, Framing::chunked, 0, true},
        {"close", ok(chunked + "Connection: close\r\n"), 200, Framing::chunked},
        {"1.0", old + length + "\r\n", 200, Framing::content_length, 5},
        {"1.0 kept alive", old + length + "Connection: keep-alive\r\n\r\n", 200,
         Framing::content_length, 5, true},
        {"HEAD with a length", ok(length), 200, Framing::none, 0, true, true},
        {"HEAD chunked", ok(chunked), 200, Framing::none, 0, true, true},
        {"HEAD without framing", ok(""), 200, Framing::none, 0, true, true},
        {"100", "HTTP/1.1 100 Continue\r\n\r\n", 100, Framing::none, 0, true},
        {"103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 103, Framing::none, 0, true},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, Framing::none, 0, true},
        {"204 with length zero", "HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", 204, Framing::none,
         0, true},
        {"204 that announces a body", "HTTP/1.1 204 x\r\n" + length + "\r\n", 204, Framing::none},
        {"204 chunked", "HTTP/1.1 204 x\r\n" + chunked + "\r\n", 204, Framing::none},
        {"304 with a length", "HTTP/1.1 304 x\r\n" + length + "\r\n", 304, Framing::none, 0, true},
        {"599", "HTTP/1.1 599 x\r\n" + length + "\r\n", 599, Framing::content_length, 5, true},
    };
    for (const Accepted& row : rows) {
        SCOPED_TRACE(row.name);
        const Response response = read_response(row.bytes, row.after_head);
        ASSERT_EQ(response.fault, FaultKind::none);
        EXPECT_EQ(response.head.status, row.status);
        EXPECT_EQ(response.head.framing, row.framing);
        EXPECT_EQ(response.head.content_length, row.length);
        EXPECT_EQ(response.head.keep_alive, row.keep_alive);
    }
    EXPECT_EQ(read_response("HTTP/1.1 404 Not  Found\r\n\r\n").head.reason, "Not  Found");
}

// RFC 9110 section 8.6: a client that was told a length would wait for it.
TEST(Http1Response, LengthOfAnAnswerThatNeverHasABodyIsDropped) {
    const std::string lines = " x\r\nA: 1\r\nContent-Length: 5\r\nX_Up: 2\r\n\r\n";
    for (const char* status : {"100", "103", "204"}) {
        const Response response = read_response("HTTP/1.1 " + std::string(status) + lines);
        ASSERT_EQ(response.fault, FaultKind::none) << status;
        EXPECT_EQ(response.head.headers.find("content-length"), nullptr) << status;
        EXPECT_EQ(response.head.headers.size(), 2U) << status;
    }
    for (const char* status : {"200", "304"}) {
        const Response response = read_response("HTTP/1.1 " + std::string(status) + lines);
        EXPECT_EQ(response.head.headers.count("content-length"), 1U) << status;
    }
}

}  // namespace
}  // namespace rotary::wire
