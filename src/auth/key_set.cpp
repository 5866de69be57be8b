#include <rotary/auth/key_set.hpp>

#include <algorithm>
#include <atomic>
#include <optional>

#include <openssl/core_names.h>

#include <rotary/base/openssl.hpp>
#include <rotary/wire/base64url.hpp>
#include <rotary/wire/json_document.hpp>

namespace rotary::auth {

namespace {

using openssl::BioPtr;
using openssl::BnPtr;
using openssl::CertificatePtr;
using openssl::KeyContextPtr;
using openssl::ParamBuilderPtr;
using openssl::ParamsPtr;

using wire::JsonValue;

// A key, or why there is none. The reasons are literals and numbers: what a stranger's server sent
// never gets into a log by this way.
struct MadeKey {
    PkeyPtr pkey;
    std::string error;
};

struct Curve {
    std::string_view jwk_name;
    const char* group;
    std::size_t coordinate_bytes;
};

constexpr Curve kCurves[] = {
    {"P-256", "prime256v1", 32},
    {"P-384", "secp384r1", 48},
    {"P-521", "secp521r1", 66},
};

constexpr std::size_t kEd25519Bytes = 32;

MadeKey refused(std::string error) { return {nullptr, std::move(error)}; }

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> string_member(const JsonValue& object, std::string_view name) {
    const auto member = object.find(name);
    if (!member || !member->is_string()) return std::nullopt;
    return std::string(*member->string());
}

std::optional<std::string> binary_member(const JsonValue& object, std::string_view name) {
    const auto text = string_member(object, name);
    if (!text || text->empty()) return std::nullopt;
    return wire::base64url_decode(*text);
}

MadeKey from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        EVP_PKEY_free(key);
        return refused("parameters do not make a key");
    }
    return {PkeyPtr(key), {}};
}

// RFC 7518 section 6.3.1
MadeKey make_rsa(const JsonValue& jwk, const KeySetLimits& limits) {
    const auto n = binary_member(jwk, "n");
    const auto e = binary_member(jwk, "e");
    if (!n || !e) return refused("RSA key without n or e in base64url");
    // Checked before OpenSSL sees it: a modulus may be as long as the whole set. One zero byte in
    // front is a common mistake and harmless.
    const std::size_t most = static_cast<std::size_t>(limits.rsa_bits_max) / 8 + 1;
    if (n->size() > most || e->size() > most) return refused("RSA modulus or exponent is too long");
    const BnPtr modulus(BN_bin2bn(bytes_of(*n), static_cast<int>(n->size()), nullptr));
    const BnPtr exponent(BN_bin2bn(bytes_of(*e), static_cast<int>(e->size()), nullptr));
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (modulus == nullptr || exponent == nullptr || builder == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        return refused("out of memory");
    }
    return from_params("RSA", builder.get());
}

// RFC 7518 section 6.2.1: both coordinates in full length, leading zeros included.
MadeKey make_ec(const JsonValue& jwk) {
    const auto name = string_member(jwk, "crv");
    const auto* curve = std::find_if(std::begin(kCurves), std::end(kCurves),
                                     [&](const Curve& c) { return name && c.jwk_name == *name; });
    if (curve == std::end(kCurves)) return refused("curve is not served");
    const auto x = binary_member(jwk, "x");
    const auto y = binary_member(jwk, "y");
    if (!x || !y || x->size() != curve->coordinate_bytes || y->size() != curve->coordinate_bytes) {
        return refused("EC key without x and y in base64url of the curve's length");
    }
    const std::string point = '\x04' + *x + *y;
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group,
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
        return refused("out of memory");
    }
    MadeKey made = from_params("EC", builder.get());
    if (made.pkey == nullptr) made.error = "point is not on its curve";
    return made;
}

// RFC 8037 section 2
MadeKey make_okp(const JsonValue& jwk) {
    if (string_member(jwk, "crv") != "Ed25519") return refused("curve is not served");
    const auto x = binary_member(jwk, "x");
    if (!x || x->size() != kEd25519Bytes) return refused("Ed25519 key without 32 bytes of x");
    PkeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
    if (key == nullptr) return refused("parameters do not make a key");
    return {std::move(key), {}};
}

MadeKey make_key(const JsonValue& jwk, const KeySetLimits& limits) {
    // Every reader of this set could sign with it.
    if (jwk.find("d")) return refused("private key is published");
    const auto type = string_member(jwk, "kty");
    if (type == "RSA") return make_rsa(jwk, limits);
    if (type == "EC") return make_ec(jwk);
    if (type == "OKP") return make_okp(jwk);
    if (type == "oct") return refused("symmetric keys are not served");
    return refused("kty is not served");
}

// RFC 7517 sections 4.2 and 4.3: a key that says what it is for is used for nothing else.
bool is_for_verifying(const JsonValue& jwk) {
    const auto use = jwk.find("use");
    if (use && use->string() != "sig") return false;
    const auto operations = jwk.find("key_ops");
    if (!operations) return true;
    for (const JsonValue operation : operations->elements()) {
        if (operation.string() == "verify") return true;
    }
    return false;
}

