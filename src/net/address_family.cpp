#include "address_family.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rotary::net {

int family_of(const ifaddrs* interfaces) noexcept {
    bool has_v4 = false;
    bool has_v6 = false;
    for (const ifaddrs* one = interfaces; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        if (one->ifa_addr->sa_family == AF_INET) {
            const auto* const v4 = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
            has_v4 = has_v4 || v4->sin_addr.s_addr != htonl(INADDR_LOOPBACK);
        } else if (one->ifa_addr->sa_family == AF_INET6) {
            const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
            has_v6 = has_v6 || !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        }
    }
    if (has_v4 == has_v6) return AF_UNSPEC;
    return has_v4 ? AF_INET : AF_INET6;
}

int configured_family() noexcept {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return AF_UNSPEC;
    const int family = family_of(all);
    ::freeifaddrs(all);
    return family;
}

}  // namespace rotary::net
