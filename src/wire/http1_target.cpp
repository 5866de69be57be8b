#include "wire/http1_target.hpp"

#include <rotary/base/percent.hpp>
#include <rotary/wire/http1_scan.hpp>

#include <algorithm>

namespace rotary::wire::http1 {
namespace {

bool is_reg_name(std::string_view name) noexcept {
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (is_class(name[i], kHostChar)) continue;
        if (name[i] != '%' || name.size() - i < 3) return false;
        if (text::hex_value(name[i + 1]) < 0 || text::hex_value(name[i + 2]) < 0) return false;
        i += 2;
    }
    return !name.empty();
}

bool is_ip_literal(std::string_view bracketed) noexcept {
    constexpr std::size_t kLongestIpv6 = 45;
    const std::string_view address = bracketed.substr(1, bracketed.size() - 2);
    for (const char c : address) {
        if (text::hex_value(c) < 0 && c != ':' && c != '.') return false;
    }
    return address.size() <= kLongestIpv6 && std::ranges::count(address, ':') >= 2;
}

bool is_port(std::string_view port) noexcept {
    const auto number = text::parse_unsigned(port);
    return number && port.size() <= 5 && *number <= 65535;
}

// Takes "http://" or "https://" off the front. Which of the two makes no difference to what is
// served: like Host, it says where the client meant to go.
bool take_scheme(std::string_view& target) noexcept {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text::istarts_with(target, scheme)) continue;
        target.remove_prefix(scheme.size());
        return true;
    }
    return false;
}

}  // namespace

bool read_host(std::string_view value, Authority& authority) noexcept {
    std::string_view& host = authority.host;
    if (value.starts_with('[')) {
        const auto close = value.find(']');
        if (close == value.npos) return false;
        host = value.substr(0, close + 1);
        if (!is_ip_literal(host)) return false;
    } else {
        host = value.substr(0, value.find(':'));
        if (!is_reg_name(host)) return false;
    }
    const std::string_view rest = value.substr(host.size());
    if (rest.empty()) return true;
    authority.port = rest.substr(1);
    return rest.front() == ':' && is_port(authority.port);
}

Refusal read_target(std::string_view target, std::size_t uri_bytes, RequestHead& head) noexcept {
    if (target.size() > uri_bytes) return {FaultKind::uri_too_long, ""};
    constexpr Refusal kNoPath = bad("The request target is not a path.");
    if (target.empty() || head.method == "CONNECT") return kNoPath;
    head.target = target;
    if (target == "*") {
        head.path = target;
        return head.method == "OPTIONS" ? Refusal{} : kNoPath;
    }
    if (target.front() != '/') {
        if (!take_scheme(target)) return kNoPath;
        const std::string_view named = target.substr(0, target.find_first_of("/?"));
        Authority authority;
        if (!read_host(named, authority)) return bad("The host of the target is not valid.");
        head.host = authority.host;
        head.port = authority.port;
        target.remove_prefix(named.size());
    }
    const auto mark = target.find('?');
    head.path = mark == 0 || target.empty() ? "/" : target.substr(0, mark);
    head.query = mark == target.npos ? std::string_view{} : target.substr(mark + 1);
    return {};
}

}  // namespace rotary::wire::http1
