#include "edge_support.hpp"

#include <rotary/config/load.hpp>
#include <support/certificates.hpp>
#include <support/tokens.hpp>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <array>

// How requests may be cut, joined and framed on their way in, and what never gets through.
namespace rotary::test {
namespace {

// A TLS handshake whose last flight goes out in one send together with the first request.
std::string answer_to_one_flight(const Gateway& gateway, const std::string& request) {
    TestClient wire(plain_client(gateway));
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = SSL_new(context);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    const auto flush = [&] {
        char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        wire.send({data, static_cast<std::size_t>(size)});
        static_cast<void>(BIO_reset(out));
    };
    const auto receive = [&] {
        std::array<char, 16384> bytes;
        const ssize_t size = ::recv(wire.descriptor(), bytes.data(), bytes.size(), 0);
        if (size <= 0) return false;
        BIO_write(in, bytes.data(), static_cast<int>(size));
        return true;
    };
    bool connected = true;
    while (connected && SSL_connect(ssl) != 1) {
        flush();
        connected = receive();
    }
    SSL_write(ssl, request.data(), static_cast<int>(request.size()));
    flush();
    std::string answer;
    while (connected && answer.find("\r\n\r\n") == std::string::npos) {
        std::array<char, 16384> bytes;
        const int size = SSL_read(ssl, bytes.data(), bytes.size());
        if (size > 0)
            answer.append(bytes.data(), static_cast<std::size_t>(size));
        else
            connected = receive();
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    return answer;
}

TEST(HttpEdge, AFirstRequestRightBehindTheHandshakeIsAnswered) {
    Edge edge;
    for (int i = 0; i < 50; ++i) {
        const Response response = fetch(edge.gateway.client(), chat());
        ASSERT_EQ(response.status, 200U) << "connection " << i;
    }
    for (int i = 0; i < 50; ++i) {
        const std::string answer = answer_to_one_flight(edge.gateway, chat().bytes());
        ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << "connection " << i << ": " << answer;
    }
}

TEST(HttpEdge, ARequestMayComeByteByByte) {
    Edge edge({}, {});
    const Request models = request_for("GET", "/chat/1.0/models");
    for (const Request& request : {chat(), chunked(chat()), models}) {
        TestClient client = edge.gateway.connect();
        ASSERT_TRUE(client.send_pieces(request.bytes(), 1));
        EXPECT_EQ(client.read_response().status, 200U) << request.bytes();
        EXPECT_EQ(client.exchange(chat()).status, 200U) << "the connection goes on";
    }
    const auto captured = edge.mock->requests();
    ASSERT_EQ(captured.size(), 6U);
    EXPECT_EQ(captured[0].body, captured[2].body) << "chunks or not, the body is the same";
}

TEST(HttpEdge, AHeadMayComeInTwoPiecesCutAnywhere) {
    Edge edge(unencrypted());
    TestClient client(plain_client(edge.gateway));
    const std::string bytes = request_for("GET", "/chat/1.0/models").bytes();
    for (std::size_t cut = 1; cut < bytes.size(); cut += cut + 8 < bytes.size() ? 23U : 1U) {
        ASSERT_TRUE(client.send_pieces(bytes, cut, 1ms));
        ASSERT_EQ(client.read_response().status, 200U) << "cut at " << cut;
    }
}

TEST(HttpEdge, PipelinedRequestsAreAnsweredInTheirOrder) {
    Edge edge;
    for (const std::size_t count : {3U, 20U}) {
        TestClient client = edge.gateway.connect();
        std::string all;
        for (std::size_t i = 0; i < count; ++i) {
            Request request = i % 3 == 2 ? request_for("GET", "/chat/1.0/models") : chat();
            set_header(request, "x-mock-fault", "status=" + std::to_string(450 + i));
            all += (i % 3 == 1 ? chunked(request) : request).bytes();
        }
        ASSERT_TRUE(client.send(all));
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(client.read_response().status, 450 + i);
        }
        EXPECT_FALSE(client.has_unread_bytes());
    }
}

TEST(HttpEdge, ARefusedRequestInAPipelineDoesNotDisturbItsNeighbours) {
    Edge edge;
    TestClient client = edge.gateway.connect();
    Request no_token = chat();
    set_header(no_token, "Authorization", "");
    const std::vector<std::pair<Request, unsigned>> story = {
        {chat(), 200},
        {no_token, 401},
        {chat("[]"), 400},
        {request_for("POST", "/nowhere", "{}"), 404},
        {request_for("DELETE", "/chat/1.0/chat/completions"), 405},
        {chat(R"({"messages":["large body )" + std::string(40'000, 'x') + "\"]}"), 200},
        {request_for("GET", "/chat/1.0/models"), 200},
    };
    std::string all;
    for (const auto& step : story) all += step.first.bytes();
    ASSERT_TRUE(client.send(all));
    for (const auto& [request, status] : story) {
        ASSERT_EQ(client.read_response().status, status) << request.method << request.target;
    }
    EXPECT_EQ(edge.mock->request_count(), 3U);
}

// What stood behind a request whose framing is in doubt is never taken for a request.
TEST(HttpEdge, AMalformedRequestInAPipelineEndsIt) {
    Edge edge;
    TestClient client = edge.gateway.connect();
    Request broken = chat();
    broken.headers.emplace_back("Transfer-Encoding", "xchunked");
    ASSERT_TRUE(client.send(chat().bytes() + broken.bytes() + chat().bytes()));
    EXPECT_EQ(client.read_response().status, 200U);
    expect_problem(client.read_response(), "bad_request");
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.last_end(), ReadEnd::close_notify);
    EXPECT_EQ(edge.mock->request_count(), 1U);
}

