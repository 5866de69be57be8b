// What Rotary answers by itself without refusing: redirects, preflights, OPTIONS of the server; and
// what it refuses before a provider is asked.
#include "gateway_fixture.hpp"

#include <support/tokens.hpp>

namespace rotary::test {
namespace {

// An API at /web/1.0 for tests of one rule; `rule` is the rest of it, in block style.
std::string web_api(const std::string& rule, const std::string& policy = {}) {
    std::string text = R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: web-api}
spec: {apiName: web, apiType: REST, apiVersion: "1.0", basePath: /web/1.0, organization: default,
       production: [{routeRefs: [web-route]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: web-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
)" + rule;
    if (!policy.empty()) {
        text += R"(---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: web-policy}
spec:
  default: )" + policy +
                "\n  targetRef: {group: gateway.networking.k8s.io, kind: API, name: web-api}\n";
    }
    return text;
}

GatewayOptions with_web(const mock::MockProvider& mock, const std::string& rule,
                        const std::string& policy = {}) {
    GatewayOptions options = rotating(mock, {{"m"}});
    options.resources = web_api(rule, policy);
    return options;
}

const std::string kServed =
    "    - matches: [{path: {type: PathPrefix, value: /}, method: POST}]\n"
    "      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]\n";

std::string redirecting(const std::string& rules, const std::string& path = "/old") {
    return "    - matches: [{path: {type: PathPrefix, value: " + path +
           "}}]\n      filters: [{type: RequestRedirect, requestRedirect: " + rules + "}]\n";
}

Request request_for(const std::string& method, const std::string& target) {
    Request request = chat();
    request.method = method;
    request.target = target;
    if (method != "POST") request.body.clear();
    return request;
}

TEST(OwnAnswers, RedirectsSayWhere) {
    struct Row {
        const char* rules;
        const char* target;
        unsigned status;
        std::string location;
    };
    const auto mock = start_mock();
    const Row rows[] = {
        {"{}", "/web/1.0/old/x?a=1&key=sk", 302,
         "https://default.gw.wso2.com:9095/web/1.0/old/x?a=1"},
        {"{hostname: new.test, statusCode: 301}", "/web/1.0/old", 301,
         "https://new.test:9095/web/1.0/old"},
        {"{scheme: http, hostname: new.test, port: 80}", "/web/1.0/old", 302,
         "http://new.test/web/1.0/old"},
        {"{scheme: https, port: 8443}", "/web/1.0/old", 302,
         "https://default.gw.wso2.com:8443/web/1.0/old"},
        {"{scheme: https, hostname: new.test}", "/web/1.0/old", 302,
         "https://new.test/web/1.0/old"},
        {"{path: {type: ReplaceFullPath, replaceFullPath: /new}}", "/web/1.0/old/x?a=1", 302,
         "https://default.gw.wso2.com:9095/new?a=1"},
        {"{path: {type: ReplacePrefixMatch, replacePrefixMatch: /new/}}", "/web/1.0/old/x", 302,
         "https://default.gw.wso2.com:9095/new/x"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.rules);
        const Gateway gateway(with_web(*mock, redirecting(row.rules)));
        TestClient client = gateway.connect();
        for (const char* method : {"GET", "POST"}) {
            Request request = request_for(method, row.target);
            request.headers[0].second = "default.gw.wso2.com:9095";
            const Response response = client.exchange(request);
            EXPECT_EQ(response.status, row.status) << response.body;
            EXPECT_EQ(response.header("location"), row.location);
            EXPECT_EQ(response.header("content-length"), "0");
            EXPECT_EQ(response.count("x-rotary-request-id"), 1U);
            EXPECT_EQ(response.count("x-rotary-model"), 0U);
            std::erase_if(request.headers,
                          [](const auto& header) { return header.first == "Authorization"; });
            EXPECT_EQ(client.exchange(request).status, 401U) << "callers are told who may know";
        }
    }
    EXPECT_EQ(mock->request_count(), 0U);
}

Request preflight(const std::string& origin, const std::string& method) {
    Request request;
    request.method = "OPTIONS";
    request.target = "/web/1.0/x";
    request.headers = {{"Host", "default.gw.wso2.com"},
                       {"Origin", origin},
                       {"Access-Control-Request-Method", method},
                       {"Access-Control-Request-Headers", "authorization,content-type"}};
    return request;
}

const std::string kCors =
    "{cORSPolicy: {accessControlAllowOrigins: [\"https://app.test\"], "
    "accessControlAllowMethods: [GET, POST], accessControlAllowHeaders: [\"*\"], "
    "accessControlExposeHeaders: [x-rotary-model], accessControlAllowCredentials: true, "
    "accessControlMaxAge: 60}}";

TEST(OwnAnswers, PreflightsAreAnsweredBeforeAnybodySaysWhoAsks) {
    const auto mock = start_mock();
    const Gateway gateway(with_web(*mock, kServed, kCors));
    TestClient client = gateway.connect();
    const Response allowed = client.exchange(preflight("https://app.test", "POST"));
    EXPECT_EQ(allowed.status, 200U) << allowed.body;
    EXPECT_EQ(allowed.header("access-control-allow-origin"), "https://app.test");
    EXPECT_EQ(allowed.header("access-control-allow-credentials"), "true");
    EXPECT_EQ(allowed.header("access-control-allow-methods"), "GET, POST");
    EXPECT_EQ(allowed.header("access-control-allow-headers"), "authorization,content-type");
    EXPECT_EQ(allowed.header("access-control-max-age"), "60");
    EXPECT_EQ(allowed.header("vary").find("access-control"), 0U);
    EXPECT_EQ(allowed.header("content-length"), "0");

    for (const Request& other :
         {preflight("https://evil.test", "POST"), preflight("https://app.test", "PUT")}) {
        const Response refused = client.exchange(other);
        EXPECT_EQ(refused.status, 405U);
        EXPECT_EQ(refused.count("access-control-allow-origin"), 0U);
    }
    Request elsewhere = preflight("https://app.test", "POST");
    elsewhere.target = "/chat/1.0/chat/completions";
    EXPECT_EQ(client.exchange(elsewhere).status, 405U) << "an API without a policy";
    EXPECT_EQ(mock->request_count(), 0U);
}

TEST(OwnAnswers, BrowsersMayReadAnswersAndRefusals) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, {{"Access-Control-Allow-Origin", "*"}, {"x-a", "1"}}, "{}");
    const Gateway gateway(with_web(*mock, kServed, kCors));
    TestClient client = gateway.connect();
    Request request = with(request_for("POST", "/web/1.0/x"), "Origin", "https://app.test");
    const Response served = client.exchange(request);
    EXPECT_EQ(served.status, 200U);
    EXPECT_EQ(served.count("access-control-allow-origin"), 1U) << "the provider's own stays";
    EXPECT_EQ(served.header("access-control-allow-origin"), "https://app.test");
    EXPECT_EQ(served.header("access-control-expose-headers"), "x-rotary-model");
    EXPECT_EQ(served.header("vary"), "origin");
    EXPECT_EQ(mock->requests().at(0).header("origin"), "") << "not the provider's business";

