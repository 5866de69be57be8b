#pragma once

#include <rotary/tools/token.hpp>

#include <string>
#include <string_view>

namespace rotary::test {

inline constexpr const char* kIssuer = "https://issuer.example.test";

// Of kIssuer, signed by issuers().rsa as kid "rsa", for subject "tester", an hour long.
// Change what the test is about and hand it to make_token().
tools::TokenOptions token_options();

// Throws std::runtime_error when it can't be made. `now` in place of the wall clock.
std::string make_token(const tools::TokenOptions& options);
std::string make_token(const tools::TokenOptions& options, WallTime now);

// "Bearer …", valid now.
std::string bearer();

// Any header and payload, as JSON, with any signature, as bytes: what no honest issuer sends.
std::string forge_token(std::string_view header, std::string_view payload,
                        std::string_view signature);

// The part of a token, decoded: 0 the header, 1 the payload, 2 the signature.
std::string token_part(std::string_view token, int part);

}  // namespace rotary::test
