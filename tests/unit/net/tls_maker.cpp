#include "tls_maker.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace rotary::net::test {

namespace {

struct Free {
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    if (extension == nullptr) throw std::runtime_error(value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

Identity make_identity(const std::string& name) {
    const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Free> certificate(X509_new());
    X509* const x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    extend(x509, NID_subject_alt_name, "DNS:" + name + ",IP:127.0.0.1");
    extend(x509, NID_basic_constraints, "critical,CA:TRUE");
    if (X509_sign(x509, key.get(), EVP_sha256()) == 0) throw std::runtime_error("no signature");

    const std::unique_ptr<BIO, Free> certificate_text(BIO_new(BIO_s_mem()));
    const std::unique_ptr<BIO, Free> key_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(certificate_text.get(), x509);
    PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(certificate_text.get()), text_of(key_text.get())};
}

std::shared_ptr<const TlsContext> server_of(const Identity& identity,
                                            const std::string& ticket_keys) {
    return TlsContext::server({identity.certificate, identity.key, "", ticket_keys});
}

std::shared_ptr<const TlsContext> client_of(const Identity& trusted) {
    return TlsContext::client({trusted.certificate});
}

void FreeSsl::operator()(SSL* ssl) const { SSL_free(ssl); }

SslPair make_pair(SSL_CTX* server, SSL_CTX* client) {
    SslPair pair{SslPointer(SSL_new(server)), SslPointer(SSL_new(client))};
    BIO* to_server = nullptr;
    BIO* to_client = nullptr;
    if (BIO_new_bio_pair(&to_server, 0, &to_client, 0) != 1) throw std::runtime_error("no pair");
    SSL_set_bio(pair.server.get(), to_server, to_server);
    SSL_set_bio(pair.client.get(), to_client, to_client);
    SSL_set_accept_state(pair.server.get());
    SSL_set_connect_state(pair.client.get());
    return pair;
}

bool shake_hands(const SslPair& pair) {
    // Each step that is not the last waits for the other end: more than a few are a standstill.
    for (int step = 0; step < 10; ++step) {
        bool done = true;
        for (SSL* const end : {pair.client.get(), pair.server.get()}) {
            ERR_clear_error();
            const int result = SSL_do_handshake(end);
            if (result == 1) continue;
            done = false;
            if (SSL_get_error(end, result) != SSL_ERROR_WANT_READ) return false;
        }
        if (done) return true;
    }
    return false;
}

}  // namespace rotary::net::test
