#pragma once

#include <rotary/base/ip_address.hpp>

#include <sys/socket.h>

#include <optional>

namespace rotary::net {

// Nothing for a socket that is none of IP.
std::optional<IpAddress> ip_address_of(const sockaddr_storage& peer) noexcept;

}  // namespace rotary::net
