// What of the head of a provider's answer reaches the client, and what Rotary says itself.
#include "proxy/answer_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using Prepare = void (*)(OneRequest& request);

constexpr Prepare kAsItIs = [](OneRequest&) {};

// With ID in place of the request's own id.
std::string with_id_named(const OneRequest& request, std::string text) {
    const std::string id(request.exchange.request_id());
    for (std::size_t at = text.find(id); at != text.npos; at = text.find(id)) {
        text.replace(at, id.size(), "ID");
    }
    return text;
}

std::string head_for_client(OneRequest& request, const std::string& answer) {
    HandMadeClient client(request);
    HandMadeProvider provider(request);
    provider.answers(answer);
    EXPECT_TRUE(write_answer_head(request.context, client, request.exchange, provider)) << answer;
    return with_id_named(request, client.head());
}

TEST(AnswerHead, WhatIsNotTheClientsStays) {
    struct Row {
        const char* name;
        Prepare prepare;
        const char* lines;   // of the provider
        const char* passed;  // to the client
    };
    const Row rows[] = {
        {"nothing", kAsItIs, "", ""},
        {"what is meant for it, as it came", kAsItIs,
         "Content-Type: a/b\nX-RateLimit-Remaining-Tokens: 5\nretry-after: 1\nvary: a\nvary: b\n",
         "Content-Type: a/b\nX-RateLimit-Remaining-Tokens: 5\nretry-after: 1\nvary: a\nvary: b\n"},
        {"an empty value", kAsItIs, "x-a:\n", "x-a: \n"},
        {"what names the provider and its account", kAsItIs,
         "Server: cloudflare\nSet-Cookie: a=b\nalt-svc: h3\nOpenAI-Organization: o\n"
         "openai-project: p\nX-Envoy-Upstream-Service-Time: 5\n",
         ""},
        {"names that only begin so", kAsItIs, "server-timing: a\nx-envoyed: b\nset-cookies: c\n",
         "server-timing: a\nx-envoyed: b\nset-cookies: c\n"},
        {"of the connection", kAsItIs,
         "connection: keep-alive\nkeep-alive: timeout=5\nproxy-authenticate: a\ntrailer: b\n", ""},
        {"named by Connection", kAsItIs, "Connection: X-Hop\nx-hop: 1\nx-hope: 2\n", "x-hope: 2\n"},
        {"what Rotary alone may say", kAsItIs,
         "X-Rotary-Model: forged\nx-rotary-news: 1\nx-rotaryx: 2\n", "x-rotaryx: 2\n"},
        {"another's CORS where the route has none", kAsItIs, "access-control-allow-origin: *\n",
         "access-control-allow-origin: *\n"},
        {"a filter removes",
         [](OneRequest& request) {
             request.route().response_headers.remove = {"x-a", "VARY"};
         },
         "X-A: 1\nvary: b\nx-a: 2\nx-b: 3\n", "x-b: 3\n"},
        {"a filter sets",
         [](OneRequest& request) {
             request.route().response_headers.set = {{"X-A", "ours"}};
         },
         "x-a: 1\nx-b: 2\nx-a: 3\n", "x-b: 2\nX-A: ours\n"},
        {"a filter adds, after it has set",
         [](OneRequest& request) {
             request.route().response_headers.add = {{"x-a", "2"}};
             request.route().response_headers.set = {{"x-b", "3"}};
         },
         "x-a: 1\n", "x-a: 1\nx-b: 3\nx-a: 2\n"},
    };
    for (std::size_t i = 0; i < 2 * std::size(rows); ++i) {
        const Row& row = rows[i / 2];
        OneRequest request;
        request.snapshot->config.routing.expose_route = false;
        row.prepare(request);
        if (i % 2 == 1) routing::settle_passages(*request.snapshot);  // nothing else comes of it
        request.ask("GET /chat/1.0/x");
        EXPECT_EQ(head_for_client(
                      request, std::string("HTTP/1.1 203 Fine\ncontent-length: 2\n") + row.lines),
                  std::string("HTTP/1.1 203 Fine\ncontent-length: 2\n") + row.passed +
                      "x-request-id: ID\nx-rotary-request-id: ID\n\n")
            << row.name;
    }
}

