#include <rotary/control/https_get_url.hpp>

#include <boost/asio/ip/address.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::control {

namespace {

std::optional<boost::asio::ip::address> literal(const std::string& host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error) return std::nullopt;
    return address;
}

bool is_loopback(const std::string& host) {
    if (text::iequals(host, "localhost")) return true;
    const auto address = literal(host);
    return address && address->is_loopback();
}

bool is_name(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        const char low = text::lower(c);
        return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_';
    });
}

// `host[:port]` or `[v6][:port]` into `url`.
bool take_authority(std::string_view authority, HttpUrl& url) {
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == authority.npos) return false;
        url.host = authority.substr(1, end - 1);
        rest = authority.substr(end + 1);
        const auto address = literal(url.host);
        if (!address || !address->is_v6() || url.host.find('%') != url.host.npos) return false;
    } else {
        const auto colon = authority.find(':');
        url.host = authority.substr(0, colon);
        rest = colon == authority.npos ? std::string_view{} : authority.substr(colon);
        if (!is_name(url.host)) return false;
    }
    const std::uint16_t standard = url.tls ? 443 : 80;
    url.port = standard;
    if (!rest.empty()) {
        const auto port = rest.front() == ':' ? text::parse_unsigned(rest.substr(1)) : std::nullopt;
        if (!port || *port == 0 || *port > 65535) return false;
        url.port = static_cast<std::uint16_t>(*port);
    }
    url.authority = authority.substr(0, authority.size() - rest.size());
    if (url.port != standard) url.authority += ":" + std::to_string(url.port);
    return true;
}

}  // namespace

net::Addresses endpoints_of(const HttpUrl& url, const net::Addresses& addresses) {
    net::Addresses out;
    for (const auto& place : addresses) {
        if (url.tls || place.address().is_loopback()) out.emplace_back(place.address(), url.port);
    }
    return out;
}

bool is_ip_literal(const std::string& host) { return literal(host).has_value(); }

std::optional<HttpUrl> parse_http_url(std::string_view text, bool any_http) {
    constexpr std::string_view https = "https://";
    constexpr std::string_view http = "http://";
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; })) {
        return std::nullopt;
    }
    HttpUrl url;
    url.tls = text::istarts_with(text, https);
    if (!url.tls && !text::istarts_with(text, http)) return std::nullopt;
    text.remove_prefix(url.tls ? https.size() : http.size());
    text = text.substr(0, text.find('#'));
    const auto end = std::min(text.find_first_of("/?\\"), text.size());
    if (!take_authority(text.substr(0, end), url)) return std::nullopt;
    if (!url.tls && !any_http && !is_loopback(url.host)) return std::nullopt;
    const auto target = text.substr(end);
    if (target.starts_with('\\')) return std::nullopt;
    url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return url;
}

}  // namespace rotary::control