TEST(HttpEdge, AConnectionServesAHundredRequests) {
    GatewayOptions options;
    options.workers = 1;
    Edge edge(options);
    TestClient client = edge.gateway.connect();
    for (int i = 0; i < 100; ++i) {
        const Response response = client.exchange(i % 2 == 0 ? chat() : chunked(chat()));
        ASSERT_EQ(response.status, 200U) << i;
        ASSERT_EQ(response.count("connection"), 0U);
    }
    EXPECT_EQ(edge.mock->connections_accepted(), 1U) << "the provider's connection is kept, too";
}

TEST(HttpEdge, ConnectionCloseIsHonoured) {
    Edge edge;
    Request request = chat();
    request.headers.emplace_back("Connection", "Close");
    TestClient client = edge.gateway.connect();
    const Response response = client.exchange(request);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.header("connection"), "close");
    EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
}

TEST(HttpEdge, Http10IsAnsweredAndClosed) {
    Edge edge;
    std::string bytes = chat(R"({"stream":true,"messages":[]})").bytes();
    bytes.replace(bytes.find("HTTP/1.1"), 8, "HTTP/1.0");
    TestClient client = edge.gateway.connect();
    ASSERT_TRUE(client.send(bytes));
    const Response response = client.read_response();
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.count("transfer-encoding"), 0U) << "HTTP/1.0 knows no chunks";
    EXPECT_EQ(response.ending, Ending::close_delimited);
    EXPECT_TRUE(response.body.ends_with("data: [DONE]\n\n")) << response.body;
}

// ApacheBench and old load balancers ask so; without the answer's word they wait for the end.
TEST(HttpEdge, Http10KeepAliveIsToldThatItIsKept) {
    Edge edge;
    std::string bytes = request_for("GET", "/chat/1.0/models").bytes();
    bytes.replace(bytes.find("HTTP/1.1"), 8, "HTTP/1.0");
    bytes.insert(bytes.size() - 2, "Connection: keep-alive\r\n");
    TestClient client = edge.gateway.connect();
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(client.send(bytes));
        const Response response = client.read_response();
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("connection"), "keep-alive");
    }
}

TEST(HttpEdge, HeadBringsTheHeadAlone) {
    Edge edge(with_resources(open_api()));
    TestClient client = edge.gateway.connect();
    const Response found = client.exchange(request_for("HEAD", "/open/1.0/models"));
    EXPECT_EQ(found.status, 200U);
    EXPECT_FALSE(client.has_unread_bytes());
    const Response missing = client.exchange(request_for("HEAD", "/nowhere"));
    EXPECT_EQ(missing.status, 404U);
    EXPECT_NE(missing.header("content-length"), "0");
    EXPECT_FALSE(client.has_unread_bytes());
    EXPECT_EQ(client.exchange(chat()).status, 200U);
}

TEST(HttpEdge, ExpectContinueIsAnsweredBeforeTheBody) {
    Edge edge;
    Request request = chat();
    request.headers.emplace_back("Expect", "100-continue");
    const std::string bytes = request.bytes();
    const std::size_t head = bytes.size() - request.body.size();
    TestClient client = edge.gateway.connect();
    ASSERT_TRUE(client.send(std::string_view(bytes).substr(0, head)));
    ASSERT_TRUE(client.has_unread_bytes(kPatience));
    EXPECT_EQ(edge.mock->request_count(), 0U);
    ASSERT_TRUE(client.send(request.body));
    const Response waited = client.read_response();
    EXPECT_EQ(waited.status, 200U);
    EXPECT_EQ(waited.informational, std::vector<unsigned>{100});

    const Response at_once = client.exchange(request);
    EXPECT_EQ(at_once.status, 200U);
    EXPECT_EQ(at_once.informational, std::vector<unsigned>{}) << "the body was there";
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_FALSE(captured.has_header("expect"));
        EXPECT_NE(captured.body, "");
    }
}

