#pragma once

#include <string>
#include <string_view>

#include <rotary/auth/key_set.hpp>

// Keys and tokens for the tests of this room, made with OpenSSL alone and without our own code, so
// that a mistake there can't cancel out. Every key is made once a process.
namespace rotary::auth::test {

enum class Kind { rsa, other_rsa, rsa_1024, p256, other_p256, p384, p521, secp256k1, ed25519 };

evp_pkey_st* key(Kind kind);

// {"kty":…,"n":…} with `more` (as `"kid":"a","use":"sig"`) behind the key's own members.
std::string jwk(Kind kind, std::string_view more = "");
// {"keys":[…]} around what is given, separated by commas.
std::string jwks(std::string_view keys);

std::string public_pem(Kind kind);
std::string private_pem(Kind kind);
std::string certificate_pem(Kind kind);

std::string url_text(std::string_view bytes);  // base64url

// The raw signature as a JWS has it.
std::string signature(Kind kind, std::string_view alg, std::string_view text);
// Header and payload as JSON texts, signed as `alg` says, whatever the header says.
std::string token(Kind kind, std::string_view alg, std::string_view header,
                  std::string_view payload);

}  // namespace rotary::auth::test
