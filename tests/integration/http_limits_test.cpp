#include "edge_support.hpp"

#include <support/tokens.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <set>
#include <sstream>

// Where a client meets a bound: sizes, waits, TLS, routes; and what is written about it.
namespace rotary::test {
namespace {

Response get(const Gateway& gateway, const std::string& target) {
    return fetch(gateway.client(), request_for("GET", target));
}

// A GET that is served, with a head of exactly this size.
Request with_head_of(std::size_t bytes) {
    Request request = request_for("GET", "/chat/1.0/models");
    request.headers.emplace_back("x-fill", "");
    request.headers.back().second.assign(bytes - request.bytes().size(), 'f');
    return request;
}

TEST(HttpLimits, HeadsUpToTheirLimitsPass) {
    Edge edge(with_process("limits: {header_bytes: 4096, uri_bytes: 300, headers: 10}\n"));
    EXPECT_EQ(fetch(edge.gateway.client(), with_head_of(4096)).status, 200U);
    expect_problem(fetch(edge.gateway.client(), with_head_of(4097)), "headers_too_large");
    expect_problem(fetch(edge.gateway.client(), with_head_of(60'000)), "headers_too_large");

    const std::string target = "/chat/1.0/models?x=";
    const auto uri = [&](std::size_t size) {
        return target + std::string(size - target.size(), 'u');
    };
    EXPECT_EQ(get(edge.gateway, uri(300)).status, 200U);
    expect_problem(get(edge.gateway, uri(301)), "uri_too_long");
    expect_problem(get(edge.gateway, uri(5'000)), "uri_too_long");
    expect_problem(get(edge.gateway, uri(100'000)), "uri_too_long");

    Request many = request_for("GET", "/chat/1.0/models");
    while (many.headers.size() < 10) many.headers.emplace_back("x-n", "1");
    EXPECT_EQ(fetch(edge.gateway.client(), many).status, 200U);
    many.headers.emplace_back("x-n", "1");
    expect_problem(fetch(edge.gateway.client(), many), "headers_too_large");
    EXPECT_EQ(edge.mock->request_count(), 3U);
}

TEST(HttpLimits, TheDefaultsAreThoseOfTheContract) {
    Edge edge;
    EXPECT_EQ(fetch(edge.gateway.client(), with_head_of(20'000)).status, 200U);
    expect_problem(fetch(edge.gateway.client(), with_head_of(32'769)), "headers_too_large");
    const std::string target = "/chat/1.0/models?x=";
    EXPECT_EQ(get(edge.gateway, target + std::string(8192 - target.size(), 'u')).status, 200U);
    expect_problem(get(edge.gateway, target + std::string(8193 - target.size(), 'u')),
                   "uri_too_long");
    Request many = request_for("GET", "/chat/1.0/models");
    while (many.headers.size() < 100) many.headers.emplace_back("x-n", "1");
    EXPECT_EQ(fetch(edge.gateway.client(), many).status, 200U);
    many.headers.emplace_back("x-n", "1");
    expect_problem(fetch(edge.gateway.client(), many), "headers_too_large");
}

std::string body_of(std::size_t bytes) {
    const std::string start = R"({"messages":[],"x":")";
    return start + std::string(bytes - start.size() - 2, 'b') + "\"}";
}

TEST(HttpLimits, BodiesUpToTheirLimitPass) {
    Edge edge(with_process("limits: {body_bytes: 100000}\n"));
    EXPECT_EQ(fetch(edge.gateway.client(), chat(body_of(100'000))).status, 200U);
    expect_problem(fetch(edge.gateway.client(), chat(body_of(100'001))), "request_too_large");
    EXPECT_EQ(fetch(edge.gateway.client(), chunked(chat(body_of(100'000)), 997)).status, 200U);
    expect_problem(fetch(edge.gateway.client(), chunked(chat(body_of(100'001)), 997)),
                   "request_too_large");
    Request announced = chat("{}");
    announced.headers.emplace_back("Content-Length", "100001");
    announced.headers.emplace_back("Expect", "100-continue");
    expect_problem(fetch(edge.gateway.client(), announced), "request_too_large");
    EXPECT_EQ(edge.mock->request_count(), 2U);
}

// Closing on unread bytes resets the connection, and a reset may eat the answer.
TEST(HttpLimits, ARefusalReachesAClientThatIsStillSending) {
    GatewayOptions options = unencrypted();
    options.process = "limits: {body_bytes: 8000000}\n";
    Edge edge(options);
    Request no_token = chat(std::string(6'000'000, 'x'));
    set_header(no_token, "Authorization", "");
    const std::vector<std::pair<Request, const char*>> refused = {
        {no_token, "missing_credentials"},
        {chunked(no_token, 50'000), "missing_credentials"},
        {chat(std::string(8'000'001, 'x')), "request_too_large"},
        {chunked(chat(std::string(8'000'001, 'x')), 50'000), "request_too_large"},
    };
    for (const auto& [request, code] : refused) {
        SCOPED_TRACE(std::string(code) + (request.body.size() > 8'000'100 ? ", chunked" : ""));
        for (int i = 0; i < 3; ++i) {
            TestClient client(plain_client(edge.gateway));
            EXPECT_TRUE(client.send(request)) << "the rest is read, too";
            expect_problem(client.read_response(), code);
            EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::fin);
        }
    }
    TestClient half(plain_client(edge.gateway));
    ASSERT_TRUE(half.send(no_token.bytes().substr(0, 200'000)));
    expect_problem(half.read_response(), "missing_credentials");
}

constexpr const char* kShort =
    "timeouts: {head: 300ms, body_gap: 300ms, body_per_mib: 1s, keep_alive: 300ms, "
    "tls_handshake: 300ms}\n";
constexpr auto kNotAtOnce = 200ms;  // of the 300 ms; the wheel of deadlines is coarse

TEST(HttpLimits, AHeadThatNeverEndsIsTimedOut) {
    Edge edge(with_process(kShort));
    TestClient client = edge.gateway.connect();
    const auto begun = std::chrono::steady_clock::now();
    // A byte now and then wins no time.
    const std::string start = "GET /chat/1.0/models HTTP/1.1\r\nx-slow: ";
    ASSERT_TRUE(client.send(start));
    ASSERT_TRUE(eventually([&] { return client.has_unread_bytes(20ms) || !client.send("s"); }));
    const Response response = client.read_response();
    EXPECT_GE(response.arrived_at - begun, kNotAtOnce);
    expect_problem(response, "request_timeout");
    EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
}

TEST(HttpLimits, ABodyThatStopsIsTimedOut) {
    Edge edge(with_process(kShort));
    for (const Request& request : {chat(), chunked(chat())}) {
        TestClient client = edge.gateway.connect();
        const std::string bytes = request.bytes();
        const auto begun = std::chrono::steady_clock::now();
        ASSERT_TRUE(client.send(bytes.substr(0, bytes.size() - 5)));
        const Response response = client.read_response();
        EXPECT_GE(response.arrived_at - begun, kNotAtOnce);
        expect_problem(response, "request_timeout");
        EXPECT_EQ(client.wait_for_end(kPatience), ReadEnd::close_notify);
    }
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

TEST(HttpLimits, ABodyThatTricklesIsTimedOut) {
    Edge edge(with_process(kShort));
    TestClient client = edge.gateway.connect();
    const std::string bytes = chat(body_of(5'000)).bytes();
    std::size_t sent = bytes.find("\r\n\r\n") + 4;
    ASSERT_TRUE(client.send(std::string_view(bytes).substr(0, sent)));
    ASSERT_TRUE(eventually([&] {
        return client.has_unread_bytes(20ms) ||
               !client.send(std::string_view(bytes).substr(sent++, 1));
    }));
    expect_problem(client.read_response(), "request_timeout");
}

TEST(HttpLimits, IdleConnectionsAreClosedWithoutAWord) {
    Edge edge(with_process(kShort));
    TestClient fresh = edge.gateway.connect();
    TestClient used = edge.gateway.connect();
    ASSERT_EQ(used.exchange(chat()).status, 200U);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(used.read_to_end(), "");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, kNotAtOnce);
    EXPECT_EQ(used.last_end(), ReadEnd::close_notify);
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_EQ(fresh.last_end(), ReadEnd::close_notify);
}

TEST(HttpLimits, AHandshakeThatNeverEndsIsTimedOut) {
    Edge edge(with_process(kShort));
    TestClient silent(plain_client(edge.gateway));
    TestClient half(plain_client(edge.gateway));
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(half.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6)));
    EXPECT_EQ(silent.wait_for_end(kPatience), ReadEnd::fin);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, kNotAtOnce);
    EXPECT_NE(half.wait_for_end(kPatience), ReadEnd::timeout);
}

TEST(HttpLimits, TlsIs12OrNewerAndSpeaksHttp11) {
    Edge edge;
    ClientOptions options = edge.gateway.client();
    options.alpn = "http/1.1";
    TestClient newest(options);
    EXPECT_EQ(newest.alpn(), "http/1.1");
    EXPECT_EQ(newest.tls_version(), "TLSv1.3");
    EXPECT_EQ(newest.exchange(chat()).status, 200U);

    options.max_tls = TLS1_2_VERSION;
    TestClient older(options);
    EXPECT_EQ(older.tls_version(), "TLSv1.2");
    EXPECT_EQ(older.exchange(chat()).status, 200U);

    options.alpn = "h2";
    EXPECT_THROW(TestClient{options}, ClientError) << "nobody here speaks HTTP/2";
    options.alpn.clear();
    EXPECT_EQ(fetch(options, chat()).status, 200U) << "no ALPN at all will do";
}

// By hand, since today's OpenSSL would not even ask for TLS 1.1.
TEST(HttpLimits, Tls11IsRefusedWithAnAlert) {
    Edge edge;
    std::string hello("\x03\x02", 2);
    hello += std::string(32, 'r') + std::string(1, '\0');         // random, no session
    hello += std::string("\x00\x06\xc0\x09\xc0\x13\x00\x2f", 8);  // ECDHE and RSA, AES, SHA-1
    hello += std::string("\x01\x00", 2);                          // no compression
    hello += std::string("\x00\x0e\x00\x0a\x00\x04\x00\x02\x00\x17\x00\x0b\x00\x02\x01\x00", 16);
    const auto size = static_cast<char>(hello.size());
    const std::string handshake = std::string("\x01\x00\x00", 3) + size + hello;
    TestClient client(plain_client(edge.gateway));
    ASSERT_TRUE(client.send(std::string("\x16\x03\x01\x00", 4) +
                            static_cast<char>(handshake.size()) + handshake));
    const std::string answer = client.read_to_end();
    ASSERT_EQ(answer.size(), 7U);
    EXPECT_EQ(answer[0], 21) << "an alert";
    EXPECT_EQ(answer[5], 2) << "fatal";
    EXPECT_EQ(answer[6], 70) << "protocol_version";
}

TEST(HttpLimits, PlainHttpOnTheTlsPortEndsAtOnce) {
    Edge edge;
    TestClient client(plain_client(edge.gateway));
    ASSERT_TRUE(client.send(chat()));
    EXPECT_NE(client.wait_for_end(kPatience), ReadEnd::timeout);
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

TEST(HttpLimits, WhatIsNotServedIsSaid) {
    Edge edge;
    TestClient client = edge.gateway.connect();
    for (const char* target : {"/", "/nowhere", "/chat/1.0", "/chat/1.0/chat", "/chat/2.0/models",
                               "/CHAT/1.0/models", "/chat/1.0/chat/completions/more"}) {
        SCOPED_TRACE(target);
        expect_problem(client.exchange(request_for("GET", target)), "route_not_found");
    }
    const Response wrong_method = client.exchange(request_for("PUT", "/chat/1.0/chat/completions"));
    expect_problem(wrong_method, "method_not_allowed");
    EXPECT_EQ(wrong_method.header("allow"), "POST");

    Request elsewhere = chat();
    set_header(elsewhere, "Host", "elsewhere.example");
    expect_problem(client.exchange(elsewhere), "route_not_found");

    Request encoded = chat();
    encoded.headers.emplace_back("Content-Encoding", "gzip");
    expect_problem(client.exchange(encoded), "unsupported_content_encoding");
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

TEST(HttpLimits, HostsAndTheDefaultVersionAreMatchedAsPromised) {
    Edge edge;
    TestClient client = edge.gateway.connect();
    for (const char* host : {"default.gw.wso2.com:9095", "DEFAULT.gw.WSO2.com"}) {
        Request request = chat();
        set_header(request, "Host", host);
        EXPECT_EQ(client.exchange(request).status, 200U) << host;
    }
    EXPECT_EQ(client.exchange(request_for("POST", "/chat/chat/completions", "{}")).status, 200U);
    EXPECT_EQ(client.exchange(request_for("POST", "/chat/1.0/chat/completions?a=b", "{}")).status,
              200U);
    EXPECT_EQ(client.exchange(sandbox_chat()).header("x-rotary-model"), "sandbox-gpt");
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(HttpLimits, EveryRequestLeavesALineInTheAccessLogAndNoSecret) {
    GatewayOptions options = with_process(
        "timeouts: {log_flush: 20ms, head: 200ms}\nlimits: {body_bytes: 2000, uri_bytes: 400}\n");
    Edge edge(options);
    const std::string canary = R"({"messages":["BODY-CANARY"]})";
    Request no_token = chat(canary);
    set_header(no_token, "Authorization", "");
    Request bad_token = chat(canary);
    set_header(bad_token, "Authorization", "Bearer TOKEN-CANARY");
    Request broken = chat(canary);
    broken.headers.emplace_back("Transfer-Encoding", "chunked");
    broken.headers.emplace_back("Content-Length", "3");
    const std::vector<std::pair<Request, unsigned>> story = {
        {chat(canary), 200},
        {request_for("GET", "/chat/1.0/models?key=QUERY-CANARY"), 200},
        {no_token, 401},
        {bad_token, 401},
        {request_for("GET", "/nowhere"), 404},
        {request_for("PATCH", "/chat/1.0/chat/completions"), 405},
        {broken, 400},
        {chat(R"(["BODY-CANARY"])"), 400},
        {chat(std::string(2001, 'x')), 413},
        {request_for("GET", "/" + std::string(400, 'u')), 414},
    };
    std::multiset<std::string> ids;
    for (const auto& [request, status] : story) {
        const Response response = fetch(edge.gateway.client(), request);
        ASSERT_EQ(response.status, status) << request.target;
        ids.insert(std::string(response.header("x-rotary-request-id")));
    }
    TestClient slow = edge.gateway.connect();
    ASSERT_TRUE(slow.send("GET "));
    const Response timed_out = slow.read_response();
    ASSERT_EQ(timed_out.status, 408U);
    ids.insert(std::string(timed_out.header("x-rotary-request-id")));

    ASSERT_TRUE(eventually([&] {
        return lines_of(edge.gateway.access_log()).size() >= story.size() + 1;
    })) << edge.gateway.access_log();
    const std::string log = edge.gateway.access_log();
    const auto lines = lines_of(log);
    ASSERT_EQ(lines.size(), story.size() + 1);
    std::multiset<std::string> logged;
    std::multiset<std::string> statuses;
    for (const std::string& line : lines) {
        ASSERT_TRUE(is_json(line)) << line;
        logged.insert(json_at(line, "request_id"));
        statuses.insert(json_at(line, "response_code"));
        const auto keys = json_keys(line, "");
        EXPECT_THAT(keys,
                    testing::IsSupersetOf({"start_time", "method", "request.path", "response_code",
                                           "duration_ms", "overhead_us", "bytes_received",
                                           "bytes_sent", "request_id", "attempts"}));
        EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size()) << line;
        const bool refused = json_at(line, "response_code") != "200";
        EXPECT_EQ(json_at(line, "error.code") == "<missing>", true) << "dotted keys are flat";
        EXPECT_EQ(std::count(keys.begin(), keys.end(), "error.code"), refused ? 1 : 0) << line;
        EXPECT_NE(json_at(line, "bytes_sent"), "0") << line;
    }
    EXPECT_EQ(logged, ids);
    EXPECT_EQ(statuses, (std::multiset<std::string>{"200", "200", "400", "400", "401", "401", "404",
                                                    "405", "408", "413", "414"}));
    const std::string token = bearer().substr(7);
    for (const std::string& secret :
         {std::string("CANARY"), std::string("sk-up"), token.substr(0, token.find('.')),
          token.substr(token.rfind('.') + 1)}) {
        EXPECT_EQ(log.find(secret), std::string::npos) << secret;
    }
}

TEST(HttpLimits, TheAccessLogMayBeTextOrOff) {
    Edge text(with_process("timeouts: {log_flush: 20ms}\nlog: {access: text}\n"));
    ASSERT_EQ(get(text.gateway, "/no\"where").status, 404U);
    ASSERT_TRUE(eventually([&] { return !text.gateway.access_log().empty(); }));
    EXPECT_THAT(text.gateway.access_log(),
                testing::ContainsRegex(R"("GET" "/no\\"where" 404 .*route_not_found)"));
    Edge off(with_process("timeouts: {log_flush: 20ms}\nlog: {access: off}\n"));
    ASSERT_EQ(get(off.gateway, "/nowhere").status, 404U);
    EXPECT_EQ(off.gateway.stop(), 0);
    EXPECT_EQ(off.gateway.access_log(), "");
}

}  // namespace
}  // namespace rotary::test
