#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary {

// An IPv6 address; one of IPv4 is the IPv6 address that stands for it (RFC 4291 section 2.5.5.2).
using IpAddress = std::array<std::uint8_t, 16>;

std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept;
bool is_ipv4(const IpAddress& address) noexcept;
IpAddress ip_address_of_v4(const std::uint8_t* four_bytes) noexcept;

// As it is written; an IPv6 address that stands for one of IPv4 as that one.
using IpAddressText = std::array<char, 46>;  // INET6_ADDRSTRLEN
std::string_view write_ip_address(const IpAddress& address, IpAddressText& text) noexcept;

// The addresses that begin with the same bits (RFC 4632 section 3.1), such as 10.0.0.0/8.
struct IpRange {
    IpAddress base{};
    std::uint8_t bits = 128;  // of an IPv6 address

    bool holds(const IpAddress& address) const noexcept;
    bool operator==(const IpRange&) const = default;
};

// An address or a range.
std::optional<IpRange> parse_ip_range(std::string_view text) noexcept;

// Whether the address is one of a list such as "10.1.2.3, 192.168.0.0/16, 2001:db8::/32". What is
// neither an address nor a range permits none.
bool is_one_of(const IpAddress& address, std::string_view list) noexcept;

}  // namespace rotary
