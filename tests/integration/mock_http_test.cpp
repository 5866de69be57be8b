// How `rotary mock` speaks HTTP and keeps count of what came.
#include <integration/mock_fixture.hpp>
#include <support/certificates.hpp>
#include <support/eventually.hpp>
#include <support/json.hpp>

#include <gmock/gmock.h>

namespace rotary::test {
namespace {

using mock::MockOptions;
using namespace std::chrono_literals;
using testing::ElementsAre;

class MockHttpTest : public MockTest {};

TEST_F(MockHttpTest, RecordsWhatCame) {
    start();
    TestClient client(to());
    client.send(
        "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nX-Odd-Case: One\r\n"
        "x-odd-case: two\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"mod\r\n7;ext=1\r\nel\":\"m\"\r\n2\r\n\xff}\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 400U) << "the body is not UTF-8";
    ASSERT_TRUE(provider->wait_for_requests(1, 1s));
    const auto requests = provider->requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[0].target, "/v1/chat/completions?x=1");
    EXPECT_EQ(requests[0].header("X-ODD-CASE"), "One");
    EXPECT_EQ(requests[0].headers[1].first, "X-Odd-Case");
    EXPECT_EQ(requests[0].body, "{\"model\":\"m\"\xff}");
    EXPECT_EQ(requests[0].connection, 1U);

    const Response told = get("/__mock/requests");
    EXPECT_EQ(json_at(told.body, "count"), "1");
    EXPECT_EQ(json_at(told.body, "requests.0.path"), "/v1/chat/completions?x=1");
    EXPECT_EQ(json_at(told.body, "requests.0.headers.1.1"), "One");
    EXPECT_EQ(json_at(told.body, "requests.0.body"), "{\"model\":\"m\"\xC3\xBF}");
    EXPECT_EQ(json_at(told.body, "requests.0.body_encoding"), "latin-1");

    EXPECT_EQ(fetch(to(), {"POST", "/__mock/reset", {}, ""}).status, 200U);
    EXPECT_EQ(json_at(get("/__mock/requests").body, "requests"), "[0]");
    EXPECT_EQ(provider->request_count(), 0U);
    EXPECT_FALSE(provider->wait_for_requests(1, 1ms));
}

TEST_F(MockHttpTest, KeepsTheLastThousand) {
    start();
    TestClient client(to());
    for (int i = 0; i < 1003; ++i) {
        client.exchange({"POST", "/" + std::to_string(i), {}, ""});
    }
    const auto requests = provider->requests();
    ASSERT_EQ(requests.size(), 1000U);
    EXPECT_EQ(requests.front().target, "/3");
    EXPECT_EQ(requests.back().target, "/1002");
    EXPECT_EQ(provider->request_count(), 1003U);
}

TEST_F(MockHttpTest, PipelinedRequestsAreAnsweredInOrder) {
    MockOptions options;
    options.latency = 5ms;
    start(options);
    TestClient client(to());
    std::string all;
    for (const char* model : {"one", "two", "three"}) {
        all +=
            Request{"POST", "/chat/completions", {}, std::string(R"({"model":")") + model + "\"}"}
                .bytes();
    }
    all += "GET /models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.send_pieces(all, 7);
    EXPECT_EQ(json_at(client.read_response().body, "model"), "one");
    EXPECT_EQ(json_at(client.read_response().body, "model"), "two");
    EXPECT_EQ(json_at(client.read_response().body, "model"), "three");
    const Response last = client.read_response();
    EXPECT_EQ(json_at(last.body, "object"), "list");
    EXPECT_EQ(last.header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(1s), ReadEnd::fin);
    EXPECT_EQ(provider->connections_accepted(), 1U);
}

TEST_F(MockHttpTest, Http10GetsItsAnswersUnchunked) {
    start();
    TestClient client(to());
    client.send(
        "POST /chat/completions HTTP/1.0\r\nContent-Length: 27\r\n\r\n"
        R"({"model":"m","stream":true})");
    const Response answer = client.read_response();
    EXPECT_EQ(answer.count("transfer-encoding"), 0U);
    EXPECT_EQ(answer.ending, Ending::close_delimited);
    EXPECT_THAT(answer.body, testing::EndsWith("}\n\ndata: [DONE]\n\n"));
}

TEST_F(MockHttpTest, ExpectContinueIsAnswered) {
    start();
    TestClient client(to());
    client.send(
        "POST /chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n"
        "Expect: 100-continue\r\n\r\n");
    // The final answer can only come behind the body, the body is only sent behind the 100.
    EXPECT_TRUE(client.has_unread_bytes(kPatience));
    client.send(R"({"model":"m"})");
    const Response answer = client.read_response();
    EXPECT_THAT(answer.informational, ElementsAre(100U));
    EXPECT_EQ(answer.status, 200U);
}

TEST_F(MockHttpTest, RefusesFramingThatBeastLetsPass) {
    start();
    const std::pair<const char*, const char*> rows[] = {
        {"unknown coding", "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
        {"coding behind chunked",
         "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"},
        {"chunked in 1.0", "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"both framings",
         "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"list of lengths", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"},
        {"no host", "GET /x HTTP/1.1\r\n\r\n"},
        {"two hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"no HTTP", "hello\r\n\r\n"},
    };
    for (const auto& [name, bytes] : rows) {
        SCOPED_TRACE(name);
        TestClient client(to());
        client.send(bytes);
        EXPECT_EQ(client.read_response().status, 400U);
        EXPECT_EQ(client.wait_for_end(2s), ReadEnd::fin);
    }
    EXPECT_EQ(provider->request_count(), 0U);
}

TEST_F(MockHttpTest, TakesBigBodiesAndRefusesBigger) {
    MockOptions options;
    options.body_limit = 1 << 20;
    start(options);
    const std::string start_of_body = R"({"model":"m","messages":[{"content":")";
    const std::string fits = start_of_body + std::string((1 << 20) - 42, 'x') + "\"}]}";
    const Response answer = chat(fits);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(json_at(answer.body, "usage.prompt_tokens"),
              std::to_string(((1 << 20) - 42 + 3) / 4));
    EXPECT_EQ(provider->requests().at(0).body, fits);
    EXPECT_EQ(chat(fits + std::string(2, ' ')).status, 413U);
}

TEST_F(MockHttpTest, ServesTls) {
    MockOptions options;
    options.tls = mock::MockTls{certificates().server.certificate, certificates().server.key};
    options.tokens = 2000;
    start(options);
    EXPECT_EQ(provider->url(), "https://127.0.0.1:" + std::to_string(provider->port()));
    ClientOptions tls = to();
    tls.tls = true;
    tls.ca = certificates().ca;
    tls.sni = "localhost";
    TestClient client(tls);
    EXPECT_EQ(client.tls_version(), "TLSv1.3");
    EXPECT_EQ(client.exchange({"POST", "/chat/completions", {}, kChat}).status, 200U);
    const Response stream = client.exchange(
        {"POST", "/chat/completions", {{"Connection", "close"}}, R"({"model":"m","stream":true})"});
    EXPECT_EQ(stream.ending, Ending::framed);
    EXPECT_THAT(stream.body, testing::EndsWith("data: [DONE]\n\n"));
    EXPECT_EQ(client.wait_for_end(1s), ReadEnd::close_notify);
    client.close();
    EXPECT_TRUE(provider->wait_for_open_connections(0, 1s));

    tls.sni = "elsewhere.invalid";
    EXPECT_THROW(TestClient{tls}, ClientError);
    tls.sni = "localhost";
    tls.ca = certificates().other_ca;
    EXPECT_THROW(TestClient{tls}, ClientError);
}

TEST_F(MockHttpTest, CountsConnectionsAndStopsWithSomeOpen) {
    start();
    std::vector<TestClient> clients;
    for (int i = 0; i < 3; ++i) clients.emplace_back(to());
    EXPECT_TRUE(provider->wait_for_open_connections(3, 1s));
    clients.pop_back();
    EXPECT_TRUE(provider->wait_for_open_connections(2, 1s));
    EXPECT_EQ(clients[0].exchange({"GET", "/models", {}, ""}).status, 200U);
    provider->close_connections();
    EXPECT_EQ(clients[0].wait_for_end(1s), ReadEnd::fin);
    EXPECT_TRUE(provider->wait_for_open_connections(0, 1s));
    clients.emplace_back(to());
    EXPECT_TRUE(provider->wait_for_open_connections(1, 1s));
    provider->stop();
    EXPECT_EQ(provider->open_connections(), 0U);
    EXPECT_EQ(provider->connections_accepted(), 4U);
    EXPECT_EQ(provider->requests().size(), 1U);
    EXPECT_THROW(TestClient{to()}, ClientError);
}

TEST_F(MockHttpTest, ClosesSilentlyAfterSoManyRequests) {
    MockOptions options;
    options.requests_per_connection = 2;
    start(options);
    TestClient client(to());
    EXPECT_EQ(client.exchange({"GET", "/models", {}, ""}).status, 200U);
    const Response second = client.exchange({"GET", "/models", {}, ""});
    EXPECT_EQ(second.count("connection"), 0U);
    EXPECT_EQ(client.wait_for_end(1s), ReadEnd::fin);
}

}  // namespace
}  // namespace rotary::test
