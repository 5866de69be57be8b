// Which route serves a request, what may be taken on, and what its body says.
#include "proxy/admit.hpp"
#include "proxy/match.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "proxy/scan.hpp"
#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using In = config::ValueLocation::In;
using Prepare = void (*)(OneRequest& request);

constexpr Prepare kAsItIs = [](OneRequest&) {};
constexpr Prepare kInBody = [](OneRequest& request) { request.rotate({"m@a"}); };
constexpr Prepare kDeeper = [](OneRequest& request) {
    request.rotate({"m@a"}, {In::body, "$.input.model", {}});
};
constexpr Prepare kInHeader = [](OneRequest& request) {
    request.rotate({"m@a"}, {In::header, "x-model", {}});
};
constexpr Prepare kInQuery = [](OneRequest& request) {
    request.rotate({"m@a"}, {In::query, "model", {}});
};
constexpr Prepare kInPath = [](OneRequest& request) {
    request.rotate({"m@a"}, {In::path, "/models/([^/]+)", {}});
};

FaultKind kind_of(const Result<void>& result) {
    return result ? FaultKind::none : result.error().kind;
}

TEST(Match, FindsTheRouteOrSaysWhyNot) {
    struct Row {
        const char* line;
        FaultKind fault;
        std::size_t route;
    };
    using enum FaultKind;
    const Row rows[] = {
        {"GET /chat/1.0", none, 0},
        {"PATCH /chat/1.0/x?y", none, 0},
        {"POST /posted/only", none, 1},
        {"GET /posted/only", method_not_allowed, 0},
        {"POST /posted/other", route_not_found, 0},
        {"GET /chat/1.1", route_not_found, 0},
        {"GET /chat/1.0/../x", bad_request, 0},
        {"GET /chat/1.0/%2e%2E/x", bad_request, 0},
        {"GET /chat/1.0/x?../y", none, 0},
        {"GET /chat/1.0/..x", none, 0},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.snapshot->routes.emplace_back().name = "posted";
        const config::PathMatch only{config::PathType::exact, "/only", {}};
        request.snapshot->table.add("llm.example.com",
                                    {routing::PathPattern("/posted", only), "POST", 1});
        request.ask(row.line);
        request.exchange.match.rule = nullptr;
        request.exchange.match.route = nullptr;
        EXPECT_EQ(kind_of(match(request.exchange)), row.fault) << row.line;
        const bool is_found = row.fault == none;
        EXPECT_EQ(request.exchange.match.rule != nullptr, is_found) << row.line;
        EXPECT_EQ(request.exchange.match.route,
                  is_found ? &request.snapshot->routes[row.route] : nullptr)
            << row.line;
        if (is_found) {
            EXPECT_EQ(request.exchange.match.rule->route, row.route) << row.line;
        }
    }
}

