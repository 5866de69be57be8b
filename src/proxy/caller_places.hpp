#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>

namespace rotary::proxy {

// Behind authentication: the caller's places, which are left when its quotas are cleared at the
// latest. Where replicas share the limits it may be for the fleet to decide (`quotas.waits`): then
// none is held. Faults: rate_limit_exceeded.
Result<void> take_places(Context& context, Exchange& exchange) noexcept;

}  // namespace rotary::proxy
