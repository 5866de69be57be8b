#include <rotary/auth/address.hpp>

#include <rotary/base/text.hpp>

#include <arpa/inet.h>

#include <algorithm>

namespace rotary::auth {

namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kBitsOfIpv4 = 32;
// What the address of IPv6 that stands for one of IPv4 begins with.
constexpr std::array<std::uint8_t, 12> kIpv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_in_range(const Address& address, std::string_view range) noexcept {
    const std::size_t slash = range.find('/');
    const auto base = parse_address(range.substr(0, slash));
    if (!base) return false;
    unsigned bits = kBits;
    if (slash != range.npos) {
        const bool is_ipv4 = range.substr(0, slash).find(':') == range.npos;
        const unsigned width = is_ipv4 ? kBitsOfIpv4 : kBits;
        const auto length = text::parse_unsigned(range.substr(slash + 1));
        if (!length || *length > width) return false;
        bits = kBits - width + static_cast<unsigned>(*length);
    }
    const unsigned whole = bits / 8;
    if (!std::equal(address.begin(), address.begin() + whole, base->begin())) return false;
    if (bits % 8 == 0) return true;
    const unsigned mask = 0xffu << (8 - bits % 8) & 0xffu;
    return (address[whole] & mask) == ((*base)[whole] & mask);
}

}  // namespace

bool is_ipv4(const Address& address) noexcept {
    return std::equal(kIpv4.begin(), kIpv4.end(), address.begin());
}

std::optional<Address> parse_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> ended{};
    if (text.size() >= ended.size()) return std::nullopt;
    text.copy(ended.data(), text.size());
    Address address{};
    if (text.find(':') != text.npos) {
        if (::inet_pton(AF_INET6, ended.data(), address.data()) != 1) return std::nullopt;
        return address;
    }
    std::copy(kIpv4.begin(), kIpv4.end(), address.begin());
    std::uint8_t* const rest = address.data() + kIpv4.size();
    if (::inet_pton(AF_INET, ended.data(), rest) != 1) return std::nullopt;
    return address;
}

bool is_one_of(const Address& address, std::string_view list) noexcept {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (is_in_range(address, text::trim(list.substr(0, comma)))) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

}  // namespace rotary::auth
