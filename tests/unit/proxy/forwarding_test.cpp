// What of a client's request goes on to a provider, and what stays here.
#include "proxy/forwarding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using In = config::ValueLocation::In;
using KeyIn = config::ApiKeyLocation::In;
using Prepare = void (*)(OneRequest& request);

constexpr Prepare kAsItIs = [](OneRequest&) {};

// The header lines that go on, but for the last one, which all requests have.
std::string lines_of(OneRequest& request) {
    std::string lines = without_cr(request.exchange.content.lines.view());
    std::string last = "x-client-request-id: ";
    last.append(request.exchange.request_id()).append("\n");
    EXPECT_TRUE(lines.ends_with(last)) << lines;
    lines.resize(lines.size() - std::min(lines.size(), last.size()));
    return lines;
}

struct HeaderRow {
    const char* name;
    Prepare prepare;
    const char* sent;     // by the client
    const char* goes_on;  // to the provider
};

// The same whether names were settled with the configuration or each line is looked at.
std::string forwarded(const HeaderRow& row) {
    std::string lines;
    for (const bool is_settled : {false, true}) {
        OneRequest request;
        row.prepare(request);
        if (is_settled) routing::settle_passages(*request.snapshot);
        request.admit_and_scan("POST /chat/1.0/x", row.sent, "{}");
        std::string now = lines_of(request);
        EXPECT_TRUE(!is_settled || now == lines) << row.name << "\n" << now << "\n" << lines;
        lines = std::move(now);
    }
    return lines;
}

// A line of every second name that is known and frames no message, with its name as its value.
std::string known_lines(std::size_t from) {
    std::string lines;
    for (std::size_t i = from; i < wire::fields::kNames.size(); i += 2) {
        const std::string_view name = wire::fields::kNames[i];
        if (name == "host" || name == "content-length" || name == "transfer-encoding" ||
            name == "connection" || name == "expect") {
            continue;
        }
        lines.append(name).append(": ").append(name).append("\n");
    }
    return lines;
}

TEST(Forwarding, WhatIsSettledBeforehandIsWhatALookSays) {
    const std::string some = known_lines(0);
    const std::string others = known_lines(1);
    const HeaderRow rows[] = {
        {"as it is", kAsItIs, nullptr, nullptr},
        {"with globs, keys of Backends, filters, tokens and a model's header",
         [](OneRequest& request) {
             request.snapshot->forwarding.header_globs = {"x-*", "cf-ray", "pragma"};
             request.snapshot->forwarding.credential_headers = {"x-title"};
             request.route().request_headers.remove = {"Accept-Language"};
             request.route().request_headers.set = {{"Range", "ours"}, {"via", "us"}};
             request.route().auth.oauth2.send_token_upstream = true;
             request.route().auth.jwt.disabled = false;
             request.route().auth.jwt.header = "x-goog-api-key";
             request.route().auth.api_keys = {{KeyIn::header, "X-Real-Ip", true}};
             request.rotate({"m@a"}, {In::header, "x-ms-region", {}});
         },
         nullptr, nullptr},
    };
    for (const HeaderRow& row : rows) {
        EXPECT_NE(forwarded({row.name, row.prepare, some.c_str(), nullptr}), "") << row.name;
        EXPECT_NE(forwarded({row.name, row.prepare, others.c_str(), nullptr}), "") << row.name;
    }
}

