#include <rotary/auth/jwt_algorithm.hpp>

#include <array>

namespace rotary::auth {

namespace {

constexpr std::array<AlgorithmTraits, kJwtAlgorithms> kTraits{{
    {"RS256", SignatureScheme::rsa_pkcs1, "SHA256", 0},
    {"RS384", SignatureScheme::rsa_pkcs1, "SHA384", 0},
    {"RS512", SignatureScheme::rsa_pkcs1, "SHA512", 0},
    {"PS256", SignatureScheme::rsa_pss, "SHA256", 0},
    {"PS384", SignatureScheme::rsa_pss, "SHA384", 0},
    {"PS512", SignatureScheme::rsa_pss, "SHA512", 0},
    {"ES256", SignatureScheme::ecdsa, "SHA256", 32},
    {"ES384", SignatureScheme::ecdsa, "SHA384", 48},
    {"ES512", SignatureScheme::ecdsa, "SHA512", 66},
    {"EdDSA", SignatureScheme::ed25519, nullptr, 0},
}};

}  // namespace

const AlgorithmTraits& traits(JwtAlgorithm algorithm) noexcept {
    return kTraits[static_cast<std::size_t>(algorithm)];
}

std::optional<JwtAlgorithm> parse_algorithm(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kTraits.size(); ++i) {
        if (kTraits[i].name == name) return static_cast<JwtAlgorithm>(i);
    }
    return std::nullopt;
}

}  // namespace rotary::auth
