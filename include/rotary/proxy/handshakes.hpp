#pragma once

#include <rotary/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::proxy {

// Why a client's TLS handshake came to nothing; the label of its metric.
enum class HandshakeEnd : std::uint8_t {
    closed,      // the client went away
    timeout,     // it took too long
    plain_http,  // it spoke HTTP without TLS
    refused      // no common ground: version, cipher, a broken record
};
inline constexpr std::size_t kHandshakeEnds = 4;
std::string_view to_string(HandshakeEnd end) noexcept;

// Keeps a flood of failed handshakes out of the log: one line a second, which says how many others
// there were since the line before. Owned by a worker's Context; its thread only.
class HandshakeLines {
public:
    // True when a line is due; `unsaid` are the failures that had none since the last.
    bool due(SteadyTime now, std::uint64_t& unsaid) noexcept;

private:
    SteadyTime not_before_{};
    std::uint64_t unsaid_ = 0;
};

}  // namespace rotary::proxy
