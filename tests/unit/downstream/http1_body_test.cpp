// The bodies of requests: where they are put, and what stands behind them.
#include "unit/downstream/one_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::downstream {
namespace {

constexpr std::size_t kReadBytes = 1024;

std::string head_of(const std::string& header_lines) {
    return "POST / HTTP/1.1\nhost: a\n" + header_lines + "\n";
}

std::string length_of(std::size_t bytes) {
    return "content-length: " + std::to_string(bytes) + "\n";
}

// A body that came with its head is there; one that did not is waited for.
TEST(Http1RequestBody, IsTakenWhereItCameWithTheHead) {
    struct Row {
        const char* name;
        std::string header_lines;
        std::string at_hand;
        bool taken;
        std::string body;
    };
    const Row rows[] = {
        {"none", "", "", true, ""},
        {"none, and it is said", length_of(0), "", true, ""},
        {"none, and another request", "", "GET", true, ""},
        {"all of it", length_of(5), "hello", true, "hello"},
        {"all of it, and another request", length_of(5), "helloGET", true, "hello"},
        {"none of it", length_of(5), "", false, ""},
        {"not all of it", length_of(6), "hello", false, ""},
        {"chunks, of which only their reader knows the end", "transfer-encoding: chunked\n",
         "0\n\n", false, ""},
    };
    for (const Row& row : rows) {
        OneClient client;
        const std::string head = head_of(row.header_lines);
        ASSERT_EQ(client.ask(head + row.at_hand), Asked::request) << row.name;
        const std::size_t head_bytes = test::with_crlf(head).size();
        EXPECT_EQ(client.connection.take_body_at_hand(), row.taken) << row.name;
        EXPECT_EQ(client.request.body, row.body) << row.name;
        EXPECT_EQ(client.request.bytes_received, head_bytes + row.body.size()) << row.name;
        EXPECT_FALSE(client.request.body_block) << row.name;
    }
}

TEST(Http1RequestBody, IsReadToItsEnd) {
    struct Row {
        const char* name;
        std::string header_lines;
        std::vector<std::string> arrivals;  // with the head, and each after another
        std::string body;
        bool in_block;  // of its own
        std::size_t framing;
    };
    const std::string chunked = "transfer-encoding: chunked\n";
    const std::string large(3000, 'x');
    const std::string third(1000, 'x');
    const Row rows[] = {
        {"there", length_of(5), {"hello"}, "hello", false, 0},
        {"behind the head", length_of(5), {"", "hello"}, "hello", false, 0},
        {"in pieces", length_of(5), {"h", "el", "lo"}, "hello", false, 0},
        {"larger than the read buffer", length_of(3000), {"", large}, large, true, 0},
        {"the same, in pieces", length_of(3000), {"", third, third, third}, large, true, 0},
        {"the same, begun with the head", length_of(3000), {third, third, third}, large, true, 0},
        {"chunks", chunked, {"2\nhe\n3;a=b\nllo\n0\n\n"}, "hello", true, 19},
        {"chunks behind the head", chunked, {"", "2\nhe\n3\nllo\n0\n\n"}, "hello", true, 15},
        {"chunks in pieces", chunked, {"2", "\nh", "e\n3\nll", "o\n0\n", "\n"}, "hello", true, 15},
        {"chunks with trailers", chunked, {"5\nhello\n0\na: b\n", "\n"}, "hello", true, 16},
        {"no chunk", chunked, {"", "0\n\n"}, "", false, 5},
        {"large chunks", chunked, {"", "bb8\n" + large, "\n0\n\n"}, large, true, 12},
    };
    for (const Row& row : rows) {
        OneClient client(kReadBytes);
        const std::string head = head_of(row.header_lines);
        ASSERT_EQ(client.ask(head + row.arrivals.front()), Asked::request) << row.name;
        test::Running<Result<void>> reading(client.connection.read_body());
        for (std::size_t i = 1; i < row.arrivals.size(); ++i) {
            EXPECT_FALSE(reading.ended()) << row.name << ": " << i;
            client.say(row.arrivals[i]);
            test::settle(client.reactor);
        }
        // The next request comes with the last of the body or later.
        client.say("GET /next HTTP/1.1\nhost: a\n\n");
        ASSERT_TRUE(reading.result(client.reactor).has_value()) << row.name;
        EXPECT_EQ(client.request.body, row.body) << row.name;
        EXPECT_EQ(static_cast<bool>(client.request.body_block), row.in_block) << row.name;
        EXPECT_EQ(client.request.bytes_received,
                  test::with_crlf(head).size() + row.body.size() + row.framing)
            << row.name;
        EXPECT_EQ(client.request.host, "a") << row.name << ": the head stays";
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n") << row.name;
        EXPECT_TRUE(client.finish()) << row.name;
        EXPECT_EQ(client.next(), Asked::request) << row.name;
        EXPECT_EQ(client.request.path, "/next") << row.name;
    }
}

// What came behind it in the same piece is put back where the next head is looked for.
TEST(Http1RequestBody, TheNextRequestMayComeWithIt) {
    const std::string chunks = "5\nhello\n0\n\n";
    const std::string large(3000, 'x');
    struct Row {
        const char* name;
        std::string header_lines;
        std::string at_hand;
        std::string later;
    };
    const std::string next = "GET /next HTTP/1.1\nhost: a\n\n";
    const Row rows[] = {
        {"with the head", length_of(5), "hello" + next, ""},
        {"behind the head", length_of(5), "", "hello" + next},
        {"a large one", length_of(3000), "", large + next},
        {"chunks with the head", "transfer-encoding: chunked\n", chunks + next, ""},
        {"chunks behind the head", "transfer-encoding: chunked\n", "", chunks + next},
        {"chunks in part with the head", "transfer-encoding: chunked\n", "5\nhe",
         "llo\n0\n\n" + next},
    };
    for (const Row& row : rows) {
        OneClient client(kReadBytes);
        ASSERT_EQ(client.ask(head_of(row.header_lines) + row.at_hand), Asked::request) << row.name;
        client.say(row.later);
        ASSERT_TRUE(client.run(client.connection.read_body()).has_value()) << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n") << row.name;
        ASSERT_TRUE(client.finish()) << row.name;
        ASSERT_EQ(client.next(), Asked::request) << row.name;
        EXPECT_EQ(client.request.path, "/next") << row.name;
        EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\n\n") << row.name;
    }
}

TEST(Http1RequestBody, MoreBehindItThanFitsEndsTheConnection) {
    OneClient client(kReadBytes);
    std::string long_head =
        head_of("transfer-encoding: chunked\nx-a: " + std::string(600, 'a') + "\n");
    ASSERT_EQ(client.ask(long_head), Asked::request);
    client.say("0\n\nGET /" + std::string(600, 'a'));
    EXPECT_TRUE(client.run(client.connection.read_body()).has_value());
    EXPECT_EQ(client.answer(), "HTTP/1.1 204 None\nconnection: close\n\n");
    EXPECT_FALSE(client.finish());
}

TEST(Http1RequestBody, WhatIsNoneIsRefused) {
    struct Row {
        const char* name;
        void (*prepare)(OneClient& client);
        std::string header_lines;
        std::string body;
        FaultKind kind;
        Origin origin;
    };
    const std::string chunked = "transfer-encoding: chunked\n";
    const auto as_it_is = [](OneClient&) {};
    const auto no_gap = [](OneClient& client) {
        client.config.timeouts.body_gap = config::Duration::zero();
    };
    const auto no_time = [](OneClient& client) {
        client.config.timeouts.body_per_mib = config::Duration::zero();
    };
    const auto goes = [](OneClient& client) { client.client.close(); };
    const auto small = [](OneClient& client) { client.config.limits.body_bytes = 8; };
    const auto no_memory = [](OneClient& client) { client.memory.set_most(0); };
    using enum FaultKind;
    const Row rows[] = {
        {"chunks that are none", as_it_is, chunked, "hello", bad_request, Origin::client},
        {"what is none behind a chunk", as_it_is, chunked, "2\nhello", bad_request, Origin::client},
        {"chunks with more than may be", small, chunked, "5\nhello\n4\n----\n0\n\n",
         request_too_large, Origin::client},
        {"one that stops", no_gap, length_of(5), "he", request_timeout, Origin::client},
        {"a large one that stops", no_gap, length_of(3000), "he", request_timeout, Origin::client},
        {"chunks that stop", no_gap, chunked, "5\nhe", request_timeout, Origin::client},
        {"one that takes its time", no_time, length_of(5), "he", request_timeout, Origin::client},
        {"one whose client goes", goes, length_of(5), "he", client_gone, Origin::client},
        {"a large one whose client goes", goes, length_of(3000), "he", client_gone, Origin::client},
        {"chunks whose client goes", goes, chunked, "5\nhe", client_gone, Origin::client},
        {"a large one beyond all memory", no_memory, length_of(3000), "he", overloaded,
         Origin::internal},
        {"chunks beyond all memory", no_memory, chunked, "5\nhello\n0\n\n", overloaded,
         Origin::internal},
    };
    for (const Row& row : rows) {
        OneClient client(kReadBytes);
        ASSERT_EQ(client.ask(head_of(row.header_lines) + row.body), Asked::request) << row.name;
        row.prepare(client);
        const auto read = client.run(client.connection.read_body());
        ASSERT_TRUE(read.has_error()) << row.name;
        EXPECT_EQ(read.error().kind, row.kind) << row.name;
        EXPECT_EQ(read.error().origin, row.origin) << row.name;
        EXPECT_EQ(client.memory.used(), 0U) << row.name << ": nothing of it is kept";
    }
}

// As much as may be is no more than may be, and a length that was only said takes no memory.
TEST(Http1RequestBody, TakesMemoryAsItComes) {
    OneClient client(kReadBytes);
    client.config.limits.body_bytes = 1u << 20;
    ASSERT_EQ(client.ask(head_of(length_of(1u << 20))), Asked::request);
    test::Running<Result<void>> reading(client.connection.read_body());
    EXPECT_LE(client.memory.used(), 65536U);
    const std::string piece(65536, 'x');
    for (std::size_t said = piece.size(); said <= 1u << 20; said += piece.size()) {
        client.client.say(piece);
        test::settle(client.reactor);
        EXPECT_LE(client.memory.used(), std::max<std::size_t>(2 * said, 65536)) << said;
    }
    EXPECT_TRUE(reading.result(client.reactor).has_value());
    EXPECT_EQ(client.request.body.size(), 1u << 20);
    EXPECT_GT(client.waited.count(), 0);
}

TEST(Http1RequestBody, IsAskedForWhereItsClientWaitsForThat) {
    struct Row {
        const char* name;
        const char* header_lines;
        const char* at_hand;
        const char* heard;
    };
    const Row rows[] = {
        {"it waits", "content-length: 5\nexpect: 100-continue\n", "", "HTTP/1.1 100 Continue\n\n"},
        {"it waits with chunks", "transfer-encoding: chunked\nexpect: 100-continue\n", "",
         "HTTP/1.1 100 Continue\n\n"},
        {"it has begun", "content-length: 5\nexpect: 100-continue\n", "h", ""},
        {"it does not wait", "content-length: 5\n", "", ""},
    };
    for (const Row& row : rows) {
        OneClient client;
        ASSERT_EQ(client.ask(head_of(row.header_lines) + row.at_hand), Asked::request) << row.name;
        test::Running<Result<void>> reading(client.connection.read_body());
        EXPECT_EQ(client.hear(), row.heard) << row.name;
        EXPECT_EQ(client.connection.bytes_sent(), 0U) << row.name << ": it is no answer";
        const bool is_chunked = !client.request.body_length.has_value();
        client.say(is_chunked ? "5\nhello\n0\n\n"
                              : std::string("hello").substr(std::string_view(row.at_hand).size()));
        EXPECT_TRUE(reading.result(client.reactor).has_value()) << row.name;
    }
}

TEST(Http1RequestBody, AClientThatIsGoneIsNotAskedForIt) {
    OneClient client;
    ASSERT_EQ(client.ask(head_of("content-length: 5\nexpect: 100-continue\n")), Asked::request);
    client.client.close();
    test::settle(client.reactor);
    const auto read = client.run(client.connection.read_body());
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().kind, FaultKind::client_gone);
}

}  // namespace
}  // namespace rotary::downstream
