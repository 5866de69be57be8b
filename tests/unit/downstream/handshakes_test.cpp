#include <rotary/downstream/handshakes.hpp>
#include <rotary/net/tls.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "support/certificates.hpp"
#include "unit/downstream/one_client.hpp"

namespace rotary::downstream {
namespace {

// The labels of a metric: those who watch it know them.
TEST(HandshakeEnd, EachHasANameOfItsOwn) {
    struct Row {
        HandshakeEnd end;
        std::string_view name;
    };
    const Row rows[] = {
        {HandshakeEnd::closed, "closed"},         {HandshakeEnd::timeout, "timeout"},
        {HandshakeEnd::plain_http, "plain_http"}, {HandshakeEnd::proxy, "proxy"},
        {HandshakeEnd::refused, "refused"},
    };
    std::set<std::string_view> names;
    for (const Row& row : rows) {
        EXPECT_EQ(to_string(row.end), row.name);
        names.insert(to_string(row.end));
    }
    EXPECT_EQ(names.size(), kHandshakeEnds);
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<const net::TlsContext> server_context() {
    net::TlsContext::ServerOptions options;
    options.certificate_pem = content_of(test::certificates().server.certificate);
    options.key_pem = content_of(test::certificates().server.key);
    return net::TlsContext::server(options);
}

class HandshakeTest : public testing::Test {
protected:
    std::shared_ptr<const net::TlsContext> tls_ = server_context();
    OneClient worker_;
    test::FarEnd client_;
    Http1Connection connection_{worker_.services, client_.near(), tls_.get()};
};

TEST_F(HandshakeTest, IsOneOfTls) {
    net::TlsContext::ClientOptions trust;
    trust.ca_pem = content_of(test::certificates().ca);
    const auto context = net::TlsContext::client(trust);
    test::FarEnd link;
    Http1Connection connection(worker_.services, link.give(), tls_.get());
    net::Stream client(worker_.reactor, worker_.buffers, link.near(), {context.get(), "localhost"});
    test::Running<std::optional<HandshakeFailure>> served(connection.handshake());
    const auto shaken = worker_.run(client.handshake({}));
    ASSERT_TRUE(shaken.has_value());
    EXPECT_FALSE(served.result(worker_.reactor).has_value());
    const std::string_view asked[] = {"GET / HTTP/1.1\r\nhost: a\r\n\r\n"};
    EXPECT_EQ(client.write_some(asked).bytes, asked[0].size());
    const Asked next = worker_.run(worker_.wait(connection));
    ASSERT_EQ(next, Asked::request);
    EXPECT_TRUE(worker_.request.is_tls);
}

TEST_F(HandshakeTest, FailsForAReason) {
    struct Row {
        const char* name;
        std::string said;
        bool closes;
        bool is_late;
        HandshakeEnd end;
    };
    const Row rows[] = {
        {"it only looked whether the port is open", "", true, false, HandshakeEnd::closed},
        {"it went after a byte", "\x16", true, false, HandshakeEnd::closed},
        {"it says nothing", "", false, true, HandshakeEnd::timeout},
        {"it stops", "\x16\x03", false, true, HandshakeEnd::timeout},
        {"it speaks HTTP", "GET / HTTP/1.1\r\n\r\n", false, false, HandshakeEnd::plain_http},
        {"no hello", std::string("\x16\x03\x01\x00\x05hello", 10), false, false,
         HandshakeEnd::refused},
    };
    for (const Row& row : rows) {
        OneClient worker;
        test::FarEnd client;
        Http1Connection connection(worker.services, client.near(), tls_.get());
        if (row.is_late) worker.config.timeouts.tls_handshake = config::Duration::zero();
        client.say(row.said);
        if (row.closes) client.close();
        test::settle(worker.reactor);
        const auto failure = worker.run(connection.handshake());
        ASSERT_TRUE(failure.has_value()) << row.name;
        EXPECT_EQ(failure->end, row.end) << row.name;
        EXPECT_EQ(failure->said_anything, !row.said.empty()) << row.name;
    }
}

// In plain, as it asked, and not where it spoke TLS.
TEST_F(HandshakeTest, AClientThatSpeaksHttpCanBeToldSo) {
    client_.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    ASSERT_TRUE(worker_.run(connection_.handshake()).has_value());
    ASSERT_EQ(worker_.run(worker_.wait(connection_)), Asked::refused);
    EXPECT_EQ(worker_.refusal.kind, FaultKind::bad_request);
    EXPECT_FALSE(worker_.request.is_tls);
    EXPECT_EQ(worker_.request.method, "");
    wire::HeadWriter head = connection_.begin_answer(400, "Bad Request");
    EXPECT_TRUE(connection_.start(head, AnswerBody::none));
    wire::Pieces pieces;
    const auto written = connection_.write(pieces, true);
    ASSERT_TRUE(written.has_value() && *written);
    EXPECT_EQ(client_.hear(), "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
}

// It has asked for nothing yet: another connection may have its place.
TEST_F(HandshakeTest, MakesRoomForAnotherConnection) {
    test::Running<std::optional<HandshakeFailure>> shaking(connection_.handshake());
    EXPECT_TRUE(worker_.sessions.evict_longest_idle().has_value());
    EXPECT_TRUE(shaking.result(worker_.reactor).has_value());
}

}  // namespace
}  // namespace rotary::downstream
