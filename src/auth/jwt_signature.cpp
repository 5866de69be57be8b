#include "auth/jwt_signature.hpp"

#include <array>
#include <optional>
#include <string>

#include <openssl/objects.h>
#include <openssl/rsa.h>

#include <rotary/base/openssl.hpp>

namespace rotary::auth {

namespace {

using openssl::BnPtr;
using openssl::EcdsaSigPtr;
using openssl::EcGroupPtr;
using openssl::MdContextPtr;

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

BnPtr order_of(int curve) {
    const EcGroupPtr group(EC_GROUP_new_by_curve_name(curve));
    if (group == nullptr) return nullptr;
    return BnPtr(BN_dup(EC_GROUP_get0_order(group.get())));
}

const BIGNUM* curve_order(JwtAlgorithm algorithm) {
    static const std::array<BnPtr, 3> kOrders{order_of(NID_X9_62_prime256v1),
                                              order_of(NID_secp384r1), order_of(NID_secp521r1)};
    switch (algorithm) {
        case JwtAlgorithm::es256:
            return kOrders[0].get();
        case JwtAlgorithm::es384:
            return kOrders[1].get();
        case JwtAlgorithm::es512:
            return kOrders[2].get();
        default:
            return nullptr;
    }
}

// From r and s side by side (RFC 7518 section 3.4) to the DER that OpenSSL takes. Nothing unless
// the length is exact and 1 <= r, s < n: zeros there once verified anything, in another library.
std::optional<std::string> ecdsa_der(JwtAlgorithm algorithm, std::string_view signature) {
    const std::size_t size = traits(algorithm).coordinate_bytes;
    if (signature.size() != 2 * size) return std::nullopt;
    BnPtr r(BN_bin2bn(bytes_of(signature), static_cast<int>(size), nullptr));
    BnPtr s(BN_bin2bn(bytes_of(signature) + size, static_cast<int>(size), nullptr));
    const BIGNUM* order = curve_order(algorithm);
    const EcdsaSigPtr pair(ECDSA_SIG_new());
    if (r == nullptr || s == nullptr || order == nullptr || pair == nullptr) return std::nullopt;
    if (BN_is_zero(r.get()) != 0 || BN_is_zero(s.get()) != 0 || BN_cmp(r.get(), order) >= 0 ||
        BN_cmp(s.get(), order) >= 0) {
        return std::nullopt;
    }
    if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
    static_cast<void>(r.release());  // the pair owns them now
    static_cast<void>(s.release());

    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    if (i2d_ECDSA_SIG(pair.get(), &out) <= 0) return std::nullopt;
    return der;
}

bool use_pss(EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool check(const PublicKey& key, JwtAlgorithm algorithm, const SignedText& signed_text) {
    const AlgorithmTraits& how = traits(algorithm);
    std::string_view signature = signed_text.signature;
    std::optional<std::string> der;
    if (how.scheme == SignatureScheme::ecdsa) {
        der = ecdsa_der(algorithm, signature);
        if (!der) return false;
        signature = *der;
    }
    const MdContextPtr digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;  // the digest owns it
    if (digest == nullptr || EVP_DigestVerifyInit_ex(digest.get(), &context, how.digest, nullptr,
                                                     nullptr, key.pkey.get(), nullptr) != 1) {
        return false;
    }
    if (how.scheme == SignatureScheme::rsa_pss && !use_pss(context)) return false;
    // -1 is an error, not true.
    return EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(),
                            bytes_of(signed_text.text), signed_text.text.size()) == 1;
}

}  // namespace

bool signature_holds(const PublicKey& key, JwtAlgorithm algorithm, const SignedText& signed_text) {
    if (key.pkey == nullptr || !key.algorithms.has(algorithm)) return false;
    ERR_clear_error();
    const bool holds = check(key, algorithm, signed_text);
    ERR_clear_error();
    return holds;
}

}  // namespace rotary::auth
