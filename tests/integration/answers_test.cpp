// What reaches the client of a provider's answer: all of it, but for what is between the two of us.
#include "gateway_fixture.hpp"

namespace rotary::test {
namespace {

using mock::HeaderList;
using mock::MockFault;

std::string any_bytes(std::size_t size) {
    std::string bytes;
    bytes.reserve(size);
    std::uint32_t state = 1;
    while (bytes.size() < size) {
        state = state * 1664525 + 1013904223;
        bytes.push_back(static_cast<char>(state >> 24));
    }
    return bytes;
}

TEST(AnswersTest, StatusHeadersAndBodyAreTheProviders) {
    struct Row {
        const char* name;
        unsigned status;
        HeaderList headers;
        std::string body;
    };
    const Row rows[] = {
        {"large", 200, {{"content-type", "application/json"}}, any_bytes(1 << 20)},
        {"compressed", 200, {{"content-encoding", "gzip"}}, "\x1f\x8b\x08" + any_bytes(5000)},
        {"no content", 204, {}, ""},
        {"empty", 200, {}, ""},
        {"not found", 404, {{"content-type", "application/json"}}, R"({"error":{"code":null}})"},
        {"redirect", 302, {{"location", "https://elsewhere.example/"}}, "over there"},
        {"unprocessable", 422, {}, "?"},
        {"teapot", 418, {}, "short and stout"},
    };
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"a"}}));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->respond_with("a", row.status, row.headers, row.body);
        mock->reset();
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, row.status);
        EXPECT_TRUE(response.body == row.body);
        EXPECT_EQ(response.ending, Ending::framed);
        for (const auto& [name, value] : row.headers) EXPECT_EQ(response.header(name), value);
        if (row.status != 204) {
            EXPECT_EQ(response.header("content-length"), std::to_string(row.body.size()));
        }
        EXPECT_EQ(mock->request_count(), 1U);
    }
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
}

TEST(AnswersTest, HeadersGoOnOrStay) {
    struct Row {
        const char* name;
        const char* value;
        bool goes_on;
    };
    const Row rows[] = {
        {"openai-processing-ms", "37", true},
        {"openai-version", "2020-10-01", true},
        {"x-ratelimit-remaining-requests", "99", true},
        {"cache-control", "no-store", true},
        {"strict-transport-security", "max-age=1", true},
        {"set-cookie", "__cf_bm=1", false},
        {"server", "cloudflare", false},
        {"alt-svc", "h3=\":443\"", false},
        {"x-envoy-upstream-service-time", "5", false},
        {"openai-organization", "org-of-the-operator", false},
        {"keep-alive", "timeout=5", false},
        {"x-hop", "1", false},
        {"x-rotary-model", "forged", false},
        {"x-rotary-secret", "1", false},
    };
    const auto mock = start_mock();
    HeaderList headers = {{"connection", "keep-alive, x-hop"}};
    for (const Row& row : rows) headers.emplace_back(row.name, row.value);
    mock->respond_with("a", 200, headers, "{}");
    const Gateway gateway(rotating(*mock, {{"a"}}));
    const Response response = ask(gateway);
    ASSERT_EQ(response.status, 200U);
    for (const Row& row : rows) {
        if (std::string_view(row.name) == "x-rotary-model") continue;
        EXPECT_EQ(response.count(row.name), row.goes_on ? 1U : 0U) << row.name;
        EXPECT_EQ(response.header(row.name), row.goes_on ? row.value : "") << row.name;
    }
    EXPECT_EQ(response.count("x-rotary-model"), 1U);
    EXPECT_EQ(response.header("x-rotary-model"), "a");
    EXPECT_EQ(response.header("x-rotary-backend"), "backend-0");
    EXPECT_EQ(response.header("x-rotary-attempts"), "1");
}

