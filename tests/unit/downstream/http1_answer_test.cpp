// What stands on the wire of an answer, and whether its connection goes on.
#include "unit/downstream/one_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::downstream {
namespace {

TEST(Http1Answer, HowTheBodyGoesOn) {
    struct Row {
        const char* name;
        const char* line;
        const char* client;  // its header lines
        bool draining;
        const char* lines;  // of the answer
        AnswerBody body;
        bool keeps_alive;
        const char* added;  // to the head
    };
    constexpr bool kKeeps = true;
    using enum AnswerBody;
    const char* const get = "GET / HTTP/1.1\n";
    const char* const get_1_0 = "GET / HTTP/1.0\n";
    const char* const head = "HEAD / HTTP/1.1\n";
    const char* const length = "content-length: 5\n";
    const char* const stays = "connection: keep-alive\n";
    const char* const stream = "content-type: text/event-stream\nx-accel-buffering: no\n";
    const Row rows[] = {
        {"by its length", get, "", false, length, sized, kKeeps, ""},
        {"none", get, "", false, "", none, kKeeps, ""},
        {"of HEAD", head, "", false, length, none, kKeeps, ""},
        {"a stream's of HEAD", head, "", false, stream, none, kKeeps, ""},
        {"in chunks", get, "", false, "", unsized, kKeeps, "transfer-encoding: chunked\n"},
        {"a stream", get, "", false, stream, unsized, kKeeps, "transfer-encoding: chunked\n"},
        {"in chunks, of HEAD", head, "", false, "", none, kKeeps, ""},
        {"by its length, to a client that says that it stays", get, stays, false, length, sized,
         kKeeps, ""},
        {"by its length, to a client that goes", get, "connection: close\n", false, length, sized,
         !kKeeps, "connection: close\n"},
        {"in chunks, to a client that goes", get, "connection: close\n", false, "", unsized,
         !kKeeps, "connection: close\ntransfer-encoding: chunked\n"},
        {"none, to a client that goes", get, "connection: close\n", false, "", none, !kKeeps,
         "connection: close\n"},
        {"by its length, while we go", get, "", true, length, sized, !kKeeps,
         "connection: close\n"},
        {"in chunks, while we go", get, "", true, "", unsized, !kKeeps,
         "connection: close\ntransfer-encoding: chunked\n"},
        {"none, while we go", get, "", true, "", none, !kKeeps, "connection: close\n"},
        {"HTTP/1.0, by its length", get_1_0, stays, false, length, sized, kKeeps, stays},
        {"HTTP/1.0, none", get_1_0, stays, false, "", none, kKeeps, stays},
        {"HTTP/1.0, in chunks", get_1_0, stays, false, "", unsized, !kKeeps, "connection: close\n"},
        {"HTTP/1.0, a stream", get_1_0, stays, false, stream, unsized, !kKeeps,
         "connection: close\n"},
        {"HTTP/1.0, by its length, once", get_1_0, "", false, length, sized, !kKeeps,
         "connection: close\n"},
        {"HTTP/1.0, none, once", get_1_0, "", false, "", none, !kKeeps, "connection: close\n"},
        {"HTTP/1.0, by its length, while we go", get_1_0, stays, true, length, sized, !kKeeps,
         "connection: close\n"},
        {"for the whole server", "OPTIONS * HTTP/1.1\n", "", false, length, sized, kKeeps, ""},
    };
    for (const Row& row : rows) {
        OneClient client;
        ASSERT_EQ(client.ask(std::string(row.line) + "host: a\n" + row.client + "\n"),
                  Asked::request)
            << row.name;
        if (row.draining) client.sessions.drain();
        EXPECT_TRUE(client.connection.take_body_at_hand()) << row.name << ": there is none";
        EXPECT_TRUE(client.start(row.body, row.lines)) << row.name;
        EXPECT_EQ(client.hear(), "") << row.name << ": it goes with its first write";
        client.write({}, false);
        EXPECT_EQ(client.hear(), std::string("HTTP/1.1 200 OK\n") + row.lines + row.added + "\n")
            << row.name;
        EXPECT_EQ(client.finish(), row.keeps_alive) << row.name;
    }
}

// An answer to a request whose body was not read. What is short can be read for nothing.
TEST(Http1Answer, KeepsTheConnectionWhereItCan) {
    struct Row {
        const char* name;
        const char* version;
        const char* headers;
        const char* at_hand;
        bool draining;
        const char* connection;  // what the answer says of it
    };
    const char* const closes = "connection: close\n";
    const Row rows[] = {
        {"as it is", "1.1", "", "", false, ""},
        {"the client's word", "1.1", "connection: close\n", "", false, closes},
        {"HTTP/1.0", "1.0", "connection: keep-alive\n", "", false, "connection: keep-alive\n"},
        {"HTTP/1.0 without a word", "1.0", "", "", false, closes},
        {"a drain", "1.1", "", "", true, closes},
        {"a short body that is still to come", "1.1", "content-length: 65536\n", "", false, ""},
        {"a long one", "1.1", "content-length: 65537\n", "", false, closes},
        {"a long one that has begun", "1.1", "content-length: 65538\n", "hi", false, ""},
        {"one that is there", "1.1", "content-length: 5\n", "hello", false, ""},
        {"one that waits to be asked for", "1.1", "content-length: 5\nexpect: 100-continue\n", "",
         false, closes},
        {"one that did not wait for that", "1.1", "content-length: 5\nexpect: 100-continue\n",
         "hello", false, ""},
        {"one of unknown length", "1.1", "transfer-encoding: chunked\n", "", false, closes},
        {"one of unknown length that is there", "1.1", "transfer-encoding: chunked\n", "0\n\n",
         false, closes},
    };
    for (const Row& row : rows) {
        for (const char* target : {"/chat/1.0", "*"}) {
            OneClient client;
            std::string text = "OPTIONS ";
            text.append(target).append(" HTTP/").append(row.version).append("\nhost: a\n");
            text.append(row.headers).append("\n").append(row.at_hand);
            ASSERT_EQ(client.ask(text), Asked::request) << row.name;
            if (row.draining) client.sessions.drain();
            EXPECT_TRUE(client.start(AnswerBody::sized, "content-length: 0\n")) << row.name;
            client.write({}, true);
            EXPECT_EQ(client.hear(),
                      std::string("HTTP/1.1 200 OK\ncontent-length: 0\n") + row.connection + "\n")
                << row.name << ", " << target;
        }
    }
}

// A body that was read is no reason to close, whatever its length.
TEST(Http1Answer, ABodyThatWasReadIsNoReasonToClose) {
    OneClient client;
    client.ask("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n");
    ASSERT_TRUE(client.run(client.connection.read_body()).has_value());
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n");
    EXPECT_TRUE(client.finish());
}

TEST(Http1Answer, TheStatusLineIsAsItIsTold) {
    struct Row {
        std::uint16_t status;
        const char* reason;
        const char* head;
    };
    const Row rows[] = {
        {203, "Fine", "HTTP/1.1 203 Fine\n\n"},
        {204, "", "HTTP/1.1 204 \n\n"},
        {599, "Worst of all", "HTTP/1.1 599 Worst of all\n\n"},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.ask("GET / HTTP/1.1\nhost: a\n\n");
        EXPECT_TRUE(client.start(AnswerBody::none, "", row.status, row.reason));
        client.write({}, true);
        EXPECT_EQ(client.hear(), row.head);
    }
}

TEST(Http1Answer, OneThatDoesNotFitIsNone) {
    OneClient client;
    client.ask("GET / HTTP/1.1\nhost: a\n\n");
    const std::string head =
        "HTTP/1.1 200 OK\r\nx-a: 0123456789\r\ntransfer-encoding: chunked\r\n\r\n";
    for (const std::size_t missing : {0U, 1U, 3U, 10U}) {
        client.scratch.head.resize(head.size() - missing);
        EXPECT_EQ(client.start(AnswerBody::unsized, "x-a: 0123456789\n"), missing == 0) << missing;
    }
}

// As when the head of a provider's answer can't be passed on and a refusal takes its place.
TEST(Http1Answer, MayBeBegunAnewBeforeItIsWritten) {
    OneClient client;
    client.ask("GET / HTTP/1.1\nhost: a\n\n");
    EXPECT_TRUE(client.start(AnswerBody::unsized, "x-a: 1\n"));
    EXPECT_TRUE(client.start(AnswerBody::sized, "content-length: 2\n", 502, "Bad Gateway"));
    client.write({"{}"}, true);
    EXPECT_EQ(client.hear(), "HTTP/1.1 502 Bad Gateway\ncontent-length: 2\n\n{}");
    EXPECT_TRUE(client.finish());
}

TEST(Http1Answer, EachWriteIsAChunkOfWhatHasNoLength) {
    struct Write {
        std::vector<std::string> payload;
        bool is_last = false;
        std::string kept{};
    };
    struct Row {
        const char* name;
        const char* line;
        AnswerBody body;
        std::vector<Write> writes;
        std::vector<std::string> heard;  // of each, the head left out
    };
    const std::string large(300, 'x');
    const char* const get = "GET / HTTP/1.1\n";
    using enum AnswerBody;
    const Row rows[] = {
        {"one that is the last", get, unsized, {{{"hello"}, true}}, {"5\r\nhello\r\n0\r\n\r\n"}},
        {"several",
         get,
         unsized,
         {{{"a"}}, {{"bc"}}, {{"d"}, true}},
         {"1\r\na\r\n", "2\r\nbc\r\n", "1\r\nd\r\n0\r\n\r\n"}},
        {"an empty last one", get, unsized, {{{"a"}}, {{}, true}}, {"1\r\na\r\n", "0\r\n\r\n"}},
        {"an empty one that is not the last",
         get,
         unsized,
         {{{}}, {{"a"}}, {{}}, {{}, true}},
         {"", "1\r\na\r\n", "", "0\r\n\r\n"}},
        {"nothing at all", get, unsized, {{{}, true}}, {"0\r\n\r\n"}},
        {"of several pieces", get, unsized, {{{"a", "", "bcd"}}}, {"4\r\nabcd\r\n"}},
        {"with something that was kept",
         get,
         unsized,
         {{{"cd", "e"}, true, "ab"}},
         {"5\r\nabcde\r\n0\r\n\r\n"}},
        {"only what was kept", get, unsized, {{{}, false, "ab"}}, {"2\r\nab\r\n"}},
        {"as many pieces as there may be",
         get,
         unsized,
         {{std::vector<std::string>(wire::Pieces::kPayload, "ab"), true, "k"}},
         {"17\r\nkababababababababababab\r\n0\r\n\r\n"}},
        {"a large one", get, unsized, {{{large}}}, {"12c\r\n" + large + "\r\n"}},
        {"of a length", get, sized, {{{"ab"}}, {{}}, {{"c"}, true, "k"}}, {"ab", "", "kc"}},
        {"HTTP/1.0", "GET / HTTP/1.0\n", unsized, {{{"ab"}}, {{}}, {{"c"}, true}}, {"ab", "", "c"}},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.ask(std::string(row.line) + "host: a\n\n");
        ASSERT_TRUE(client.start(row.body)) << row.name;
        std::size_t sent = 0;
        for (std::size_t i = 0; i < row.writes.size(); ++i) {
            const Write& write = row.writes[i];
            client.write(write.payload, write.is_last, write.kept);
            std::string heard = client.client.hear();
            sent += heard.size();
            EXPECT_EQ(client.connection.bytes_sent(), sent) << row.name;
            if (i == 0) heard.erase(0, heard.find("\r\n\r\n") + 4);
            EXPECT_EQ(heard, row.heard[i]) << row.name << ", write " << i;
        }
    }
}

// --- clients that read slowly -------------------------------------------------------------------

// An answer with a large head and body, to a client that takes little at once.
class SlowClientTest : public testing::Test {
protected:
    SlowClientTest() {
        client_.client.takes_little();
        client_.ask("GET / HTTP/1.1\nhost: a\n\n");
        for (int i = 0; i < 20; ++i) lines_.append("x-a: ").append(1000, 'a').append("\n");
        EXPECT_TRUE(client_.start(AnswerBody::unsized, lines_));
        pieces_.add(payload_);
        const auto written = client_.connection.write(pieces_, true);
        EXPECT_TRUE(written.has_value() && !*written) << "it waits for the client";
        EXPECT_LT(client_.connection.bytes_sent(), lines_.size()) << "with a part of its head";
    }

