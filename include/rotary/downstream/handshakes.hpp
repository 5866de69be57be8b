#pragma once

#include <rotary/base/fault.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::downstream {

// Why a client's TLS handshake came to nothing; the label of its metric.
enum class HandshakeEnd : std::uint8_t {
    closed,      // the client went away
    timeout,     // it took too long
    plain_http,  // it spoke HTTP without TLS
    proxy,       // a trusted proxy did not begin with a header of the PROXY protocol
    refused      // no common ground: version, cipher, a broken record
};
inline constexpr std::size_t kHandshakeEnds = 5;
std::string_view to_string(HandshakeEnd end) noexcept;

// A handshake that failed.
struct HandshakeFailure {
    HandshakeEnd end = HandshakeEnd::refused;
    Fault fault;
    bool said_anything = false;  // else it only looked whether the port is open
};

}  // namespace rotary::downstream
