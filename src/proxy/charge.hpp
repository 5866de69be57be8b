#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// What the answer cost, by what it used and the entry's price: into its outcome and the metrics.
// Once, when its usage is known.
void charge(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
