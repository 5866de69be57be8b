#pragma once

#include <rotary/base/text.hpp>

#include <string_view>

namespace rotary::text {

// Whether a header line of that name says something of one connection alone, and so never goes on
// (RFC 9110 section 7.6.1, and what senders use besides). The length settles which few names it can
// be: one comparison or two.
constexpr bool is_hop_by_hop(std::string_view name) noexcept {
    const auto is = [name](std::string_view other) { return iequals(name, other); };
    switch (name.size()) {
        case 2:
            return is("te");
        case 7:
            return is("upgrade") || is("trailer");
        case 10:
            return is("connection") || is("keep-alive");
        case 16:
            return is("proxy-connection");
        case 17:
            return is("transfer-encoding");
        case 18:
            return is("proxy-authenticate");
        case 19:
            return is("proxy-authorization");
        default:
            return false;
    }
}

}  // namespace rotary::text
