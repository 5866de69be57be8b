// What reaches the provider of a request: its own key and nobody else's, and every byte of the
// body.
#include "gateway_fixture.hpp"

#include <support/certificates.hpp>
#include <support/sanitized.hpp>
#include <support/tokens.hpp>

#include <algorithm>

namespace rotary::test {
namespace {

using mock::Captured;
using mock::MockOptions;

std::size_t count_of(const Captured& request, const std::string& name) {
    return static_cast<std::size_t>(
        std::count_if(request.headers.begin(), request.headers.end(), [&](const auto& header) {
            return std::equal(header.first.begin(), header.first.end(), name.begin(), name.end(),
                              [](char a, char b) { return std::tolower(a) == std::tolower(b); });
        }));
}

TEST(ForwardingTest, EachProviderSeesItsOwnKeyAndNothingOfTheClients) {
    const auto first = start_mock();
    const auto second = start_mock();
    const auto open = start_mock();
    GatewayOptions options = rotating(*first, {{"a", 0}, {"b", 1}, {"c", 2}});
    options.backends.push_back(backend_of(*second, "Bearer key-1"));
    options.backends.push_back(backend_of(*open));
    const Gateway gateway(options);
    const std::string token = bearer().substr(7);
    Request request = chat();
    request.headers[1].second = "Bearer " + token;
    for (const char* name :
         {"Proxy-Authorization", "Cookie", "api-key", "X-Api-Key", "apikey", "Internal-Key",
          "X-Goog-Api-Key", "X-Amz-Security-Token", "x-amz-content-sha256", "OpenAI-Organization",
          "OpenAI-Project", "X-Stainless-Secret"}) {
        request.headers.emplace_back(name, "sk-of-the-client");
    }
    for (int i = 0; i < 6; ++i) ASSERT_EQ(ask(gateway, request).status, 200U);

    const std::pair<const mock::MockProvider*, std::string> rows[] = {
        {first.get(), "Bearer key-0"}, {second.get(), "Bearer key-1"}, {open.get(), ""}};
    for (const auto& [mock, key] : rows) {
        SCOPED_TRACE(key);
        ASSERT_EQ(mock->request_count(), 2U);
        for (const Captured& seen : mock->requests()) {
            EXPECT_EQ(seen.header("authorization"), key);
            EXPECT_EQ(count_of(seen, "authorization"), key.empty() ? 0U : 1U);
            for (const auto& [name, value] : seen.headers) {
                EXPECT_EQ(value.find(token), std::string::npos) << name;
                EXPECT_EQ(value.find("sk-of-the-client"), std::string::npos) << name;
                EXPECT_TRUE(value.find("key-") == std::string::npos || value == key) << name;
            }
        }
    }
}

TEST(ForwardingTest, HeadersGoOnOrStay) {
    struct Row {
        const char* name;
        const char* value;
        bool goes_on;
    };
    const Row rows[] = {
        {"User-Agent", "OpenAI/Python 1.40.0", true},
        {"Accept", "application/json", true},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        {"tracestate", "a=b", true},
        {"Idempotency-Key", "stainless-python-retry-1", true},
        {"OpenAI-Beta", "assistants=v2", true},
        {"anthropic-version", "2023-06-01", true},
        {"anthropic-beta", "tools-2024-04-04", true},
        {"Prefer", "\"odd, value\"; q=\xC3\xA9", true},
        {"If-None-Match", "\"a\"", true},
        {"Range", "bytes=0-1", true},
        {"Content-Language", "en", true},
        {"Accept-Language", "en", true},
        {"X-Request-Id", "mine", true},
        {"HTTP-Referer", "https://app.test", true},
        {"X-Tenant-Id", "t1", true},
        {"X-Tenant-Token", "t2", false},
        {"X-Something", "1", false},
        {"Baggage", "user=1", false},
        {"Referer", "https://app.test/?token=1", false},
        {"Openai_Beta", "1", false},
        {"X-Stainless-Lang", "python", false},
        {"X-Stainless-Retry-Count", "0", false},
        {"OpenAI-Organization", "org-1", false},
        {"OpenAI-Project", "proj_1", false},
        {"Cookie", "session=1", false},
        {"Forwarded", "for=192.0.2.1", false},
        {"X-Forwarded-For", "192.0.2.1", false},
        {"X-Forwarded-Proto", "https", false},
        {"X-Real-IP", "192.0.2.1", false},
        {"Via", "1.1 other", false},
        {"Connection", "keep-alive, X-Hop", false},
        {"X-Hop", "1", false},
        {"Keep-Alive", "timeout=5", false},
        {"Proxy-Connection", "keep-alive", false},
        {"TE", "trailers", false},
        {"Upgrade", "h2c", false},
    };
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "routing: {forward_headers: [X-TENANT-*, Authorizatio*]}\n";
    const Gateway gateway(options);
    Request request = with(with(chat(), "Accept-Encoding", "gzip, br"), "X-Title", "1");
    for (const Row& row : rows) request.headers.emplace_back(row.name, row.value);
    request.headers.emplace_back("x-title", "2");
    const Response response = ask(gateway, request);
    ASSERT_EQ(response.status, 200U) << response.body;

    const Captured seen = mock->requests().at(0);
    for (const Row& row : rows) {
        EXPECT_EQ(count_of(seen, row.name), row.goes_on ? 1U : 0U) << row.name;
        EXPECT_EQ(seen.header(row.name), row.goes_on ? row.value : "") << row.name;
    }
    EXPECT_EQ(seen.header("host"), "127.0.0.1:" + std::to_string(mock->port()));
    EXPECT_EQ(count_of(seen, "host"), 1U);
    EXPECT_EQ(seen.header("accept-encoding"), "identity");
    EXPECT_EQ(count_of(seen, "accept-encoding"), 1U);
    EXPECT_EQ(seen.header("content-type"), "application/json");
    EXPECT_EQ(seen.header("content-length"), std::to_string(seen.body.size()));
    EXPECT_EQ(count_of(seen, "transfer-encoding"), 0U);
    EXPECT_EQ(count_of(seen, "x-title"), 2U);
    EXPECT_EQ(seen.header("x-client-request-id"), response.header("x-rotary-request-id"));
}

// The names under which 79 products send what lets a client in, and their kin.
constexpr const char* kCredentialNames[] = {"X-Auth-Token",
                                            "X-Access-Token",
                                            "Ocp-Apim-Subscription-Key",
                                            "Anthropic-Api-Key",
                                            "OpenAI-Api-Key",
                                            "CF-Access-Client-Secret",
                                            "CF-Access-Client-Id",
                                            "CF-Access-Jwt-Assertion",
                                            "X-Vault-Token",
                                            "Private-Token",
                                            "X-WSO2-JWT",
                                            "Cookie",
                                            "Cookie2",
                                            "X-Goog-Api-Key",
                                            "Api-Key",
                                            "ApiKey",
                                            "X-Api-Key",
                                            "X-Amz-Security-Token",
                                            "X-Functions-Key",
                                            "X-Session-Id",
                                            "X-JWT-Assertion",
                                            "X-Id-Token",
                                            "X-Csrf-Token",
                                            "X-Client-Secret",
                                            "Job-Token",
                                            "X-RapidAPI-Key",
                                            "Proxy-Authorization",
                                            "X-Forwarded-Access-Token",
                                            "X-MS-Token-AAD-Id-Token",
                                            "X-Secret",
                                            "X-User",
                                            "Internal-Key",
                                            "Activityid",
                                            "X-Signature",
                                            "X-Amzn-Oidc-Data",
                                            "Helicone-Auth",
                                            "X-Password",
                                            "X-Forwarded-Client-Cert",
                                            "X-Remote-User",
                                            "X-Hub-Signature-256",
                                            "From",
                                            "X-B3-TraceId"};

TEST(ForwardingTest, CredentialsOfClientsStayWhateverTheirNames) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process =
        "routing: {withheld_query: [token, access_token, api_key, apikey, key, jwt, "
        "sig, x-mine]}\n";
    const Gateway gateway(options);
    Request request = chat();
    for (const char* name : kCredentialNames) request.headers.emplace_back(name, "sk-of-client");
    request.target +=
        "?a=1&token=sk&b=%20&access_token=sk&API_KEY=sk&api%5Fkey=sk&apikey&%6bey=sk&jwt=sk&sig=sk"
        "&x-mine=sk&c=2;key=sk&keys=3&tokens=4&a=5;6&=&x";
    ASSERT_EQ(ask(gateway, request).status, 200U);
    const Captured seen = mock->requests().at(0);
    for (const auto& [name, value] : seen.headers) {
        EXPECT_EQ(value.find("sk-of-client"), std::string::npos) << name;
    }
    EXPECT_EQ(seen.target, "/v1/chat/completions?a=1&b=%20&keys=3&tokens=4&a=5;6&=&x");
}

// A glob over everything lets neither a credential through nor what is written anew.
TEST(ForwardingTest, GlobsLetNoCredentialThrough) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.process = "routing: {forward_headers: ['*']}\n";
    options.resources = R"(---
kind: Authentication
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: odd-auth}
spec:
  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}
  default: {authTypes: {oauth2: {header: X-Odd}}}
)";
    const Gateway gateway(options);
    Request request = with(with(chat(), "X-Odd", bearer()), "X-Anything", "1");
    for (const char* name : {"X-Auth-Token", "Cookie", "Authorization", "X-Api-Key"}) {
        request.headers.emplace_back(name, "sk-of-client");
    }
    std::erase_if(request.headers, [](const auto& header) {
        return header.first == "Authorization" && header.second != "sk-of-client";
    });
    ASSERT_EQ(ask(gateway, request).status, 200U);
    const Captured seen = mock->requests().at(0);
    EXPECT_EQ(seen.header("x-anything"), "1");
    EXPECT_EQ(count_of(seen, "x-odd"), 0U);
    EXPECT_EQ(seen.header("authorization"), "Bearer key-0");
    EXPECT_EQ(count_of(seen, "host"), 1U);
    EXPECT_EQ(count_of(seen, "content-length"), 1U);
    for (const auto& [name, value] : seen.headers) EXPECT_NE(value, "sk-of-client") << name;
}