TEST(AnswersTest, RequestIdsAreTheProvidersAndOurs) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"a"}}));
    const Response theirs = ask(gateway);
    EXPECT_TRUE(theirs.header("x-request-id").starts_with("req_")) << theirs.header("x-request-id");
    EXPECT_EQ(theirs.header("x-rotary-request-id").size(), 36U);
    EXPECT_EQ(theirs.count("x-request-id"), 1U);

    mock->respond_with("a", 200, {}, "{}");
    const Response ours = ask(gateway);
    EXPECT_EQ(ours.header("x-request-id"), ours.header("x-rotary-request-id"));
    EXPECT_NE(ours.header("x-rotary-request-id"), theirs.header("x-rotary-request-id"));

    const Response refused = ask(gateway, chat("["));
    EXPECT_EQ(refused.status, 400U);
    EXPECT_EQ(refused.header("x-request-id").size(), 36U);
    EXPECT_EQ(refused.header("x-request-id"), refused.header("x-rotary-request-id"));
}

TEST(AnswersTest, RouteCanBeKeptFromTheClient) {
    const auto mock = start_mock();
    mock->set_fault("a", MockFault::answer_status(404), 1);
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "routing: {expose_route: false}\n";
    const Gateway gateway(options);
    for (const unsigned status : {404U, 200U}) {
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.header("x-rotary-request-id").size(), 36U);
        for (const char* name : {"x-rotary-model", "x-rotary-backend", "x-rotary-attempts"}) {
            EXPECT_EQ(response.count(name), 0U) << name;
        }
    }
    mock->set_fault("a", MockFault::garbage());
    EXPECT_EQ(ask(gateway).count("x-rotary-backend"), 0U);
}

TEST(AnswersTest, FramingsOfTheProviderBecomeOurs) {
    struct Row {
        const char* name;
        const char* bytes;
        unsigned status;
        const char* body;
    };
    const Row rows[] = {
        {"until the end", "HTTP/1.1 200 OK\r\n\r\nall there is", 200, "all there is"},
        {"of HTTP/1.0", "HTTP/1.0 200 OK\r\nx-a: b\r\n\r\nold", 200, "old"},
        {"no reason", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", 200, "{}"},
        {"empty until the end", "HTTP/1.1 200 OK\r\n\r\n", 200, ""},
        {"chunks",
         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n00a;x=\"y\"\r\n"
         "0123456789\r\n0\r\nx-trailer: 1\r\n\r\n",
         200, "a0123456789"},
        {"no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 200, ""},
        {"interim answers",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n"
         "\r\nHTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\nyes",
         201, "yes"},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"304 with a length", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, ""},
    };
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"a"}}));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->set_fault("a", MockFault::raw(row.bytes), 1);
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, row.status);
        EXPECT_EQ(response.body, row.body);
        EXPECT_EQ(response.ending, Ending::framed);
        EXPECT_TRUE(response.informational.empty());
        EXPECT_EQ(response.count("x-trailer"), 0U);
        EXPECT_EQ(client.exchange(chat()).status, 200U);
    }
}

TEST(AnswersTest, AnswersThatAreNoneAreTheProvidersFault) {
    const std::pair<const char*, const char*> rows[] = {
        {"no HTTP", "hello\r\n\r\n"},
        {"nothing", ""},
        {"two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"},
        {"length and chunks",
         "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n"
         "\r\n0\r\n\r\n"},
        {"half a head", "HTTP/1.1 200 OK\r\ncontent-"},
        {"switching", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"},
        {"interim only", "HTTP/1.1 100 Continue\r\n\r\n"},
        {"bad first chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nab\r\n"},
    };
    for (const auto& [name, bytes] : rows) {
        SCOPED_TRACE(name);
        const auto mock = start_mock();
        mock->set_fault("a", MockFault::raw(bytes));
        const Gateway gateway(rotating(*mock, {{"a"}}));
        TestClient client = gateway.connect();
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, 502U);
        EXPECT_EQ(json_at(response.body, "error.code"), "upstream_protocol_error");
        mock->clear_faults();
        EXPECT_EQ(client.exchange(chat()).status, 200U);
    }
}

std::string in_chunk(const std::string& payload) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", payload.size());
    return size + payload + "\r\n";
}

