// A request as it goes to one Backend: its target, its head and the model in its place.
#include "proxy/upstream_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using In = config::ValueLocation::In;
using Prepare = void (*)(OneRequest& request);

constexpr Prepare kAsItIs = [](OneRequest&) {};
constexpr Prepare kInBody = [](OneRequest& request) { request.rotate({"m/1@a"}); };
constexpr Prepare kInQuery = [](OneRequest& request) {
    request.rotate({"m/1@a"}, {In::query, "model", {}});
};
constexpr Prepare kInHeader = [](OneRequest& request) {
    request.rotate({"m/1@a"}, {In::header, "X-Model", {}});
};
constexpr Prepare kInPath = [](OneRequest& request) {
    request.rotate({"m/1@a"}, {In::path, "/models/([^/]+)", {}});
};

// A request as it was written for the exchange's choice.
struct Written {
    bool fits = false;
    std::string head;
    wire::Pieces pieces;
};

Written written(OneRequest& request) {
    HandMadeProvider provider(request);
    Written all;
    all.fits = write_upstream_request(request.context, request.exchange, provider, all.pieces);
    all.head = provider.request_head();
    return all;
}

// For the first entry of the list; without one, or without a list, for the first Backend.
Written written_for(OneRequest& request, bool has_entry = true) {
    request.choose();
    if (!has_entry) request.exchange.tries.choice.entry = Choice::kNone;
    return written(request);
}

std::string head_of(const OneRequest& request, const Written& all) {
    std::string head = all.head;
    std::string id = "x-client-request-id: ";
    id.append(request.exchange.request_id()).append("\n");
    const std::size_t at = head.find(id);
    EXPECT_NE(at, head.npos) << head;
    if (at != head.npos) head.erase(at, id.size());
    return head;
}

std::string body_of(const Written& all) {
    std::string body;
    for (const std::string_view piece : all.pieces.all()) body += piece;
    return body;
}

