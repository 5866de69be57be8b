// What Rotary answers by itself: OPTIONS of the whole server, preflights, redirects.
#include "proxy/own_answer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using Rewrite = config::PathRewrite;

// All but the two lines with the request's id, which must be there.
std::string without_ids(const OneRequest& request, std::string got) {
    for (const char* name : {"x-request-id: ", "x-rotary-request-id: "}) {
        std::string line = name;
        line.append(request.exchange.request_id()).append("\n");
        const std::size_t at = got.find("\n" + line);
        EXPECT_NE(at, got.npos) << got;
        if (at != got.npos) got.erase(at + 1, line.size());
    }
    return got;
}

TEST(OwnAnswer, OptionsOfTheWholeServer) {
    OneRequest request;
    request.ask("OPTIONS *");
    EXPECT_TRUE(asks_for_whole_server(request.exchange));
    HandMadeClient client(request);
    const std::string got = client.run(answer_for_whole_server(client, request.exchange));
    EXPECT_EQ(without_ids(request, got),
              "HTTP/1.1 204 No Content\n"
              "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\n\n");
    EXPECT_TRUE(request.exchange.outcome.answer_started);
    EXPECT_EQ(client.body(), downstream::AnswerBody::none);
    EXPECT_TRUE(client.ended());
    EXPECT_FALSE(client.closes());
    request.ask("OPTIONS /chat/1.0/x");
    EXPECT_FALSE(asks_for_whole_server(request.exchange));
}

// --- preflights ---------------------------------------------------------------------------------

// Two routes below one host: /chat/1.0 with a policy for app.test, and /closed without one.
void add_policy(OneRequest& request) {
    config::CorsPolicy policy;
    policy.allow_origins = {"https://app.test"};
    policy.allow_methods = {"POST"};
    policy.allow_headers = {"authorization"};
    policy.max_age = std::chrono::seconds(600);
    request.route().cors.emplace(policy);
    request.snapshot->routes.emplace_back().name = "closed";
    request.snapshot->table.add("llm.example.com", {routing::PathPattern("/closed", {}), "", 1});
    const config::PathMatch only{config::PathType::exact, "/only", {}};
    request.snapshot->table.add("llm.example.com",
                                {routing::PathPattern("/posted", only), "POST", 0});
}

