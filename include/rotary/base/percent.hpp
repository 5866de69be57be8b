#pragma once

#include <optional>
#include <string>
#include <string_view>

// Percent-encoding, RFC 3986 section 2.1, and the digits it is made of.
namespace rotary::text {

// Of one hexadecimal digit, either case; -1 when it is none.
constexpr int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char low = static_cast<char>(digit | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Everything but the unreserved characters of section 2.3 is encoded, in capitals.
std::string percent_encoded(std::string_view text);

// Nothing when an escape is malformed. A plus stays one.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace rotary::text
