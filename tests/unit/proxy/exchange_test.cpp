// What an exchange takes over of a request, and what it keeps between two of them.
#include "proxy/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>

#include <chrono>
#include <set>
#include <string>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

// A session that waits for its next request is small again, whatever events its last one had.
TEST(ExchangeTest, WhatALargeEventNeededGoesBack) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "sanitizers count their own way";
#else
    const auto bytes_in_use = [] { return mallinfo2().uordblks; };
    const std::string event =
        "data: {\"usage\":{\"padding\":\"" + std::string(60'000, 'x') + "\"}}\n\n";
    Exchange exchange;
    const std::size_t before = bytes_in_use();
    exchange.events.feed(event.substr(0, 30'000));
    exchange.events.feed(event.substr(30'000));
    ASSERT_EQ(exchange.events.events(), 1U);
    EXPECT_GT(bytes_in_use(), before + 3 * 60'000);
    exchange.end();
    EXPECT_LT(bytes_in_use(), before + 5'000);
    EXPECT_EQ(exchange.events.events(), 0U);
#endif
}

// What most events need stays, so that the next stream allocates nothing.
TEST(ExchangeTest, WhatASmallEventNeededStays) {
    Exchange exchange;
    exchange.events.feed("data: {\"usage\":" + std::string(400, '1') + "}\n\n");
    const char* const place = exchange.events.usage_payload().data();
    exchange.end();
    exchange.events.feed("data: {\"usage\":" + std::string(400, '1') + "}\n\n");
    EXPECT_EQ(exchange.events.usage_payload().data(), place);
}

// The id is a UUIDv7 (RFC 9562 section 5.7): its time comes first, so that ids sort as requests
// came.
TEST(ExchangeTest, IdsAreUuidsOfTheirTime) {
    OneRequest request;
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        request.ask("GET /chat/1.0/x");
        const std::string id(request.exchange.request_id());
        ASSERT_THAT(id, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-"
                                              "[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        EXPECT_TRUE(ids.insert(id).second) << id << " came before";
        const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
            request.exchange.request.started_wall.time_since_epoch());
        EXPECT_EQ(std::stoll(id.substr(0, 8) + id.substr(9, 4), nullptr, 16), since.count()) << id;
    }
}

TEST(ExchangeTest, TakesOverWhatLaterStepsNeedOfAHead) {
    struct Row {
        const char* line;  // a header of the request
        std::string_view downstream::Request::*member;
        const char* value;
    };
    const Row rows[] = {
        {"Origin: https://a.test\n", &downstream::Request::origin, "https://a.test"},
        {"USER-AGENT: sdk\n", &downstream::Request::user_agent, "sdk"},
        {"content-type: text/plain\n", &downstream::Request::content_type, "text/plain"},
        {"X-Request-Id: mine\n", &downstream::Request::client_request_id, "mine"},
        {"x-stainless-retry-count: 2\n", &downstream::Request::retry_count, "2"},
        {"Access-Control-Request-Method: PUT\n", &downstream::Request::preflight_method, "PUT"},
        {"access-control-request-headers: a, b\n", &downstream::Request::preflight_headers, "a, b"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.ask("GET /chat/1.0/x?y", row.line);
        EXPECT_EQ(request.exchange.request.method, "GET");
        EXPECT_EQ(request.exchange.request.path, "/chat/1.0/x");
        EXPECT_EQ(request.exchange.request.query, "y");
        EXPECT_EQ(request.exchange.request.host, "llm.example.com");
        for (const Row& other : rows) {
            EXPECT_EQ(request.exchange.request.*other.member,
                      other.line == row.line ? row.value : "")
                << row.line << other.line;
        }
    }
}

// A session has one exchange for all its requests.
TEST(ExchangeTest, NothingOfARequestIsTheNextOnes) {
    OneRequest request;
    request.rotate({"m@a"});
    request.admit_and_scan("POST /chat/1.0/x?y",
                           "user-agent: sdk\nx-request-id: mine\nexpect: 100-continue\n"
                           "content-type: application/json\ncontent-encoding: identity\n",
                           R"({"model":"mine","stream":true})");
    request.choose();
    Exchange& exchange = request.exchange;
    exchange.tries.tried.add(0);
    exchange.outcome.status = 500;
    exchange.outcome.fault = Fault::client(FaultKind::bad_request);
    exchange.outcome.reason = "why";
    exchange.outcome.waited = 5s;
    exchange.outcome.overhead = 1ms;
    exchange.outcome.deadline = exchange.request.started;
    exchange.outcome.bytes_sent = exchange.request.bytes_received = 7;
    exchange.keep_upstream_request_id("req_1");
    exchange.outcome.answer_started = exchange.tries.resent = exchange.tries.reused_connection =
        true;
    exchange.tries.attempts_that_suspended = 1;
    ASSERT_TRUE(exchange.content.wants_stream);
    ASSERT_TRUE(exchange.request.body_length.has_value());

    request.ask("GET /elsewhere");
    EXPECT_EQ(exchange.request.query, "");
    EXPECT_EQ(exchange.request.user_agent, "");
    EXPECT_EQ(exchange.request.client_request_id, "");
    EXPECT_EQ(exchange.request.content_type, "");
    EXPECT_EQ(exchange.content.client_model, "");
    EXPECT_FALSE(exchange.request.has_content_type || exchange.content.wants_stream);
    EXPECT_FALSE(exchange.request.has_body || exchange.request.body_length);
    EXPECT_FALSE(exchange.content.scan.model.found);
    EXPECT_EQ(exchange.match.route, nullptr);
    EXPECT_EQ(exchange.list(), nullptr);
    EXPECT_EQ(exchange.entry(), nullptr);
    EXPECT_EQ(exchange.backend(), nullptr);
    EXPECT_TRUE(exchange.tries.tried.empty());
    EXPECT_EQ(exchange.tries.attempts + exchange.tries.attempts_that_suspended, 0U);
    EXPECT_EQ(exchange.outcome.status, 0);
    EXPECT_EQ(exchange.outcome.fault.kind, FaultKind::none);
    EXPECT_STREQ(exchange.outcome.reason, "");
    EXPECT_EQ(exchange.outcome.waited, 0ns);
    EXPECT_FALSE(exchange.outcome.overhead.has_value());
    EXPECT_EQ(exchange.outcome.deadline, SteadyTime::max());
    EXPECT_EQ(exchange.outcome.bytes_sent + exchange.request.bytes_received, 0U);
    EXPECT_EQ(exchange.upstream_request_id(), "");
    EXPECT_FALSE(exchange.outcome.answer_started || exchange.tries.resent ||
                 exchange.tries.reused_connection);
}

TEST(ExchangeTest, OurTimeIsWhatTheOthersDidNotTake) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    Exchange& exchange = request.exchange;
    EXPECT_EQ(exchange.own_time(exchange.request.started + 10ms), 10ms);
    exchange.outcome.waited = 8ms;
    EXPECT_EQ(exchange.own_time(exchange.request.started + 10ms), 2ms);
    EXPECT_EQ(exchange.own_time(exchange.request.started + 5ms), 0ms) << "of a coarse clock";
}

TEST(ExchangeTest, ABackendMayBePatientInItsOwnWay) {
    OneRequest request({"a", "b"});
    request.snapshot->config.timeouts.event_gap = 7s;
    request.backend(1).event_gap = 9s;
    request.ask("GET /chat/1.0/x");
    EXPECT_EQ(request.exchange.event_gap(), 7s) << "no Backend yet";
    request.choose(0);
    EXPECT_EQ(request.exchange.event_gap(), 7s);
    request.choose(1);
    EXPECT_EQ(request.exchange.event_gap(), 9s);
}

}  // namespace
}  // namespace rotary::proxy