TEST(Preflight, IsOneWhereTheRouteAllowsTheOrigin) {
    struct Row {
        const char* name;
        const char* line;
        const char* headers;
        bool is_one;
    };
    constexpr const char* kAsked =
        "origin: https://app.test\naccess-control-request-method: POST\n";
    const Row rows[] = {
        {"allowed", "OPTIONS /chat/1.0/x", kAsked, true},
        {"for the method that is asked about", "OPTIONS /posted/only", kAsked, true},
        {"not for another", "OPTIONS /posted/only",
         "origin: https://app.test\naccess-control-request-method: GET\n", false},
        {"not OPTIONS", "GET /chat/1.0/x", kAsked, false},
        {"OPTIONS that asks for no method", "OPTIONS /chat/1.0/x", "origin: https://app.test\n",
         false},
        {"another origin", "OPTIONS /chat/1.0/x",
         "origin: https://evil.test\naccess-control-request-method: POST\n", false},
        {"no origin", "OPTIONS /chat/1.0/x", "access-control-request-method: POST\n", false},
        {"a route without a policy", "OPTIONS /closed/x", kAsked, false},
        {"no route", "OPTIONS /elsewhere", kAsked, false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        add_policy(request);
        request.ask(row.line, row.headers);
        request.exchange.match.route = nullptr;
        EXPECT_EQ(is_allowed_preflight(request.exchange), row.is_one) << row.name;
        EXPECT_EQ(request.exchange.match.route, row.is_one ? &request.route() : nullptr)
            << row.name;
    }
}

TEST(Preflight, SaysWhatMayFollow) {
    struct Row {
        const char* name;
        std::vector<std::string> methods;
        std::vector<std::string> headers;
        const char* asked;
        const char* lines;
    };
    const Row rows[] = {
        {"what the policy lists",
         {"GET", "POST"},
         {"x-a"},
         "access-control-request-headers: x-b\n",
         "access-control-allow-methods: GET, POST\naccess-control-allow-headers: x-a\n"},
        {"any method is the one that is asked about",
         {"*"},
         {"x-a"},
         "",
         "access-control-allow-headers: x-a\naccess-control-allow-methods: PATCH\n"},
        {"any header is those that are asked about",
         {"GET"},
         {"*"},
         "access-control-request-headers: x-a, authorization\n",
         "access-control-allow-methods: GET\naccess-control-allow-headers: x-a, authorization\n"},
        {"any header, and none is asked about",
         {"GET"},
         {"*"},
         "",
         "access-control-allow-methods: GET\n"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        config::CorsPolicy policy;
        policy.allow_origins = {"https://app.test"};
        policy.allow_methods = row.methods;
        policy.allow_headers = row.headers;
        request.route().cors.emplace(policy);
        const std::string asked =
            "origin: https://app.test\naccess-control-request-method: PATCH\n";
        request.ask("OPTIONS /chat/1.0/x", asked + row.asked);
        ASSERT_TRUE(is_allowed_preflight(request.exchange)) << row.name;
        HandMadeClient client(request);
        const std::string got =
            client.run(answer_preflight(request.context, client, request.exchange));
        EXPECT_EQ(without_ids(request, got),
                  std::string("HTTP/1.1 200 OK\n") + row.lines +
                      "vary: access-control-request-method, access-control-request-headers\n"
                      "content-length: 0\n"
                      "vary: origin\naccess-control-allow-origin: https://app.test\n\n")
            << row.name;
    }
}

// --- redirects ----------------------------------------------------------------------------------

struct RedirectRow {
    const char* name;
    config::Redirect rules;
    const char* host;  // as the client asked for it, with its port
    const char* target;
    const char* location;
};

std::string redirected(const RedirectRow& row, OneRequest& request) {
    request.snapshot->forwarding.withheld_query = {"token"};
    request.route().redirect = row.rules;
    request.ask(std::string("GET ") + row.target);
    request.exchange.request.host = row.host;
    const std::size_t colon = request.exchange.request.host.find(':');
    request.exchange.request.port = {};
    if (colon != std::string_view::npos) {
        request.exchange.request.port = request.exchange.request.host.substr(colon + 1);
        request.exchange.request.host = request.exchange.request.host.substr(0, colon);
    }
    HandMadeClient client(request);
    return client.run(redirect(request.context, client, request.exchange));
}

TEST(Redirect, LeadsWhereItsRuleSays) {
    const Rewrite full{Rewrite::Kind::full, "/new", {}};
    const Rewrite prefix{Rewrite::Kind::prefix, "/new", {}};
    const RedirectRow rows[] = {
        {"nothing but the status", {}, "a.test", "/chat/1.0/x?b", "http://a.test/chat/1.0/x?b"},
        {"the port that was asked for",
         {},
         "a.test:8080",
         "/chat/1.0",
         "http://a.test:8080/chat/1.0"},
        {"a host",
         {"", "b.test", 0, {}, 302, {}},
         "a.test",
         "/chat/1.0/x",
         "http://b.test/chat/1.0/x"},
        {"a host, on the same port",
         {"", "b.test", 0, {}, 302, {}},
         "a.test:81",
         "/chat/1.0/x",
         "http://b.test:81/chat/1.0/x"},
        {"a scheme has a port of its own",
         {"https", "", 0, {}, 302, {}},
         "a.test:8080",
         "/chat/1.0/x",
         "https://a.test/chat/1.0/x"},
        {"without a scheme no port is its own",
         {},
         "a.test:443",
         "/chat/1.0/x",
         "http://a.test:443/chat/1.0/x"},
        {"a scheme and its own port",
         {"https", "", 443, {}, 302, {}},
         "a.test",
         "/chat/1.0/x",
         "https://a.test/chat/1.0/x"},
        {"http and its own port",
         {"http", "", 80, {}, 302, {}},
         "a.test",
         "/chat/1.0/x",
         "http://a.test/chat/1.0/x"},
        {"a scheme and the other's port",
         {"http", "", 443, {}, 302, {}},
         "a.test",
         "/chat/1.0/x",
         "http://a.test:443/chat/1.0/x"},
        {"a port",
         {"", "", 8443, {}, 302, {}},
         "a.test:80",
         "/chat/1.0/x",
         "http://a.test:8443/chat/1.0/x"},
        {"a path",
         {"", "", 0, full, 302, {}},
         "a.test",
         "/chat/1.0/x?b=1",
         "http://a.test/new?b=1"},
        {"a prefix",
         {"", "", 0, prefix, 302, {}},
         "a.test",
         "/chat/1.0/x/y",
         "http://a.test/new/x/y"},
        {"what stays here stays",
         {},
         "a.test",
         "/chat/1.0/x?token=1&b=2",
         "http://a.test/chat/1.0/x?b=2"},
        {"no host at all", {}, "", "/chat/1.0/x", "/chat/1.0/x"},
        {"no host but the rule's",
         {"", "b.test", 0, {}, 302, {}},
         "",
         "/chat/1.0/x",
         "http://b.test/chat/1.0/x"},
    };
    for (const RedirectRow& row : rows) {
        OneRequest request;
        const std::string got = redirected(row, request);
        EXPECT_EQ(without_ids(request, got), std::string("HTTP/1.1 302 Found\nlocation: ") +
                                                 row.location + "\ncontent-length: 0\n\n")
            << row.name;
        EXPECT_EQ(request.exchange.outcome.status, 302) << row.name;
    }
}

TEST(Redirect, EachStatusIsTheRules) {
    for (const unsigned status : {301U, 302U, 303U, 307U, 308U}) {
        OneRequest request;
        const std::string got =
            redirected({"", {"", "", 0, {}, status, {}}, "a.test", "/chat/1.0/x", ""}, request);
        EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << got;
        EXPECT_EQ(request.exchange.outcome.status, status);
    }
}

TEST(Redirect, OneThatDoesNotFitIsRefused) {
    OneRequest request;
    config::Redirect rules;
    rules.path = Rewrite{Rewrite::Kind::full, "/" + std::string(40'000, 'a'), {}};
    request.route().redirect = rules;
    request.ask("GET /chat/1.0/x");
    HandMadeClient client(request);
    EXPECT_EQ(client.run(redirect(request.context, client, request.exchange)), "");
    ASSERT_TRUE(client.result().has_error());
    EXPECT_EQ(client.result().error().kind, FaultKind::uri_too_long);
    EXPECT_FALSE(request.exchange.outcome.answer_started) << "the refusal may still be told";
}

}  // namespace
}  // namespace rotary::proxy
