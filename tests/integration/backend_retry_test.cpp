// What a Backend says of its own tries and times: retry, circuitBreaker.maxRetries, timeout.
#include "gateway_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rotary::test {
namespace {

using mock::MockFault;
using namespace std::chrono_literals;

Request list_models() {
    Request request = chat("");
    request.method = "GET";
    request.target = "/chat/1.0/models";
    return request;
}

GatewayOptions with_backend(const mock::MockProvider& mock, const std::string& more,
                            std::vector<GatewayEntry> entries = {{"a"}, {"b"}}) {
    GatewayOptions options = rotating(mock, std::move(entries));
    options.backends[0].more = more;
    options.process = "routing: {failures_to_suspend: 1000}\n";
    return options;
}

// Without a rotation there is no other entry: the same Backend is asked again, after a wait.
TEST(BackendRetryTest, SameBackendIsAskedAgainAsOftenAsItSays) {
    struct Row {
        const char* name;
        const char* retry;
        unsigned status;
        std::uint64_t failures;
        std::uint64_t asked;
        std::chrono::milliseconds waited;
        unsigned answer;
    };
    constexpr auto kAlways = mock::MockProvider::kAlways;
    constexpr const char* kTwice =
        "  retry: {count: 2, baseIntervalMillis: 40, statusCodes: [503, 429]}\n";
    const Row rows[] = {
        {"the third is served", kTwice, 503, 2, 3, 120ms, 200},
        {"not the fourth", kTwice, 503, kAlways, 3, 120ms, 503},
        {"any listed status", kTwice, 429, 1, 2, 40ms, 200},
        {"a status that is not listed", kTwice, 500, kAlways, 1, 0ms, 500},
        {"no statuses: 504", "  retry: {count: 1}\n", 504, 1, 2, 25ms, 200},
        {"no statuses: only 504", "  retry: {count: 1}\n", 503, kAlways, 1, 0ms, 503},
        {"no tries", "  retry: {count: 0, statusCodes: [503]}\n", 503, kAlways, 1, 0ms, 503},
        {"no retry at all", "", 503, kAlways, 1, 0ms, 503},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        mock->set_fault("*", MockFault::answer_status(row.status), row.failures);
        const Gateway gateway(with_backend(*mock, row.retry));
        const auto begun = Clock::now();
        const Response response = ask(gateway, list_models());
        EXPECT_GE(Clock::now() - begun, row.waited);
        EXPECT_EQ(response.status, row.answer);
        EXPECT_EQ(mock->request_count(), row.asked);
        EXPECT_EQ(response.header("x-rotary-attempts"), std::to_string(row.asked));
    }
}

TEST(BackendRetryTest, TriesAtTheSameBackendCostTheBudget) {
    const auto mock = start_mock();
    mock->set_fault("*", MockFault::answer_status(503));
    GatewayOptions options =
        with_backend(*mock, "  retry: {count: 5, baseIntervalMillis: 1, statusCodes: [503]}\n");
    options.process = "routing: {failures_to_suspend: 1, retry_budget_percent: 0}\n";
    const Gateway gateway(options);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(gateway, list_models()).status, 503U);
    EXPECT_GE(mock->request_count(), 5U);
    EXPECT_LE(mock->request_count(), 7U)
        << "one for each of two entries, in each window of ten seconds";
}

TEST(BackendRetryTest, ClientThatLeavesDuringTheWaitEndsIt) {
    const auto mock = start_mock();
    mock->set_fault("*", MockFault::answer_status(503));
    GatewayOptions options =
        with_backend(*mock, "  retry: {count: 1, baseIntervalMillis: 60000, statusCodes: [503]}\n");
    options.process = "timeouts: {log_flush: 20ms}\n";
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    client.send(list_models());
    ASSERT_TRUE(mock->wait_for_requests(1, 5s));
    client.reset();
    ASSERT_TRUE(eventually([&] { return !gateway.access_log().empty(); }));
    EXPECT_EQ(json_at(gateway.access_log(), "response_code"), "499");
    EXPECT_EQ(mock->request_count(), 1U);
}

// In a rotation a listed status moves on, and `count` bounds how far failures may.
TEST(BackendRetryTest, ListedStatusesMoveOnToTheNextEntry) {
    struct Row {
        const char* name;
        const char* retry;
        unsigned status;
        const char* attempts;
        unsigned answer;
    };
    const Row rows[] = {
        {"404 is an answer", "", 404, "1", 404},
        {"a listed 404 is not", "  retry: {count: 1, statusCodes: [404]}\n", 404, "2", 200},
        {"500 moves on", "", 500, "2", 200},
        {"unless no try is left", "  retry: {count: 0}\n", 500, "1", 500},
        {"which is no matter of quotas", "  retry: {count: 0}\n", 429, "2", 200},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        mock->set_fault("a", MockFault::answer_status(row.status));
        const Gateway gateway(with_backend(*mock, row.retry));
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, row.answer);
        EXPECT_EQ(response.header("x-rotary-attempts"), row.attempts);
        if (row.status != 429) {
            EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
        }
    }
}

