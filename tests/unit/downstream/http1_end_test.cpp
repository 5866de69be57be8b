// What becomes of a client's connection when a request is over.
#include "unit/downstream/one_client.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rotary::downstream {
namespace {

const std::string kNext = "GET /next HTTP/1.1\nhost: a\n\n";

std::string asking(const std::string& header_lines, const std::string& body = "") {
    return "POST / HTTP/1.1\nhost: a\n" + header_lines + "\n" + body;
}

// A body that was not read must not be taken for the next request.
TEST(Http1End, ABodyThatWasNotReadIsLeftOut) {
    struct Row {
        const char* name;
        std::string length;
        std::string with_head;  // what comes with the head
        std::string later;      // what comes behind the answer
    };
    const std::string half(32768, 'x');
    const Row rows[] = {
        {"none", "0", kNext, ""},
        {"none, and the next request comes later", "0", "", kNext},
        {"one that is there", "5", "hello" + kNext, ""},
        {"one that is there in part", "5", "he", "llo" + kNext},
        {"one that is still to come", "5", "", "hello" + kNext},
        {"one that comes in pieces", "65536", "", half + half + kNext},
    };
    for (const Row& row : rows) {
        OneClient client;
        const std::string length = "content-length: " + row.length + "\n";
        ASSERT_EQ(client.ask(asking(length, row.with_head)), Asked::request) << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n") << row.name;
        client.say(row.later);
        EXPECT_TRUE(client.finish()) << row.name;
        EXPECT_EQ(client.next(), Asked::request) << row.name;
        EXPECT_EQ(client.request.path, "/next") << row.name;
    }
}

// The client may still be sending: an answer must not be destroyed by a reset.
TEST(Http1End, WhatIsNotReadToItsEndIsReadOnForAWhile) {
    struct Row {
        const char* name;
        const char* header_lines;
        const char* body;
    };
    const Row rows[] = {
        {"a long body", "content-length: 70000\n", "hello"},
        {"one of unknown length", "transfer-encoding: chunked\n", "5\nhel"},
        {"one that was not asked for", "content-length: 5\nexpect: 100-continue\n", ""},
    };
    for (const Row& row : rows) {
        OneClient client;
        ASSERT_EQ(client.ask(asking(row.header_lines, row.body)), Asked::request) << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n") << row.name;
        EXPECT_EQ(client.connection.end(Fault{}), After::unread) << row.name;
        test::Running<bool> end(client.connection.drop_rest());
        EXPECT_TRUE(client.client.heard_the_end()) << row.name;
        client.client.say(std::string(40000, 'x'));
        test::settle(client.reactor);
        client.client.say(std::string(40000, 'x'));
        test::settle(client.reactor);
        EXPECT_FALSE(end.ended()) << row.name;
        client.client.close();
        EXPECT_FALSE(end.result(client.reactor)) << row.name;
        EXPECT_FALSE(client.is_aborted()) << row.name;
    }
}

// A refusal comes before the body is asked for: where there is none nothing is waited for.
TEST(Http1End, WithoutABodyItIsOverAtOnce) {
    OneClient client;
    ASSERT_EQ(client.ask("GET / HTTP/1.1\nhost: a\nconnection: close\n\n"), Asked::request);
    client.answer();
    EXPECT_EQ(client.connection.end(Fault{}), After::over);
}

TEST(Http1End, ReadsNoMoreThanIsFair) {
    OneClient client;
    client.config.limits.body_bytes = 1000;
    client.ask(asking("transfer-encoding: chunked\n"));
    client.answer();
    EXPECT_EQ(client.connection.end(Fault{}), After::unread);
    test::Running<bool> end(client.connection.drop_rest());
    client.client.say(std::string(1999, 'x'));
    test::settle(client.reactor);
    EXPECT_FALSE(end.ended());
    client.client.say("x");
    EXPECT_FALSE(end.result(client.reactor));
}

TEST(Http1End, WaitsNoLongerThanItMay) {
    struct Row {
        const char* name;
        config::Duration config::Timeouts::*limit;
        const char* header_lines;
    };
    const Row rows[] = {
        {"for the rest of a short body", &config::Timeouts::body_gap, "content-length: 5\n"},
        {"for the end of a long one", &config::Timeouts::shutdown, "content-length: 70000\n"},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.config.timeouts.*row.limit = config::Duration::zero();
        client.config.timeouts.shutdown = config::Duration::zero();
        client.ask(asking(row.header_lines, "he"));
        client.answer();
        EXPECT_FALSE(client.finish()) << row.name;
        EXPECT_TRUE(client.client.heard_the_end()) << row.name;
    }
}

TEST(Http1End, ABodyWhoseClientGoesEndsTheConnection) {
    OneClient client;
    client.ask(asking("content-length: 5\n", "he"));
    client.answer();
    client.client.close();
    EXPECT_FALSE(client.finish());
}

// By the framing, or by the want of a close_notify, a client sees that an answer is a piece; one
// without chunks would take a proper end for the answer's.
TEST(Http1End, ABrokenAnswerIsNotPassedOffAsWhole) {
    struct Row {
        const char* name;
        const char* version;
        FaultKind kind;
        bool is_aborted;
    };
    using enum FaultKind;
    const Row rows[] = {
        {"its client is gone", "1.1", client_gone, true},
        {"an old client is gone", "1.0", client_gone, true},
        {"it was interrupted", "1.1", upstream_stream_interrupted, false},
        {"it was interrupted, for an old client", "1.0", upstream_stream_interrupted, true},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.ask("GET / HTTP/" + std::string(row.version) + "\nhost: a\n\n");
        ASSERT_TRUE(client.start(AnswerBody::unsized)) << row.name;
        client.write({"hello"}, false);
        EXPECT_FALSE(client.finish(row.kind)) << row.name;
        EXPECT_EQ(client.is_aborted(), row.is_aborted) << row.name;
        client.connection.shutdown();
        EXPECT_FALSE(client.client.heard_the_end()) << row.name << ": no proper end";
    }
}

TEST(Http1End, AnyOtherFaultWasAnswered) {
    for (const FaultKind kind : {FaultKind::none, FaultKind::upstream_timeout}) {
        OneClient client;
        client.ask("GET / HTTP/1.1\nhost: a\n\n");
        client.answer();
        EXPECT_TRUE(client.finish(kind));
        EXPECT_FALSE(client.is_aborted());
        EXPECT_FALSE(client.client.heard_the_end());
        client.connection.shutdown();
        EXPECT_TRUE(client.client.heard_the_end());
    }
}

TEST(Http1End, TheAnswerMayEndTheConnection) {
    OneClient client;
    client.ask(asking("content-length: 2\n", "{}" + kNext));
    client.connection.close_after();
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n");
    client.client.close();
    EXPECT_FALSE(client.finish());
}

}  // namespace
}  // namespace rotary::downstream