TEST(Forwarding, KnownHeadersGoOn) {
    constexpr Prepare kOpen = [](OneRequest& request) {
        request.snapshot->forwarding.header_globs = {"*"};
    };
    const HeaderRow rows[] = {
        {"nothing but the host and a length", kAsItIs, "", ""},
        {"the names every provider knows", kAsItIs,
         "User-Agent: sdk\naccept: */*\ntraceparent: 00-1\nidempotency-key: 1\nOpenAI-Beta: v2\n",
         "User-Agent: sdk\naccept: */*\ntraceparent: 00-1\nidempotency-key: 1\nOpenAI-Beta: v2\n"},
        {"twice is twice", kAsItIs, "accept: a\nrange: bytes=0-\nAccept: b\n",
         "accept: a\nrange: bytes=0-\nAccept: b\n"},
        {"an empty value", kAsItIs, "accept:\n", "accept: \n"},
        {"names that nobody knows", kAsItIs, "x-tenant: a\nvia: 1.1 b\nx-forwarded-for: ::1\n", ""},
        {"credentials", kAsItIs, "cookie: a\nx-api-key: b\ncontent-token: c\naccept-auth: d\n", ""},
        {"those that Rotary writes itself", kAsItIs,
         "expect: 100-continue\nx-client-request-id: forged\n", ""},
        {"a client's own id", kAsItIs, "x-request-id: mine\n", "x-request-id: mine\n"},
        {"of the connection", kAsItIs,
         "te: trailers\nkeep-alive: 5\nupgrade: h2c\nproxy-authorization: a\n", ""},
        {"named by Connection", kAsItIs,
         "Connection: close, Accept-Language\naccept-language: de\naccept: a\n", "accept: a\n"},
        {"named by a second Connection", kAsItIs,
         "connection: close\naccept-language: de\nconnection: accept-language\n", ""},
        {"a glob",
         [](OneRequest& request) {
             request.snapshot->forwarding.header_globs = {"x-t-*", "via"};
         },
         "X-T-Id: 7\nx-t: 8\nVia: a\nx-other: 9\n", "X-T-Id: 7\nVia: a\n"},
        {"any name but credentials and ours", kOpen,
         "x-a: 1\nx-user-token: a\nset-cookie2: b\nx-key: c\nexpect: 100-continue\n", "x-a: 1\n"},
        {"any name but those of the connection", kOpen,
         "connection: x-b\nx-b: 2\nte: trailers\nx-a: 1\n", "x-a: 1\n"},
        {"any name but those of Backends' keys",
         [](OneRequest& request) {
             request.snapshot->forwarding.header_globs = {"*"};
             request.snapshot->forwarding.credential_headers = {"x-goog", "user-agent"};
         },
         "X-Goog: mine\nuser-agent: sdk\nx-a: 1\n", "x-a: 1\n"},
    };
    for (const HeaderRow& row : rows) EXPECT_EQ(forwarded(row), row.goes_on) << row.name;
}

// What let the caller in stays here unless its sendTokenUpstream says otherwise; and even then it
// gives way to a Backend's key, to filters and to Connection.
TEST(Forwarding, CredentialsGoOnWhereTheyAreWanted) {
    constexpr Prepare kSendsOAuth2 = [](OneRequest& request) {
        request.route().auth.oauth2.send_token_upstream = true;
    };
    const HeaderRow rows[] = {
        {"oauth2", kAsItIs, "authorization: Bearer t\n", ""},
        {"oauth2, sent on", kSendsOAuth2, "Authorization: Bearer t\n", "Authorization: Bearer t\n"},
        {"oauth2, sent on, and nothing else", kSendsOAuth2, "internal-key: t\nx-api-key: k\n", ""},
        {"oauth2 that is off",
         [](OneRequest& request) {
             request.route().auth.oauth2.send_token_upstream = true;
             request.route().auth.oauth2.disabled = true;
         },
         "authorization: Bearer t\n", ""},
        {"oauth2 in another header",
         [](OneRequest& request) {
             request.route().auth.oauth2.send_token_upstream = true;
             request.route().auth.oauth2.header = "x-token";
         },
         "authorization: Bearer t\nX-Token: u\n", "X-Token: u\n"},
        {"oauth2 in a header that goes on by itself",
         [](OneRequest& request) { request.route().auth.oauth2.header = "prefer"; },
         "prefer: Bearer t\naccept: a\n", "accept: a\n"},
        {"oauth2, sent on, where a Backend's key goes",
         [](OneRequest& request) {
             request.route().auth.oauth2.send_token_upstream = true;
             request.snapshot->forwarding.credential_headers = {"authorization"};
         },
         "authorization: Bearer t\n", ""},
        {"oauth2, sent on, taken out by a filter",
         [](OneRequest& request) {
             request.route().auth.oauth2.send_token_upstream = true;
             request.route().request_headers.remove = {"authorization"};
         },
         "authorization: Bearer t\n", ""},
        {"oauth2, sent on, named by Connection", kSendsOAuth2,
         "connection: authorization\nauthorization: Bearer t\n", ""},
        {"jwt that is off",
         [](OneRequest& request) { request.route().auth.jwt.send_token_upstream = true; },
         "internal-key: t\n", ""},
        {"jwt, sent on",
         [](OneRequest& request) {
             request.route().auth.jwt.disabled = false;
             request.route().auth.jwt.send_token_upstream = true;
         },
         "Internal-Key: t\nauthorization: Bearer u\n", "Internal-Key: t\n"},
        {"jwt in a header that a glob lets through",
         [](OneRequest& request) {
             request.snapshot->forwarding.header_globs = {"x-*"};
             request.route().auth.jwt.disabled = false;
             request.route().auth.jwt.header = "x-caller";
         },
         "x-caller: t\nx-a: 1\n", "x-a: 1\n"},
        {"keys, each as it says",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::header, "x-one", false},
                                              {KeyIn::header, "x-two", true}};
             request.snapshot->forwarding.header_globs = {"x-*"};
         },
         "X-One: a\nX-Two: b\nx-three: c\n", "X-Two: b\nx-three: c\n"},
        {"a key in the query is no header",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::query, "prefer", false},
                                              {KeyIn::query, "x-two", true}};
         },
         "prefer: a\nx-two: b\n", "prefer: a\n"},
    };
    for (const HeaderRow& row : rows) EXPECT_EQ(forwarded(row), row.goes_on) << row.name;
}