TEST(BackendRetryTest, ABackendThatTakesNoRetriesIsPassedOver) {
    const auto mock = start_mock();
    mock->set_fault("a", MockFault::answer_status(500));
    GatewayOptions options = with_backend(*mock, "", {{"a", 0}, {"b", 1}, {"c", 0}});
    options.backends.push_back(backend_of(*mock));
    options.backends[1].more = "  circuitBreaker: {maxRetries: 0}\n";
    const Gateway gateway(options);
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.header("x-rotary-model"), "c");
    EXPECT_EQ(response.header("x-rotary-attempts"), "3");
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 1}, {"c", 1}}));
    EXPECT_EQ(entry_field(gateway, "b", "state", "production", "backend-1"), "active");
    EXPECT_EQ(ask(gateway).header("x-rotary-model"), "b") << "as a first try it is welcome";
}

// A rule without a rotation has other Backends: for what was not even asked, and for nothing else.
TEST(BackendsOfARuleTest, TheNextOneTakesWhatTheFirstCouldNotBeAsked) {
    const auto mock = start_mock();
    const LoopbackPort nobody;  // refuses
    LoopbackPort silent;
    silent.listen(64);  // and nobody accepts: no TLS
    GatewayOptions options = with_backend(*mock, "");
    for (const LoopbackPort* port : {&nobody, static_cast<const LoopbackPort*>(&silent)}) {
        options.backends.push_back(backend_at(*port));
    }
    options.backends[2].tls = true;
    options.process = "timeouts: {connect: 200ms}\nrouting: {retry_budget_percent: 0}\n";
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    std::string attempts;
    for (int i = 0; i < 6; ++i) {
        const Response response = client.exchange(list_models());
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-backend"), "backend-0");
        attempts += response.header("x-rotary-attempts");
    }
    EXPECT_EQ(mock->request_count(), 6U);
    EXPECT_EQ(std::count(attempts.begin(), attempts.end(), '1'), 2) << attempts;
    EXPECT_EQ(gateway.metric("rotary_retry_budget_exhausted_total"), 0.0);
}

TEST(BackendsOfARuleTest, WhatWasAskedIsNotAskedTwice) {
    const auto mock = start_mock();
    const auto broken = start_mock();
    broken->set_fault("*", MockFault::reset());
    GatewayOptions options = with_backend(*mock, "");
    options.backends.push_back(backend_of(*broken));
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    unsigned refused = 0;
    for (int i = 0; i < 6; ++i) refused += client.exchange(list_models()).status == 502 ? 1U : 0U;
    EXPECT_EQ(refused, 3U);
    EXPECT_EQ(broken->request_count(), 3U);
    EXPECT_EQ(mock->request_count(), 3U);
}

TEST(BackendsOfARuleTest, NoneOfThemIsThere) {
    const auto mock = start_mock();
    const LoopbackPort nobody;
    const LoopbackPort nobody_else;
    GatewayOptions options = with_backend(*mock, "", {{"a", 0}});
    options.backends = {backend_at(nobody), backend_at(nobody_else)};
    const Gateway gateway(options);
    const Response response = ask(gateway, list_models());
    EXPECT_EQ(response.status, 502U);
    EXPECT_EQ(json_at(response.body, "error.code"), "upstream_connect_failed");
    EXPECT_EQ(response.header("x-rotary-attempts"), "2") << "each once";
}

TEST(BackendTimeoutTest, EachBackendHasItsOwnPatience) {
    const auto mock = start_mock();
    const Gateway gateway(with_backend(
        *mock, "  timeout: {upstreamResponseTimeout: 1, downstreamRequestIdleTimeout: 1}\n",
        {{"a"}}));
    auto begun = Clock::now();
    Response response = ask(gateway, with(chat(), "x-mock-fault", "stall"));
    EXPECT_EQ(response.status, 504U);
    EXPECT_GE(Clock::now() - begun, 1s);

    begun = Clock::now();
    response =
        ask(gateway, with(chat(R"({"stream":true,"messages":[]})"), "x-mock-fault", "stall=900"));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.ending, Ending::cut);
    EXPECT_NE(response.body.find("upstream_stream_interrupted"), std::string::npos);
    EXPECT_GE(Clock::now() - begun, 1s);
}

// Requests without a rotation go where somebody listens, too.
TEST(BackendHealthTest, RuleLeavesOutABackendThatIsUnhealthy) {
    const auto mock = start_mock();
    auto doomed = start_mock();
    GatewayOptions options = with_backend(*mock, "");
    options.backends.push_back(backend_of(*doomed));
    options.backends[1].more =
        "  healthCheck: {interval: 1, timeout: 1, unhealthyThreshold: 1, healthyThreshold: 1}\n";
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(client.exchange(list_models()).status, 200U);
    EXPECT_EQ(doomed->request_count(), 2U);
    doomed->stop();
    ASSERT_TRUE(eventually(
        [&] { return gateway.metric("rotary_backend_healthy{backend=\"backend-1\"}") == 0.0; },
        10s));
    mock->reset();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(client.exchange(list_models()).status, 200U);
    EXPECT_EQ(mock->request_count(), 4U);
}

}  // namespace
}  // namespace rotary::test
