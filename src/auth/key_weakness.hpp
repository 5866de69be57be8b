#pragma once

#include <string_view>

#include <openssl/bn.h>

// Keys that are well formed and worth nothing, or less than they should be.
namespace rotary::auth {

// `encoded`: 32 bytes, RFC 8032 section 5.1.2. True for a point of small order, under which
// signatures that hold for any text are a matter of guessing eight values, and for an encoding that
// section 5.1.3 refuses. OpenSSL takes both.
bool is_worthless_ed25519(std::string_view encoded) noexcept;

// Whether a modulus carries the fingerprint of Infineon's generator (ROCA, CVE-2017-15361), whose
// keys can be factored: modulo each small prime it is a power of 65537. By chance one modulus in
// some hundred millions does.
bool has_roca_fingerprint(const BIGNUM* modulus) noexcept;

}  // namespace rotary::auth
