// The bytes of an answer: head, framing, pieces, and how its connection ends.
#include "mock/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::mock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Answer plain(unsigned status, std::string body) {
    Answer answer;
    answer.status = status;
    answer.header_lines = "content-type: text/plain\r\n";
    answer.body = std::move(body);
    return answer;
}

Answer stream(std::vector<std::string> events) {
    Answer answer;
    answer.stream = true;
    answer.header_lines = "content-type: text/event-stream\r\n";
    answer.events = std::move(events);
    return answer;
}

struct Row {
    const char* name;
    Answer answer;
    Framing framing;
    std::vector<std::string> pieces;
    End end = End::keep_alive;
};

void expect_all(std::vector<Row> rows) {
    for (Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(encode(row.answer, row.framing), row.pieces);
        EXPECT_EQ(row.answer.end, row.end);
    }
}

constexpr Framing kHttp11{true, true, false};
constexpr Framing kHttp11Close{false, true, false};
constexpr Framing kHttp10{false, false, false};
constexpr Framing kHttp10KeepAlive{true, false, false};
constexpr Framing kHead{true, true, true};

const std::string kType = "content-type: text/plain\r\n";
const std::string kEvents = "content-type: text/event-stream\r\n";

TEST(MockEncode, PlainAnswersHaveALength) {
    const std::string ok = "HTTP/1.1 200 OK\r\n" + kType + "content-length: 5\r\n";
    expect_all({
        {"as most come", plain(200, "hello"), kHttp11, {ok + "\r\nhello"}},
        {"nothing in it",
         plain(200, ""),
         kHttp11,
         {"HTTP/1.1 200 OK\r\n" + kType + "content-length: 0\r\n\r\n"}},
        {"the last of its connection",
         plain(200, "hello"),
         kHttp11Close,
         {ok + "connection: close\r\n\r\nhello"},
         End::fin},
        {"of HTTP/1.0",
         plain(200, "hello"),
         kHttp10,
         {ok + "connection: close\r\n\r\nhello"},
         End::fin},
        {"of HTTP/1.0 with Keep-Alive",
         plain(200, "hello"),
         kHttp10KeepAlive,
         {ok + "connection: keep-alive\r\n\r\nhello"}},
        {"to HEAD", plain(200, "hello"), kHead, {ok + "\r\n"}},
    });
}

TEST(MockEncode, StatusesThatHaveNoBodyHaveNoLength) {
    for (const unsigned status : {100U, 199U, 204U, 304U}) {
        Answer answer = plain(status, "");
        EXPECT_THAT(encode(answer, kHttp11).at(0), Not(HasSubstr("content-length"))) << status;
    }
    for (const unsigned status : {200U, 205U, 303U, 404U}) {
        Answer answer = plain(status, "");
        EXPECT_THAT(encode(answer, kHttp11).at(0), HasSubstr("content-length: 0\r\n")) << status;
    }
}

TEST(MockEncode, EveryStatusHasAReason) {
    const std::pair<unsigned, const char*> rows[] = {
        {200, "HTTP/1.1 200 OK\r\n"},
        {429, "HTTP/1.1 429 Too Many Requests\r\n"},
        {503, "HTTP/1.1 503 Service Unavailable\r\n"},
        {529, "HTTP/1.1 529 Site Is Overloaded\r\n"},
        {599, "HTTP/1.1 599 "},
    };
    for (const auto& [status, line] : rows) {
        Answer answer = plain(status, "");
        EXPECT_THAT(encode(answer, kHttp11).at(0), StartsWith(line)) << status;
    }
}

TEST(MockEncode, ACannedAnswerMayFrameItself) {
    const std::pair<const char*, bool> rows[] = {
        {"content-length: 3\r\n", true},
        {"Content-Length:3\r\n", true},
        {"x: y\r\ntransfer-encoding: chunked\r\n", true},
        {"TRANSFER-ENCODING: gzip\r\n", true},
        {"x-content-length: 3\r\n", false},
        {"x: content-length: 3\r\n", false},
        {"content-length", false},
        {"", false},
    };
    for (const auto& [lines, framed] : rows) {
        Answer answer;
        answer.header_lines = lines;
        answer.body = "12345";
        const std::string bytes = encode(answer, kHttp11).at(0);
        EXPECT_EQ(bytes.find("content-length: 5\r\n") == std::string::npos, framed) << lines;
    }
}

