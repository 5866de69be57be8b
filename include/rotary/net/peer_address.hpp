#pragma once

#include <array>
#include <string_view>

namespace rotary::net {

using PeerAddress = std::array<char, 46>;  // INET6_ADDRSTRLEN

// The IP address at a socket's other end, without the port; empty when it can't be told. IPv4 comes
// as such on a socket of IPv6 too. One system call.
std::string_view peer_address(int fd, PeerAddress& space) noexcept;

}  // namespace rotary::net
