#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::auth {

// An API key is `rk_`, an id of 8 characters, `_`, a secret of 43 (256 bits) and a checksum of 6,
// all of base62. The id may be logged; the checksum finds typing errors and helps secret scanners.
inline constexpr std::string_view kApiKeyPrefix = "rk_";
inline constexpr std::size_t kApiKeyIdBytes = 8;
inline constexpr std::size_t kApiKeyBytes = 3 + kApiKeyIdBytes + 1 + 43 + 6;

using ApiKeyId = std::array<char, kApiKeyIdBytes>;
using KeyDigest = std::array<std::uint8_t, 32>;  // SHA-256 of the whole key

// A new key from OpenSSL's random numbers. Throws std::runtime_error when there are none.
std::string make_api_key();

// Whether a credential means to be such a key: it is judged as one, and as nothing else. No JWT
// begins so.
constexpr bool is_api_key(std::string_view credential) noexcept {
    return credential.starts_with(kApiKeyPrefix);
}
// Whether it has the form of one and its checksum fits. Decided without any lookup.
bool is_whole_api_key(std::string_view key) noexcept;
// The id of a key that has the form.
ApiKeyId id_of(std::string_view key) noexcept;

// "sha256:" and 64 hexadecimal digits, as resources hold it, and back.
std::string hash_text(const KeyDigest& digest);
std::optional<KeyDigest> parse_hash(std::string_view text) noexcept;

// Allocates nothing; half a microsecond at most.
KeyDigest digest_of(std::string_view key) noexcept;

}  // namespace rotary::auth
