#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rotary/net/resolver.hpp>

namespace rotary::control {

// An absolute https URL, or an http one, whose host is a loopback address or localhost.
struct HttpUrl {
    bool tls = true;
    std::string host;  // a name or an IP literal, without brackets
    std::uint16_t port = 443;
    std::string authority;  // for the Host header: as in the URL, without a default port
    std::string target = "/";
};

// Nothing for another scheme, user information, spaces, control characters and bytes beyond ASCII
// (RFC 3986 has them escaped). A fragment is dropped. With `any_http` the host of an http URL need
// not be a loopback address.
std::optional<HttpUrl> parse_http_url(std::string_view url, bool any_http = false);

// Where the URL's host is, of the addresses that its name has. Plain HTTP that is for this machine
// only stays there, whatever localhost means to the resolver.
net::Addresses endpoints_of(const HttpUrl& url, const net::Addresses& addresses);

bool is_ip_literal(const std::string& host);

}  // namespace rotary::control
