#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Step 10: the observers hear of a request, refused ones too.
void record(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