TEST(AnswerHead, CorsIsOursWhereTheRouteHasAPolicy) {
    struct Row {
        const char* name;
        const char* origin;
        std::vector<std::string> allowed;
        const char* ours;
    };
    const Row rows[] = {
        {"allowed",
         "origin: https://app.test\n",
         {"https://app.test"},
         "vary: origin\naccess-control-allow-origin: https://app.test\n"},
        {"any", "origin: https://app.test\n", {"*"}, "access-control-allow-origin: *\n"},
        {"another", "origin: https://evil.test\n", {"https://app.test"}, "vary: origin\n"},
        {"no browser", "", {"https://app.test"}, "vary: origin\n"},
        {"no browser, any", "", {"*"}, ""},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.snapshot->config.routing.expose_route = false;
        config::CorsPolicy policy;
        policy.allow_origins = row.allowed;
        request.route().cors.emplace(policy);
        request.ask("GET /chat/1.0/x", row.origin);
        EXPECT_EQ(head_for_client(request,
                                  "HTTP/1.1 200 OK\nAccess-Control-Allow-Origin: mine\n"
                                  "access-control-allow-credentials: true\ncontent-length: 2\n"),
                  std::string("HTTP/1.1 200 OK\ncontent-length: 2\n") + row.ours +
                      "x-request-id: ID\nx-rotary-request-id: ID\n\n")
            << row.name;
    }
}

// The provider's id reaches the client, for its SDK shows it, and the log; ours stands beside it.
TEST(AnswerHead, TheProvidersRequestIdIsKept) {
    struct Row {
        const char* name;
        std::string id;
        std::string kept;
    };
    const Row rows[] = {
        {"short", "req_1", "req_1"},
        {"as long as the log's place", std::string(128, 'a'), std::string(128, 'a')},
        {"longer", std::string(200, 'b'), std::string(128, 'b')},
        {"empty", "", ""},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.ask("GET /chat/1.0/x");
        request.choose();
        const std::string head =
            head_for_client(request, "HTTP/1.1 200 OK\nX-Request-Id: " + row.id + "\n");
        EXPECT_NE(head.find("X-Request-Id: " + row.id + "\n"), head.npos) << row.name;
        EXPECT_EQ(head.find("x-request-id:"), head.npos) << row.name << ": one is enough";
        EXPECT_NE(head.find("x-rotary-request-id: ID\n"), head.npos) << row.name;
        EXPECT_EQ(request.exchange.upstream_request_id(), row.kept) << row.name;
    }
}

TEST(AnswerHead, SaysWhereTheAnswerComesFrom) {
    struct Row {
        const char* name;
        bool exposed;
        bool has_entry;
        const char* lines;
    };
    const Row rows[] = {
        {"an entry", true, true,
         "x-rotary-model: large\nx-rotary-backend: b\nx-rotary-attempts: 2\n"},
        {"a Backend alone", true, false, "x-rotary-backend: b\nx-rotary-attempts: 2\n"},
        {"an entry, unsaid", false, true, ""},
        {"a Backend, unsaid", false, false, ""},
    };
    for (const Row& row : rows) {
        OneRequest request({"a", "b"});
        if (row.has_entry) request.rotate({"small@a", "large@b"});
        request.snapshot->config.routing.expose_route = row.exposed;
        request.admit_and_scan("POST /chat/1.0/x", "", "{}");
        request.choose(0);
        request.choose(1);
        EXPECT_EQ(head_for_client(request, "HTTP/1.1 204 Gone\n"),
                  std::string("HTTP/1.1 204 Gone\nx-request-id: ID\nx-rotary-request-id: ID\n") +
                      row.lines + "\n")
            << row.name;
    }
}

