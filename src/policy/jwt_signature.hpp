#pragma once

#include <string_view>

#include <rotary/policy/key_set.hpp>

namespace rotary::policy {

struct SignedText {
    std::string_view text;       // header.payload as they came
    std::string_view signature;  // decoded
};

// True only when the key may be used with the algorithm and the signature holds.
bool signature_holds(const PublicKey& key, JwtAlgorithm algorithm, const SignedText& signed_text);

}  // namespace rotary::policy
