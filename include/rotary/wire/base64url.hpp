#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rotary::wire {

// RFC 4648 section 5 as JOSE uses it (RFC 7515 section 2): no padding.
std::string base64url_encode(std::string_view bytes);

// Strict: the alphabet and nothing else (no padding, no whitespace), no length of 4n+1, and the
// bits left over in the last character are zero. So each byte string has exactly one text.
std::optional<std::string> base64url_decode(std::string_view text);

// RFC 4648 section 4 with padding, for Basic credentials (RFC 7617).
std::string base64_encode(std::string_view bytes);

}  // namespace rotary::wire
