#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/net/reactor.hpp>

#include <optional>

namespace rotary::net {

// The fault of a request whose wait ended because its client or the whole process went: it ends
// too, and no provider is to blame. Nothing: what was waited for came, or was late.
constexpr std::optional<Fault> cut_short(Wake wake) noexcept {
    if (wake == Wake::peer_gone) return Fault::client(FaultKind::client_gone);
    if (wake == Wake::cancelled) return Fault::internal(FaultKind::draining);
    return std::nullopt;
}

}  // namespace rotary::net