TEST(Forwarding, FiltersEditWhatGoesOn) {
    const HeaderRow rows[] = {
        {"set in place of the client's, wherever it stands",
         [](OneRequest& request) {
             request.route().request_headers.set = {{"Accept", "x"}};
         },
         "accept: a\nprefer: b\nACCEPT: c\n", "prefer: b\nAccept: x\n"},
        {"set what the client did not send",
         [](OneRequest& request) {
             request.route().request_headers.set = {{"x-team", "t"}};
         },
         "accept: a\n", "accept: a\nx-team: t\n"},
        {"add beside the client's",
         [](OneRequest& request) {
             request.route().request_headers.add = {{"accept", "x"}};
         },
         "accept: a\n", "accept: a\naccept: x\n"},
        {"remove every line of a name",
         [](OneRequest& request) { request.route().request_headers.remove = {"accept"}; },
         "Accept: a\naccept: b\naccept-language: de\n", "accept-language: de\n"},
        {"set, then added",
         [](OneRequest& request) {
             request.route().request_headers.add = {{"x-a", "2"}};
             request.route().request_headers.set = {{"x-a", "1"}};
         },
         "", "x-a: 1\nx-a: 2\n"},
        {"set is not asked whether it may go on",
         [](OneRequest& request) {
             request.route().request_headers.set = {{"cookie", "x"}};
         },
         "cookie: mine\n", "cookie: x\n"},
    };
    for (const HeaderRow& row : rows) EXPECT_EQ(forwarded(row), row.goes_on) << row.name;
}

// With a rotation answers are read here, so they come as they are; the model's header is ours.
TEST(Forwarding, ARotationReplacesHeaders) {
    constexpr Prepare kInBody = [](OneRequest& request) { request.rotate({"m@a"}); };
    constexpr Prepare kInHeader = [](OneRequest& request) {
        request.rotate({"m@a"}, {In::header, "X-Model", {}});
        request.snapshot->forwarding.header_globs = {"x-*"};
    };
    const HeaderRow rows[] = {
        {"no rotation", kAsItIs, "accept-encoding: br\n", "accept-encoding: br\n"},
        {"encodings", kInBody, "accept-encoding: br\nAccept-Encoding: gzip\naccept: a\n",
         "accept: a\naccept-encoding: identity\n"},
        {"encodings that nobody named", kInBody, "", "accept-encoding: identity\n"},
        {"the type of JSON", kInBody, "content-type: application/json\n",
         "content-type: application/json\naccept-encoding: identity\n"},
        {"the type of a form is told once it was read", kInBody,
         "Content-Type: application/x-www-form-urlencoded\n", "accept-encoding: identity\n"},
        {"the model's header", kInHeader, "x-model: mine\nx-other: 1\n",
         "x-other: 1\naccept-encoding: identity\n"},
        {"the type of a form that is not read", kInHeader,
         "content-type: application/x-www-form-urlencoded\n",
         "content-type: application/x-www-form-urlencoded\naccept-encoding: identity\n"},
        {"a parameter's name is no header's",
         [](OneRequest& request) {
             request.rotate({"m@a"}, {In::query, "prefer", {}});
         },
         "prefer: a\n", "prefer: a\naccept-encoding: identity\n"},
    };
    for (const HeaderRow& row : rows) EXPECT_EQ(forwarded(row), row.goes_on) << row.name;
}

