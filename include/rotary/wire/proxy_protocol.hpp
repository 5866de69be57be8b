#pragma once

#include <rotary/base/ip_address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::wire {

// What a proxy says of a connection before the first byte of it: the PROXY protocol, version 1 and
// 2 (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2).
struct ProxyHeader {
    enum class State : std::uint8_t {
        whole,
        part,   // it goes on
        wrong,  // there is none, or it says what can't be
    };
    State state = State::wrong;
    std::size_t size = 0;  // of a whole one, in bytes
    std::optional<IpAddress>
        source;  // none: the proxy speaks for itself, or of what has no address
};

// The longest that is read, with its TLVs, which are left out; a longer one is wrong.
inline constexpr std::size_t kMostProxyHeaderBytes = 4096;

// `bytes` are those that the connection begins with, as far as they have come.
ProxyHeader read_proxy_header(std::string_view bytes) noexcept;

}  // namespace rotary::wire
