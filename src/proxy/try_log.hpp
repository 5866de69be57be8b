#pragma once

#include "proxy/exchange.hpp"

#include <chrono>

namespace rotary::proxy {

// One line a try, at level debug: which entry and Backend, what came of it and how long it took.
// Costs one relaxed load while the level is above that. `status`: the provider's, 0 without one.
void log_try(Context& context, const Exchange& exchange, std::uint16_t status, const Fault& fault,
             std::chrono::nanoseconds took);

}  // namespace rotary::proxy
