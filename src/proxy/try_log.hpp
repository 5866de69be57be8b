#pragma once

#include "proxy/exchange.hpp"

#include <chrono>
#include <cstdint>

namespace rotary::proxy {

// What became of a try.
struct TryEnd {
    std::uint16_t status = 0;  // the provider's; 0: none came
    Fault fault;
    std::chrono::nanoseconds took{0};
};

// One line a try, at level debug: which entry and Backend, what came of it and how long it took.
// Costs one relaxed load while the level is above that.
void log_try(Context& context, const Exchange& exchange, const TryEnd& end);

}  // namespace rotary::proxy