// Where the model stands in the body, a request without one is none of the rotation's.
TEST(Forwarding, ARequestWithoutABodyKeepsItsHeaders) {
    OneRequest request;
    request.rotate({"m@a"});
    request.admit_and_scan("GET /chat/1.0/models", "accept-encoding: br\n");
    EXPECT_EQ(request.exchange.list(), nullptr);
    EXPECT_EQ(lines_of(request), "accept-encoding: br\n");
}

TEST(Forwarding, EachRequestHasItsOwnLines) {
    OneRequest request;
    request.admit_and_scan("POST /chat/1.0/x", "accept: a\n", "{}");
    const std::string id(request.exchange.request_id());
    request.admit_and_scan("POST /chat/1.0/x", "prefer: b\n", "{}");
    EXPECT_EQ(lines_of(request), "prefer: b\n");
    EXPECT_NE(request.exchange.request_id(), id);
}

TEST(Forwarding, LinesThatCannotBeWrittenAreRefused) {
    struct Row {
        const char* name;
        std::string value;  // of a header that a filter sets
        bool fits;
    };
    const Row rows[] = {
        {"short", "a", true},
        {"nearly a read buffer", std::string(32'000, 'a'), true},
        {"more than a read buffer", std::string(32'768, 'a'), false},
        {"two lines", "a\r\nx-evil: 1", false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.route().request_headers.set = {{"x-a", row.value}};
        request.ask("POST /chat/1.0/x", "", "{}");
        const auto written = write_forwarded_lines(request.context, request.exchange);
        EXPECT_EQ(written.has_value(), row.fits) << row.name;
        if (written) continue;
        EXPECT_EQ(written.error().kind, FaultKind::headers_too_large) << row.name;
        EXPECT_TRUE(request.exchange.content.lines.empty()) << row.name;
    }
}

// --- the query ----------------------------------------------------------------------------------

struct QueryRow {
    const char* name;
    Prepare prepare;
    const char* query;
    const char* goes_on;
};

// What goes on, and behind it what would separate one more parameter.
std::string query_of(const QueryRow& row, bool has_entry) {
    OneRequest request;
    request.snapshot->forwarding.withheld_query = {"token", "key"};
    row.prepare(request);
    request.admit_and_scan(std::string("POST /chat/1.0/x?") + row.query, "", "{}");
    if (has_entry) request.choose();
    std::array<char, 256> space;
    wire::HeadWriter writer(space.data(), space.size());
    const std::string_view separator = write_client_query(request.exchange, writer);
    return std::string(writer.view()).append(" ").append(separator);
}

TEST(ForwardingQuery, WithheldParametersStayHowever) {
    const QueryRow rows[] = {
        {"none", kAsItIs, "", " ?"},
        {"one", kAsItIs, "a=1", "?a=1 &"},
        {"as they came", kAsItIs, "a=%2F+b&&c&a=", "?a=%2F+b&&c&a= &"},
        {"only a separator", kAsItIs, "&", "?& &"},
        {"the first", kAsItIs, "token=1&a=2", "?a=2 &"},
        {"the last", kAsItIs, "a=2&key=1", "?a=2 &"},
        {"all of them", kAsItIs, "key=1&token=2&key=3", " ?"},
        {"in capitals", kAsItIs, "KEY=1&a=2", "?a=2 &"},
        {"encoded", kAsItIs, "%6bey=1&k%45y=2&%74%6F%6b%65%6e=3", " ?"},
        {"without a value", kAsItIs, "key&a", "?a &"},
        {"behind a semicolon", kAsItIs, "a=1;key=2&b=3", "?b=3 &"},
        {"before a semicolon", kAsItIs, "key=2;a=1&b=3", "?b=3 &"},
        {"behind two, encoded", kAsItIs, "a;b;%6Bey&c", "?c &"},
        {"a semicolon in general", kAsItIs, "a=1;b=2", "?a=1;b=2 &"},
        {"a value of that name", kAsItIs, "a=key&b=token=1", "?a=key&b=token=1 &"},
        {"a longer name", kAsItIs, "mykey=1&keys=2&ke=3", "?mykey=1&keys=2&ke=3 &"},
        {"encoded twice is another name", kAsItIs, "%256bey=1", "?%256bey=1 &"},
        {"broken escapes", kAsItIs, "%6=1&%zzkey=2&key%=3", "?%6=1&%zzkey=2&key%=3 &"},
    };
    for (const QueryRow& row : rows) EXPECT_EQ(query_of(row, false), row.goes_on) << row.name;
}

TEST(ForwardingQuery, KeysOfCallersGoOnWhereTheyAreWanted) {
    const QueryRow rows[] = {
        {"stays",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::query, "user", false}};
         },
         "User=1&%75ser=2&a=3", "?a=3 &"},
        {"sent on",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::query, "user", true}};
         },
         "user=1&a=3", "?user=1&a=3 &"},
        {"sent on before what is withheld in general",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::query, "key", true}};
         },
         "key=1&token=2", "?key=1 &"},
        {"a header's name is no parameter's",
         [](OneRequest& request) {
             request.route().auth.api_keys = {{KeyIn::header, "user", false},
                                              {KeyIn::header, "key", true}};
         },
         "user=1&key=2", "?user=1 &"},
    };
    for (const QueryRow& row : rows) EXPECT_EQ(query_of(row, false), row.goes_on) << row.name;
}