TEST(UpstreamRequest, TargetsAreTheBackends) {
    struct Row {
        const char* name;
        Prepare prepare;
        const char* asked;  // by the client, below /chat/1.0
        bool has_entry;
        const char* target;
    };
    constexpr Prepare kKeyInQuery = [](OneRequest& request) {
        request.backend().credential_query = "key=s";
    };
    const Row rows[] = {
        {"the path below the API's", kAsItIs, "/v1/x", false, "/v1/x"},
        {"nothing below it", kAsItIs, "", false, "/"},
        {"a query, as it came", kAsItIs, "/x?a=%2f&&b", false, "/x?a=%2f&&b"},
        {"escapes, as they came", kAsItIs, "/a%2Fb%20c", false, "/a%2Fb%20c"},
        {"the Backend's own path", [](OneRequest& request) { request.backend().base_path = "/o"; },
         "/x?a", false, "/o/x?a"},
        {"a path of the route's",
         [](OneRequest& request) {
             request.route().rewrite =
                 config::PathRewrite{config::PathRewrite::Kind::full, "/n", {}};
             request.backend().base_path = "/o";
         },
         "/x?a", false, "/o/n?a"},
        {"a prefix of the route's",
         [](OneRequest& request) {
             request.route().rewrite =
                 config::PathRewrite{config::PathRewrite::Kind::prefix, "/n/", {}};
         },
         "/x/y", false, "/n/x/y"},
        {"a key", kKeyInQuery, "/x", false, "/x?key=s"},
        {"a key behind the client's query", kKeyInQuery, "/x?a=1", false, "/x?a=1&key=s"},
        {"a model in the body", kInBody, "/x?model=mine", true, "/x?model=mine"},
        {"a model in the query", kInQuery, "/x", true, "/x?model=m%2F1"},
        {"a model in place of the client's", kInQuery, "/x?model=mine&a=1", true,
         "/x?a=1&model=m%2F1"},
        {"a model, then the key",
         [](OneRequest& request) {
             kInQuery(request);
             request.backend().credential_query = "key=s";
         },
         "/x?a=1", true, "/x?a=1&model=m%2F1&key=s"},
        {"a model and the key alone",
         [](OneRequest& request) {
             kInQuery(request);
             request.backend().credential_query = "key=s";
         },
         "/x", true, "/x?model=m%2F1&key=s"},
        {"the client's model without an entry", kInQuery, "/x?model=mine", false, "/x?model=mine"},
        {"a model in the path", kInPath, "/models/mine/run?models/a", true,
         "/models/m%2F1/run?models/a"},
        {"the first of two", kInPath, "/models/mine/models/b", true, "/models/m%2F1/models/b"},
        {"the client's in the path without an entry", kInPath, "/models/mine/run", false,
         "/models/mine/run"},
        {"a model in a path that the route rewrote",
         [](OneRequest& request) {
             kInPath(request);
             request.route().rewrite =
                 config::PathRewrite{config::PathRewrite::Kind::full, "/v2/models/x:run", {}};
         },
         "/models/mine", true, "/v2/models/m%2F1"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.admit_and_scan(std::string("POST /chat/1.0") + row.asked, "", "{}");
        const Written all = written_for(request, row.has_entry);
        const std::string& head = all.head;
        EXPECT_TRUE(all.fits) << row.name;
        EXPECT_EQ(head.substr(0, head.find("\n")), std::string("POST ") + row.target + " HTTP/1.1")
            << row.name;
    }
}

TEST(UpstreamRequest, HeadsHaveOurLinesAndTheClients) {
    constexpr const char* kForm = "content-type: application/x-www-form-urlencoded;charset=utf-8\n";
    struct Row {
        const char* name;
        Prepare prepare;
        const char* line;
        std::string headers;
        const char* body;
        bool has_entry;
        std::string head;  // behind the request line and the host
    };
    const Row rows[] = {
        {"no body", kAsItIs, "GET /chat/1.0/x", "accept: a\n", "", false, "accept: a\n"},
        {"a body that nobody expects", kAsItIs, "GET /chat/1.0/x", "", "ab", false,
         "content-length: 2\n"},
        {"a body that is missing", kAsItIs, "POST /chat/1.0/x", "", "", false,
         "content-length: 0\n"},
        {"one of PUT", kAsItIs, "PUT /chat/1.0/x", "", "", false, "content-length: 0\n"},
        {"one of PATCH", kAsItIs, "PATCH /chat/1.0/x", "", "", false, "content-length: 0\n"},
        {"none of DELETE", kAsItIs, "DELETE /chat/1.0/x", "", "", false, ""},
        {"chunks that were put together", kAsItIs, "POST /chat/1.0/x",
         "transfer-encoding: chunked\n", "", false, "content-length: 0\n"},
        {"a key before the client's lines",
         [](OneRequest& request) {
             request.backend().credential_line = "Authorization: Bearer s\r\n";
         },
         "GET /chat/1.0/x", "authorization: mine\naccept: a\n", "", false,
         "Authorization: Bearer s\naccept: a\n"},
        {"a model in a header", kInHeader, "POST /chat/1.0/x", "x-model: mine\n", "{}", true,
         "accept-encoding: identity\nX-Model: m/1\ncontent-length: 2\n"},
        {"the client's in a header without an entry", kInHeader, "POST /chat/1.0/x",
         "x-model: mine\n", "{}", false,
         "accept-encoding: identity\nX-Model: mine\ncontent-length: 2\n"},
        {"no model in a header without an entry", kInHeader, "POST /chat/1.0/x", "", "{}", false,
         "accept-encoding: identity\ncontent-length: 2\n"},
        {"a form", kInBody, "POST /chat/1.0/x", kForm, "a=1", true,
         std::string("accept-encoding: identity\n") + kForm + "content-length: 15\n"},
        {"a form that is JSON", kInBody, "POST /chat/1.0/x", kForm, " {\"model\":\"\"}", true,
         "accept-encoding: identity\ncontent-type: application/json\ncontent-length: 16\n"},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.admit_and_scan(row.line, row.headers, row.body);
        const Written all = written_for(request, row.has_entry);
        const std::string head = head_of(request, all);
        const std::string host = "Host: a.example.net\n";
        const std::size_t behind = head.find(host);
        ASSERT_EQ(behind, head.find('\n') + 1) << row.name << ": " << head;
        EXPECT_EQ(head.substr(behind + host.size()), row.head + "\n") << row.name;
    }
}

TEST(UpstreamRequest, TheModelIsPutIntoTheBody) {
    struct Row {
        const char* name;
        const char* place;
        const char* type;
        std::string body;
        std::string becomes;
    };
    const std::string form = "application/x-www-form-urlencoded";
    const std::string parts = "multipart/form-data; boundary=b";
    const std::string other_part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    const std::string model_head = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
    const std::string end = "--b--\r\n";
    const Row rows[] = {
        {"in place of another", "model", "", R"({"a":1,"model":"x","b":2})",
         R"({"a":1,"model":"m/\"1","b":2})"},
        {"in place of none", "model", "", R"({"model":null})", R"({"model":"m/\"1"})"},
        {"in place of anything", "model", "", R"( { "model" : {"a":[1]} } )",
         R"( { "model" : "m/\"1" } )"},
        {"with an escape in its name", "model", "", R"({"mod\u0065l":"x"})",
         R"({"mod\u0065l":"m/\"1"})"},
        {"where it is missing", "model", "", R"({"a":1})", R"({"model":"m/\"1","a":1})"},
        {"where all is missing", "model", "", "{}", R"({"model":"m/\"1"})"},
        {"where all is missing but space", "model", "", " { } ", R"( {"model":"m/\"1" } )"},
        {"not a deeper one", "model", "", R"({"a":{"model":"x"}})",
         R"({"model":"m/\"1","a":{"model":"x"}})"},
        {"a deeper one", "$.a.model", "", R"({"model":"y","a":{"model":"x"}})",
         R"({"model":"y","a":{"model":"m/\"1"}})"},
        {"a deeper one that is missing", "$.a.model", "", R"({"a":{"b":1}})",
         R"({"a":{"model":"m/\"1","b":1}})"},
        {"a deeper one, alone", "$.a.model", "", R"({"a":{},"b":1})",
         R"({"a":{"model":"m/\"1"},"b":1})"},
        {"a deeper one with what leads to it", "$.a.model", "", R"({"b":1})",
         R"({"a":{"model":"m/\"1"},"b":1})"},
        {"a form's", "model", form.c_str(), "a=1&model=x&b=2", "a=1&model=m%2F%221&b=2"},
        {"a form's, empty", "model", form.c_str(), "model=", "model=m%2F%221"},
        {"a form's that is missing", "model", form.c_str(), "a=1", "model=m%2F%221&a=1"},
        {"a form's without a field", "model",
         "application/x-www-form-urlencoded\ncontent-length: 0", "", "model=m%2F%221"},
        {"a form's that is JSON", "model", form.c_str(), R"({"model":"x"})",
         R"({"model":"m/\"1"})"},
        {"a part", "model", parts.c_str(), other_part + model_head + "x\r\n" + end,
         other_part + model_head + "m/\"1\r\n" + end},
        {"a part that is missing", "model", parts.c_str(), other_part + end,
         model_head + "m/\"1\r\n" + other_part + end},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.rotate({"m/\"1@a"}, {In::body, row.place, {}});
        const std::string type =
            row.type[0] == '\0' ? "" : std::string("content-type: ") + row.type;
        request.admit_and_scan("POST /chat/1.0/x", type.empty() ? "" : type + "\n", row.body);
        const Written all = written_for(request);
        EXPECT_EQ(body_of(all), row.becomes) << row.name;
        const std::string length = "content-length: " + std::to_string(row.becomes.size()) + "\n";
        EXPECT_EQ(count_of(head_of(request, all), length), 1U) << row.name;
    }
}