// What became of one element of the set: a key, or the reason.
std::string read_jwk(const JsonValue& jwk, const KeySetLimits& limits, PublicKey& key) {
    if (!jwk.is_object()) return "not an object";
    if (!is_for_verifying(jwk)) return "not for verifying signatures";
    const auto kid = jwk.find("kid");
    if (kid && !kid->is_string()) return "kid is not a string";
    if (kid) key.kid = *kid->string();
    if (key.kid.size() > limits.kid_bytes) return "kid is too long";

    MadeKey made = make_key(jwk, limits);
    if (made.pkey == nullptr) return std::move(made.error);
    if (std::string objection = objection_to(made.pkey.get(), limits); !objection.empty()) {
        return objection;
    }
    key.algorithms = algorithms_of(made.pkey.get());
    if (const auto alg = jwk.find("alg")) {
        const auto pinned = parse_algorithm(alg->string().value_or(""));
        if (!pinned || !key.algorithms.has(*pinned)) return "alg does not fit the key";
        key.algorithms = AlgorithmSet().add(*pinned);
    }
    key.pkey = std::move(made.pkey);
    return {};
}

KeySetLoad failed(std::string error) {
    KeySetLoad load;
    load.error = std::move(error);
    return load;
}

std::atomic<std::uint64_t> last_generation{0};

}  // namespace

void PkeyFree::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

KeySet::KeySet(std::vector<PublicKey> keys)
    : keys_(std::move(keys)),
      generation_(last_generation.fetch_add(1, std::memory_order_relaxed) + 1) {}

bool KeySet::same_keys(const KeySet& other) const noexcept {
    return std::equal(keys_.begin(), keys_.end(), other.keys_.begin(), other.keys_.end(),
                      [](const PublicKey& a, const PublicKey& b) {
                          return a.kid == b.kid && a.algorithms == b.algorithms &&
                                 EVP_PKEY_eq(a.pkey.get(), b.pkey.get()) == 1;
                      });
}

bool KeySet::has(std::string_view kid) const noexcept {
    return std::any_of(keys_.begin(), keys_.end(),
                       [kid](const PublicKey& key) { return !key.kid.empty() && key.kid == kid; });
}

KeySetLoad KeySet::from_jwks(std::string_view text, const KeySetLimits& limits) {
    if (text.size() > limits.bytes) return failed("key set is too long");
    wire::JsonLimits json_limits;
    json_limits.bytes = limits.bytes;
    const auto document = wire::JsonDocument::parse(text, json_limits);
    if (!document) return failed("key set is not valid JSON");
    const auto list = document->root().find("keys");
    if (!list || !list->is_array()) return failed("key set has no array \"keys\"");
    if (list->size() > limits.keys) {
        return failed("key set has more than " + std::to_string(limits.keys) + " keys");
    }

    KeySetLoad load;
    std::vector<PublicKey> keys;
    std::size_t index = 0;
    for (const JsonValue jwk : list->elements()) {
        PublicKey key;
        std::string reason = read_jwk(jwk, limits, key);
        const std::string place = "keys[" + std::to_string(index) + "]: ";
        if (reason.empty()) {
            const std::string weakness = weakness_of(key.pkey.get());
            if (!weakness.empty()) load.weak.push_back(place + weakness);
            keys.push_back(std::move(key));
        } else {
            load.skipped.push_back(place + reason);
        }
        ++index;
    }
    ERR_clear_error();
    if (keys.empty()) {
        load.error = "key set has no usable key";
    } else {
        load.keys = std::make_shared<const KeySet>(std::move(keys));
    }
    return load;
}

KeySetLoad KeySet::from_pem(std::string_view text, const KeySetLimits& limits) {
    if (text.size() > limits.bytes) return failed("PEM is too long");
    const BioPtr bio = openssl::open_text(text);
    if (bio == nullptr) return failed("out of memory");
    PublicKey key;
    const CertificatePtr certificate = openssl::next_certificate(bio.get());
    if (certificate != nullptr) {
        key.pkey.reset(X509_get_pubkey(certificate.get()));
    } else if (BIO_reset(bio.get()) == 1) {
        key.pkey.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, openssl::no_passphrase, nullptr));
    }
    ERR_clear_error();
    if (key.pkey == nullptr) return failed("PEM has no certificate and no public key");
    if (std::string objection = objection_to(key.pkey.get(), limits); !objection.empty()) {
        return failed(std::move(objection));
    }
    key.algorithms = algorithms_of(key.pkey.get());
    KeySetLoad load;
    const std::string weakness = weakness_of(key.pkey.get());
    if (!weakness.empty()) load.weak.push_back(weakness);
    std::vector<PublicKey> keys;
    keys.push_back(std::move(key));
    load.keys = std::make_shared<const KeySet>(std::move(keys));
    return load;
}

}  // namespace rotary::auth