TEST(AnswerHead, HowTheBodyGoesOn) {
    using downstream::AnswerBody;
    struct Row {
        const char* name;
        const char* method;
        const char* answer;
        AnswerBody body;
        bool is_event_stream;
        const char* head;
    };
    constexpr bool kStream = true;
    const Row rows[] = {
        {"by its length", "GET", "200 OK\ncontent-length: 5\n", AnswerBody::sized, false,
         "200 OK\ncontent-length: 5\nIDS\n"},
        {"none", "GET", "204 None\n", AnswerBody::none, false, "204 None\nIDS\n"},
        {"without a reason", "GET", "204 \n", AnswerBody::none, false, "204 \nIDS\n"},
        {"of HEAD", "HEAD", "200 OK\ncontent-length: 5\n", AnswerBody::none, false,
         "200 OK\ncontent-length: 5\nIDS\n"},
        {"a stream's of HEAD", "HEAD",
         "200 OK\ncontent-type: text/event-stream\ntransfer-encoding: chunked\n", AnswerBody::none,
         false, "200 OK\ncontent-type: text/event-stream\nIDS\n"},
        {"in chunks", "GET", "200 OK\ntransfer-encoding: chunked\n", AnswerBody::unsized, false,
         "200 OK\nIDS\n"},
        {"up to the end of the connection", "GET", "200 OK\nconnection: close\n",
         AnswerBody::unsized, false, "200 OK\nIDS\n"},
        {"a stream", "GET", "200 OK\ncontent-type: text/event-stream\ntransfer-encoding: chunked\n",
         AnswerBody::unsized, kStream,
         "200 OK\ncontent-type: text/event-stream\nIDS\nx-accel-buffering: no\n"},
        {"a stream whose length is known", "GET",
         "200 OK\ncontent-length: 5\ncontent-type: text/event-stream\n", AnswerBody::unsized,
         kStream, "200 OK\ncontent-type: text/event-stream\nIDS\nx-accel-buffering: no\n"},
        {"a stream whose provider spoke to the proxies", "GET",
         "200 OK\nX-Accel-Buffering: yes\ncontent-type: text/event-stream\n", AnswerBody::unsized,
         kStream, "200 OK\nX-Accel-Buffering: yes\ncontent-type: text/event-stream\nIDS\n"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.snapshot->config.routing.expose_route = false;
        request.ask(std::string(row.method) + " /chat/1.0/x");
        HandMadeClient client(request);
        HandMadeProvider provider(request);
        provider.answers(std::string("HTTP/1.1 ") + row.answer);
        ASSERT_TRUE(write_answer_head(request.context, client, request.exchange, provider))
            << row.name;
        EXPECT_EQ(client.body(), row.body) << row.name;
        EXPECT_EQ(is_event_stream(provider), row.is_event_stream) << row.name;
        std::string expected = std::string("HTTP/1.1 ") + row.head + "\n";
        const std::string ids = "x-request-id: ID\nx-rotary-request-id: ID\n";
        expected.replace(expected.find("IDS\n"), 4, ids);
        EXPECT_EQ(with_id_named(request, client.head()), expected) << row.name;
    }
}

TEST(AnswerHead, OneThatDoesNotFitIsNone) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    request.choose();
    HandMadeClient client(request);
    HandMadeProvider provider(request);
    provider.answers("HTTP/1.1 200 OK\nx-a: 0123456789\n");
    const auto fits = [&](std::size_t size) {
        request.scratch.head.resize(size);
        return write_answer_head(request.context, client, request.exchange, provider);
    };
    ASSERT_TRUE(fits(4096));
    const std::size_t needed = with_crlf(client.head()).size();
    EXPECT_TRUE(fits(needed));
    EXPECT_FALSE(fits(needed - 1));
}

}  // namespace
}  // namespace rotary::proxy
