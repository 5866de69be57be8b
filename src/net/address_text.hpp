#pragma once

#include <rotary/net/peer_address.hpp>

#include <sys/socket.h>

namespace rotary::net {

// The IP address in it; empty when it is of another kind.
std::string_view address_text(const sockaddr_storage& peer, PeerAddress& space) noexcept;

}  // namespace rotary::net
