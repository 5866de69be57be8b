#pragma once

#include <rotary/base/ip_address.hpp>

#include <optional>

namespace rotary::net {

// The IP address at a socket's other end; nothing when it can't be told. One system call.
std::optional<IpAddress> peer_address(int fd) noexcept;

}  // namespace rotary::net
