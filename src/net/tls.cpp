#include <rotary/net/tls.hpp>

#include <rotary/base/openssl.hpp>

#include "net/tls_memory.hpp"
#include "net/tls_session.hpp"

#include <openssl/rand.h>

#include <array>
#include <ctime>
#include <stdexcept>

namespace rotary::net {

namespace {

using openssl::BioPtr;
using openssl::CertificatePtr;
using openssl::ContextPtr;
using openssl::next_certificate;
using openssl::no_passphrase;

constexpr const char* kGroups = "P-256:X25519:P-384";                  // fastest here first
constexpr const char* kServerCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // TLS 1.2 only
constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::size_t kTicketKeyBytes = 80;  // a name of 16, keys of 32 for HMAC and for AES
constexpr std::array<unsigned char, 6> kSessionContext = {'r', 'o', 't', 'a', 'r', 'y'};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + openssl::take_reason());
}

void require(int result, const char* what) {
    if (result != 1) fail(what);
}

BioPtr open_text(const std::string& text) {
    BioPtr bio = openssl::open_text(text);
    if (!bio) fail("out of memory");
    return bio;
}

// The text's end, as opposed to a block that can't be read.
void require_end(const char* what) {
    if (!openssl::at_end_of_pem()) fail(what);
    ERR_clear_error();
}

void load_certificate(SSL_CTX* context, const std::string& pem) {
    const BioPtr bio = open_text(pem);
    const CertificatePtr leaf = next_certificate(bio.get());
    if (!leaf) fail("certificate");
    require(SSL_CTX_use_certificate(context, leaf.get()), "certificate");
    while (const CertificatePtr link = next_certificate(bio.get())) {
        require(static_cast<int>(SSL_CTX_add1_chain_cert(context, link.get())),
                "certificate chain");
    }
    require_end("certificate chain");
}

void load_key(SSL_CTX* context, const std::string& pem) {
    const BioPtr bio = open_text(pem);
    const openssl::KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key) fail("private key");
    require(SSL_CTX_use_PrivateKey(context, key.get()), "private key");
    require(SSL_CTX_check_private_key(context), "private key and certificate");
}

void trust(SSL_CTX* context, const std::string& pem, bool name_to_clients) {
    const BioPtr bio = open_text(pem);
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    std::size_t count = 0;
    while (const CertificatePtr authority = next_certificate(bio.get())) {
        require(X509_STORE_add_cert(store, authority.get()), "CA certificate");
        if (name_to_clients)
            require(SSL_CTX_add_client_CA(context, authority.get()), "CA certificate");
        ++count;
    }
    if (count == 0) fail("CA certificate");
    require_end("CA certificate");
}

// Only HTTP/1.1 is spoken here; who offers protocols but not this one learns it by an alert.
// NOLINTNEXTLINE(readability-function-size): SSL_CTX_alpn_select_cb_func says which parameters
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    unsigned char* chosen = nullptr;
    const int result =
        SSL_select_next_proto(&chosen, out_size, kAlpn.data(), static_cast<unsigned>(kAlpn.size()),
                              offered, offered_size);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

ContextPtr make_context(const SSL_METHOD* method) {
    ERR_clear_error();
    ContextPtr context(SSL_CTX_new(method));
    if (!context) fail("TLS context");
    SSL_CTX* raw = context.get();
    require(static_cast<int>(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION)), "TLS version");
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Idle connections hold no record buffers; write_some may take a part, and its caller's bytes
    // may lie elsewhere when it goes on.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(raw, 1);
    require(static_cast<int>(SSL_CTX_set1_groups_list(raw, kGroups)), "TLS groups");
    SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
    return context;
}

}  // namespace

std::shared_ptr<const TlsContext> TlsContext::server(const ServerOptions& options) {
    keep_tls_memory_linked();
    ContextPtr context = make_context(TLS_server_method());
    SSL_CTX* raw = context.get();
    require(SSL_CTX_set_cipher_list(raw, kServerCiphers), "TLS ciphers");
    // Our order, but for clients that put ChaCha20 first: they have no AES in hardware.
    SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    load_certificate(raw, options.certificate_pem);
    load_key(raw, options.key_pem);
    // Sessions live in tickets, which need no cache and no lock; one a connection.
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    require(SSL_CTX_set_num_tickets(raw, 1), "TLS tickets");
    if (!options.ticket_keys.empty()) {
        std::string keys = options.ticket_keys;
        require(static_cast<int>(SSL_CTX_set_tlsext_ticket_keys(raw, keys.data(),
                                                                static_cast<long>(keys.size()))),
                "TLS ticket keys");
    }
    require(SSL_CTX_set_session_id_context(raw, kSessionContext.data(), kSessionContext.size()),
            "TLS session context");
    require(SSL_CTX_set_max_early_data(raw, 0), "TLS early data");  // it can be replayed
    SSL_CTX_set_alpn_select_cb(raw, select_protocol, nullptr);
    if (!options.client_ca_pem.empty()) {
        trust(raw, options.client_ca_pem, true);
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), true));
}

std::shared_ptr<const TlsContext> TlsContext::client(const ClientOptions& options) {
    ContextPtr context = make_context(TLS_client_method());
    SSL_CTX* raw = context.get();
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    if (options.ca_pem.empty()) {
        require(SSL_CTX_set_default_verify_paths(raw), "system CA certificates");
    } else {
        trust(raw, options.ca_pem, false);
    }
    if (!options.certificate_pem.empty()) {
        load_certificate(raw, options.certificate_pem);
        load_key(raw, options.key_pem);
    }
    if (SSL_CTX_set_alpn_protos(raw, kAlpn.data(), static_cast<unsigned>(kAlpn.size())) != 0) {
        fail("TLS ALPN");
    }
    collect_sessions(raw);
    return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), false));
}

std::string TlsContext::make_ticket_keys() {
    std::string keys(kTicketKeyBytes, '\0');
    require(RAND_priv_bytes(reinterpret_cast<unsigned char*>(keys.data()),
                            static_cast<int>(keys.size())),
            "TLS ticket keys");
    return keys;
}

std::chrono::system_clock::time_point TlsContext::certificate_end() const noexcept {
    const X509* leaf = SSL_CTX_get0_certificate(context_);
    std::tm end{};
    if (leaf == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&end));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace rotary::net
