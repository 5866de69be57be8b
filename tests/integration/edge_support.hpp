#pragma once

#include <support/eventually.hpp>
#include <support/gateway.hpp>
#include <support/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rotary::test {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// The mock serves every model; both environments list it as "gpt".
inline GatewayOptions in_front_of(const mock::MockProvider& mock, GatewayOptions options = {}) {
    if (options.backends.empty()) options.backends = {{.port = mock.port(), .key = "Bearer sk-up"}};
    if (options.production.empty()) options.production = {{"gpt"}};
    if (options.sandbox.empty()) options.sandbox = {{"sandbox-gpt"}};
    return options;
}

// One mock provider and a gateway in front of it.
struct Edge {
    explicit Edge(GatewayOptions options = {}, mock::MockOptions mock_options = {})
        : mock(start_mock(std::move(mock_options))),
          gateway(in_front_of(*mock, std::move(options))) {}

    std::unique_ptr<mock::MockProvider> mock;
    Gateway gateway;
};

inline GatewayOptions with_process(std::string text) {
    GatewayOptions options;
    options.process = std::move(text);
    return options;
}

inline GatewayOptions with_resources(std::string documents) {
    GatewayOptions options;
    options.resources = std::move(documents);
    return options;
}

inline GatewayOptions unencrypted() {
    GatewayOptions options;
    options.plaintext = true;
    return options;
}

// For a gateway made with unencrypted(), and for TLS done by hand.
inline ClientOptions plain_client(const Gateway& gateway) {
    ClientOptions options;
    options.port = gateway.port();
    options.tls = false;
    return options;
}

// An API without authentication at /open/1.0, whatever the method and the path behind it.
inline std::string open_api() {
    return R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: open-api}
spec: {apiName: open, apiType: REST, apiVersion: "1.0", basePath: /open/1.0, organization: default,
       production: [{routeRefs: [open-route]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: open-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: Authentication
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: open-auth}
spec:
  targetRef: {group: dp.wso2.com, kind: API, name: open-api}
  default: {disabled: true}
)";
}

inline Request request_for(std::string method, std::string target, std::string body = {}) {
    Request request = chat();
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    return request;
}

inline void set_header(Request& request, const std::string& name, const std::string& value) {
    std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
    if (!value.empty()) request.headers.emplace_back(name, value);
}

// The same request with its body in chunks of `size`.
inline Request chunked(Request request, std::size_t size = 7, const std::string& trailers = {}) {
    request.headers.emplace_back("Transfer-Encoding", "chunked");
    std::string body;
    for (std::string_view rest = request.body; !rest.empty();) {
        const std::string_view piece = rest.substr(0, size);
        std::ostringstream hex;
        hex << std::hex << piece.size();
        body += hex.str() + "\r\n" + std::string(piece) + "\r\n";
        rest.remove_prefix(piece.size());
    }
    request.body = body + "0\r\n" + trailers + "\r\n";
    return request;
}

// type and apk_code by code: the table of the contract.
struct ProblemRow {
    unsigned status;
    const char* type;
    int apk_code;
};

inline const std::map<std::string, ProblemRow>& problem_rows() {
    static const char* const kInvalid = "invalid_request_error";
    static const char* const kAuth = "authentication_error";
    static const std::map<std::string, ProblemRow> rows = {
        {"bad_request", {400, kInvalid, 0}},
        {"invalid_json", {400, kInvalid, 0}},
        {"missing_credentials", {401, kAuth, 900902}},
        {"invalid_token", {401, kAuth, 900903}},
        {"token_expired", {401, kAuth, 900901}},
        {"scope_denied", {403, "permission_error", 900910}},
        {"route_not_found", {404, kInvalid, 0}},
        {"method_not_allowed", {405, kInvalid, 0}},
        {"request_timeout", {408, kInvalid, 0}},
        {"request_too_large", {413, kInvalid, 0}},
        {"uri_too_long", {414, kInvalid, 0}},
        {"unsupported_content_encoding", {415, kInvalid, 0}},
        {"headers_too_large", {431, kInvalid, 0}},
        {"issuer_unavailable", {503, "service_unavailable_error", 0}},
        {"draining", {503, "service_unavailable_error", 0}},
    };
    return rows;
}

// Everything an answer of Rotary's own owes its client.
inline void expect_problem(const Response& response, const std::string& code) {
    ASSERT_TRUE(problem_rows().contains(code)) << code;
    const ProblemRow& row = problem_rows().at(code);
    EXPECT_EQ(response.status, row.status) << response.body;
    EXPECT_TRUE(response.whole());
    EXPECT_EQ(response.header("content-type"), "application/json");
    EXPECT_EQ(response.count("content-type"), 1U);
    static const std::regex uuid(
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    const std::string id(response.header("x-rotary-request-id"));
    EXPECT_TRUE(std::regex_match(id, uuid)) << id;
    EXPECT_EQ(response.header("x-request-id"), id);
    EXPECT_EQ(response.count("www-authenticate") > 0, row.status == 401 || row.status == 403);

    std::vector<std::string> keys = {"message", "type", "param", "code"};
    if (row.apk_code != 0) keys.push_back("apk_code");
    EXPECT_EQ(json_keys(response.body, ""), std::vector<std::string>{"error"}) << response.body;
    EXPECT_EQ(json_keys(response.body, "error"), keys) << response.body;
    EXPECT_NE(json_at(response.body, "error.message"), "") << response.body;
    EXPECT_EQ(json_at(response.body, "error.type"), row.type);
    EXPECT_EQ(json_at(response.body, "error.param"), "null");
    EXPECT_EQ(json_at(response.body, "error.code"), code);
    if (row.apk_code != 0) {
        EXPECT_EQ(json_at(response.body, "error.apk_code"), std::to_string(row.apk_code));
    }
}

// The access log's line of the answer, once it is there.
inline std::string line_of(const Gateway& gateway, const Response& response) {
    const std::string id(response.header("x-rotary-request-id"));
    std::string found;
    eventually([&] {
        std::istringstream lines(gateway.access_log());
        for (std::string line; std::getline(lines, line);) {
            if (line.find("\"request_id\":\"" + id + '"') != std::string::npos) found = line;
        }
        return !found.empty();
    });
    return found;
}

}  // namespace rotary::test
