// How a fault of the path is told to the client, and whether its connection goes on.
#include "proxy/refusal.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using rotation::SuspendReason;

struct Refused {
    std::string text;     // that the client got
    bool closes = false;  // the connection, behind it
};

Refused refused(OneRequest& request, const Fault& fault) {
    HandMadeClient client(request);
    std::string text = client.run(refuse(request.context, client, request.exchange, fault));
    EXPECT_EQ(client.body(), downstream::AnswerBody::sized);
    EXPECT_TRUE(client.ended());
    return {std::move(text), client.closes()};
}

std::string refusal_of(OneRequest& request, const Fault& fault) {
    return refused(request, fault).text;
}

// The value of a header line, "-" where there is none.
std::string value_of(const std::string& head, const std::string& name) {
    const std::string line = "\n" + name + ": ";
    const std::size_t at = head.find(line);
    if (at == head.npos) return "-";
    const std::size_t begin = at + line.size();
    return head.substr(begin, head.find('\n', begin) - begin);
}

long number_of(const std::string& head, const std::string& name) {
    const std::string value = value_of(head, name);
    long number = -1;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

TEST(Refusal, HasOneShape) {
    OneRequest request;
    request.ask("GET /elsewhere");
    const std::string id(request.exchange.request_id());
    const std::string got =
        refusal_of(request, Fault::client(FaultKind::route_not_found, "No such thing."));
    EXPECT_EQ(got.substr(0, got.find('\n')), "HTTP/1.1 404 Not Found");
    EXPECT_EQ(value_of(got, "content-type"), "application/json");
    EXPECT_EQ(value_of(got, "x-request-id"), id);
    EXPECT_EQ(value_of(got, "x-rotary-request-id"), id);
    EXPECT_EQ(value_of(got, "connection"), "-");
    EXPECT_EQ(value_of(got, "x-rotary-backend"), "-");
    const std::string sent = got.substr(got.find("\n\n") + 2);
    EXPECT_EQ(number_of(got, "content-length"), static_cast<long>(sent.size()));
    EXPECT_EQ(sent, R"({"error": {"message": "No such thing.", "type": "invalid_request_error", )"
                    R"("param": null, "code": "route_not_found"}})");
    EXPECT_EQ(request.exchange.outcome.status, 404);
    EXPECT_EQ(request.exchange.outcome.fault.kind, FaultKind::route_not_found);
    EXPECT_TRUE(request.exchange.outcome.answer_started);
}

TEST(Refusal, WhatComesWithAKind) {
    struct Row {
        FaultKind kind;
        const char* status;
        const char* challenge;
        bool closes;  // the bytes that follow can't be trusted
    };
    using enum FaultKind;
    const Row rows[] = {
        {missing_credentials, "401 Unauthorized", "Bearer realm=\"rotary\"", false},
        {invalid_token, "401 Unauthorized", "Bearer realm=\"rotary\", error=\"invalid_token\"",
         false},
        {token_expired, "401 Unauthorized", "Bearer realm=\"rotary\", error=\"invalid_token\"",
         false},
        {scope_denied, "403 Forbidden", "Bearer realm=\"rotary\", error=\"insufficient_scope\"",
         false},
        {issuer_unavailable, "503 Service Unavailable", "-", false},
        {invalid_json, "400 Bad Request", "-", false},
        {unsupported_media_type, "415 Unsupported Media Type", "-", false},
        {upstream_timeout, "504 Gateway Timeout", "-", false},
        {upstream_credential_refused, "502 Bad Gateway", "-", false},
        {bad_request, "400 Bad Request", "-", true},
        {request_timeout, "408 Request Timeout", "-", true},
        {length_required, "411 Length Required", "-", true},
        {request_too_large, "413 Content Too Large", "-", true},
        {uri_too_long, "414 URI Too Long", "-", true},
        {headers_too_large, "431 Request Header Fields Too Large", "-", true},
        {draining, "503 Service Unavailable", "-", true},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.ask("GET /chat/1.0/x");
        const auto [got, closes] = refused(request, Fault::client(row.kind));
        EXPECT_EQ(got.substr(0, got.find('\n')), std::string("HTTP/1.1 ") + row.status);
        EXPECT_EQ(value_of(got, "www-authenticate"), row.challenge) << row.status;
        EXPECT_EQ(closes, row.closes) << row.status;
        EXPECT_EQ(value_of(got, "retry-after"), "-") << row.status;
    }
}

TEST(Refusal, HeadGetsTheLengthAndNoBody) {
    OneRequest request;
    request.ask("HEAD /chat/1.0/x");
    const std::string got = refusal_of(request, Fault::client(FaultKind::missing_credentials));
    EXPECT_GT(number_of(got, "content-length"), 50);
    EXPECT_EQ(got.find("\n\n"), got.size() - 2) << got;
}

TEST(Refusal, SaysWhatMayBeAskedInstead) {
    OneRequest request;
    config::PathMatch path{config::PathType::exact, "/only", {}};
    for (const char* method : {"POST", "GET"}) {
        request.snapshot->table.add("llm.example.com",
                                    {routing::PathPattern("/other/1.0", path), method, 0});
    }
    request.ask("PUT /other/1.0/only");
    const std::string got = refusal_of(request, Fault::client(FaultKind::method_not_allowed));
    EXPECT_EQ(got.substr(0, got.find('\n')), "HTTP/1.1 405 Method Not Allowed");
    EXPECT_EQ(value_of(got, "allow"), "GET, POST");
}

TEST(Refusal, SaysWhereItWasTried) {
    struct Row {
        const char* name;
        unsigned attempts;
        bool exposed;
        const char* model;
        const char* backend;
        const char* count;
    };
    const Row rows[] = {
        {"nowhere", 0, true, "-", "-", "-"},
        {"at two", 2, true, "m", "a", "2"},
        {"at two, unsaid", 2, false, "-", "-", "-"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.rotate({"m@a"});
        request.snapshot->config.routing.expose_route = row.exposed;
        request.admit_and_scan("POST /chat/1.0/x", "", "{}");
        if (row.attempts > 0) request.choose();
        request.exchange.tries.attempts = row.attempts;
        const std::string got = refusal_of(request, Fault::upstream(FaultKind::upstream_timeout));
        EXPECT_EQ(value_of(got, "x-rotary-model"), row.model) << row.name;
        EXPECT_EQ(value_of(got, "x-rotary-backend"), row.backend) << row.name;
        EXPECT_EQ(value_of(got, "x-rotary-attempts"), row.count) << row.name;
    }
}

TEST(Refusal, SaysWhenToComeBack) {
    struct Row {
        const char* name;
        FaultKind kind;
        std::vector<std::chrono::milliseconds> out;  // the entries, each for so long
        std::chrono::milliseconds wait;              // 0: nothing is said
        const char* should_retry;
    };
    using enum FaultKind;
    const Row rows[] = {
        {"the soonest", all_models_suspended, {50s, 30s, 40s}, 30s, "-"},
        {"rounded up", all_models_suspended, {29'501ms, 40s}, 29'501ms, "-"},
        {"as long as SDKs wait", all_models_suspended, {60s}, 60s, "-"},
        {"longer than SDKs wait", all_models_suspended, {120s}, 120s, "false"},
        {"failing ones too", all_models_unavailable, {30s}, 30s, "-"},
        {"not of another fault", upstream_timeout, {30s}, 0s, "-"},
        {"nothing is out", all_models_unavailable, {}, 0s, "-"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.rotate({"m0@a", "m1@a", "m2@a"});
        request.admit_and_scan("POST /chat/1.0/x", "", "{}");
        const SteadyTime begun = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < row.out.size(); ++i) {
            request.state(i).suspend(begun, row.out[i], SuspendReason::rate_limited, {});
        }
        const std::string got = refusal_of(request, Fault::internal(row.kind));
        const auto passed =
            std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
        const bool says_so = row.wait > 0s;
        const bool counts = got.find("All 3 models of this API are suspended; ") != got.npos;
        EXPECT_EQ(counts, says_so) << row.name << got;
        EXPECT_EQ(value_of(got, "x-should-retry"), row.should_retry) << row.name;
        const long exact = number_of(got, "retry-after-ms");
        EXPECT_LE(exact, says_so ? row.wait.count() : -1) << row.name;
        EXPECT_GE(exact, says_so ? (row.wait - passed).count() : -1) << row.name;
        EXPECT_EQ(number_of(got, "retry-after"), says_so ? (exact + 999) / 1000 : -1) << row.name;
    }
}

TEST(Refusal, RoomComesBackInASecond) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    const std::string got = refusal_of(request, Fault::internal(FaultKind::overloaded));
    EXPECT_EQ(value_of(got, "retry-after"), "1");
    EXPECT_EQ(value_of(got, "retry-after-ms"), "1000");
    EXPECT_EQ(value_of(got, "x-should-retry"), "-");
}

// A browser's script may read a refusal as it may read an answer.
TEST(Refusal, IsReadableForTheOriginsOfTheRoute) {
    for (const bool is_allowed : {true, false}) {
        OneRequest request;
        config::CorsPolicy policy;
        policy.allow_origins = {is_allowed ? "https://app.test" : "https://other.test"};
        request.route().cors.emplace(policy);
        request.ask("GET /chat/1.0/x", "origin: https://app.test\n");
        const std::string got = refusal_of(request, Fault::client(FaultKind::invalid_token));
        EXPECT_EQ(value_of(got, "access-control-allow-origin"),
                  is_allowed ? "https://app.test" : "-");
        EXPECT_EQ(value_of(got, "vary"), "origin");
    }
}

TEST(Refusal, AClientThatWentIsOnlyNoted) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    HandMadeClient client(request);
    const Fault gone = Fault::client(FaultKind::client_gone);
    EXPECT_EQ(client.run(refuse(request.context, client, request.exchange, gone)), "");
    ASSERT_TRUE(client.result().has_error());
    EXPECT_EQ(client.result().error().kind, FaultKind::client_gone);
    EXPECT_EQ(request.exchange.outcome.status, 499);
    EXPECT_FALSE(request.exchange.outcome.answer_started);
    EXPECT_TRUE(client.closes());
}

}  // namespace
}  // namespace rotary::proxy
