#include "load/message.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::bench {
namespace {

struct Case {
    std::string name;
    std::string bytes;
    int status;
    std::size_t body_bytes;
    std::size_t events;
    bool done;
    bool keeps_alive = true;
};

const std::vector<Case> kCases = {
    {"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, 0, true},
    {"an empty one", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 503, 0, 0, true},
    {"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 200, 4, 0, false},
    {"in chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n"
     "0\r\nTrailer: 1\r\n\r\n",
     200, 13, 0, true},
    {"without its last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
     200, 3, 0, false},
    {"a chunk longer than it says",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 200, 2, 0,
     false},
    {"events that chunks cut",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\nA\r\n\ndata: 2\n\n\r\n"
     "0\r\n\r\n",
     200, 18, 2, true},
    {"behind a 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
     200, 1, 0, true},
    {"that closes", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx", 200, 1, 0,
     true, false},
    {"a request", "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 0, 2, 0, true},
    {"a request without a body", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", 0, 0, 0, true},
    {"no status", "HTTP/1.1 what\r\n\r\n", 0, 0, 0, false},
};

void expect_as_said(const Message& message, const Case& row, std::size_t piece) {
    SCOPED_TRACE(row.name + ", in pieces of " + std::to_string(piece));
    EXPECT_EQ(message.done(), row.done);
    EXPECT_EQ(message.status(), row.status);
    EXPECT_EQ(message.body_bytes(), row.body_bytes);
    EXPECT_EQ(message.events(), row.events);
    EXPECT_EQ(message.keeps_alive(), row.keeps_alive);
}

TEST(LoadMessage, CountsTheSameInPiecesOfAnySize) {
    for (const Case& row : kCases) {
        for (std::size_t piece = 1; piece <= row.bytes.size(); ++piece) {
            Message message;
            for (std::size_t at = 0; at < row.bytes.size(); at += piece) {
                message.take(std::string_view(row.bytes).substr(at, piece));
            }
            expect_as_said(message, row, piece);
        }
    }
}

TEST(LoadMessage, LeavesWhatBelongsToTheNextOne) {
    const std::string first = "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
    Message message;
    EXPECT_EQ(message.take(first + "POST /b"), first.size());
    EXPECT_TRUE(message.done());
    EXPECT_TRUE(message.is_post());
}

TEST(LoadMessage, EndsWithTheConnectionOnlyWithoutALength) {
    Message unbounded;
    unbounded.take("HTTP/1.1 200 OK\r\n\r\nall of it");
    EXPECT_FALSE(unbounded.done());
    unbounded.close();
    EXPECT_TRUE(unbounded.done());
    EXPECT_EQ(unbounded.body_bytes(), 9U);

    Message sized;
    sized.take("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot all");
    sized.close();
    EXPECT_TRUE(sized.broken());
}

}  // namespace
}  // namespace rotary::bench
