#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::net {

// The place that a host names by its address, in brackets or not; nothing when it is a name.
std::optional<boost::asio::ip::tcp::endpoint> ip_literal(std::string_view host, std::uint16_t port);

}  // namespace rotary::net
