#include <rotary/wire/proxy_protocol.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>
#include <array>

namespace rotary::wire {

namespace {

using State = ProxyHeader::State;

constexpr std::string_view kText = "PROXY ";
constexpr std::size_t kMostTextBytes = 107;  // section 2.1, with CRLF
constexpr std::string_view kBinary{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kBinaryHead = 16;
constexpr ProxyHeader kPart{State::part, 0, {}};
constexpr ProxyHeader kWrong{};

// The next word of a line; the line begins behind it then. Words have one blank between them.
std::string_view next_word(std::string_view& line) noexcept {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, blank);
    line.remove_prefix(std::min(blank + 1, line.size()));
    return word;
}

bool is_port(std::string_view word) noexcept {
    if (word.size() > 1 && word.front() == '0') return false;
    const auto port = text::parse_unsigned(word);
    return port && *port <= 65535;
}

ProxyHeader read_text(std::string_view bytes) noexcept {
    const std::size_t end = bytes.substr(0, kMostTextBytes).find("\r\n");
    if (end == bytes.npos) return bytes.size() < kMostTextBytes ? kPart : kWrong;
    std::string_view line = bytes.substr(kText.size(), end - kText.size());
    ProxyHeader header{State::whole, end + 2, {}};
    const std::string_view family = next_word(line);
    if (family == "UNKNOWN") return header;
    if (family != "TCP4" && family != "TCP6") return kWrong;
    const bool is_v4 = family == "TCP4";
    for (const bool is_source : {true, false}) {
        const std::string_view word = next_word(line);
        const auto address = parse_ip_address(word);
        if (!address || (word.find(':') == word.npos) != is_v4) return kWrong;
        if (is_source) header.source = address;
    }
    if (!is_port(next_word(line)) || !is_port(next_word(line)) || !line.empty()) return kWrong;
    return header;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<std::uint8_t>(bytes[at]);
}

IpAddress address_at(std::string_view bytes, std::size_t at, bool is_v4) noexcept {
    IpAddress address{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), is_v4 ? 4 : address.size(),
                address.begin());
    return is_v4 ? ip_address_of_v4(IpAddress(address).data()) : address;
}

// Both addresses and both ports.
std::size_t addresses_bytes(std::uint8_t family) noexcept {
    switch (family) {
        case 1:
            return 2 * 4 + 4;
        case 2:
            return 2 * 16 + 4;
        case 3:
            return 216;
        default:
            return 0;
    }
}

ProxyHeader read_binary(std::string_view bytes) noexcept {
    if (bytes.size() < kBinaryHead) return kPart;
    const std::uint8_t command = byte_at(bytes, 12);
    const std::uint8_t family = byte_at(bytes, 13) >> 4;
    const std::uint8_t transport = byte_at(bytes, 13) & 0xf;
    const std::size_t length =
        static_cast<std::size_t>(byte_at(bytes, 14)) << 8 | byte_at(bytes, 15);
    const bool is_local = command == 0x20;
    if (!is_local && command != 0x21) return kWrong;
    if (kBinaryHead + length > kMostProxyHeaderBytes || family > 3 || transport > 2) return kWrong;
    if (!is_local && length < addresses_bytes(family)) return kWrong;
    if (bytes.size() < kBinaryHead + length) return kPart;
    ProxyHeader header{State::whole, kBinaryHead + length, {}};
    const bool has_address = (family == 1 || family == 2) && transport == 1;
    if (!is_local && has_address) header.source = address_at(bytes, kBinaryHead, family == 1);
    return header;
}

bool begins_with_as_much_of(std::string_view bytes, std::string_view signature) noexcept {
    const std::size_t known = std::min(bytes.size(), signature.size());
    return bytes.substr(0, known) == signature.substr(0, known);
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) noexcept {
    if (begins_with_as_much_of(bytes, kText)) {
        return bytes.size() < kText.size() ? kPart : read_text(bytes);
    }
    if (begins_with_as_much_of(bytes, kBinary)) return read_binary(bytes);
    return kWrong;
}

}  // namespace rotary::wire
