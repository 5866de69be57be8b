#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/net/reactor.hpp>

#include <optional>

namespace rotary::net {

// Whether a wait of a request ended because somebody left: its client, or the whole process. Then
// the request ends too, and nobody is to blame. Nothing: what was waited for came, or was late.
constexpr std::optional<Fault> cut_short(Wake wake) noexcept {
    if (wake == Wake::peer_gone) return Fault::client(FaultKind::client_gone);
    if (wake == Wake::cancelled) return Fault::internal(FaultKind::draining);
    return std::nullopt;
}

}  // namespace rotary::net