// A client from another machine does not learn which hosts are served, whatever host it names.
TEST(Match, StrangersAreNotToldTheHosts) {
    struct Row {
        const char* host;
        const char* address;  // of the client
        bool told;
    };
    const Row rows[] = {
        {"localhost", "192.0.2.1", false},
        {"127.0.0.1", "192.0.2.1", false},
        {"[::1]", "2001:db8::1", false},
        {"other.example.com", "192.0.2.1", false},
        {"localhost", "", false},
        {"localhost", "127.0.0.1", true},
        {"127.0.0.1", "::1", true},
        {"[::1]", "127.1.2.3", true},
        {"other.example.com", "127.0.0.1", false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.snapshot->unknown_host = "Try llm.example.com.";
        request.ask("GET /chat/1.0/x");
        request.exchange.request.host = row.host;
        request.exchange.request.client_address = row.address;
        const auto matched = match(request.exchange);
        ASSERT_TRUE(matched.has_error()) << row.host;
        EXPECT_EQ(matched.error().kind, FaultKind::route_not_found) << row.host;
        EXPECT_STREQ(matched.error().detail, row.told ? "Try llm.example.com." : "")
            << row.host << " from " << row.address;
    }
}

TEST(Admit, TakesOnWhatItCanServe) {
    struct Row {
        const char* name;
        Prepare prepare;
        const char* line;
        const char* headers;
        const char* body;
        FaultKind fault;
        bool rotates;  // where it is taken on
    };
    constexpr bool kRotates = true;
    using enum FaultKind;
    const Row rows[] = {
        {"no rotation", kAsItIs, "GET /chat/1.0/x", "", "", none, false},
        {"any body without a rotation", kAsItIs, "POST /chat/1.0/x",
         "content-type: text/plain\ncontent-encoding: gzip\n", "hello", none, false},
        {"as large as may be", kAsItIs, "POST /chat/1.0/x", "content-length: 10485760\n", "", none,
         false},
        {"too large", kAsItIs, "POST /chat/1.0/x", "content-length: 10485761\n", "",
         request_too_large, false},
        {"too large for a rotation", kInBody, "POST /chat/1.0/x", "content-length: 10485761\n", "",
         request_too_large, false},
        {"a type and no body", kAsItIs, "POST /chat/1.0/x", "content-type: a/b\n", "",
         length_required, false},
        {"a type and no body of PATCH", kAsItIs, "PATCH /chat/1.0/x", "content-type: a/b\n", "",
         length_required, false},
        {"a type and no body of PUT", kAsItIs, "PUT /chat/1.0/x", "content-type: a/b\n", "",
         length_required, false},
        {"a type and no body, where none is usual", kAsItIs, "GET /chat/1.0/x",
         "content-type: a/b\n", "", none, false},
        {"a POST of nothing", kAsItIs, "POST /chat/1.0/x", "", "", none, false},
        {"models without a list, refused",
         [](OneRequest& request) {
             request.snapshot->config.routing.without_rotation = config::WithoutRotation::refuse;
         },
         "GET /chat/1.0/x", "", "", model_not_allowed, false},
        {"that rule is not for lists",
         [](OneRequest& request) {
             kInBody(request);
             request.snapshot->config.routing.without_rotation = config::WithoutRotation::refuse;
         },
         "POST /chat/1.0/x", "", "{}", none, kRotates},
        {"JSON", kInBody, "POST /chat/1.0/x", "content-type: application/json\n", "{}", none,
         kRotates},
        {"JSON of another name", kInBody, "POST /chat/1.0/x",
         "content-type: application/merge-patch+json\n", "{}", none, kRotates},
        {"chunks", kInBody, "POST /chat/1.0/x", "transfer-encoding: chunked\n", "", none, kRotates},
        {"no body", kInBody, "GET /chat/1.0/x", "", "", none, false},
        {"a body of GET", kInBody, "GET /chat/1.0/x", "", "{}", none, kRotates},
        {"no body where a model must stand", kInBody, "POST /chat/1.0/x", "", "", length_required,
         false},
        {"a packed body", kInBody, "POST /chat/1.0/x", "content-encoding: gzip\n", "{}",
         unsupported_content_encoding, false},
        {"a body that is packed twice", kInBody, "POST /chat/1.0/x",
         "content-encoding: br\ncontent-encoding: identity\n", "{}", unsupported_content_encoding,
         false},
        {"a body that is packed in nothing", kInBody, "POST /chat/1.0/x",
         "content-encoding: Identity\n", "{}", none, kRotates},
        {"two types", kInBody, "POST /chat/1.0/x",
         "content-type: application/json\ncontent-type: application/json\n", "{}", bad_request,
         false},
        {"another type", kInBody, "POST /chat/1.0/x", "content-type: text/plain\n", "{}",
         unsupported_media_type, false},
        {"a form", kInBody, "POST /chat/1.0/x", "content-type: application/x-www-form-urlencoded\n",
         "a=1", none, kRotates},
        {"a form, where the model stands deeper", kDeeper, "POST /chat/1.0/x",
         "content-type: application/x-www-form-urlencoded\n", "a=1", unsupported_media_type, false},
        {"parts", kInBody, "POST /chat/1.0/x", "content-type: multipart/form-data; boundary=b\n",
         "--b--", none, kRotates},
        {"parts without a boundary", kInBody, "POST /chat/1.0/x",
         "content-type: multipart/form-data\n", "--b--", bad_request, false},
        {"parts, where their name could not be written",
         [](OneRequest& request) {
             request.rotate({"m@a"}, {In::body, "a%b", {}});
         },
         "POST /chat/1.0/x", "content-type: multipart/form-data; boundary=b\n", "--b--",
         unsupported_media_type, false},
        {"any body, the model in a header", kInHeader, "POST /chat/1.0/x",
         "content-type: text/plain\ncontent-encoding: gzip\n", "hello", none, kRotates},
        {"no body, the model in a header", kInHeader, "GET /chat/1.0/x", "", "", none, kRotates},
        {"no body, the model in the query", kInQuery, "GET /chat/1.0/x", "", "", none, kRotates},
        {"a path with a model", kInPath, "GET /chat/1.0/models/x", "", "", none, kRotates},
        {"a path without one", kInPath, "GET /chat/1.0/models", "", "", bad_request, false},
        {"a path without one, rewritten to one",
         [](OneRequest& request) {
             kInPath(request);
             request.route().rewrite =
                 config::PathRewrite{config::PathRewrite::Kind::full, "/models/x", {}};
         },
         "GET /chat/1.0/y", "", "", none, kRotates},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.ask(row.line, row.headers, row.body);
        EXPECT_EQ(kind_of(admit(request.context, request.exchange)), row.fault) << row.name;
        if (row.fault != none) continue;
        EXPECT_EQ(request.exchange.list() != nullptr, row.rotates) << row.name;
        EXPECT_FALSE(request.exchange.content.lines.empty()) << row.name;
    }
}

// --- what the body says -------------------------------------------------------------------------

TEST(ScanBody, KnowsTheModelAndWhetherItIsAStream) {
    struct Row {
        const char* name;
        Prepare prepare;
        const char* headers;
        std::string body;
        const char* model;
        bool is_stream;
    };
    const char* const form = "content-type: application/x-www-form-urlencoded\n";
    const char* const parts = "content-type: multipart/form-data; boundary=b\n";
    const auto part = [](const char* name, const char* value) {
        std::string text = "--b\r\nContent-Disposition: form-data; name=\"";
        return text.append(name).append("\"\r\n\r\n").append(value).append("\r\n");
    };
    const Row rows[] = {
        {"both", kInBody, "", R"({"model":"x","stream":true})", "x", true},
        {"neither", kInBody, "", "{}", "", false},
        {"no stream", kInBody, "", R"({"stream":false})", "", false},
        {"a text is no truth", kInBody, "", R"({"stream":"true"})", "", false},
        {"a model that is no text", kInBody, "", R"({"model":{"a":"x"}})", "", false},
        {"a model with escapes", kInBody, "", R"({"model":"a\u0062"})", "", false},
        {"a deeper model", kDeeper, "", R"({"model":"y","input":{"model":"x"}})", "x", false},
        {"a form", kInBody, form, "stream=true&model=x", "x", true},
        {"a form, by number", kInBody, form, "stream=1", "", true},
        {"a form, in capitals", kInBody, form, "stream=TRUE", "", true},
        {"a form without a stream", kInBody, form, "stream=false&model=x", "x", false},
        {"a form that is JSON", kInBody, form, " \r\n{\"model\":\"x\",\"stream\":true}", "x", true},
        {"parts", kInBody, parts, part("model", "x") + part("stream", "true") + "--b--\r\n", "x",
         true},
        {"the model in a header", kInHeader, "x-model: h\n", R"({"model":"x","stream":true})", "h",
         true},
        {"the model in the query", kInQuery, "", R"({"stream":true})", "", true},
        {"a body that is not read", kInHeader, "content-type: text/plain\n", "{\"stream\":true}",
         "", false},
        {"a packed body is not read", kInHeader, "content-encoding: gzip\n", "{\"stream\":true}",
         "", false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.admit_and_scan("POST /chat/1.0/x", row.headers, row.body);
        EXPECT_EQ(request.exchange.content.client_model, row.model) << row.name;
        EXPECT_EQ(request.exchange.content.wants_stream, row.is_stream) << row.name;
    }
}

TEST(ScanBody, RefusesWhatTwoParsersCouldReadDifferently) {
    struct Row {
        const char* name;
        Prepare prepare;
        const char* headers;
        const char* body;
        FaultKind fault;
    };
    const char* const form = "content-type: application/x-www-form-urlencoded\n";
    using enum FaultKind;
    const Row rows[] = {
        {"no JSON", kInBody, "", "hello", invalid_json},
        {"half of it", kInBody, "", R"({"a":1)", invalid_json},
        {"two models", kInBody, "", R"({"model":"x","model":"y"})", duplicate_model},
        {"two models of a form", kInBody, form, "model=x&%6dodel=y", duplicate_model},
        {"a model behind a semicolon", kInBody, form, "a=1;model=y", bad_request},
        {"a form that only begins like JSON", kInBody, form, "{\"a\":1", invalid_json},
        {"no JSON, the model in a header", kInHeader, "", "hello", invalid_json},
        {"nothing at all, the model in a header", kInHeader, "", "", none},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.ask("POST /chat/1.0/x", row.headers, row.body);
        ASSERT_EQ(kind_of(admit(request.context, request.exchange)), none) << row.name;
        EXPECT_EQ(kind_of(scan_body(request.exchange)), row.fault) << row.name;
    }
}

TEST(ScanBody, LongModelsAreClippedForTheLog) {
    OneRequest request;
    request.rotate({"m@a"});
    std::string body = "{\"model\":\"";
    body.append(300, 'x').append("\"}");
    request.admit_and_scan("POST /chat/1.0/x", "", body);
    EXPECT_EQ(request.exchange.content.client_model, std::string(256, 'x'));
    EXPECT_EQ(request.exchange.content.scan.model.end - request.exchange.content.scan.model.begin,
              302U);
}

// A body that came with its head is there; one that did not is waited for.
}  // namespace
}  // namespace rotary::proxy
