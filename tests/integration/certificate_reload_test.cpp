#include "edge_support.hpp"

#include <support/certificates.hpp>
#include <support/mounted_volume.hpp>
#include <support/temp_dir.hpp>
#include <support/tokens.hpp>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

// Certificates, keys and key sets that change under a gateway, in folders outside its own.
namespace rotary::test {
namespace {

std::map<std::string, std::string> pair_of(const PemFiles& files) {
    return {{"tls.crt", read_file(files.certificate)}, {"tls.key", read_file(files.key)}};
}

// The listener's certificate and key as cert-manager mounts them.
struct Mounted {
    Mounted() : secret(folder.path() / "tls") { secret.publish(pair_of(certificates().server)); }
    GatewayOptions options(bool watch) const {
        GatewayOptions made =
            with_process(watch ? "timeouts: {watch_settle: 50ms}\n" : "watch: false\n");
        made.certificate = secret / "tls.crt";
        made.key = secret / "tls.key";
        return made;
    }
    TempDir folder;
    MountedVolume secret;
};

// Whether a new client that trusts this authority alone is served.
bool serves(const Gateway& gateway, const std::string& ca) {
    ClientOptions client = gateway.client();
    client.ca = ca;
    try {
        return fetch(client, chat()).status == 200;
    } catch (const ClientError&) {
        return false;
    }
}

std::string generation_of(const Gateway& gateway) {
    return json_at(gateway.admin("/api/v1/status"), "generation");
}

TEST(CertificateReload, AMountedSecretThatIsSwappedServesNewHandshakes) {
    Mounted mounted;
    Edge edge(mounted.options(true));
    TestClient old = edge.gateway.connect();
    ASSERT_EQ(old.exchange(chat()).status, 200U);
    ASSERT_FALSE(serves(edge.gateway, certificates().other_ca));
    for (int round = 0; round < 2; ++round) {
        mounted.secret.publish(pair_of(certificates().unknown_ca));
        EXPECT_TRUE(eventually([&] { return serves(edge.gateway, certificates().other_ca); }));
        EXPECT_FALSE(serves(edge.gateway, certificates().ca));
        mounted.secret.publish(pair_of(certificates().server));
        EXPECT_TRUE(eventually([&] { return serves(edge.gateway, certificates().ca); }));
    }
    EXPECT_EQ(old.exchange(chat()).status, 200U) << "no connection is closed for it";
}

TEST(CertificateReload, AnEqualConfigurationWithAnotherCertificateIsAnotherOne) {
    Mounted mounted;
    Edge edge(mounted.options(false));
    mounted.secret.publish(pair_of(certificates().unknown_ca));
    const admin::ReloadOutcome outcome = edge.gateway.server().reload();
    EXPECT_TRUE(outcome.ok) << outcome.findings;
    EXPECT_EQ(generation_of(edge.gateway), "2");
    EXPECT_TRUE(serves(edge.gateway, certificates().other_ca));
}

TEST(CertificateReload, AnotherPathTakesEffectToo) {
    Mounted mounted;
    Edge edge(mounted.options(false));
    GatewayOptions next = in_front_of(*edge.mock, mounted.options(false));
    next.certificate = certificates().unknown_ca.certificate;
    next.key = certificates().unknown_ca.key;
    edge.gateway.files().write(next);
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_TRUE(serves(edge.gateway, certificates().other_ca));
    EXPECT_EQ(json_size(edge.gateway.admin("/api/v1/status"), "waiting_for_restart"), 0U);
}

TEST(CertificateReload, ABrokenOneLeavesTheOldOneInForceAndIsNamed) {
    Mounted mounted;
    Edge edge(mounted.options(false));
    const std::string certificate = mounted.secret / "tls.crt";
    const std::string key = mounted.secret / "tls.key";
    struct Row {
        const char* name;
        std::map<std::string, std::string> files;
        std::string finding;
    };
    auto mixed = pair_of(certificates().server);
    mixed["tls.key"] = read_file(certificates().wrong_host.key);
    auto no_key = pair_of(certificates().server);
    no_key["tls.key"] = "nothing";
    const Row rows[] = {
        {"mixed", mixed, "listeners[0].tls.key: " + key + ": it does not belong"},
        {"no key", no_key, "listeners[0].tls.key: " + key + ": no private key is in it"},
        {"expired", pair_of(certificates().expired),
         "listeners[0].tls.certificate: " + certificate + ": the certificate has expired on "},
        {"not yet valid", pair_of(certificates().not_yet),
         "listeners[0].tls.certificate: " + certificate + ": the certificate is not valid before "},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mounted.secret.publish(row.files);
        const admin::ReloadOutcome outcome = edge.gateway.server().reload();
        EXPECT_FALSE(outcome.ok);
        EXPECT_THAT(outcome.findings, testing::HasSubstr(row.finding));
        EXPECT_TRUE(serves(edge.gateway, certificates().ca));
        EXPECT_EQ(edge.gateway.metric("rotary_config_last_reload_successful"), 0);
    }
    EXPECT_EQ(generation_of(edge.gateway), "1");
    mounted.secret.publish(pair_of(certificates().server));
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(edge.gateway.metric("rotary_config_last_reload_successful"), 1);
}

// A connection of its own each time; the session it was given goes into `session`.
bool resumed(const Gateway& gateway, int version, SSL_SESSION*& session) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(gateway.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (session != nullptr) SSL_set_session(ssl, session);
    EXPECT_EQ(SSL_connect(ssl), 1);
    const bool taken_up = SSL_session_reused(ssl) == 1;
    const std::string request = "GET /none HTTP/1.1\r\nHost: default.gw.wso2.com\r\n\r\n";
    EXPECT_EQ(SSL_write(ssl, request.data(), static_cast<int>(request.size())),
              static_cast<int>(request.size()));
    char byte = 0;
    EXPECT_EQ(SSL_read(ssl, &byte, 1), 1) << "with it comes the ticket";
    SSL_SESSION_free(session);
    session = SSL_get1_session(ssl);
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // or it can't be resumed
    SSL_free(ssl);
    ::close(fd);
    SSL_CTX_free(context);
    return taken_up;
}

TEST(CertificateReload, SessionsAreResumedAcrossTheSwapAndAcrossWorkers) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Mounted mounted;
        Edge edge(mounted.options(false));
        SSL_SESSION* session = nullptr;
        EXPECT_FALSE(resumed(edge.gateway, version, session));
        // The kernel spreads these over both workers.
        for (int i = 0; i < 12; ++i) EXPECT_TRUE(resumed(edge.gateway, version, session)) << i;
        mounted.secret.publish(pair_of(certificates().unknown_ca));
        ASSERT_TRUE(edge.gateway.server().reload().ok);
        for (int i = 0; i < 12; ++i) EXPECT_TRUE(resumed(edge.gateway, version, session)) << i;
        SSL_SESSION_free(session);
    }
}

TEST(CertificateReload, AKeySetThatIsReplacedNeedsNoSignal) {
    const TempDir outside;
    const Issuers& all = issuers();
    GatewayOptions options = with_process("timeouts: {watch_settle: 50ms}\n");
    options.jwks_file =
        outside.write("keys/jwks.json", make_jwks({{"ec384", all.ec384.key, "ES384"}}));
    Edge edge(options);
    const auto status = [&] { return fetch(edge.gateway.client(), chat()).status; };
    ASSERT_EQ(status(), 401U) << "the token's key is in the other set";
    outside.write("keys/next.json", all.jwks);
    std::filesystem::rename(outside / "keys/next.json", outside / "keys/jwks.json");
    EXPECT_TRUE(eventually([&] { return status() == 200U; }));

    outside.write("keys/jwks.json", "{\"keys\": 5}");
    EXPECT_TRUE(eventually(
        [&] { return edge.gateway.metric("rotary_config_last_reload_successful") == 0; }));
    EXPECT_THAT(edge.gateway.admin("/readyz?verbose"),
                testing::HasSubstr(options.jwks_file + ": not a usable key set"));
    EXPECT_EQ(status(), 200U) << "the last good keys stay";
}

}  // namespace
}  // namespace rotary::test