TEST(UpstreamRequest, BodiesWithoutAPlaceForAModelStay) {
    struct Row {
        const char* name;
        Prepare prepare;
        bool has_entry;
    };
    const Row rows[] = {
        {"no rotation", kAsItIs, false},
        {"no entry", kInBody, false},
        {"the model in a header", kInHeader, true},
        {"the model in the query", kInQuery, true},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        request.admit_and_scan("POST /chat/1.0/x", "", R"({"model":"mine"})");
        EXPECT_EQ(body_of(written_for(request, row.has_entry)), R"({"model":"mine"})") << row.name;
    }
}

// A body may have megabytes: the pieces around the model lead into the memory it was read into.
TEST(UpstreamRequest, TheBodyIsNotCopied) {
    OneRequest request;
    request.rotate({"m@a"});
    request.admit_and_scan("POST /chat/1.0/x", "", R"({"a":1,"model":"x","b":2})");
    Written all = written_for(request);
    const std::string_view body = request.exchange.request.body;
    const auto pieces = all.pieces.payload();
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[0].data(), body.data());
    EXPECT_EQ(pieces[1].data(), request.exchange.entry()->texts.json.data());
    EXPECT_EQ(pieces[2].data() + pieces[2].size(), body.data() + body.size());
}

// A second try starts from the client's request again, not from the first one's.
TEST(UpstreamRequest, EachTryHasItsOwnModelAndBackend) {
    OneRequest request({"a", "b"});
    request.rotate({"large@a", "small@b"});
    request.backend(1).credential_line = "x-key: s\r\n";
    request.admit_and_scan("POST /chat/1.0/x", "", R"({"model":"mine"})");
    EXPECT_EQ(body_of(written_for(request)), R"({"model":"large"})");
    request.choose(1);
    const Written second = written(request);
    EXPECT_EQ(body_of(second), R"({"model":"small"})");
    const std::string head = head_of(request, second);
    EXPECT_EQ(count_of(head, "Host: b.example.net\nx-key: s\n"), 1U) << head;
    EXPECT_EQ(count_of(head, "a.example.net"), 0U) << head;
}

TEST(UpstreamRequest, AHeadThatDoesNotFitIsNotSent) {
    OneRequest request;
    request.admit_and_scan("GET /chat/1.0/x");
    const std::size_t needed = with_crlf(written_for(request).head).size();
    request.scratch.head.resize(needed);
    EXPECT_TRUE(written_for(request).fits);
    request.scratch.head.resize(needed - 1);
    EXPECT_FALSE(written_for(request).fits);
}

}  // namespace
}  // namespace rotary::proxy