TEST(ForwardingTest, RoutesCanEditHeaders) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, {{"X-Old", "old"}, {"X-Gone", "1"}, {"X-More", "1"}}, "{}");
    GatewayOptions options = rotating(*mock, {{"a"}});
    const char* edits =
        "{set: [{name: X-Old, value: new}], add: [{name: X-More, value: '2'}], remove: [X-Gone]}";
    options.filters = {
        std::string("{type: RequestHeaderModifier, requestHeaderModifier: ") + edits + "}",
        std::string("{type: ResponseHeaderModifier, responseHeaderModifier: ") + edits + "}"};
    const Gateway gateway(options);
    const Response response =
        ask(gateway, with(with(with(chat(), "x-old", "old"), "x-gone", "1"), "x-more", "1"));
    const Captured seen = mock->requests().at(0);
    EXPECT_EQ(seen.header("x-old"), "new");
    EXPECT_EQ(response.header("x-old"), "new");
    EXPECT_EQ(count_of(seen, "x-old"), 1U);
    EXPECT_EQ(response.count("x-old"), 1U);
    EXPECT_EQ(count_of(seen, "x-gone"), 0U);
    EXPECT_EQ(response.count("x-gone"), 0U);
    EXPECT_EQ(count_of(seen, "x-more"), 1U) << "only ours: the client's is not on the list";
    EXPECT_EQ(seen.header("x-more"), "2");
    EXPECT_EQ(response.count("x-more"), 2U);
}

