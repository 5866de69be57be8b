// What of a provider's answer has come, and whether its connection may serve another request.
#include "proxy/reply.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

// The head of the answer is parsed, and `bytes` stand in the reply's buffer behind it.
void receive(OneRequest& request, const std::string& head, const std::string& bytes) {
    Reply& reply = request.answer(head);
    reply.in = request.buffers.read_buffer();
    reply.head_bytes = request.answer_text.size();
    for (const std::string& part : {request.answer_text, bytes}) {
        std::memcpy(reply.in.space(), part.data(), part.size());
        reply.in.produced(part.size());
    }
}

TEST(Reply, TheBodyAtHandIsItsPayload) {
    struct Row {
        const char* name;
        const char* head;
        const char* bytes;
        const char* payload;
    };
    const char* const chunked = "HTTP/1.1 429 Slow\ntransfer-encoding: chunked\n";
    const Row rows[] = {
        {"none", "HTTP/1.1 204 None\n", "", ""},
        {"all of it", "HTTP/1.1 429 Slow\ncontent-length: 5\n", "hello", "hello"},
        {"part of it", "HTTP/1.1 429 Slow\ncontent-length: 9\n", "hello", "hello"},
        {"more than it", "HTTP/1.1 429 Slow\ncontent-length: 4\n", "hello", "hell"},
        {"chunks", chunked, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"},
        {"part of a chunk", chunked, "2\r\nhe\r\n3\r\nl", "hel"},
        {"up to what is no chunk", chunked, "2\r\nhe\r\nhello", "he"},
        {"to the end of the connection", "HTTP/1.1 429 Slow\n", "hello", "hello"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.ask("GET /chat/1.0/x");
        receive(request, row.head, row.bytes);
        std::string scratch = "of another one";
        EXPECT_EQ(body_at_hand(request.reply, scratch), row.payload) << row.name;
        EXPECT_EQ(body_at_hand(request.reply, scratch), row.payload) << row.name << ", again";
    }
}

// What is left of one answer would be taken for the beginning of the next.
TEST(Reply, OnlyAConnectionThatOwesNothingServesAgain) {
    struct Row {
        const char* name;
        const char* method;
        const char* head;
        const char* bytes;
        bool request_sent;
        bool keep_alive;
        bool kept;
    };
    const char* const chunked = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n";
    const Row rows[] = {
        {"read to its end", "GET", "HTTP/1.1 200 OK\ncontent-length: 5\n", "hello", true, true,
         true},
        {"no body", "GET", "HTTP/1.1 204 None\n", "", true, true, true},
        {"of HEAD", "HEAD", "HTTP/1.1 200 OK\ncontent-length: 5\n", "", true, true, true},
        {"the last chunk has come", "GET", chunked, "2\r\nhe\r\n0\r\n\r\n", true, true, true},
        {"some of it is missing", "GET", "HTTP/1.1 200 OK\ncontent-length: 6\n", "hello", true,
         true, false},
        {"the last chunk is missing", "GET", chunked, "2\r\nhe\r\n", true, true, false},
        {"its chunks are none", "GET", chunked, "hello\r\n0\r\n\r\n", true, true, false},
        {"it ends with the connection", "GET", "HTTP/1.1 200 OK\n", "hello", true, true, false},
        {"something stands behind it", "GET", "HTTP/1.1 200 OK\ncontent-length: 4\n", "hello", true,
         true, false},
        {"something stands behind no body", "GET", "HTTP/1.1 204 None\n", "hello", true, true,
         false},
        {"it came before the request was through", "GET", "HTTP/1.1 200 OK\ncontent-length: 5\n",
         "hello", false, true, false},
        {"its provider closes", "GET", "HTTP/1.1 200 OK\ncontent-length: 5\n", "hello", true, false,
         false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        const auto state = request.backend().state;
        request.ask(std::string(row.method) + " /chat/1.0/x");
        Reply& reply = request.reply;
        reply.bucket = request.pool.hold("a", state, {});
        reply.stream = request.pool.take(reply.bucket, SteadyTime{});
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            throw std::runtime_error("there is no socket pair");
        }
        reply.stream.open(std::make_unique<net::Stream>(request.reactor, request.buffers, ends[0],
                                                        net::Stream::Role{}));
        request.io.poll();
        receive(request, row.head, row.bytes);
        reply.request_sent = row.request_sent;
        reply.keep_alive = row.keep_alive;
        release(request.context, reply);
        EXPECT_EQ(request.pool.idle(), row.kept ? 1U : 0U) << row.name;
        EXPECT_EQ(state->connections(), row.kept ? 1U : 0U) << row.name;
        EXPECT_FALSE(reply.stream) << row.name;
        EXPECT_FALSE(reply.in) << row.name;
        EXPECT_EQ(reply.head_bytes, 0U) << row.name;
        request.pool.clear();
        ::close(ends[1]);
    }
}

// A head is parsed again after a wait, when another answer stood in the worker's scratch.
TEST(Reply, ItsHeadComesBack) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    receive(request, "HTTP/1.1 429 Slow\nretry-after: 7\ncontent-length: 2\n", "{}");
    request.context.scratch.response.headers.clear();
    request.context.scratch.response.status = 200;
    reparse_head(request.context, request.exchange, request.reply);
    EXPECT_EQ(request.context.scratch.response.status, 429);
    const wire::Header* wait = request.context.scratch.response.headers.find("retry-after");
    ASSERT_NE(wait, nullptr);
    EXPECT_EQ(wait->value, "7");
}

}  // namespace
}  // namespace rotary::proxy
