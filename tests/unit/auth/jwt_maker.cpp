#include "unit/auth/jwt_maker.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace rotary::auth::test {

namespace {

PkeyPtr make(Kind kind) {
    switch (kind) {
        case Kind::rsa:
        case Kind::other_rsa:
            return PkeyPtr(EVP_RSA_gen(2048));
        case Kind::rsa_1024:
            return PkeyPtr(EVP_RSA_gen(1024));
        case Kind::p256:
        case Kind::other_p256:
            return PkeyPtr(EVP_EC_gen("P-256"));
        case Kind::p384:
            return PkeyPtr(EVP_EC_gen("P-384"));
        case Kind::p521:
            return PkeyPtr(EVP_EC_gen("P-521"));
        case Kind::secp256k1:
            return PkeyPtr(EVP_EC_gen("secp256k1"));
        case Kind::ed25519:
            return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    }
    return nullptr;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

std::string number(Kind kind, const char* name, int width = 0) {
    BIGNUM* value = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key(kind), name, &value), 1);
    if (width == 0) width = BN_num_bytes(value);
    std::string bytes(static_cast<std::size_t>(width), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), width);
    BN_free(value);
    return url_text(bytes);
}

std::string ec_members(Kind kind, const char* curve, int width) {
    return std::string(R"("kty":"EC","crv":")") + curve + R"(","x":")" +
           number(kind, OSSL_PKEY_PARAM_EC_PUB_X, width) + R"(","y":")" +
           number(kind, OSSL_PKEY_PARAM_EC_PUB_Y, width) + '"';
}

std::string members(Kind kind) {
    switch (kind) {
        case Kind::p256:
        case Kind::other_p256:
            return ec_members(kind, "P-256", 32);
        case Kind::p384:
            return ec_members(kind, "P-384", 48);
        case Kind::p521:
            return ec_members(kind, "P-521", 66);
        case Kind::secp256k1:
            return ec_members(kind, "secp256k1", 32);
        case Kind::ed25519: {
            std::string raw(32, '\0');
            std::size_t size = raw.size();
            EVP_PKEY_get_raw_public_key(key(kind), reinterpret_cast<unsigned char*>(raw.data()),
                                        &size);
            return R"("kty":"OKP","crv":"Ed25519","x":")" + url_text(raw) + '"';
        }
        default:
            return R"("kty":"RSA","n":")" + number(kind, OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
                   number(kind, OSSL_PKEY_PARAM_RSA_E) + '"';
    }
}

std::string flat(const std::string& der, std::size_t width) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    std::string bytes(2 * width, '\0');
    auto* out = reinterpret_cast<unsigned char*>(bytes.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, static_cast<int>(width));
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + width, static_cast<int>(width));
    ECDSA_SIG_free(pair);
    return bytes;
}

}  // namespace

evp_pkey_st* key(Kind kind) {
    static std::map<Kind, PkeyPtr> keys;
    PkeyPtr& made = keys[kind];
    if (made == nullptr) made = make(kind);
    EXPECT_NE(made, nullptr);
    return made.get();
}

std::string jwk(Kind kind, std::string_view more) {
    std::string text = '{' + members(kind);
    if (!more.empty()) text.append(",").append(more);
    return text + '}';
}

std::string jwks(std::string_view keys) { return R"({"keys":[)" + std::string(keys) + "]}"; }

std::string public_pem(Kind kind) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key(kind));
    return text_of(bio);
}

std::string private_pem(Kind kind) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key(kind), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
}

std::string certificate_pem(Kind kind) {
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);  // past: only the key counts
    X509_set_pubkey(certificate, key(kind));
    const EVP_MD* digest = kind == Kind::ed25519 ? nullptr : EVP_sha256();
    EXPECT_NE(X509_sign(certificate, key(kind), digest), 0);
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    X509_free(certificate);
    return text_of(bio);
}

std::string url_text(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return text;
}

std::string signature(Kind kind, std::string_view alg, std::string_view text) {
    const EVP_MD* digest = nullptr;
    if (alg.ends_with("256")) digest = EVP_sha256();
    if (alg.ends_with("384")) digest = EVP_sha384();
    if (alg.ends_with("512")) digest = EVP_sha512();
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context, &options, digest, nullptr, key(kind)), 1);
    if (alg.starts_with("PS")) {
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, EVP_MD_get_size(digest));
    }
    std::string bytes(1024, '\0');
    std::size_t size = bytes.size();
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(bytes.data()), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    EVP_MD_CTX_free(context);
    bytes.resize(size);
    if (!alg.starts_with("ES")) return bytes;
    return flat(bytes, static_cast<std::size_t>(EVP_PKEY_get_bits(key(kind)) + 7) / 8);
}

std::string token(Kind kind, std::string_view alg, std::string_view header,
                  std::string_view payload) {
    const std::string text = url_text(header) + '.' + url_text(payload);
    return text + '.' + url_text(signature(kind, alg, text));
}

}  // namespace rotary::auth::test
