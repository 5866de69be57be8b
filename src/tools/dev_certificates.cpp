#include <rotary/tools/dev_certificates.hpp>

#include <rotary/base/json_text.hpp>
#include <rotary/base/openssl.hpp>
#include <rotary/tools/private_folder.hpp>
#include <rotary/wire/base64url.hpp>

#include <openssl/core_names.h>

#include <stdexcept>

namespace rotary::tools {

namespace {

using openssl::BioPtr;
using openssl::BnPtr;
using openssl::CertificatePtr;
using openssl::KeyPtr;

constexpr const char* kNames =
    "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:default.gw.wso2.com,DNS:default.sandbox.gw.wso2.com";
constexpr long kHour = 60 * 60;
constexpr long kLife = 30 * 24 * kHour;
constexpr std::size_t kCoordinateBytes = 32;  // of a point on P-256
constexpr int kSerialBits = 127;              // positive, and 20 bytes at most (RFC 5280, 4.1.2.2)
constexpr const char* kKid = "demo-1";

void must(bool fine, const char* what) {
    if (!fine) throw std::runtime_error(std::string("can't make a certificate: ") + what);
}

KeyPtr new_key() {
    KeyPtr key(EVP_EC_gen("P-256"));
    must(key != nullptr, "no key on P-256");
    return key;
}

void extend(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    must(extension != nullptr, value);
    const int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    must(added == 1, value);
}

void set_serial(X509* certificate) {
    const BnPtr serial(BN_new());
    must(serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
             BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr,
         "no serial number");
}

// Everything but extensions and signature.
CertificatePtr blank(const char* name, EVP_PKEY* key) {
    CertificatePtr certificate(X509_new());
    X509* const x509 = certificate.get();
    must(x509 != nullptr, "no memory");
    X509_set_version(x509, X509_VERSION_3);
    set_serial(x509);
    X509_gmtime_adj(X509_getm_notBefore(x509), -kHour);
    X509_gmtime_adj(X509_getm_notAfter(x509), kLife);
    must(X509_set_pubkey(x509, key) == 1, "its key");
    const auto* text = reinterpret_cast<const unsigned char*>(name);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, text, -1, -1,
                                    0) == 1,
         "its name");
    return certificate;
}

CertificatePtr make_authority(EVP_PKEY* key) {
    CertificatePtr ca = blank("Rotary development CA", key);
    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
    extend(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    must(X509_sign(ca.get(), key, EVP_sha256()) > 0, "the authority's signature");
    return ca;
}

CertificatePtr make_server(EVP_PKEY* key, X509* ca, EVP_PKEY* ca_key) {
    CertificatePtr server = blank("Rotary development gateway", key);
    X509_set_issuer_name(server.get(), X509_get_subject_name(ca));
    extend(server.get(), ca, NID_subject_key_identifier, "hash");
    extend(server.get(), ca, NID_authority_key_identifier, "keyid:always");
    extend(server.get(), ca, NID_basic_constraints, "critical,CA:FALSE");
    extend(server.get(), ca, NID_key_usage, "critical,digitalSignature");
    extend(server.get(), ca, NID_ext_key_usage, "serverAuth");
    extend(server.get(), ca, NID_subject_alt_name, kNames);
    must(X509_sign(server.get(), ca_key, EVP_sha256()) > 0, "the signature");
    return server;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    must(size > 0, "empty PEM");
    return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    must(bio && PEM_write_bio_X509(bio.get(), certificate) == 1, "its PEM");
    return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    must(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                                              nullptr) == 1,
         "its key's PEM");
    return text_of(bio.get());
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
    BIGNUM* raw = nullptr;
    must(EVP_PKEY_get_bn_param(key, name, &raw) == 1, name);
    const BnPtr value(raw);
    std::string bytes(kCoordinateBytes, '\0');
    must(BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()),
         name);
    return wire::base64url_encode(bytes);
}

std::string jwks_of(const EVP_PKEY* key) {
    std::string out = R"({"keys":[{"kid":)";
    text::append_json_string(out, kKid);
    out += R"(,"use":"sig","alg":"ES256","kty":"EC","crv":"P-256","x":")";
    out += coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")";
    out += coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y) + "\"}]}\n";
    return out;
}

}  // namespace

DevCertificates make_dev_certificates(const std::string& folder) {
    const KeyPtr ca_key = new_key();
    const KeyPtr server_key = new_key();
    const KeyPtr issuer_key = new_key();
    const CertificatePtr ca = make_authority(ca_key.get());
    const CertificatePtr server = make_server(server_key.get(), ca.get(), ca_key.get());

    DevCertificates made;
    made.ca = folder + "/ca.crt";
    made.certificate = folder + "/server.crt";
    made.key = folder + "/server.key";
    made.issuer_key = folder + "/issuer.key";
    made.issuer_jwks = folder + "/issuer.jwks.json";
    made.issuer_kid = kKid;
    write_private_file(made.ca, pem_of(ca.get()));
    write_private_file(made.certificate, pem_of(server.get()));
    write_private_file(made.key, pem_of(server_key.get()));
    write_private_file(made.issuer_key, pem_of(issuer_key.get()));
    write_private_file(made.issuer_jwks, jwks_of(issuer_key.get()));
    return made;
}

}  // namespace rotary::tools
