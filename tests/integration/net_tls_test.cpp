// The server's side of TLS: what it agrees to, whom it refuses, and settings that can't be seen.
#include "net_support.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace rotary;
using namespace rotary::test;
using net::Stream;
using net::TlsContext;
using net::WaitFor;

Task<void> shake_hands(Stream& stream, std::chrono::milliseconds limit, Result<void>& result) {
    WaitFor limits;
    limits.client = &stream.descriptor();
    limits.deadline = stream.descriptor().reactor().now() + limit;
    result = co_await stream.handshake(limits);
}

// One handshake of our server with what the peer's thread does.
Result<void> serve(const TlsContext& context, const std::function<void(Peer&)>& peer_does,
                   std::chrono::milliseconds limit = 20s) {
    NetLoop loop;
    const SocketPair pair = tcp_pair();
    Stream::Role role;
    role.tls = &context;
    std::optional<Stream> stream(std::in_place, loop.reactor, loop.buffers, pair.ours, role);
    std::thread peer_thread([&] {
        Peer peer(pair.theirs);
        peer_does(peer);
    });
    Result<void> result;
    loop.run(shake_hands(*stream, limit, result));
    stream.reset();
    peer_thread.join();
    return result;
}

// TLS 1.2: what is agreed on is the server's choice, unless the client puts ChaCha20 first.
TEST(ServerCiphers, AreTheServersChoice) {
    const auto context = server_context();
    const auto agreed_on = [&](const char* offered) {
        std::string cipher;
        const Result<void> result = serve(*context, [&](Peer& peer) {
            const PeerTls tls;
            SSL_CTX_set_max_proto_version(tls.native(), TLS1_2_VERSION);
            SSL_CTX_set_cipher_list(tls.native(), offered);
            if (peer.connect_tls(tls)) cipher = SSL_get_cipher_name(peer.ssl());
        });
        EXPECT_TRUE(result.has_value()) << offered;
        return cipher;
    };
    const std::string best = agreed_on("ECDHE+AESGCM");
    EXPECT_EQ(agreed_on("ECDHE+AES128+AESGCM:ECDHE+AES256+AESGCM"),
              agreed_on("ECDHE+AES256+AESGCM:ECDHE+AES128+AESGCM"));
    EXPECT_EQ(agreed_on("ECDHE+AES128+AESGCM:ECDHE+AES256+AESGCM:ECDHE+CHACHA20"), best);
    EXPECT_NE(agreed_on("ECDHE+CHACHA20:ECDHE+AESGCM").find("CHACHA20"), std::string::npos);
}

struct Offer {
    const char* name;
    std::string protocols;  // as in the extension, RFC 7301 section 3.1
    bool agreed;
};
class Alpn : public ::testing::TestWithParam<Offer> {};

TEST_P(Alpn, IsHttp11OrAnAlert) {
    const Offer& row = GetParam();
    const auto context = server_context();
    bool agreed = false;
    std::string selected;
    int reason = 0;
    const Result<void> result = serve(*context, [&](Peer& peer) {
        const PeerTls tls;
        const auto* wire = reinterpret_cast<const unsigned char*>(row.protocols.data());
        SSL_CTX_set_alpn_protos(tls.native(), wire, static_cast<unsigned>(row.protocols.size()));
        agreed = peer.connect_tls(tls);
        if (!agreed) reason = ERR_GET_REASON(ERR_peek_last_error());
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(peer.ssl(), &name, &size);
        if (name != nullptr) selected.assign(reinterpret_cast<const char*>(name), size);
    });
    EXPECT_EQ(result.has_value(), row.agreed);
    EXPECT_EQ(agreed, row.agreed);
    if (row.agreed) {
        EXPECT_EQ(selected, row.protocols.empty() ? "" : "http/1.1");
    } else {
        EXPECT_EQ(result.error().kind, FaultKind::bad_request);
        EXPECT_EQ(reason, SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL);
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Alpn,
                         ::testing::Values(Offer{"Nothing", "", true},
                                           Offer{"Http11", "\x08http/1.1", true},
                                           Offer{"Http2First", "\x02h2\x08http/1.1", true},
                                           Offer{"OnlyHttp2", "\x02h2", false}),
                         [](const auto& row) { return row.param.name; });

TEST(ServerHandshake, TimesOut) {
    const auto context = server_context();
    const Result<void> result = serve(
        *context, [](Peer& peer) { peer.read(1); }, 50ms);
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::request_timeout);
}

