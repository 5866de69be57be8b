#include <rotary/base/ip_address.hpp>

#include <rotary/base/text.hpp>

#include <arpa/inet.h>

#include <algorithm>

namespace rotary {

namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kBitsOfIpv4 = 32;
// What the address of IPv6 that stands for one of IPv4 begins with.
constexpr std::array<std::uint8_t, 12> kIpv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool is_ipv4(const IpAddress& address) noexcept {
    return std::equal(kIpv4.begin(), kIpv4.end(), address.begin());
}

IpAddress ip_address_of_v4(const std::uint8_t* four_bytes) noexcept {
    IpAddress address{};
    std::copy(kIpv4.begin(), kIpv4.end(), address.begin());
    std::copy(four_bytes, four_bytes + 4, address.begin() + kIpv4.size());
    return address;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> ended{};
    if (text.size() >= ended.size()) return std::nullopt;
    text.copy(ended.data(), text.size());
    IpAddress address{};
    if (text.find(':') != text.npos) {
        if (::inet_pton(AF_INET6, ended.data(), address.data()) != 1) return std::nullopt;
        return address;
    }
    std::array<std::uint8_t, 4> four_bytes{};
    if (::inet_pton(AF_INET, ended.data(), four_bytes.data()) != 1) return std::nullopt;
    return ip_address_of_v4(four_bytes.data());
}

std::string_view write_ip_address(const IpAddress& address, IpAddressText& text) noexcept {
    static_assert(std::tuple_size_v<IpAddressText> >= INET6_ADDRSTRLEN);
    const bool is_v4 = is_ipv4(address);
    const std::uint8_t* bytes = address.data() + (is_v4 ? kIpv4.size() : 0);
    const auto size = static_cast<socklen_t>(text.size());
    return ::inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text.data(), size);
}

bool IpRange::holds(const IpAddress& address) const noexcept {
    const unsigned whole = bits / 8;
    if (!std::equal(address.begin(), address.begin() + whole, base.begin())) return false;
    if (bits % 8 == 0) return true;
    const unsigned mask = 0xffu << (8 - bits % 8) & 0xffu;
    return (address[whole] & mask) == (base[whole] & mask);
}

std::optional<IpRange> parse_ip_range(std::string_view text) noexcept {
    const std::string_view address = text.substr(0, text.find('/'));
    const auto base = parse_ip_address(address);
    if (!base) return std::nullopt;
    IpRange range{*base, kBits};
    if (address.size() == text.size()) return range;
    const unsigned width = address.find(':') == address.npos ? kBitsOfIpv4 : kBits;
    const auto length = text::parse_unsigned(text.substr(address.size() + 1));
    if (!length || *length > width) return std::nullopt;
    range.bits = static_cast<std::uint8_t>(kBits - width + *length);
    return range;
}

bool is_one_of(const IpAddress& address, std::string_view list) noexcept {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const auto range = parse_ip_range(text::trim(list.substr(0, comma)));
        if (range && range->holds(address)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

}  // namespace rotary
