// What the access log says of a caller: who it was, from where, and why it was refused.
#include "edge_support.hpp"

#include <support/certificates.hpp>
#include <support/tokens.hpp>

#include <openssl/ssl.h>

namespace rotary::test {
namespace {

std::string pair(const std::string& key, const std::string& value) {
    return "\"" + key + "\":\"" + value + "\"";
}

TEST(AccessLines, SayWhoWasServed) {
    GatewayOptions options = with_process("timeouts: {log_flush: 20ms}\n");
    options.workers = 1;
    Edge edge(options);
    edge.mock->respond_with(
        "*", 200, {{"x-request-id", "req_abc"}, {"content-type", "application/json"}}, "{}");
    for (const char* how : {"verified", "remembered"}) {
        SCOPED_TRACE(how);
        const Response response = fetch(edge.gateway.client(), chat());
        ASSERT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-request-id"), "req_abc");
        const std::string line = line_of(edge.gateway, response);
        for (const std::string& part :
             {pair("sub", "tester"), pair("consumer", "tester"),
              pair("client_address", "127.0.0.1"), pair("host", "default.gw.wso2.com"),
              pair("upstream_request_id", "req_abc"), std::string("\"stream\":false")}) {
            EXPECT_THAT(line, testing::HasSubstr(part));
        }
        EXPECT_EQ(line.find("error."), std::string::npos) << line;
    }
    edge.mock->respond_with("*", 200, {{"x-request-id", std::string(1000, 'x')}}, "{}");
    const Response long_id = fetch(edge.gateway.client(), chat(R"({"stream":true,"messages":[]})"));
    const std::string line = line_of(edge.gateway, long_id);
    EXPECT_THAT(line, testing::HasSubstr("\"stream\":true"));
    EXPECT_THAT(line, testing::HasSubstr(pair("upstream_request_id", std::string(128, 'x'))));
}

struct RefusedRow {
    const char* name;
    std::function<void(tools::TokenOptions&)> change;
    const char* reason;
};

// The client hears the kind of fault and no more; the log says which key or claim it was.
TEST(AccessLines, SayWhyATokenWasRefused) {
    Edge edge(with_process("timeouts: {log_flush: 20ms}\n"));
    const RefusedRow rows[] = {
        {"issuer", [](auto& o) { o.issuer = "https://elsewhere.example"; }, "wrong issuer"},
        {"kid", [](auto& o) { o.kid = "nobody"; }, "unknown kid"},
        {"signature",
         [](auto& o) {
             o.key_file = issuers().stranger.key;
             o.kid = "ec";
         },
         "bad signature"},
        {"expired", [](auto& o) { o.ttl = "-2m"; }, "expired"},
        {"not yet", [](auto& o) { o.claims = {"nbf=32503680000"}; }, "not yet valid"},
    };
    for (const RefusedRow& row : rows) {
        SCOPED_TRACE(row.name);
        tools::TokenOptions options = token_options();
        row.change(options);
        Request request = chat();
        set_header(request, "Authorization", "Bearer " + make_token(options));
        const Response response = fetch(edge.gateway.client(), request);
        EXPECT_EQ(response.status, 401U);
        if (json_at(response.body, "error.code") == "invalid_token") {
            EXPECT_EQ(response.body.find(row.reason), std::string::npos) << response.body;
        }
        const std::string line = line_of(edge.gateway, response);
        EXPECT_THAT(line, testing::HasSubstr(pair("error.reason", row.reason)));
        EXPECT_EQ(line.find("\"sub\""), std::string::npos) << "what was not verified is no caller";
    }
    Request without = chat();
    set_header(without, "Authorization", "");
    EXPECT_THAT(line_of(edge.gateway, fetch(edge.gateway.client(), without)),
                testing::HasSubstr(pair("error.reason",
                                        "no credential of a kind that the route "
                                        "needs")));
}

// Without TLS on its port: an answer that such a client can read, whatever the method.
TEST(PlainHttp, OnATlsPortIsAnsweredInPlain) {
    Edge edge(with_process("timeouts: {log_flush: 20ms}\n"));
    const std::string rest = " HTTP/1.1\r\nHost: default.gw.wso2.com\r\n\r\n";
    const std::vector<std::string> requests = {
        "GET /" + rest,
        "OPTIONS *" + rest,
        "DELETE /chat/1.0/models" + rest,
        "get /" + rest,
        "POST /chat/1.0/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" +
            std::string(20000, 'b'),
    };
    for (const std::string& request : requests) {
        SCOPED_TRACE(request.substr(0, 20));
        TestClient client(plain_client(edge.gateway));
        client.send(request);
        const Response response = client.read_response();
        EXPECT_EQ(response.status, 400U);
        EXPECT_EQ(json_at(response.body, "error.code"), "bad_request");
        EXPECT_THAT(json_at(response.body, "error.message"), testing::HasSubstr("https://"));
        EXPECT_EQ(response.header("connection"), "close");
        EXPECT_THAT(line_of(edge.gateway, response),
                    testing::HasSubstr(pair("client_address", "127.0.0.1")));
    }
    EXPECT_EQ(edge.gateway.metric("rotary_tls_handshake_failures_total{reason=\"plain_http\"}"),
              static_cast<double>(requests.size()));
    EXPECT_EQ(fetch(edge.gateway.client(), chat()).status, 200U) << "and it still serves";
}

TEST(Handshakes, ThatFailAreCountedByWhatWentWrong) {
    Edge edge(with_process("timeouts: {tls_handshake: 300ms}\n"));
    const auto count = [&](const std::string& reason) {
        return edge.gateway.metric("rotary_tls_handshake_failures_total{reason=\"" + reason +
                                   "\"}");
    };
    {
        TestClient garbage(plain_client(edge.gateway));
        garbage.send(std::string("\0\1\2\3\4\5\6\7", 8));
        EXPECT_EQ(garbage.read_to_end().find("HTTP/"), std::string::npos);
    }
    EXPECT_TRUE(eventually([&] { return count("refused") == 1.0; }));
    { TestClient leaves(plain_client(edge.gateway)); }
    EXPECT_TRUE(eventually([&] { return count("closed") == 1.0; }));
    TestClient silent(plain_client(edge.gateway));
    EXPECT_TRUE(eventually([&] { return count("timeout") == 1.0; }));
    EXPECT_EQ(count("plain_http"), 0.0);
    EXPECT_EQ(fetch(edge.gateway.client(), chat()).status, 200U);
    EXPECT_EQ(count("refused") + count("closed") + count("timeout"), 3.0);
}

}  // namespace
}  // namespace rotary::test
