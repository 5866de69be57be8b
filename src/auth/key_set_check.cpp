// What a key is good for, and whether it is good at all.
#include <rotary/auth/key_set.hpp>

#include <array>

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <rotary/base/openssl.hpp>
#include "auth/key_weakness.hpp"

namespace rotary::auth {

namespace {

using openssl::BnPtr;
using openssl::KeyContextPtr;

constexpr int kExponentBitsMax = 64;  // OpenSSL's own cap for long moduli, here for all
constexpr BN_ULONG kExponentUsual = 65537;

int curve_of(const EVP_PKEY* key) noexcept {
    char name[64];
    std::size_t size = 0;
    if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &size) !=
        1) {
        return NID_undef;
    }
    const int nid = OBJ_txt2nid(name);
    return nid != NID_undef ? nid : EC_curve_nist2nid(name);
}

BnPtr bn_of(const EVP_PKEY* key, const char* name) noexcept {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key, name, &value);
    return BnPtr(value);
}

std::string objection_to_rsa(const EVP_PKEY* key, const KeySetLimits& limits) {
    const BnPtr n = bn_of(key, OSSL_PKEY_PARAM_RSA_N);
    const BnPtr e = bn_of(key, OSSL_PKEY_PARAM_RSA_E);
    if (n == nullptr || e == nullptr) return "RSA key without modulus or exponent";
    const int bits = BN_num_bits(n.get());
    if (bits < limits.rsa_bits_min) {
        return "RSA modulus of " + std::to_string(bits) + " bits is too short";
    }
    if (bits > limits.rsa_bits_max) {
        return "RSA modulus of " + std::to_string(bits) + " bits is too long";
    }
    if (BN_is_odd(n.get()) == 0) return "RSA modulus is even";
    if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0) return "RSA exponent is even or 1";
    if (BN_num_bits(e.get()) > kExponentBitsMax) return "RSA exponent is too long";
    if (has_roca_fingerprint(n.get())) {
        return "RSA modulus can be factored: it was made by a faulty generator (ROCA, "
               "CVE-2017-15361); the issuer must make a new key";
    }
    return {};
}

bool is_rsa(const EVP_PKEY* key) noexcept {
    return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
}

bool is_worthless(const EVP_PKEY* key) noexcept {
    std::array<unsigned char, 32> point{};
    std::size_t size = point.size();
    return EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1 ||
           is_worthless_ed25519({reinterpret_cast<const char*>(point.data()), size});
}

}  // namespace

AlgorithmSet algorithms_of(const evp_pkey_st* key) noexcept {
    AlgorithmSet set;
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        set.add(JwtAlgorithm::rs256).add(JwtAlgorithm::rs384).add(JwtAlgorithm::rs512);
    }
    if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
        set.add(JwtAlgorithm::ps256).add(JwtAlgorithm::ps384).add(JwtAlgorithm::ps512);
    }
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        switch (curve_of(key)) {
            case NID_X9_62_prime256v1:
                set.add(JwtAlgorithm::es256);
                break;
            case NID_secp384r1:
                set.add(JwtAlgorithm::es384);
                break;
            case NID_secp521r1:
                set.add(JwtAlgorithm::es512);
                break;
            default:
                break;
        }
    }
    if (EVP_PKEY_is_a(key, "ED25519") == 1) set.add(JwtAlgorithm::eddsa);
    return set;
}

std::string objection_to(evp_pkey_st* key, const KeySetLimits& limits) {
    ERR_clear_error();
    if (algorithms_of(key).empty()) return "type or curve of the key is not served";
    std::string objection;
    if (is_rsa(key)) {
        objection = objection_to_rsa(key, limits);
    } else if (EVP_PKEY_is_a(key, "ED25519") == 1) {
        if (is_worthless(key)) {
            objection = "Ed25519 point is of small order or not canonical: anybody could sign";
        }
    } else if (EVP_PKEY_is_a(key, "EC") == 1) {
        const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
        if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
            objection = "point is not on its curve";
        }
    }
    ERR_clear_error();
    return objection;
}

std::string weakness_of(const evp_pkey_st* key) {
    if (!is_rsa(key)) return {};
    const BnPtr e = bn_of(key, OSSL_PKEY_PARAM_RSA_E);
    const BN_ULONG exponent = e == nullptr ? 0 : BN_get_word(e.get());
    if (exponent >= kExponentUsual) return {};
    return "RSA exponent " + std::to_string(exponent) +
           " is below 65537: verifiers that are less strict than this one can be fooled";
}

}  // namespace rotary::auth
