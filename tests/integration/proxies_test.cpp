// Where a request came from, by the word of proxies in front that are trusted, and of no others.
#include "edge_support.hpp"

namespace rotary::test {
namespace {

const std::string kHeader = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 9095\r\n";

GatewayOptions behind(const std::string& proxies, bool plaintext = false) {
    GatewayOptions options = with_process("proxies: {" + proxies +
                                          "}\ntimeouts: {log_flush: 20ms, tls_handshake: 300ms}\n");
    options.plaintext = plaintext;
    return options;
}

Request with(const std::string& name, const std::string& value) {
    Request request = chat();
    if (!name.empty()) request.headers.emplace_back(name, value);
    return request;
}

std::string address_of(const Edge& edge, const Response& response) {
    return json_at(line_of(edge.gateway, response), "client_address");
}

double failed(const Edge& edge, const std::string& reason) {
    return edge.gateway.metric("rotary_tls_handshake_failures_total{reason=\"" + reason + "\"}");
}

TEST(Proxies, BeginTheirConnectionsWithWhereTheyCameFrom) {
    const std::string binary(
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\x08\x7f\0\0\1\x12\x67\x23\x87", 28);
    const std::string of_itself("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
    const std::pair<std::string, const char*> rows[] = {
        {kHeader, "192.0.2.7"},
        {binary, "192.0.2.8"},
        {of_itself, "127.0.0.1"},
        {"PROXY TCP6 2001:db8::9 ::1 4711 9095\r\n", "2001:db8::9"},
    };
    for (const bool plaintext : {false, true}) {
        Edge edge(behind("trusted: [127.0.0.0/8], protocol: true", plaintext));
        for (const auto& [preface, address] : rows) {
            ClientOptions options = plaintext ? plain_client(edge.gateway) : edge.gateway.client();
            options.preface = preface;
            TestClient client(options);
            for (int i = 0; i < 2; ++i) {  // it holds for the connection
                client.send(chat());
                const Response response = client.read_response();
                EXPECT_EQ(response.status, 200U);
                EXPECT_EQ(address_of(edge, response), address);
            }
        }
    }
}

TEST(Proxies, MayBeginByteByByte) {
    Edge edge(behind("trusted: [127.0.0.1], protocol: true", true));
    TestClient client(plain_client(edge.gateway));
    for (const char byte : kHeader) client.send(std::string(1, byte));
    client.send(chat());
    const Response response = client.read_response();
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(address_of(edge, response), "192.0.2.7");
}

TEST(Proxies, ThatDoNotBeginSoAreTurnedAway) {
    for (const bool plaintext : {false, true}) {
        Edge edge(behind("trusted: [127.0.0.1], protocol: true", plaintext));
        {
            TestClient direct(plain_client(edge.gateway));
            direct.send("GET /chat/1.0/models HTTP/1.1\r\nHost: default.gw.wso2.com\r\n\r\n");
            EXPECT_EQ(direct.read_to_end(), "") << "no answer that an outsider could ask for";
        }
        EXPECT_TRUE(eventually([&] { return failed(edge, "proxy") == 1.0; }));
        TestClient silent(plain_client(edge.gateway));
        silent.send(kHeader.substr(0, 20));
        EXPECT_TRUE(eventually([&] { return failed(edge, "timeout") == 1.0; }));
        {
            TestClient leaves(plain_client(edge.gateway));
            leaves.send(kHeader.substr(0, 20));
        }
        EXPECT_TRUE(eventually([&] { return failed(edge, "closed") == 1.0; }));
    }
}

// What another address sends before its request is no request, and is never believed.
TEST(Proxies, ThatAreNotTrustedAreClients) {
    Edge edge(behind("trusted: [10.0.0.0/8], protocol: true, field: x-forwarded-for", true));
    TestClient client(plain_client(edge.gateway));
    client.send(kHeader);
    client.send(chat());
    EXPECT_EQ(client.read_response().status, 400U);
    const Response response =
        fetch(plain_client(edge.gateway), with("X-Forwarded-For", "192.0.2.1"));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(address_of(edge, response), "127.0.0.1");
}

TEST(Proxies, TellInAHeaderFieldOfEachRequest) {
    struct Row {
        const char* field;
        const char* name;
        const char* value;
        const char* address;
    };
    const Row rows[] = {
        {"x-forwarded-for", "X-Forwarded-For", "198.51.100.1, 192.0.2.1, 10.0.0.2", "192.0.2.1"},
        {"x-forwarded-for", "", "", "127.0.0.1"},
        {"x-forwarded-for", "Forwarded", "for=192.0.2.1", "127.0.0.1"},
        {"forwarded", "Forwarded", "for=\"[2001:db8::1]:4711\", for=10.0.0.2", "2001:db8::1"},
        {"forwarded", "X-Forwarded-For", "192.0.2.1", "127.0.0.1"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(row.field) + ", " + row.value);
        Edge edge(behind("trusted: [127.0.0.1, 10.0.0.0/8], field: " + std::string(row.field)));
        TestClient client(edge.gateway.client());
        client.send(with(row.name, row.value));
        EXPECT_EQ(address_of(edge, client.read_response()), row.address);
        client.send(chat());
        EXPECT_EQ(address_of(edge, client.read_response()), "127.0.0.1") << "it holds for one";
        const auto requests = edge.mock->requests();
        for (const auto& header : requests.front().headers) {
            EXPECT_EQ(header.second.find("192.0.2.1"), std::string::npos) << header.first;
        }
    }
}

// A client that guesses keys is held back by its own address; the others behind its proxy are not.
TEST(Proxies, DoNotShareTheirClientsFailures) {
    GatewayOptions options = with_process(
        "proxies: {trusted: [127.0.0.1], field: x-forwarded-for}\nauth: {failures_per_minute: "
        "2}\n");
    options.workers = 1;
    Edge edge(options);
    Request guess = with("X-Forwarded-For", "192.0.2.1");
    set_header(guess, "Authorization", "Bearer rk_guess");
    for (const unsigned status : {401U, 401U, 429U}) {
        EXPECT_EQ(fetch(edge.gateway.client(), guess).status, status);
    }
    EXPECT_EQ(fetch(edge.gateway.client(), with("X-Forwarded-For", "192.0.2.2")).status, 200U);
}

}  // namespace
}  // namespace rotary::test
