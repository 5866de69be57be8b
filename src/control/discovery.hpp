#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::control {

// Where an issuer says where its keys are: OpenID Connect Discovery 1.0, section 4, then RFC 8414,
// section 3.1. The issuer is an absolute URL without query and fragment.
std::vector<std::string> discovery_urls(std::string_view issuer);

// What such a document says.
struct Discovery {
    std::string jwks_uri;
    std::string error;  // empty: jwks_uri may be asked
};

// The document must be the issuer's own, byte for byte (RFC 8414, section 3.3), and its keys must
// not travel in the clear, but on this machine or where that is allowed.
Discovery read_discovery(std::string_view document, std::string_view issuer, std::size_t most_bytes,
                         bool any_http);

}  // namespace rotary::control
