#pragma once

#include <string_view>

#include <rotary/auth/key_set.hpp>

namespace rotary::auth {

struct SignedText {
    std::string_view text;       // header.payload as they came
    std::string_view signature;  // decoded
};

// True only when the key may be used with the algorithm and the signature holds.
bool signature_holds(const PublicKey& key, JwtAlgorithm algorithm, const SignedText& signed_text);

}  // namespace rotary::auth
