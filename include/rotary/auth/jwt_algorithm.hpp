#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::auth {

// The signature algorithms of RFC 7518 and RFC 8037 that are served. There is no `none` and no HS*
// to be talked into, whatever a token's header says.
enum class JwtAlgorithm : std::uint8_t {
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa,
};

inline constexpr std::size_t kJwtAlgorithms = 10;

enum class SignatureScheme : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519 };

struct AlgorithmTraits {
    std::string_view name;
    SignatureScheme scheme;
    const char* digest;            // OpenSSL's name; null where the scheme brings its own
    std::size_t coordinate_bytes;  // of an ES* signature's r and s each; 0 for the rest
};

const AlgorithmTraits& traits(JwtAlgorithm algorithm) noexcept;

// Exact, case and all.
std::optional<JwtAlgorithm> parse_algorithm(std::string_view name) noexcept;

// A set of algorithms, one bit each.
class AlgorithmSet {
public:
    constexpr AlgorithmSet() noexcept = default;

    constexpr AlgorithmSet& add(JwtAlgorithm algorithm) noexcept {
        bits_ = static_cast<std::uint16_t>(bits_ | bit(algorithm));
        return *this;
    }
    constexpr bool has(JwtAlgorithm algorithm) const noexcept {
        return (bits_ & bit(algorithm)) != 0;
    }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    // The first in the order of the enumeration: what a key signs with unless told otherwise.
    constexpr std::optional<JwtAlgorithm> first() const noexcept {
        for (std::size_t i = 0; i < kJwtAlgorithms; ++i) {
            if (has(static_cast<JwtAlgorithm>(i))) return static_cast<JwtAlgorithm>(i);
        }
        return std::nullopt;
    }
    constexpr bool operator==(const AlgorithmSet&) const noexcept = default;

private:
    static constexpr unsigned bit(JwtAlgorithm algorithm) noexcept {
        return 1u << static_cast<unsigned>(algorithm);
    }

    std::uint16_t bits_ = 0;
};

}  // namespace rotary::auth
