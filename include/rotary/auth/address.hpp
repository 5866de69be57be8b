#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::auth {

// An IPv6 address; one of IPv4 is the IPv6 address that stands for it (RFC 4291 section 2.5.5.2).
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(std::string_view text) noexcept;
bool is_ipv4(const Address& address) noexcept;

// Whether the address is one of a list such as "10.1.2.3, 192.168.0.0/16, 2001:db8::/32". What is
// neither an address nor a range permits none.
bool is_one_of(const Address& address, std::string_view list) noexcept;

}  // namespace rotary::auth
