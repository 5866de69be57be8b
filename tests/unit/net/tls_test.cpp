// The settings of a TlsContext, asked of OpenSSL and tried in handshakes through memory.
#include "tls_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::net {
namespace {

using test::Identity;
using test::make_identity;
using test::make_pair;
using test::shake_hands;
using test::SslPair;
using testing::StartsWith;

const Identity& identity() {
    static const Identity kIdentity = make_identity("localhost");
    return kIdentity;
}

// A client as OpenSSL has it, that verifies nothing.
struct PlainClient {
    PlainClient() : context(SSL_CTX_new(TLS_client_method())) {}
    ~PlainClient() { SSL_CTX_free(context); }
    PlainClient(const PlainClient&) = delete;
    PlainClient& operator=(const PlainClient&) = delete;
    SSL_CTX* context;
};

TEST(TlsSettings, HoldForBothSides) {
    for (const auto& context : {test::server_of(identity()), test::client_of(identity())}) {
        SCOPED_TRACE(context->is_server() ? "server" : "client");
        SSL_CTX* const raw = context->native();
        EXPECT_EQ(SSL_CTX_get_min_proto_version(raw), TLS1_2_VERSION);
        EXPECT_TRUE(SSL_CTX_get_options(raw) & SSL_OP_NO_RENEGOTIATION);
        EXPECT_TRUE(SSL_CTX_get_options(raw) & SSL_OP_NO_COMPRESSION);
        EXPECT_FALSE(SSL_CTX_get_options(raw) & SSL_OP_IGNORE_UNEXPECTED_EOF)
            << "a cut is no proper end";
        const long modes = SSL_CTX_get_mode(raw);
        EXPECT_TRUE(modes & SSL_MODE_RELEASE_BUFFERS);
        EXPECT_TRUE(modes & SSL_MODE_ENABLE_PARTIAL_WRITE);
        EXPECT_TRUE(modes & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        EXPECT_EQ(SSL_CTX_get_read_ahead(raw), 1);
    }
}

TEST(TlsSettings, OfAServerKeepSessionsInOneTicketAndTakeNoEarlyData) {
    SSL_CTX* const raw = test::server_of(identity())->native();
    EXPECT_EQ(SSL_CTX_get_num_tickets(raw), 1U);
    EXPECT_EQ(SSL_CTX_get_max_early_data(raw), 0U);
    EXPECT_EQ(SSL_CTX_get_session_cache_mode(raw), SSL_SESS_CACHE_OFF);
    EXPECT_TRUE(SSL_CTX_get_options(raw) & SSL_OP_CIPHER_SERVER_PREFERENCE);
    EXPECT_EQ(SSL_CTX_get_verify_mode(raw), SSL_VERIFY_NONE);
}

TEST(TlsSettings, OfAServerWithClientCasAskForACertificate) {
    const auto context =
        TlsContext::server({identity().certificate, identity().key, identity().certificate});
    EXPECT_EQ(SSL_CTX_get_verify_mode(context->native()),
              SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    EXPECT_EQ(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(context->native())), 1);
    const PlainClient client;
    const SslPair pair = make_pair(context->native(), client.context);
    shake_hands(pair);
    EXPECT_FALSE(SSL_is_init_finished(pair.server.get())) << "it had no certificate";
}

TEST(TlsSettings, OfAClientVerify) {
    EXPECT_EQ(SSL_CTX_get_verify_mode(test::client_of(identity())->native()), SSL_VERIFY_PEER);
    EXPECT_EQ(SSL_CTX_get_verify_mode(TlsContext::client({})->native()), SSL_VERIFY_PEER);
    EXPECT_FALSE(TlsContext::client({})->is_server());
}

TEST(TlsHandshake, IsWithWhoIsTrustedAlone) {
    const auto server = test::server_of(identity());
    const auto friends = test::client_of(identity());
    const auto strangers = test::client_of(make_identity("localhost"));
    EXPECT_TRUE(shake_hands(make_pair(server->native(), friends->native())));
    const SslPair pair = make_pair(server->native(), strangers->native());
    EXPECT_FALSE(shake_hands(pair));
    EXPECT_NE(SSL_get_verify_result(pair.client.get()), X509_V_OK);
}

TEST(TlsHandshake, NeedsAVersionOfToday) {
    struct Row {
        int version;
        bool good;
    };
    const Row rows[] = {{TLS1_VERSION, false},
                        {TLS1_1_VERSION, false},
                        {TLS1_2_VERSION, true},
                        {TLS1_3_VERSION, true}};
    const auto server = test::server_of(identity());
    for (const Row& row : rows) {
        const PlainClient client;
        SSL_CTX_set_security_level(client.context, 0);
        SSL_CTX_set_min_proto_version(client.context, row.version);
        SSL_CTX_set_max_proto_version(client.context, row.version);
        EXPECT_EQ(shake_hands(make_pair(server->native(), client.context)), row.good)
            << row.version;
    }
}

TEST(TlsHandshake, TakesCiphersThatKeepSecretsLaterToo) {
    struct Row {
        const char* name;
        const char* ciphers;
        const char* chosen;  // empty: none
    };
    const Row rows[] = {
        {"the server's order", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
         "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"ChaCha20 for who puts it first",
         "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384",
         "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"CBC", "ECDHE-ECDSA-AES128-SHA256", ""},
        {"no forward secrecy", "AES128-GCM-SHA256", ""},
    };
    const auto server = test::server_of(identity());
    for (const Row& row : rows) {
        const PlainClient client;
        SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);
        ASSERT_EQ(SSL_CTX_set_cipher_list(client.context, row.ciphers), 1);
        const SslPair pair = make_pair(server->native(), client.context);
        EXPECT_EQ(shake_hands(pair), *row.chosen != '\0') << row.name;
        if (*row.chosen != '\0') {
            EXPECT_STREQ(SSL_get_cipher_name(pair.server.get()), row.chosen) << row.name;
        }
    }
}

TEST(TlsHandshake, SpeaksHttp11OrNothing) {
    struct Row {
        const char* name;
        std::string offer;  // as on the wire: each behind its length
        bool good;
        std::string chosen;
    };
    const Row rows[] = {
        {"nothing offered", "", true, ""},
        {"HTTP/1.1", "\x08http/1.1", true, "http/1.1"},
        {"HTTP/2 first", "\x02h2\x08http/1.1", true, "http/1.1"},
        {"HTTP/2 alone", "\x02h2", false, ""},
        {"HTTP/1.0 alone", "\x08http/1.0", false, ""},
    };
    const auto server = test::server_of(identity());
    for (const Row& row : rows) {
        const PlainClient client;
        if (!row.offer.empty()) {
            SSL_CTX_set_alpn_protos(client.context,
                                    reinterpret_cast<const unsigned char*>(row.offer.data()),
                                    static_cast<unsigned>(row.offer.size()));
        }
        const SslPair pair = make_pair(server->native(), client.context);
        EXPECT_EQ(shake_hands(pair), row.good) << row.name;
        const unsigned char* chosen = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(pair.server.get(), &chosen, &size);
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), row.chosen) << row.name;
    }
}

