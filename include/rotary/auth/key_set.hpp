#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/auth/jwt_algorithm.hpp>
#include <rotary/config/settings/limits.hpp>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace rotary::auth {

struct PkeyFree {
    void operator()(evp_pkey_st* key) const noexcept;
};
using PkeyPtr = std::unique_ptr<evp_pkey_st, PkeyFree>;

// One verification key. The key decides the algorithms, a token's header only picks among them.
struct PublicKey {
    PkeyPtr pkey;
    std::string kid;  // empty: the key has none
    AlgorithmSet algorithms;
};

struct KeySetLimits {
    std::size_t bytes = config::Limits{}.jwks_bytes;
    std::size_t keys = config::Limits{}.jwks_keys;
    std::size_t kid_bytes = 256;
    int rsa_bits_min = 2048;
    int rsa_bits_max = 8192;  // beyond, one signature costs the CPU of hundreds
    bool operator==(const KeySetLimits&) const = default;
};

class KeySet;

// What became of a key set's text. Without keys, `error` says why.
struct KeySetLoad {
    std::shared_ptr<const KeySet> keys;
    std::string error;
    std::vector<std::string> skipped;  // one line a key that is there and not used; no outside text
    std::vector<std::string> weak;     // one line a key that is used and should be replaced
};

// The verification keys of one issuer. Immutable once built, so all workers share it; OpenSSL's own
// reference counts make its keys safe to use from several threads at once.
class KeySet {
public:
    // A JWK Set (RFC 7517 section 5). A bad key is skipped and the rest serve; a set in which no
    // key can be used is an error, so that the fetcher stays with the last good one.
    static KeySetLoad from_jwks(std::string_view text, const KeySetLimits& limits = {});

    // The first certificate or public key of a PEM text; it has no kid. As in APK the validity
    // dates of a certificate are not looked at: it is only an envelope for the key.
    static KeySetLoad from_pem(std::string_view text, const KeySetLimits& limits = {});

    std::span<const PublicKey> keys() const noexcept { return keys_; }
    bool has(std::string_view kid) const noexcept;  // a key of this name
    // Another number for each set ever built in this process; never 0.
    std::uint64_t generation() const noexcept { return generation_; }
    // The same keys in the same order: fetched anew, nothing to publish.
    bool same_keys(const KeySet& other) const noexcept;

    explicit KeySet(std::vector<PublicKey> keys);

private:
    std::vector<PublicKey> keys_;
    std::uint64_t generation_;
};

// What a key can sign or verify by its type and curve alone; empty for types that are not served.
AlgorithmSet algorithms_of(const evp_pkey_st* key) noexcept;

// Empty when the key may be used, else why not: an RSA key too short, too long or with an exponent
// that is even or out of range, a key that others can make signatures for (ROCA, Ed25519 points of
// small order), a point that is not on its curve, or a type that is not served.
std::string objection_to(evp_pkey_st* key, const KeySetLimits& limits);

// Empty, or why the key's owner should make another though it does its work: an RSA exponent below
// 65537.
std::string weakness_of(const evp_pkey_st* key);

}  // namespace rotary::auth
