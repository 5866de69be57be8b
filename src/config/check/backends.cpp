#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

#include <rotary/base/text.hpp>
#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

// 169.254.0.0/16, fe80::/10, and the former written as IPv6. Cloud machines answer there with
// their own credentials.
bool is_link_local(const std::string& host) {
    std::array<unsigned char, 4> v4{};
    if (inet_pton(AF_INET, host.c_str(), v4.data()) == 1) {
        return v4[0] == 169 && v4[1] == 254;
    }
    std::array<unsigned char, 16> v6{};
    if (inet_pton(AF_INET6, host.c_str(), v6.data()) != 1) {
        return false;
    }
    const bool is_mapped = v6[10] == 0xFF && v6[11] == 0xFF &&
                           std::all_of(v6.begin(), v6.begin() + 10, [](auto b) { return b == 0; });
    return (v6[0] == 0xFE && (v6[1] & 0xC0U) == 0x80) ||
           (is_mapped && v6[12] == 169 && v6[13] == 254);
}

bool is_loopback(const std::string& host) {
    return host == "localhost" || host.starts_with("127.") || host == "::1";
}

// Resolvers read 2852039166, 0xa9fea9fe and 169.254.43518 as addresses: nothing but the usual form
// is taken for one, so that no other way leads around the check above.
bool ends_in_number(std::string_view host) {
    const std::string_view last = host.substr(host.rfind('.') + 1);
    const bool digits =
        std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits || last.starts_with("0x") || last.starts_with("0X");
}

void check_host(Checker& checker, const Backend& backend) {
    const std::string& host = backend.host;
    if (host.empty()) {
        return;
    }
    const auto has = [&](std::string_view part) { return host.find(part) != std::string::npos; };
    std::string problem;
    if (has("://")) {
        problem = "must be a host alone; the scheme stands in `protocol`";
    } else if (has("@")) {
        problem = "must be a host alone, without user or password; credentials stand in `security`";
    } else if (has("/")) {
        problem = "must be a host alone; the path stands in `basePath`";
    } else if (is_link_local(host)) {
        problem =
            "is a link-local address, which is refused: cloud machines give away their own "
            "credentials there";
    } else if (has(":") && !is_ip_address(host)) {
        problem =
            "must be a host alone; the port stands in `port`, and an IPv6 address has no "
            "brackets";
    } else if (!is_ip_address(host) && (!is_host_name(host) || ends_in_number(host))) {
        problem = "must be a host name or an IP address";
    }
    if (!problem.empty()) {
        checker.error(backend.host_mark, problem);
    }
}

// "$NAME": a variable as shells write it, which nothing here replaces.
bool holds_shell_variable(std::string_view value) {
    const std::size_t dollar = value.find('$');
    return dollar != std::string_view::npos && dollar + 1 < value.size() &&
           (std::isalpha(static_cast<unsigned char>(value[dollar + 1])) != 0 ||
            value[dollar + 1] == '_' || value[dollar + 1] == '{');
}

// What would be refused, or silently not work, when it is sent.
void check_key(Checker& checker, const ApiKeySecurity& key) {
    const Secret* secret = checker.value_of(key.value);
    if (secret == nullptr) {
        return;
    }
    const std::string_view value = secret->reveal();
    const Mark& mark = key.value.key_mark;
    const std::string which =
        "the key " + shown(key.value.key) + " of the Secret " + shown(key.value.name);
    if (value.empty()) {
        checker.error(mark, which + " is empty");
    } else if (value.ends_with('\n')) {
        checker.error(mark, which + " ends with a line feed; encode it with `echo -n`");
    } else if (!is_field_value(value)) {
        checker.error(mark, which + " holds control characters");
    } else if (holds_shell_variable(value)) {
        checker.warning(mark, which +
                                  " holds a `$` before a name and is sent as it is; a variable is "
                                  "written ${NAME}, under stringData");
    } else if (value.front() == ' ' || value.back() == ' ') {
        checker.error(mark, which + " begins or ends with a space");
    } else if (key.in == ApiKeySecurity::In::header && text::iequals(key.name, "authorization") &&
               value.find(' ') == std::string_view::npos) {
        checker.warning(mark, which +
                                  " has no scheme such as \"Bearer \"; it is sent as it is, "
                                  "and most providers answer 401 to that");
    }
}

void check_basic(Checker& checker, const BasicSecurity& basic) {
    const Secret* username = checker.value_of(basic.username);
    checker.value_of(basic.password);
    if (username != nullptr && username->reveal().find(':') != std::string_view::npos) {
        // RFC 7617, section 2
        checker.error(basic.username.key_mark, "a user name can't hold a colon");
    }
}

void check_security(Checker& checker, const Backend& backend) {
    if (const auto* key = std::get_if<ApiKeySecurity>(&backend.security)) {
        check_key(checker, *key);
    } else if (const auto* basic = std::get_if<BasicSecurity>(&backend.security)) {
        check_basic(checker, *basic);
    } else {
        return;
    }
    if (backend.protocol == Protocol::http && !is_loopback(backend.host)) {
        checker.warning(backend.security_mark,
                        "the credential travels unencrypted: the protocol is http");
    }
}

}  // namespace

void check_backends(Checker& checker) {
    for (const Backend& backend : checker.resources.backends) {
        check_host(checker, backend);
        if (backend.protocol == Protocol::ws || backend.protocol == Protocol::wss) {
            checker.error(backend.protocol_mark, "WebSockets are not served; use http or https");
        }
        if (backend.tls_mark.line > 0 && backend.protocol == Protocol::http) {
            checker.warning(backend.tls_mark, "is not used: the protocol is http");
        }
        if (backend.port == 443 && backend.protocol == Protocol::http) {
            checker.warning(backend.port_mark,
                            "port 443 is asked without TLS: `protocol: https` is missing");
        }
        if (backend.protocol == Protocol::http) {
            checker.pem_must_exist(backend.ca);
        } else {
            check_authorities(checker, backend.ca);
        }
        check_security(checker, backend);
    }
}

}  // namespace rotary::config