TEST(ForwardingTest, TargetHasOneSlashBetweenItsPartsAndItsQuery) {
    struct Row {
        const char* base_path;
        const char* target;
        const char* expected;
    };
    const Row rows[] = {
        {"/v1/", "/chat/1.0/chat/completions", "/v1/chat/completions"},
        {"/v1", "/chat/1.0/chat/completions", "/v1/chat/completions"},
        {"/", "/chat/1.0/chat/completions", "/chat/completions"},
        {"/openai/v1/", "/chat/1.0/chat/completions/", "/openai/v1/chat/completions"},
        {"/v1/", "/chat/chat/completions", "/v1/chat/completions"},
        {"/v1/", "/chat/1.0/chat/completions?x=1&y=a%20b&z=%2F&&=?", nullptr},
        {"/v1/", "/chat/1.0/chat/completions?", "/v1/chat/completions"},
    };
    const auto mock = start_mock();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.target);
        GatewayOptions options = rotating(*mock, {{"a"}});
        options.backends[0].base_path = row.base_path;
        const Gateway gateway(options);
        Request request = chat();
        request.target = row.target;
        mock->reset();
        ASSERT_EQ(ask(gateway, request).status, 200U);
        const std::string expected =
            row.expected != nullptr ? row.expected : "/v1/chat/completions?x=1&y=a%20b&z=%2F&&=?";
        EXPECT_EQ(mock->requests().at(0).target, expected);
    }
}