    request.headers[1].second = "Bearer nonsense";
    const Response refused = client.exchange(request);
    EXPECT_EQ(refused.status, 401U);
    EXPECT_EQ(refused.header("access-control-allow-origin"), "https://app.test");

    request.headers.back().second = "https://evil.test";
    const Response strange = client.exchange(request);
    EXPECT_EQ(strange.count("access-control-allow-origin"), 0U);
    EXPECT_EQ(strange.header("vary"), "origin") << "for caches";
    EXPECT_EQ(client.exchange(chat()).count("vary"), 0U) << "an API without a policy";
}

TEST(OwnAnswers, OptionsOfTheServerNeedNoRoute) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    Request request;
    request.method = "OPTIONS";
    request.target = "*";
    const Response response = client.exchange(request);
    EXPECT_EQ(response.status, 204U);
    EXPECT_NE(response.header("allow").find("OPTIONS"), std::string_view::npos);
    EXPECT_EQ(response.count("content-length"), 0U);
    EXPECT_EQ(client.exchange(chat()).status, 200U) << "the connection goes on";
    EXPECT_EQ(mock->request_count(), 1U);
}

TEST(OwnAnswers, AbsoluteTargetsSayWhichHostIsMeant) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    Request request = chat();
    request.headers[0].second = "elsewhere.test";
    request.target = "https://default.gw.wso2.com:9095/chat/1.0/chat/completions?a=1";
    EXPECT_EQ(client.exchange(request).status, 200U);
    EXPECT_EQ(mock->requests().at(0).target, "/v1/chat/completions?a=1");
    request.headers[0].second = "default.gw.wso2.com";
    request.target = "http://elsewhere.test/chat/1.0/chat/completions";
    EXPECT_EQ(client.exchange(request).status, 404U);
}