TEST(ServerHandshake, HangUpIsTheClientsDoing) {
    const auto context = server_context();
    const Result<void> result = serve(*context, [](Peer& peer) { peer.finish(); });
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::client_gone);
}

TEST(ServerHandshake, PlainHttpIsABadRequest) {
    const auto context = server_context();
    const Result<void> result = serve(*context, [](Peer& peer) {
        peer.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
        peer.read(100);
    });
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::bad_request);
}

TEST(ServerHandshake, OldProtocolIsRefused) {
    const auto context = server_context();
    const Result<void> result = serve(*context, [](Peer& peer) {
        const PeerTls tls;
        SSL_CTX_set_security_level(tls.native(), 0);
        SSL_CTX_set_min_proto_version(tls.native(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(tls.native(), TLS1_1_VERSION);
        EXPECT_FALSE(peer.connect_tls(tls));
    });
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::bad_request);
}

TEST(ServerHandshake, Tls12Works) {
    const auto context = server_context();
    const Result<void> result = serve(*context, [](Peer& peer) {
        const PeerTls tls;
        SSL_CTX_set_max_proto_version(tls.native(), TLS1_2_VERSION);
        EXPECT_TRUE(peer.connect_tls(tls));
        EXPECT_EQ(SSL_renegotiate(peer.ssl()), 1);
        EXPECT_LE(SSL_do_handshake(peer.ssl()), 0) << "no renegotiation";
    });
    EXPECT_TRUE(result.has_value());
}

TEST(ServerHandshake, MutualTlsAsksForACertificate) {
    TlsContext::ServerOptions options;
    options.certificate_pem = read_file(certificates().server.certificate);
    options.key_pem = read_file(certificates().server.key);
    options.client_ca_pem = read_file(certificates().ca);
    const auto context = TlsContext::server(options);
    struct Row {
        const char* name;
        const PemFiles* identity;
        bool good;
    };
    for (const Row& row : {Row{"none", nullptr, false}, Row{"ours", &certificates().client, true},
                           Row{"a stranger's", &certificates().unknown_ca, false}}) {
        SCOPED_TRACE(row.name);
        const Result<void> result = serve(*context, [&](Peer& peer) {
            const PeerTls tls;
            if (row.identity != nullptr) {
                SSL_CTX_use_certificate_file(tls.native(), row.identity->certificate.c_str(),
                                             SSL_FILETYPE_PEM);
                SSL_CTX_use_PrivateKey_file(tls.native(), row.identity->key.c_str(),
                                            SSL_FILETYPE_PEM);
            }
            peer.connect_tls(tls);
            peer.read(1);
        });
        EXPECT_EQ(result.has_value(), row.good);
    }
}

TEST(TlsContext, OneTicketNoEarlyDataNoRenegotiation) {
    const auto context = server_context();
    SSL_CTX* native = context->native();
    EXPECT_EQ(SSL_CTX_get_num_tickets(native), 1U);
    EXPECT_EQ(SSL_CTX_get_max_early_data(native), 0U);
    EXPECT_NE(SSL_CTX_get_options(native) & SSL_OP_NO_RENEGOTIATION, 0U);
    EXPECT_NE(SSL_CTX_get_mode(native) & SSL_MODE_RELEASE_BUFFERS, 0);
    EXPECT_EQ(SSL_CTX_get_verify_mode(client_context()->native()), SSL_VERIFY_PEER);
}

TEST(TlsContext, SaysWhatIsWrongWithItsFiles) {
    const std::string certificate = read_file(certificates().server.certificate);
    const std::string key = read_file(certificates().server.key);
    const std::string other_key = read_file(certificates().wrong_host.key);
    struct Row {
        const char* name;
        std::string certificate;
        std::string key;
        std::string client_ca;
        const char* said;
    };
    const std::vector<Row> rows = {
        {"no certificate", "", key, "", "certificate"},
        {"no key", certificate, "", "", "private key"},
        {"another's key", certificate, other_key, "", "private key"},
        {"rubbish in the chain", certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n", key, "",
         "chain"},
        {"no CA", certificate, key, "nothing here", "CA certificate"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        try {
            static_cast<void>(TlsContext::server({row.certificate, row.key, row.client_ca}));
            ADD_FAILURE() << "taken as good";
        } catch (const std::runtime_error& error) {
            EXPECT_NE(std::string(error.what()).find(row.said), std::string::npos) << error.what();
        }
        EXPECT_EQ(ERR_peek_error(), 0U);
    }
}

}  // namespace
