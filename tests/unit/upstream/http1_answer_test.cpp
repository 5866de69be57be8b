// What a provider answers: its head, or that none comes.
#include "unit/upstream/one_try.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/loopback_port.hpp"

namespace rotary::upstream {
namespace {

const char* const kSized = "HTTP/1.1 200 OK\ncontent-length: 5\n";
const char* const kChunked = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n";
const char* const kUntilClose = "HTTP/1.1 200 OK\n";

TEST(Http1ProviderAnswer, TellsHowItsBodyEnds) {
    struct Row {
        const char* name;
        const char* method;
        const char* head;
        std::uint16_t status;
        BodyEnd body;
        std::uint64_t length;
        bool is_event_stream;
    };
    const Row rows[] = {
        {"by its length", "GET", kSized, 200, BodyEnd::sized, 5, false},
        {"by its last chunk", "GET", kChunked, 200, BodyEnd::unsized, 0, false},
        {"with the connection", "GET", kUntilClose, 200, BodyEnd::unsized, 0, false},
        {"none", "GET", "HTTP/1.1 204 None\n", 204, BodyEnd::none, 0, false},
        {"none that is unchanged", "GET", "HTTP/1.1 304 Same\ncontent-length: 5\n", 304,
         BodyEnd::none, 0, false},
        {"none of HEAD", "HEAD", "HTTP/1.1 404 No\ntransfer-encoding: chunked\n", 404,
         BodyEnd::none, 0, false},
        {"a stream", "POST", "HTTP/1.1 200 OK\nContent-Type: Text/Event-Stream; charset=utf-8\n",
         200, BodyEnd::unsized, 0, true},
        {"another type", "POST", "HTTP/1.1 200 OK\ncontent-type: application/json\n", 200,
         BodyEnd::unsized, 0, false},
        {"behind interim ones", "GET",
         "HTTP/1.1 100 Go\n\nHTTP/1.1 103 Hints\nlink: a\n\nHTTP/1.1 201 Made\ncontent-length: 0\n",
         201, BodyEnd::sized, 0, false},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        const SteadyTime before = attempt.reactor.exact_now();
        attempt.answer(row.head, "", row.method);
        const AnswerHead& answer = attempt.provider.answer();
        EXPECT_EQ(answer.status, row.status) << row.name;
        EXPECT_EQ(answer.body, row.body) << row.name;
        if (row.body == BodyEnd::sized) {
            EXPECT_EQ(answer.length, row.length) << row.name;
        }
        EXPECT_EQ(answer.is_event_stream, row.is_event_stream) << row.name;
        EXPECT_GE(answer.came, before) << row.name;
        EXPECT_EQ(attempt.scratch.response.status, row.status) << row.name;
    }
}

TEST(Http1ProviderAnswer, MayComeByteByByte) {
    OneTry attempt;
    attempt.begin();
    ASSERT_TRUE(attempt.send());
    test::Running<Result<void>> reading(attempt.provider.read_head());
    const std::string text = test::with_crlf("HTTP/1.1 100 Go\n\nHTTP/1.1 429 Slow\nx-a: 1\n\n");
    for (const char& c : text) {
        EXPECT_FALSE(reading.ended());
        attempt.far->say({&c, 1});
        test::settle(attempt.reactor);
    }
    EXPECT_TRUE(reading.result(attempt.reactor).has_value());
    EXPECT_EQ(attempt.provider.answer().status, 429);
}

TEST(Http1ProviderAnswer, WhatIsNoneIsAFault) {
    struct Row {
        const char* name;
        std::string text;
        bool is_fault;
    };
    std::string interim;
    for (int i = 0; i < 3; ++i) interim += "HTTP/1.1 100 Go\n\n";
    const Row rows[] = {
        {"another protocol", "SSH-2.0-OpenSSH\n\n", true},
        {"two lengths", "HTTP/1.1 200 OK\ncontent-length: 1\ncontent-length: 2\n\n", true},
        {"another protocol after all", "HTTP/1.1 101 Switch\nupgrade: a\n\n", true},
        {"as many interim answers as may be", interim + "HTTP/1.1 204 None\n\n", false},
        {"one more", interim + "HTTP/1.1 100 Go\n\nHTTP/1.1 204 None\n\n", true},
        {"as many header lines as may be", "HTTP/1.1 204 None\na: 1\nb: 2\n\n", false},
        {"one more of them", "HTTP/1.1 204 None\na: 1\nb: 2\nc: 3\n\n", true},
        {"a head that fits", "HTTP/1.1 204 None\na: " + std::string(900, 'a') + "\n\n", false},
        {"a larger one", "HTTP/1.1 204 None\na: " + std::string(1100, 'a') + "\n\n", true},
        {"one larger than the buffer", "HTTP/1.1 204 None\na: " + std::string(3000, 'a'), true},
    };
    for (const Row& row : rows) {
        OneTry attempt({}, 2048);
        attempt.config.limits.interim_responses = 3;
        attempt.config.limits.upstream_headers = 2;
        attempt.config.limits.upstream_header_bytes = 1000;
        attempt.begin();
        ASSERT_TRUE(attempt.send());
        attempt.say(row.text);
        const FaultKind expected =
            row.is_fault ? FaultKind::upstream_protocol_error : FaultKind::none;
        EXPECT_EQ(attempt.read_head(), expected) << row.name;
    }
}

// --- answers that do not come -------------------------------------------------------------------

// A provider that closed an idle connection as the request was on its way did not work on it; one
// that has said something, or took its time, may have.
TEST(Http1ProviderAnswer, AReusedConnectionThatDiesAtOnceMayBeReplaced) {
    struct Row {
        const char* name;
        const char* said;
        bool may_resend;
        bool at_once;
        Retry retry;
    };
    const Row rows[] = {
        {"at once", "", true, true, Retry::reused_only},
        {"where it must not be sent twice", "", false, true, Retry::next_entry},
        {"after a while", "", true, false, Retry::next_entry},
        {"after a byte", "H", true, true, Retry::next_entry},
        {"after an interim answer", "HTTP/1.1 100 Go\n\n", true, true, Retry::next_entry},
    };
    for (const Row& row : rows) {
        for (const bool sees_it_late : {false, true}) {
            OneTry attempt;
            attempt.terms.may_resend = row.may_resend;
            attempt.config.timeouts.stale_connection = config::Duration(row.at_once ? 60'000 : 0);
            attempt.begin();
            attempt.say(row.said);
            if (!sees_it_late) attempt.far->close();
            EXPECT_TRUE(attempt.send()) << row.name;
            attempt.far->close();
            const auto read = attempt.run(attempt.provider.read_head());
            ASSERT_TRUE(read.has_error()) << row.name;
            EXPECT_EQ(read.error().kind, FaultKind::upstream_protocol_error) << row.name;
            EXPECT_EQ(read.error().retry, row.retry) << row.name;
        }
    }
}

TEST(Http1ProviderAnswer, AFreshConnectionThatDiesIsItsEntrysFault) {
    OneTry attempt;
    test::LoopbackPort port;
    port.listen(1);
    ASSERT_TRUE(attempt.provider.begin(attempt.bucket, attempt.terms).has_value());
    net::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = port.number();
    ASSERT_TRUE(attempt.run(attempt.provider.connect(endpoint)).has_value());
    attempt.far.emplace(test::FarEnd::accepted(port.fd()));
    ASSERT_TRUE(attempt.send());
    attempt.far->close();
    const auto read = attempt.run(attempt.provider.read_head());
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().retry, Retry::next_entry);
}

TEST(Http1ProviderAnswer, IsWaitedForAsLongAsItMay) {
    using std::chrono::milliseconds;
    struct Row {
        const char* name;
        config::Duration configured;
        milliseconds own;  // of the Backend
        bool is_over;      // the request's own time
        bool is_late;
    };
    const config::Duration none = config::Duration::zero();
    const config::Duration minute(60'000);
    const Row rows[] = {
        {"for nothing at all", config::Duration(-1), milliseconds(0), false, true},
        {"for the Backend's own time", config::Duration(-1), minute, false, false},
        {"no longer than the request may take", minute, milliseconds(0), true, true},
        {"for a while", minute, milliseconds(0), false, false},
        {"a Backend's own time is over", minute, milliseconds(1), false, true},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        attempt.config.timeouts.first_byte = row.configured;
        attempt.terms.first_byte = row.own;
        if (row.is_over) attempt.terms.wait.deadline = attempt.reactor.now() + none;
        attempt.begin();
        ASSERT_TRUE(attempt.send()) << row.name;
        test::Running<Result<void>> reading(attempt.provider.read_head());
        test::settle(attempt.reactor);
        if (!row.is_late) {
            EXPECT_FALSE(reading.ended()) << row.name;
            EXPECT_GT(attempt.provider.answer().answer_by, attempt.reactor.now()) << row.name;
            attempt.say("HTTP/1.1 204 None\n\n");
        }
        EXPECT_LE(attempt.provider.answer().answer_by, attempt.terms.wait.deadline) << row.name;
        const auto read = reading.result(attempt.reactor);
        EXPECT_EQ(read.has_error(), row.is_late) << row.name;
        if (read.has_error()) {
            EXPECT_EQ(read.error().kind, FaultKind::upstream_timeout) << row.name;
        }
    }
}

TEST(Http1ProviderAnswer, AWaitForItHoldsNoBuffer) {
    OneTry attempt;
    attempt.terms.first_byte = std::chrono::milliseconds(20);
    attempt.begin();
    attempt.buffers.read_buffer().reset();
    const std::size_t kept = attempt.buffers.kept_bytes();
    EXPECT_GE(kept, 32768U);
    ASSERT_TRUE(attempt.send());
    EXPECT_EQ(attempt.read_head(), FaultKind::upstream_timeout);
    EXPECT_EQ(attempt.buffers.kept_bytes(), kept);
}

TEST(Http1ProviderAnswer, IsNotWaitedForWithoutAClient) {
    for (const bool hangs_up : {true, false}) {
        OneTry attempt;
        test::FarEnd client;
        net::Descriptor near(attempt.reactor, client.near());
        attempt.terms.wait.client = &near;
        attempt.begin();
        ASSERT_TRUE(attempt.send());
        test::Running<Result<void>> reading(attempt.provider.read_head());
        if (hangs_up) {
            client.close();
        } else {
            near.cancel();
        }
        const auto read = reading.result(attempt.reactor);
        ASSERT_TRUE(read.has_error());
        EXPECT_EQ(read.error().kind, hangs_up ? FaultKind::client_gone : FaultKind::draining);
    }
}

// A head is parsed again after a wait, when another answer stood in the worker's scratch.
TEST(Http1ProviderAnswer, ItsHeadComesBack) {
    OneTry attempt;
    attempt.answer("HTTP/1.1 429 Slow\nretry-after: 7\ncontent-length: 2\n", "{}");
    attempt.scratch.response.headers.clear();
    attempt.scratch.response.status = 200;
    attempt.provider.reread_head();
    EXPECT_EQ(attempt.scratch.response.status, 429);
    const wire::Header* wait = attempt.scratch.response.headers.find("retry-after");
    ASSERT_NE(wait, nullptr);
    EXPECT_EQ(wait->value, "7");
}

}  // namespace
}  // namespace rotary::upstream
