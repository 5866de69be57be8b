#pragma once

#include <string>
#include <string_view>

// Encodings by OpenSSL, on purpose not by the code under test.
namespace rotary::test {

std::string to_base64(std::string_view bytes);
std::string to_base64url(std::string_view bytes);   // without padding
std::string from_base64url(std::string_view text);  // throws std::runtime_error

}  // namespace rotary::test
