#include <rotary/net/peer_address.hpp>

#include "socket_address.hpp"

#include <netinet/in.h>

#include <cstring>

namespace rotary::net {

std::optional<IpAddress> ip_address_of(const sockaddr_storage& peer) noexcept {
    if (peer.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &peer, sizeof v4);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
        return ip_address_of_v4(bytes.data());
    }
    if (peer.ss_family != AF_INET6) return std::nullopt;
    sockaddr_in6 v6{};
    std::memcpy(&v6, &peer, sizeof v6);
    IpAddress address{};
    std::memcpy(address.data(), &v6.sin6_addr, address.size());
    return address;
}

std::optional<IpAddress> peer_address(int fd) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
    return ip_address_of(peer);
}

}  // namespace rotary::net