TEST(MockEncode, StreamsAreChunkedAndEachEventIsAPiece) {
    const std::string head = "HTTP/1.1 200 OK\r\n" + kEvents + "transfer-encoding: chunked\r\n\r\n";
    expect_all({
        {"two events",
         stream({"data: a\n\n", "data: 0123456789\n\n"}),
         kHttp11,
         {head, "9\r\ndata: a\n\n\r\n", "12\r\ndata: 0123456789\n\n\r\n0\r\n\r\n"}},
        {"to HEAD", stream({"data: a\n\n"}), kHead, {head}},
        {"the last of its connection",
         stream({"x"}),
         kHttp11Close,
         {"HTTP/1.1 200 OK\r\n" + kEvents +
              "transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
          "1\r\nx\r\n0\r\n\r\n"},
         End::fin},
    });
}

TEST(MockEncode, AStreamOfHttp10EndsWithItsConnection) {
    const std::string head = "HTTP/1.1 200 OK\r\n" + kEvents + "connection: close\r\n\r\n";
    expect_all({
        {"asked to close", stream({"a", "b"}), kHttp10, {head, "a", "b"}, End::fin},
        {"asked to stay", stream({"a", "b"}), kHttp10KeepAlive, {head, "a", "b"}, End::fin},
    });
}

TEST(MockEncode, AFaultsEndIsNotTakenBack) {
    for (const End end : {End::reset, End::stall, End::truncate, End::fin}) {
        Answer cut = stream({"a"});
        cut.end = end;
        encode(cut, kHttp10);
        EXPECT_EQ(cut.end, end);
        Answer last = plain(200, "x");
        last.end = end;
        encode(last, kHttp11Close);
        EXPECT_EQ(last.end, end);
    }
}

TEST(MockEncode, ABareAnswerIsItsBytes) {
    Answer answer = plain(200, "SSH-2.0-x\r\n");
    answer.bare = true;
    EXPECT_THAT(encode(answer, kHttp11), ElementsAre("SSH-2.0-x\r\n"));
}

TEST(MockErrors, AreOpenAisObjects) {
    struct ErrorRow {
        unsigned status;
        const char* body;
    };
    const ErrorRow rows[] = {
        {400, R"({"error":{"message":"The request is not valid.",)"
              R"("type":"invalid_request_error","param":null,"code":null}})"},
        {401, R"({"error":{"message":"Incorrect API key provided.",)"
              R"("type":"invalid_request_error","param":null,"code":"invalid_api_key"}})"},
        {418, R"({"error":{"message":"The request was refused.",)"
              R"("type":"invalid_request_error","param":null,"code":null}})"},
        {429, R"({"error":{"message":"Rate limit reached for requests.",)"
              R"("type":"requests","param":null,"code":"rate_limit_exceeded"}})"},
        {500, R"({"error":{"message":"The server had an error.",)"
              R"("type":"server_error","param":null,"code":null}})"},
        {503, R"({"error":{"message":"The server is overloaded.",)"
              R"("type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}})"},
        {529, R"({"error":{"message":"Overloaded.",)"
              R"("type":"overloaded_error","param":null,"code":null}})"},
        {599, R"({"error":{"message":"The server had an error.",)"
              R"("type":"server_error","param":null,"code":null}})"},
        {204, ""},
        {304, ""},
    };
    for (const ErrorRow& row : rows) {
        const Answer answer = error_answer(row.status);
        EXPECT_EQ(answer.status, row.status);
        EXPECT_EQ(answer.body, row.body) << row.status;
        EXPECT_EQ(answer.header_lines, "content-type: application/json\r\n");
        EXPECT_EQ(answer.end, End::keep_alive);
    }
}

TEST(MockErrors, StayJsonWhateverTheySay) {
    const Answer answer = error_answer(400, "a\"b", "c\\d", "line\nbreak \x01");
    EXPECT_EQ(answer.body, R"({"error":{"message":"line\nbreak \u0001","type":"a\"b","param":null,)"
                           R"("code":"c\\d"}})");
}

}  // namespace
}  // namespace rotary::mock