TEST(OwnAnswers, ContentWithoutALengthIsAskedForOne) {
    const auto mock = start_mock();
    const Gateway gateway(with_web(*mock, kServed));
    struct Row {
        const char* name;
        const char* line;
        const char* type;
        unsigned status;
    };
    const Row rows[] = {
        {"a rotation", "POST /chat/1.0/chat/completions", "Content-Type: application/json\r\n",
         411},
        {"a rotation, no type", "POST /chat/1.0/chat/completions", "", 411},
        {"no rotation", "POST /web/1.0/x", "Content-Type: application/json\r\n", 411},
        {"no rotation, no content", "POST /web/1.0/x", "", 200},
        {"a method without content", "GET /chat/1.0/models", "Content-Type: application/json\r\n",
         200},
    };
    mock->respond_with("*", 200, {}, "{}");
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        TestClient client = gateway.connect();
        ASSERT_TRUE(client.send(std::string(row.line) +
                                " HTTP/1.1\r\nHost: default.gw.wso2.com\r\nAuthorization: " +
                                bearer() + "\r\n" + row.type + "\r\n"));
        const Response response = client.read_response();
        EXPECT_EQ(response.status, row.status) << response.body;
        if (row.status != 411) continue;
        EXPECT_EQ(json_at(response.body, "error.code"), "length_required");
        EXPECT_EQ(response.header("connection"), "close");
    }
}

TEST(OwnAnswers, RequestsWithoutARotationMayBeRefused) {
    const auto mock = start_mock();
    GatewayOptions options = with_web(*mock, kServed);
    options.process = "routing: {without_rotation: refuse}\n";
    const Gateway gateway(options);
    const Response refused = ask(gateway, request_for("POST", "/web/1.0/x"));
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(json_at(refused.body, "error.code"), "model_not_allowed");
    EXPECT_EQ(json_at(refused.body, "error.type"), "permission_error");
    EXPECT_EQ(mock->request_count(), 0U);
    EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_EQ(ask(gateway, request_for("GET", "/chat/1.0/models")).status, 200U)
        << "its API has a rotation";
}

TEST(OwnAnswers, WhoTriesLocalhostIsToldTheHosts) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    for (const char* host : {"localhost", "LOCALHOST:9095", "127.0.0.1:9095", "[::1]"}) {
        Request request = chat();
        request.headers[0].second = host;
        const Response response = client.exchange(request);
        EXPECT_EQ(response.status, 404U);
        const std::string message = json_at(response.body, "error.message");
        EXPECT_NE(message.find(" default.gw.wso2.com"), std::string::npos) << message;
        EXPECT_NE(message.find(" default.sandbox.gw.wso2.com"), std::string::npos) << message;
    }
    for (const auto& [host, target] :
         {std::pair{"elsewhere.test", "/chat/1.0/models"}, {"default.gw.wso2.com", "/nowhere"}}) {
        Request request = chat();
        request.headers[0].second = host;
        request.target = target;
        const std::string message = json_at(client.exchange(request).body, "error.message");
        EXPECT_EQ(message.find("sandbox"), std::string::npos) << message;
    }
}

}  // namespace
}  // namespace rotary::test
