#include "tls_peer.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <string>

namespace rotary::net {

bool expect_peer(SSL* ssl, std::string_view name) {
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
        name = name.substr(1, name.size() - 2);
    }
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.find('\0') != std::string_view::npos) return false;
    const std::string text(name);
    std::array<unsigned char, sizeof(in6_addr)> address;
    if (::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
        ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text.c_str()) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, text.c_str()) == 1 &&
           SSL_set_tlsext_host_name(ssl, text.c_str()) == 1;
}

}  // namespace rotary::net