// Everything that a parser and a printer would change. MODEL stands for the model's value.
std::string odd_body(std::size_t size) {
    std::string body =
        "{ \"temperature\" :0.30000000000000004,\t\"seed\":123456789012345678901234567890,\r\n"
        "\"e\":[1e+400,-0.0,1E-7,0.10],\"text\":\"\\u0041\\/\\ud83d\\ude00 \xF0\x9F\x98\x80 \x7F\","
        "\"dup\":1,\"dup\":2,\"nested\":{\"model\":\"stays\"},   \"model\"  :  MODEL  ,"
        "\"empty\":{},\"a\":[ ],\"filler\":\"";
    const std::string piece = "\\\"}{,\\\\ \xC3\xA9\xE4\xB8\xAD 0123456789abcdefghijklmnopqrst";
    while (body.size() + piece.size() + 10 < size) body += piece;
    return body + "\" } \n";
}

std::string with_model(std::string body, const std::string& value) {
    return body.replace(body.find("MODEL"), 5, value);
}

// The same request with its body in chunks of these sizes, over and over.
std::string chunked(Request request, const std::vector<std::size_t>& sizes) {
    std::string body = std::move(request.body);
    request.body.clear();
    request.headers.emplace_back("Transfer-Encoding", "chunked");
    std::string bytes = request.bytes();
    const std::string no_length = "Content-Length: 0\r\n";
    if (const auto at = bytes.find(no_length); at != std::string::npos) {
        bytes.erase(at, no_length.size());
    }
    char size_line[32];
    for (std::size_t at = 0, i = 0; at < body.size(); ++i) {
        const std::size_t size = std::min(sizes[i % sizes.size()], body.size() - at);
        std::snprintf(size_line, sizeof(size_line), "%zx%s\r\n", size, i % 3 == 2 ? ";x=y" : "");
        bytes.append(size_line).append(body, at, size).append("\r\n");
        at += size;
    }
    return bytes + "0\r\n\r\n";
}

TEST(ForwardingTest, BodyArrivesByteForByteButForTheModel) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, {}, "{}");  // the mock's own parser is a strict one
    const Gateway gateway(rotating(*mock, {{"gpt-4o-mini-2024-07-18"}}));
    TestClient client = gateway.connect();
    const auto check = [&](const std::string& bytes, const std::string& odd) {
        mock->reset();
        ASSERT_TRUE(client.send(bytes));
        const Response response = client.read_response();
        ASSERT_EQ(response.status, 200U) << response.body;
        const Captured seen = mock->requests().at(0);
        EXPECT_TRUE(seen.body == with_model(odd, "\"gpt-4o-mini-2024-07-18\""));
        EXPECT_EQ(seen.header("content-length"), std::to_string(seen.body.size()));
    };
    for (const std::size_t size : {500U, 16'000U, 17'000U, 40'000U, 70'000U, 1'048'576U}) {
        SCOPED_TRACE(size);
        const std::string odd = odd_body(size);
        const Request request = chat(with_model(odd, "\"short\""));
        check(request.bytes(), odd);
        const std::vector<std::vector<std::size_t>> plans = {
            {4096}, {1, 17, 3}, {16384}, {65536, 1}, {1'000'000}, {37, 15999, 2, 8191}};
        for (const auto& plan : plans) {
            SCOPED_TRACE(plan[0]);
            if (plan[0] == 1 && size > 100'000) continue;  // a frame for each byte takes its time
            check(chunked(request, plan), odd);
        }
    }
}