TEST(HttpEdge, ExpectContinueThatIsRefusedGetsNo100) {
    Edge edge;
    Request request = chat();
    request.headers.emplace_back("Expect", "100-continue");
    set_header(request, "Authorization", "");
    const std::string bytes = request.bytes();
    TestClient client = edge.gateway.connect();
    ASSERT_TRUE(client.send(bytes.substr(0, bytes.size() - request.body.size())));
    const Response response = client.read_response();
    expect_problem(response, "missing_credentials");
    EXPECT_EQ(response.informational, std::vector<unsigned>{});
    EXPECT_EQ(response.header("connection"), "close") << "whether a body comes is unknown";
    EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
}

// Whoever is refused with a body on its way must learn that the connection will not be kept.
TEST(HttpEdge, ARefusalThatEndsTheConnectionSaysSo) {
    Edge edge;
    Request chunks = chunked(chat());
    set_header(chunks, "Authorization", "");
    Request large = chat(std::string(200'000, 'x'));
    set_header(large, "Authorization", "");
    for (const Request& request : {chunks, large}) {
        TestClient client = edge.gateway.connect();
        const std::string bytes = request.bytes();
        ASSERT_TRUE(client.send(bytes.substr(0, bytes.find("\r\n\r\n") + 4)));
        const Response response = client.read_response();
        expect_problem(response, "missing_credentials");
        EXPECT_EQ(response.header("connection"), "close") << request.body.size();
    }
}

TEST(HttpEdge, ChunkTrailersAreDropped) {
    Edge edge;
    Request no_token = chat();
    set_header(no_token, "Authorization", "");
    const std::string trailers = "Authorization: " + bearer() + "\r\nx-late: evil\r\n";
    expect_problem(fetch(edge.gateway.client(), chunked(no_token, 7, trailers)),
                   "missing_credentials");
    TestClient client = edge.gateway.connect();
    EXPECT_EQ(client.exchange(chunked(chat(), 7, trailers)).status, 200U);
    EXPECT_EQ(client.exchange(chat()).status, 200U);
    const auto captured = edge.mock->requests();
    ASSERT_EQ(captured.size(), 2U);
    EXPECT_FALSE(captured[0].has_header("x-late"));
    EXPECT_EQ(captured[0].header("authorization"), "Bearer sk-up");
    EXPECT_EQ(captured[0].body, captured[1].body);
}

struct Malformed {
    const char* name;
    const char* head;  // behind it comes an empty line unless it ends with one
};

constexpr Malformed kMalformed[] = {
    {"chunked and a length",
     "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"},
    {"chunked before a length",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\nContent-Length: 5"},
    {"two lengths", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 5\r\nContent-Length: 6"},
    {"the same length twice", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 5\r\nContent-Length: 5"},
    {"a list of lengths", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 5, 5"},
    {"leading zeros", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 005"},
    {"a signed length", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: +5"},
    {"a hexadecimal length", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 0x5"},
    {"an endless length", "POST $ HTTP/1.1\r\n$H\r\nContent-Length: 99999999999999999999"},
    {"an empty length", "POST $ HTTP/1.1\r\n$H\r\nContent-Length:"},
    {"xchunked", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: xchunked"},
    {"xchunked and a length",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: xchunked\r\nContent-Length: 0"},
    {"gzip, chunked", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: gzip, chunked"},
    {"chunked, gzip", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked, gzip"},
    {"chunked twice", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked, chunked"},
    {"chunked on two lines",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked"},
    {"chunked;q=1", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked;q=1"},
    {",chunked", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: ,chunked"},
    {"identity", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: identity"},
    {"a tab before chunked", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding:\tchunked"},
    {"a byte behind chunked", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\xff"},
    {"a space before the colon", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding : chunked"},
    {"chunked on HTTP/1.0", "POST $ HTTP/1.0\r\n$H\r\nTransfer-Encoding: chunked"},
    {"a folded header", "POST $ HTTP/1.1\r\n$H\r\nx-a: b\r\n c"},
    {"a folded Transfer-Encoding", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding:\r\n chunked"},
    {"no Host", "GET $ HTTP/1.1\r\n$A"},
    {"two Hosts", "GET $ HTTP/1.1\r\n$H\r\nHost: default.gw.wso2.com"},
    {"a Host that is none", "GET $ HTTP/1.1\r\n$A\r\nHost: a@b/c?d"},
    {"two Authorizations", "GET $ HTTP/1.1\r\n$H\r\n$A"},
    {"bare line feeds", "GET $ HTTP/1.1\n$H\n\n"},
    {"a bare line feed in the end", "GET $ HTTP/1.1\r\n$H\r\n\n"},
    {"a bare line feed between headers", "GET $ HTTP/1.1\r\n$H\nx-a: b"},
    {"a bare carriage return", "GET $ HTTP/1.1\r\n$H\r\nx-a: b\rc"},
    {"a control character",
     "GET $ HTTP/1.1\r\n$H\r\nx-a: b\x01"
     "c"},
    {"a name with a space", "GET $ HTTP/1.1\r\n$H\r\nx a: b"},
    {"a header without a colon", "GET $ HTTP/1.1\r\n$H\r\nx-a"},
    {"a nameless header", "GET $ HTTP/1.1\r\n$H\r\n: b"},
    {"an absolute target of another scheme", "GET ftp://default.gw.wso2.com/ HTTP/1.1\r\n$H"},
    {"CONNECT", "CONNECT default.gw.wso2.com:443 HTTP/1.1\r\n$H"},
    {"an asterisk", "GET * HTTP/1.1\r\n$H"},
    {"a fragment", "GET /chat/1.0/models#x HTTP/1.1\r\n$H"},
    {"a raw byte in the target", "GET /chat/1.0/models\x80 HTTP/1.1\r\n$H"},
    {"two spaces", "GET  $ HTTP/1.1\r\n$H"},
    {"no version", "GET $\r\n$H"},
    {"HTTP/2", "GET $ HTTP/2.0\r\n$H"},
    {"HTTP/1.2", "GET $ HTTP/1.2\r\n$H"},
    {"a TLS hello", "\x16\x03\x01\x02\r\n\r\n"},
    {"an unknown expectation",
     "POST $ HTTP/1.1\r\n$H\r\nExpect: the-unexpected\r\nContent-Length: 2"},
    {"a parent in the path", "GET /chat/1.0/x/../models HTTP/1.1\r\n$H"},
    {"an encoded parent", "GET /chat/1.0/x/%2e%2E/models HTTP/1.1\r\n$H"},
    {"a bad chunk size", "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"},
    {"a negative chunk size",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"},
    {"an endless chunk size",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n"},
    {"no CRLF behind a chunk",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n"},
    {"a chunk extension without a name",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\n2;\r\n{}\r\n0\r\n\r\n"},
    {"a chunk extension with an open quote",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\n2;a=\"\r\n{}\r\n0\r\n\r\n"},
    {"bare line feeds in chunks",
     "POST $ HTTP/1.1\r\n$H\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n"},
};

// $: a target that is served; $A: a valid token; $H: a Host and that.
std::string filled_in(std::string_view text) {
    const std::string token = "Authorization: " + bearer();
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$')
            out += text[i];
        else if (text.substr(i + 1, 1) == "H")
            out += "Host: default.gw.wso2.com\r\n" + token, ++i;
        else if (text.substr(i + 1, 1) == "A")
            out += token, ++i;
        else
            out += text.starts_with("POST") ? "/chat/1.0/chat/completions" : "/chat/1.0/models";
    }
    if (!out.ends_with("\n\r\n") && !out.ends_with("\n\n")) out += "\r\n\r\n";
    return out;
}

TEST(HttpEdge, MalformedRequestsAreRefusedAndNothingBehindThemIsServed) {
    Edge edge(unencrypted());
    const std::string hidden = request_for("GET", "/chat/1.0/models").bytes();
    const auto refused = [&](const char* name, const std::string& bytes) {
        SCOPED_TRACE(name);
        TestClient client(plain_client(edge.gateway));
        ASSERT_TRUE(client.send(bytes + hidden + hidden));
        const Response response = client.read_response();
        expect_problem(response, "bad_request");
        EXPECT_EQ(response.header("connection"), "close");
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(client.last_end(), ReadEnd::fin);
    };
    for (const Malformed& row : kMalformed) refused(row.name, filled_in(row.head));
    refused("a NUL in a value", filled_in({"GET $ HTTP/1.1\r\n$H\r\nx-a: b\0c", 28}));
    EXPECT_EQ(edge.mock->request_count(), 0U);
    EXPECT_EQ(fetch(plain_client(edge.gateway), chat()).status, 200U) << "and it still serves";
}

TEST(HttpEdge, AnUnencryptedListenerServesAndIsWarnedAbout) {
    Edge edge(unencrypted());
    EXPECT_EQ(fetch(plain_client(edge.gateway), chat()).status, 200U);
    const auto loaded = config::load(edge.gateway.files().config(), config::process_environment());
    EXPECT_TRUE(loaded.ok());
    EXPECT_THAT(config::to_text(loaded.findings),
                testing::ContainsRegex("rotary.yaml:[0-9]+:[0-9]+: warning: listeners.*plaintext"));
    Edge encrypted;
    const auto quiet =
        config::load(encrypted.gateway.files().config(), config::process_environment());
    EXPECT_THAT(config::to_text(quiet.findings), testing::Not(testing::HasSubstr("plaintext")));
}

}  // namespace
}  // namespace rotary::test
