// The bytes of the demo's calls, and how answers are put together from pieces.
#include "demo/call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::demo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DemoCall, IsWrittenWhole) {
    Call post;
    post.host = "h";
    post.target = "/x";
    post.headers = {{"A", "1"}, {"B", "2"}};
    post.body = "{}";
    EXPECT_EQ(bytes_of(post),
              "POST /x HTTP/1.1\r\nHost: h\r\nUser-Agent: rotary-demo\r\nConnection: close\r\n"
              "A: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(DemoCall, HasALengthWhenItHasABodyOrMayHaveOne) {
    struct Row {
        const char* method;
        const char* body;
        const char* length;  // empty: none
    };
    const Row rows[] = {
        {"POST", "", "Content-Length: 0\r\n"},
        {"POST", "abc", "Content-Length: 3\r\n"},
        {"GET", "", ""},
        {"GET", "abc", "Content-Length: 3\r\n"},
    };
    for (const Row& row : rows) {
        Call call;
        call.method = row.method;
        call.body = row.body;
        const std::string bytes = bytes_of(call);
        EXPECT_EQ(bytes.find("Content-Length") != std::string::npos, *row.length != '\0');
        EXPECT_THAT(bytes, HasSubstr(row.length));
    }
}

// Reads `bytes` in pieces of `step` and then, unless it is done, the end of the connection.
Answer read(const std::string& bytes, std::size_t step, const Call& call = {}) {
    AnswerReader reader(call);
    for (std::size_t at = 0; at < bytes.size() && !reader.is_done(); at += step) {
        reader.take(std::string_view(bytes).substr(at, step));
    }
    if (!reader.is_done()) reader.end();
    return reader.answer();
}

TEST(DemoAnswer, IsTheSameWhateverItsPieces) {
    struct Row {
        const char* name;
        std::string bytes;
        unsigned status;
        const char* body;
    };
    const Row rows[] = {
        {"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", 200,
         "hello"},
        {"without a body", "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", 204, ""},
        {"in chunks",
         "HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
         "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         200, "hello"},
        {"up to its end", "HTTP/1.1 429 Slow\r\nX-A: b\r\n\r\nhello", 429, "hello"},
        {"of HTTP/1.0", "HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello", 200, "hello"},
    };
    for (const Row& row : rows) {
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, row.bytes.size()}) {
            SCOPED_TRACE(testing::Message() << row.name << " in pieces of " << step);
            const Answer answer = read(row.bytes, step);
            EXPECT_EQ(answer.status, row.status);
            EXPECT_EQ(answer.body, row.body);
            EXPECT_EQ(answer.header("x-a"), "b");
        }
    }
}

TEST(DemoAnswer, ThatIsNotWholeIsNone) {
    const std::pair<const char*, const char*> rows[] = {
        {"", "ended in mid-answer"},
        {"HTTP/1.1 200 OK\r\n", "ended in mid-answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "ended in mid-answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
         "ended in mid-answer"},
        {"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP in the answer"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "no HTTP in the answer"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "no HTTP in the answer"},
    };
    for (const auto& [bytes, says] : rows) {
        SCOPED_TRACE(bytes);
        try {
            read(bytes, 1000);
            ADD_FAILURE() << "was taken";
        } catch (const std::runtime_error& error) {
            EXPECT_THAT(error.what(), HasSubstr(says));
        }
    }
}

TEST(DemoAnswer, IsToldPieceByPieceAsItComes) {
    std::vector<std::string> told;
    Call call;
    call.on_body = [&](std::string_view piece) { told.emplace_back(piece); };
    AnswerReader reader(call);
    reader.take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
    reader.take("\r\n5\r\nhe");
    EXPECT_THAT(told, ElementsAre("he"));
    reader.take("llo\r\n1\r\n");
    EXPECT_THAT(told, ElementsAre("he", "llo"));
    reader.take("!\r\n0\r\n");
    reader.take("\r\n");
    EXPECT_THAT(told, ElementsAre("he", "llo", "!"));
    EXPECT_TRUE(reader.is_done());
    EXPECT_EQ(reader.answer().body, "hello!");
}

TEST(DemoAnswer, HasTheFirstHeaderOfAName) {
    const Answer answer{200, {{"X-A", "1"}, {"x-a", "2"}, {"X-Empty", ""}}, ""};
    EXPECT_EQ(answer.header("x-A"), "1");
    EXPECT_THAT(answer.header("x-empty"), IsEmpty());
    EXPECT_THAT(answer.header("x-b"), IsEmpty());
}

}  // namespace
}  // namespace rotary::demo