TEST(ForwardingQuery, AnEntrysModelTakesThePlaceOfTheClients) {
    constexpr Prepare kInQuery = [](OneRequest& request) {
        request.rotate({"m@a"}, {In::query, "model", {}});
    };
    constexpr Prepare kInHeader = [](OneRequest& request) {
        request.rotate({"m@a"}, {In::header, "model", {}});
    };
    struct Row {
        QueryRow query;
        bool has_entry;
    };
    const Row rows[] = {
        {{"with an entry", kInQuery, "a=1&model=x&b=2", "?a=1&b=2 &"}, true},
        {{"encoded, twice, in capitals", kInQuery, "%6dodel=x&MODEL=y", " ?"}, true},
        {{"behind a semicolon", kInQuery, "a=1;model=x&b", "?b &"}, true},
        {{"without an entry nothing would", kInQuery, "a=1&model=x", "?a=1&model=x &"}, false},
        {{"a model elsewhere", kInHeader, "model=x", "?model=x &"}, true},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(query_of(row.query, row.has_entry), row.query.goes_on) << row.query.name;
    }
}

TEST(Forwarding, OnlyAFormThatIsReadHasItsTypeToldLater) {
    struct Row {
        const char* name;
        bool has_list;
        In in;
        const char* type;
        bool late;
    };
    const Row rows[] = {
        {"a form", true, In::body, "application/x-www-form-urlencoded; charset=utf-8", true},
        {"JSON", true, In::body, "application/json", false},
        {"multipart", true, In::body, "multipart/form-data; boundary=b", false},
        {"no type", true, In::body, "", false},
        {"the model in a header", true, In::header, "application/x-www-form-urlencoded", false},
        {"no rotation", false, In::body, "application/x-www-form-urlencoded", false},
    };
    for (const Row& row : rows) {
        OneRequest request;
        request.rotate({"m@a"}, {row.in, "model", {}});
        request.ask("POST /chat/1.0/x");
        request.exchange.request.content_type = row.type;
        if (row.has_list) request.exchange.tries.choice.list = 0;
        EXPECT_EQ(writes_content_type_late(request.exchange), row.late) << row.name;
    }
}

}  // namespace
}  // namespace rotary::proxy
