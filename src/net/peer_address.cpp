#include <rotary/net/peer_address.hpp>

#include "address_text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace rotary::net {

std::string_view address_text(const sockaddr_storage& peer, PeerAddress& space) noexcept {
    static_assert(std::tuple_size_v<PeerAddress> >= INET6_ADDRSTRLEN);
    const void* address = nullptr;
    int family = peer.ss_family;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (family == AF_INET) {
        std::memcpy(&v4, &peer, sizeof v4);
        address = &v4.sin_addr;
    } else if (family == AF_INET6) {
        std::memcpy(&v6, &peer, sizeof v6);
        address = &v6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            family = AF_INET;
            address = v6.sin6_addr.s6_addr + 12;
        }
    }
    if (address == nullptr) return {};
    const char* text =
        ::inet_ntop(family, address, space.data(), static_cast<socklen_t>(space.size()));
    return text == nullptr ? std::string_view{} : std::string_view(text);
}

std::string_view peer_address(int fd, PeerAddress& space) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
    return address_text(peer, space);
}

}  // namespace rotary::net