TEST(ForwardingTest, BodyThatTricklesInArrivesWhole) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, {}, "{}");
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    const std::string odd = odd_body(2000);
    const Request request = chat(with_model(odd, "\"x\""));
    for (const std::string& bytes : {request.bytes(), chunked(request, {11, 300})}) {
        mock->reset();
        ASSERT_TRUE(client.send_pieces(bytes, 5));
        ASSERT_EQ(client.read_response().status, 200U);
        EXPECT_TRUE(mock->requests().at(0).body == with_model(odd, "\"m\""));
    }
}

std::string body_of_size(std::size_t size) {
    std::string body = R"({"model":"m","filler":")";
    body.append(size - body.size() - 2, 'x');
    return body + "\"}";
}

TEST(ForwardingTest, LimitOfABodyIsExact) {
    // The default; less where each byte is slow, since a client that is refused has 2 s to hear it.
    constexpr std::size_t kLimit = kSanitized ? 1 << 20 : 10 << 20;
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"m"}});
    if (kSanitized) options.process = "limits: {body_bytes: 1048576}\n";
    const Gateway gateway(options);
    const std::string most = body_of_size(kLimit);
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat(most)).status, 200U);
    ASSERT_TRUE(client.send(chunked(chat(most), {1 << 16})));
    EXPECT_EQ(client.read_response().status, 200U);
    for (const Captured& seen : mock->requests()) EXPECT_TRUE(seen.body == most);

    const Request larger = chat(body_of_size(kLimit + 1));
    const std::string sized = larger.bytes();
    // The announcement is enough: a client need not send what nobody will read.
    const std::string requests[] = {sized.substr(0, sized.find("\r\n\r\n") + 4),
                                    chunked(larger, {1 << 16})};
    for (const std::string& bytes : requests) {
        TestClient sender = gateway.connect();
        ASSERT_TRUE(sender.send(bytes));
        const Response response = sender.read_response();
        EXPECT_EQ(response.status, 413U);
        EXPECT_EQ(json_at(response.body, "error.code"), "request_too_large");
        EXPECT_EQ(response.header("connection"), "close");
    }
    EXPECT_EQ(mock->request_count(), 2U);
}

TEST(ForwardingTest, ProviderBehindTlsIsVerifiedAndServed) {
    MockOptions mock_options;
    mock_options.tls = mock::MockTls{certificates().server.certificate, certificates().server.key};
    mock_options.require_key = "Bearer key-0";
    const auto mock = start_mock(mock_options);
    for (const char* host : {"127.0.0.1", "localhost"}) {
        SCOPED_TRACE(host);
        GatewayOptions options = rotating(*mock, {{"m"}});
        options.backends[0].tls = true;
        options.backends[0].host = host;
        const Gateway gateway(options);
        mock->reset();
        TestClient client = gateway.connect();
        const std::string large = body_of_size(300'000);
        for (int i = 0; i < 3; ++i) {
            const Response response = client.exchange(chat(large));
            ASSERT_EQ(response.status, 200U) << response.body;
        }
        const std::vector<Captured> seen = mock->requests();
        EXPECT_TRUE(seen.at(2).body == large);
        EXPECT_EQ(seen.at(0).header("host"),
                  std::string(host) + ":" + std::to_string(mock->port()));
        EXPECT_EQ(seen.at(0).connection, seen.at(2).connection);
    }
}

}  // namespace
}  // namespace rotary::test
