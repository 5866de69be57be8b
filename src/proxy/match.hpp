#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Step 1: host, path and method to a route. Faults: route_not_found, method_not_allowed,
// bad_request.
Result<void> match(Exchange& exchange);

}  // namespace rotary::proxy