TEST(TlsHandshake, OfAClientOffersHttp11) {
    const auto server = test::server_of(identity());
    const auto client = test::client_of(identity());
    const SslPair pair = make_pair(server->native(), client->native());
    ASSERT_TRUE(shake_hands(pair));
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(pair.client.get(), &chosen, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
}

// Whether a session that the first server gave is taken up by the second.
bool resumes(const TlsContext& first, const TlsContext& second) {
    const PlainClient client;
    SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);  // its tickets need no read
    const SslPair before = make_pair(first.native(), client.context);
    if (!shake_hands(before)) throw std::runtime_error("no handshake");
    SSL_SESSION* const session = SSL_get1_session(before.client.get());
    const SslPair after = make_pair(second.native(), client.context);
    SSL_set_session(after.client.get(), session);
    SSL_SESSION_free(session);
    if (!shake_hands(after)) throw std::runtime_error("no second handshake");
    return SSL_session_reused(after.server.get()) == 1;
}

TEST(TlsTickets, AreTakenUpByWhoHasTheirKeys) {
    const std::string keys = TlsContext::make_ticket_keys();
    const auto one = test::server_of(identity(), keys);
    const auto same = test::server_of(make_identity("localhost"), keys);
    const auto other = test::server_of(identity(), TlsContext::make_ticket_keys());
    const auto own = test::server_of(identity());
    EXPECT_TRUE(resumes(*one, *one));
    EXPECT_TRUE(resumes(*one, *same)) << "a certificate that was changed";
    EXPECT_FALSE(resumes(*one, *other));
    EXPECT_TRUE(resumes(*own, *own));
    EXPECT_FALSE(resumes(*own, *one));
}

TEST(TlsTickets, KeysAreLongAndNeverTheSame) {
    const std::string keys = TlsContext::make_ticket_keys();
    EXPECT_EQ(keys.size(), 80U);
    EXPECT_NE(keys, TlsContext::make_ticket_keys());
}

TEST(TlsFiles, SayWhatIsWrongWithThem) {
    struct Row {
        const char* name;
        TlsContext::ServerOptions options;
        const char* says;
    };
    const std::string certificate = identity().certificate;
    const std::string key = identity().key;
    const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const Row rows[] = {
        {"nothing", {"", "", ""}, "certificate: "},
        {"a key for a certificate", {key, key, ""}, "certificate: "},
        {"no key", {certificate, "", ""}, "private key: "},
        {"a certificate for a key", {certificate, certificate, ""}, "private key: "},
        {"another's key", {certificate, make_identity("x").key, ""}, "private key"},
        {"a broken link in the chain", {certificate + broken, key, ""}, "certificate chain: "},
        {"no client CA in it", {certificate, key, "text"}, "CA certificate: "},
        {"a broken client CA", {certificate, key, certificate + broken}, "CA certificate: "},
        {"ticket keys of another length", {certificate, key, "", "short"}, "TLS ticket keys: "},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        try {
            TlsContext::server(row.options);
            ADD_FAILURE() << "was taken";
        } catch (const std::runtime_error& error) {
            EXPECT_THAT(error.what(), StartsWith(row.says));
        }
        EXPECT_EQ(ERR_peek_error(), 0U) << "nothing is left for the next call";
    }
    EXPECT_THROW(TlsContext::client({"text"}), std::runtime_error);
    EXPECT_NO_THROW(TlsContext::server({certificate + "text behind it\n", key, ""}));
}

}  // namespace
}  // namespace rotary::net