    OneClient client_;
    std::string lines_;
    std::string payload_ = std::string(300000, 'b');
    wire::Pieces pieces_;
};

TEST_F(SlowClientTest, GetsAllOfIt) {
    test::Running<Result<void>> writing(client_.connection.finish_write(pieces_));
    std::fill(client_.scratch.head.begin(), client_.scratch.head.end(), '#');  // by another request
    std::string heard;
    while (!writing.ended()) {
        const std::string more = client_.client.hear();
        heard += more;
        if (more.empty()) test::turn(client_.reactor);
    }
    heard += client_.client.hear();
    EXPECT_TRUE(writing.result(client_.reactor).has_value());
    std::string all = "HTTP/1.1 200 OK\n" + lines_ + "transfer-encoding: chunked\n\n493e0\n";
    all.append(payload_).append("\n0\n\n");
    EXPECT_TRUE(test::without_cr(heard) == all) << heard.substr(0, 100);
    EXPECT_EQ(client_.connection.bytes_sent(), heard.size());
    EXPECT_GT(client_.waited.count(), 0);
    EXPECT_TRUE(client_.finish());
}

TEST_F(SlowClientTest, MayGo) {
    test::Running<Result<void>> writing(client_.connection.finish_write(pieces_));
    test::settle(client_.reactor);
    EXPECT_FALSE(writing.ended());
    client_.client.close();
    const auto written = writing.result(client_.reactor);
    ASSERT_TRUE(written.has_error());
    EXPECT_EQ(written.error().kind, FaultKind::client_gone);
}

TEST_F(SlowClientTest, HasItsTime) {
    client_.config.timeouts.write_stall = config::Duration::zero();
    const auto written = client_.run(client_.connection.finish_write(pieces_));
    ASSERT_TRUE(written.has_error());
    EXPECT_EQ(written.error().kind, FaultKind::client_gone);
}

TEST(Http1Answer, AClientThatIsGoneGetsNone) {
    OneClient client;
    client.ask("GET / HTTP/1.1\nhost: a\n\n");
    client.client.close();
    ASSERT_TRUE(client.start(AnswerBody::unsized));
    wire::Pieces pieces;
    const auto written = client.connection.write(pieces, true);
    ASSERT_TRUE(written.has_error());
    EXPECT_EQ(written.error().kind, FaultKind::client_gone);
    EXPECT_EQ(client.connection.bytes_sent(), 0U);
}

}  // namespace
}  // namespace rotary::downstream