// An answer that ends early: a small one was kept back and is told as the failure it is; of a large
// one, which had to go on, the piece must not look whole.
TEST(AnswersTest, AnswerThatIsCutStaysCut) {
    struct Row {
        const char* name;
        std::string head;
        std::string end;
        bool chunked;
    };
    const Row rows[] = {
        {"by length", "content-length: 1000000", "", false},
        {"by chunks", "transfer-encoding: chunked", "", true},
        {"in a chunk", "transfer-encoding: chunked", "ff\r\nmore", true},
        {"bad chunk", "transfer-encoding: chunked", "zz\r\n", true},
    };
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "routing: {failures_to_suspend: 1000}\n";
    const Gateway gateway(options);
    for (const Row& row : rows) {
        for (const std::size_t size : {100U, 100'000U}) {
            SCOPED_TRACE(std::string(row.name) + ", " + std::to_string(size));
            const std::string payload(size, 'x');
            mock->set_fault("a",
                            MockFault::raw("HTTP/1.1 200 OK\r\n" + row.head + "\r\n\r\n" +
                                           (row.chunked ? in_chunk(payload) : payload) + row.end),
                            1);
            TestClient client = gateway.connect();
            const Response response = client.exchange(chat());
            if (size == 100) {
                EXPECT_EQ(response.status, 502U);
                EXPECT_EQ(json_at(response.body, "error.code"), "upstream_protocol_error");
                EXPECT_EQ(response.ending, Ending::framed);
                continue;
            }
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.body.substr(0, size), payload);
            EXPECT_EQ(response.ending, Ending::cut);
            EXPECT_EQ(client.last_end(), ReadEnd::fin);  // and no close_notify
        }
    }
}

// limits.upstream_body_bytes at its edge: it bounds what one answer may cost, and blames no entry.
TEST(AnswersTest, AnswerOverTheLimitIsRefusedOrCut) {
    struct Row {
        const char* name;
        std::string head;
        std::size_t size;
        bool chunked;
        unsigned status;
        Ending ending;
    };
    const Row rows[] = {
        {"as long as may be", "content-length: 100000", 100'000, false, 200, Ending::framed},
        {"announced too long", "content-length: 100001", 100'001, false, 502, Ending::framed},
        {"as long in chunks", "transfer-encoding: chunked", 100'000, true, 200, Ending::framed},
        {"too long in chunks", "transfer-encoding: chunked", 100'001, true, 200, Ending::cut},
    };
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "limits: {upstream_body_bytes: 100000}\n";
    const Gateway gateway(options);
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const std::string payload(row.size, 'x');
        const std::string body = row.chunked ? in_chunk(payload) + "0\r\n\r\n" : payload;
        mock->set_fault("a", MockFault::raw("HTTP/1.1 200 OK\r\n" + row.head + "\r\n\r\n" + body),
                        1);
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, row.status);
        EXPECT_EQ(response.ending, row.ending);
        EXPECT_LE(response.body.size(), 100'000U);
    }
    EXPECT_EQ(gateway.metric(series("rotary_upstream_failures_total", "a", "reason=\"protocol\"")),
              0.0);
    EXPECT_EQ(
        gateway.metric(series("rotary_upstream_failures_total", "a", "reason=\"interrupted\"")),
        0.0);
}

constexpr const char* kFilesApi = R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: files-api}
spec:
  apiName: files-api
  apiType: REST
  apiVersion: "1.0"
  basePath: /files/1.0
  organization: default
  production: [{routeRefs: [files-route]}]
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: files-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches:
        - {path: {type: Exact, value: /models}, method: HEAD}
        - {path: {type: Exact, value: /models}, method: GET}
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
)";

TEST(AnswersTest, HeadHasTheHeadersAndNoBody) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = kFilesApi;
    const Gateway gateway(options);
    Request request = chat("");
    request.target = "/files/1.0/models";
    request.headers.pop_back();
    TestClient client = gateway.connect();
    request.method = "GET";
    const Response whole = client.exchange(request);
    ASSERT_EQ(whole.status, 200U);
    EXPECT_TRUE(is_json(whole.body)) << whole.body;
    request.method = "HEAD";
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(client.send(request));
        const Response head = client.read_response(true);
        EXPECT_EQ(head.status, 200U);
        EXPECT_EQ(head.header("content-length"), std::to_string(whole.body.size()));
        EXPECT_FALSE(client.has_unread_bytes());
    }
    request.method = "GET";
    EXPECT_EQ(client.exchange(request).body, whole.body);
    EXPECT_EQ(mock->requests().at(1).method, "HEAD");
    EXPECT_EQ(mock->connections_accepted(), 1U);
}

}  // namespace
}  // namespace rotary::test
