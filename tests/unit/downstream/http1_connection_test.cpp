// A client's requests, as they come over a connection.
#include "unit/downstream/one_client.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <string>

#include "support/loopback_port.hpp"

namespace rotary::downstream {
namespace {

TEST(Http1Connection, ReadsARequest) {
    OneClient client;
    const std::string text =
        "POST /chat/1.0?a=b HTTP/1.1\nHost: llm.test:8443\nUser-Agent: sdk\ncontent-length: 2\n\n";
    const SteadyTime before = client.reactor.exact_now();
    ASSERT_EQ(client.ask(text), Asked::request);
    const Request& request = client.request;
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/chat/1.0");
    EXPECT_EQ(request.query, "a=b");
    EXPECT_EQ(request.host, "llm.test");
    EXPECT_EQ(request.port, "8443");
    EXPECT_EQ(request.user_agent, "sdk");
    EXPECT_EQ(request.body_length, 2U);
    EXPECT_FALSE(request.is_tls);
    EXPECT_EQ(request.bytes_received, test::with_crlf(text).size());
    EXPECT_GE(request.started, before);
    EXPECT_EQ(client.connection.bytes_sent(), 0U);
}

TEST(Http1Connection, RequestsComeOneAfterTheOther) {
    struct Row {
        const char* name;
        std::size_t at_a_time;  // bytes that come at once
        bool waits;             // for an answer, before it asks again
    };
    const Row rows[] = {
        {"each by itself", 1000, true},
        {"byte by byte", 1, true},
        {"all at once", 1000, false},
        {"in pieces that end in another's head", 25, false},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.connect();
        std::string rest;
        for (const std::string path : {"/1", "/2", "/3"}) {
            rest.append("GET ").append(path).append(" HTTP/1.1\nhost: a\n\n");
            if (path != "/3" && !row.waits) continue;
            for (std::size_t asked = row.waits ? 1 : 3; asked > 0; --asked) {
                test::Running<Asked> next(client.wait(client.connection));
                while (!next.ended() && !rest.empty()) {
                    client.say(rest.substr(0, row.at_a_time));
                    rest.erase(0, row.at_a_time);
                    test::settle(client.reactor);
                }
                ASSERT_EQ(next.result(client.reactor), Asked::request) << row.name;
                const std::string expected = row.waits ? path : "/" + std::to_string(4 - asked);
                EXPECT_EQ(client.request.path, expected) << row.name;
                EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n") << row.name;
                EXPECT_TRUE(client.finish()) << row.name;
            }
        }
        EXPECT_TRUE(rest.empty()) << row.name;
    }
}

TEST(Http1Connection, WhatIsNoRequestIsRefused) {
    struct Row {
        const char* name;
        std::size_t header_bytes;
        std::size_t uri_bytes;
        std::size_t headers;
        std::string text;
        FaultKind kind;
    };
    const std::string line = "GET /0123456789 HTTP/1.1\nhost: a\n";
    using enum FaultKind;
    const Row rows[] = {
        {"a first line without an end", 64, 64, 9, "GET /" + std::string(100, 'a'), uri_too_long},
        {"the same, beyond the read buffer", 9000, 9000, 9, "GET /" + std::string(2000, 'a'),
         uri_too_long},
        {"header lines without an end", 64, 64, 9, line + "a: " + std::string(100, 'a'),
         headers_too_large},
        {"the same, beyond the read buffer", 9000, 9000, 9, line + "a: " + std::string(2000, 'a'),
         headers_too_large},
        {"a longer target", 1000, 10, 9, line + "\n", uri_too_long},
        {"more header lines", 1000, 64, 2, line + "b: 1\nc: 2\n\n", headers_too_large},
        {"no host", 1000, 64, 9, "GET / HTTP/1.1\n\n", bad_request},
        {"another protocol", 1000, 64, 9, "SSH-2.0-OpenSSH\n\n", bad_request},
        {"two lengths", 1000, 64, 9, line + "content-length: 1\ncontent-length: 2\n\n",
         bad_request},
    };
    for (const Row& row : rows) {
        OneClient client(1024);
        client.config.limits.header_bytes = row.header_bytes;
        client.config.limits.uri_bytes = row.uri_bytes;
        client.config.limits.headers = row.headers;
        ASSERT_EQ(client.ask(row.text), Asked::refused) << row.name;
        EXPECT_EQ(client.refusal.kind, row.kind) << row.name;
        EXPECT_EQ(client.refusal.origin, Origin::client) << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n") << row.name;
        client.client.close();
        EXPECT_FALSE(client.finish()) << row.name;
    }
}

// A time of nothing is over at once.
TEST(Http1Connection, WaitsAsLongAsItMay) {
    struct Row {
        const char* name;
        config::Duration config::Timeouts::*limit;
        const char* said;
        Asked asked;
    };
    const Row rows[] = {
        {"for a first byte", &config::Timeouts::keep_alive, "", Asked::nothing},
        {"for the rest of a head", &config::Timeouts::head, "GET / HT", Asked::refused},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.config.timeouts.*row.limit = config::Duration::zero();
        EXPECT_EQ(client.ask(row.said), row.asked) << row.name;
        if (row.asked == Asked::nothing) continue;
        EXPECT_EQ(client.refusal.kind, FaultKind::request_timeout) << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n") << row.name;
    }
}

TEST(Http1Connection, EndsWithItsClient) {
    for (const char* said : {"", "GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n"}) {
        OneClient client;
        client.connect();
        client.client.say(said);
        test::Running<Asked> next(client.wait(client.connection));
        test::settle(client.reactor);
        EXPECT_FALSE(next.ended()) << said;
        client.client.close();
        EXPECT_EQ(next.result(client.reactor), Asked::nothing) << said;
    }
}

// What a client had said before it closed its side is answered.
TEST(Http1Connection, AClientMayCloseItsSideBehindARequest) {
    OneClient client;
    client.connect();
    client.say("GET / HTTP/1.1\nhost: a\n\n");
    client.client.shut_down();
    ASSERT_EQ(client.next(), Asked::request);
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n");
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(client.next(), Asked::nothing);
}

TEST(Http1Connection, ADrainLetsNewClientsAskOnce) {
    OneClient client;
    client.connect();
    client.sessions.drain();
    client.say("GET / HTTP/1.1\nhost: a\n\n");
    ASSERT_EQ(client.next(), Asked::request);
    EXPECT_TRUE(client.connection.take_body_at_hand());
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n");
    EXPECT_FALSE(client.finish());
    EXPECT_EQ(client.next(), Asked::nothing) << "it has had its answer";
}

TEST(Http1Connection, ADrainEndsWhoWaits) {
    struct Row {
        const char* name;
        bool has_asked;
        bool speaks;  // in the very turn of the drain
        Asked asked;
    };
    const Row rows[] = {
        {"a client that has had an answer", true, false, Asked::nothing},
        {"one that speaks in time", true, true, Asked::request},
        {"a new one, when the time for those is over", false, false, Asked::nothing},
        {"a new one that speaks in time", false, true, Asked::request},
    };
    for (const Row& row : rows) {
        OneClient client;
        client.connect();
        if (row.has_asked) {
            client.say("GET / HTTP/1.1\nhost: a\n\n");
            ASSERT_EQ(client.next(), Asked::request) << row.name;
            client.answer();
            ASSERT_TRUE(client.finish()) << row.name;
        }
        test::Running<Asked> next(client.wait(client.connection));
        test::settle(client.reactor);
        ASSERT_FALSE(next.ended()) << row.name;
        if (row.speaks) client.say("GET /last HTTP/1.1\nhost: a\n\n");
        client.sessions.drain();
        if (!row.has_asked) client.sessions.end_fresh();
        EXPECT_EQ(next.result(client.reactor), row.asked) << row.name;
    }
}

TEST(Http1Connection, MakesRoomForAnotherWhileItIsIdle) {
    OneClient client;
    client.connect();
    EXPECT_FALSE(client.sessions.evict_longest_idle().has_value()) << "it does not wait yet";
    test::Running<Asked> next(client.wait(client.connection));
    EXPECT_TRUE(client.sessions.evict_longest_idle().has_value());
    EXPECT_EQ(next.result(client.reactor), Asked::nothing);
}

TEST(Http1Connection, IdleItHoldsNoBuffer) {
    OneClient client;
    client.ask("GET / HTTP/1.1\nhost: a\n\n");
    client.answer();
    ASSERT_TRUE(client.finish());
    const std::size_t before = client.buffers.kept_bytes();
    test::Running<Asked> next(client.wait(client.connection));
    EXPECT_GT(client.buffers.kept_bytes(), before);
    client.client.close();
    EXPECT_EQ(next.result(client.reactor), Asked::nothing);
}

TEST(Http1Connection, AnOldOneClosesBehindItsNextAnswer) {
    OneClient client;
    client.config.timeouts.connection_age = config::Duration(-1);
    ASSERT_EQ(client.ask("GET / HTTP/1.1\nhost: a\n\n"), Asked::request);
    EXPECT_TRUE(client.connection.take_body_at_hand());
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n");
    EXPECT_FALSE(client.finish());
}

// A reload while a request is on its way changes nothing for it.
TEST(Http1Connection, AConfigurationHoldsForAWholeRequest) {
    OneClient client;
    client.ask("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n");
    config::Config next;
    next.limits.body_bytes = 4;
    client.services.config = &next;
    EXPECT_TRUE(client.run(client.connection.read_body()).has_value());
    client.answer();
    ASSERT_TRUE(client.finish());
    client.say("POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n");
    ASSERT_EQ(client.next(), Asked::request);
    const auto read = client.run(client.connection.read_body());
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().kind, FaultKind::request_too_large);
}

// Another request of the worker's may have used the scratch in the meantime.
TEST(Http1Connection, TheHeadComesBack) {
    OneClient client;
    client.ask("GET /a HTTP/1.1\nhost: a\nx-b: 7\n\n");
    client.scratch.request.headers.clear();
    client.scratch.request.path = "/another";
    ASSERT_TRUE(client.connection.reread_head().has_value());
    EXPECT_EQ(client.scratch.request.path, "/a");
    const wire::Header* line = client.scratch.request.headers.find("x-b");
    ASSERT_NE(line, nullptr);
    EXPECT_EQ(line->value, "7");
}

TEST(Http1Connection, WatchesItsClient) {
    OneClient client;
    client.connect();
    net::Event never;
    net::WaitFor what;
    what.event = &never;
    client.connection.watch(what);
    client.client.close();
    test::settle(client.reactor);
    const auto wait_for = [](net::Reactor& reactor, const net::WaitFor& wait) -> Task<net::Wake> {
        const net::Wake wake = co_await reactor.wait(wait);
        co_return wake;
    };
    EXPECT_EQ(client.run(wait_for(client.reactor, what)), net::Wake::peer_gone);
}

TEST(Http1Connection, KnowsItsClientsAddress) {
    OneClient worker;
    EXPECT_EQ(worker.connection.client_address(), "") << "a socket pair has none";
    test::LoopbackPort port;
    port.listen(1);
    const test::FarEnd client(port.number());
    Http1Connection connection(worker.services, ::accept(port.fd(), nullptr, nullptr), nullptr);
    EXPECT_EQ(connection.client_address(), "127.0.0.1");
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    ASSERT_EQ(worker.run(worker.wait(connection)), Asked::request);
    EXPECT_EQ(worker.request.client_address, "127.0.0.1");
}

}  // namespace
}  // namespace rotary::downstream
