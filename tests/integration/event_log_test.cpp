// What the event log says of tries and of handshakes; the whole program, for its log is its own.
#include "served.hpp"

#include <support/loopback_port.hpp>

namespace rotary::test {
namespace {

std::vector<std::string> lines_with(const std::string& log, const std::string& text) {
    std::vector<std::string> found;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        if (line.find(text) != std::string::npos) found.push_back(line);
    }
    return found;
}

TEST(EventLog, TellsOfEachTryWhereItIsAsked) {
    const auto mock = start_mock();
    const LoopbackPort nobody;
    Served::Options options;
    options.gateway.workers = 1;
    options.gateway.process = "log: {level: debug}\n";
    options.gateway.backends.resize(2);
    options.gateway.backends[0].port = nobody.number();
    options.gateway.backends[1].port = mock->port();
    options.gateway.production = {{"dead", 0}, {"live", 1}};
    Served served(*mock, options);
    const Response response = fetch(served.client(), chat());
    ASSERT_EQ(response.status, 200U);
    ASSERT_TRUE(served.process().wait_for_errors("\"status\":200", kPatience));
    const auto tries = lines_with(served.process().errors(), "\"msg\":\"try\"");
    ASSERT_EQ(tries.size(), 2U);
    for (const std::string& line : tries) {
        EXPECT_EQ(json_at(line, "request_id"), response.header("x-rotary-request-id"));
        EXPECT_GE(std::stod(json_at(line, "milliseconds")), 0.0);
    }
    EXPECT_EQ(json_at(tries[0], "entry"), "chat-api/production/dead@backend-0");
    EXPECT_EQ(json_at(tries[0], "fault"), "upstream_connect_failed");
    EXPECT_EQ(json_at(tries[0], "status"), "0");
    EXPECT_EQ(json_at(tries[1], "backend"), "backend-1");
    EXPECT_EQ(json_at(tries[1], "attempt"), "2");
    EXPECT_EQ(json_at(tries[1], "fault"), "");
    EXPECT_EQ(json_at(tries[1], "reused_connection"), "false");
}

TEST(EventLog, KeepsTriesToItselfOtherwise) {
    const auto mock = start_mock();
    Served served(*mock, {});
    ASSERT_EQ(fetch(served.client(), chat()).status, 200U);
    EXPECT_EQ(served.process().errors().find("\"msg\":\"try\""), std::string::npos);
}

TEST(EventLog, TellsOfFailedHandshakesAndIsNotFlooded) {
    const auto mock = start_mock();
    Served::Options options;
    options.gateway.workers = 1;
    Served served(*mock, options);
    ClientOptions plain = served.client();
    plain.tls = false;
    const int attempts = 50;
    for (int i = 0; i < attempts; ++i) {
        TestClient client(plain);
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(client.read_response().status, 400U);
    }
    EXPECT_EQ(served.metric("rotary_tls_handshake_failures_total{reason=\"plain_http\"}"),
              attempts);
    ASSERT_TRUE(served.process().wait_for_errors("TLS handshake failed", kPatience));
    const auto lines = lines_with(served.process().errors(), "TLS handshake failed");
    EXPECT_LT(lines.size(), 50U);
    EXPECT_EQ(json_at(lines[0], "reason"), "plain_http");
    EXPECT_EQ(json_at(lines[0], "client_address"), "127.0.0.1");
    EXPECT_EQ(json_at(lines[0], "detail"), "http request") << "in OpenSSL's words";
}

}  // namespace
}  // namespace rotary::test
