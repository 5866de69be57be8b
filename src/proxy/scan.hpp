#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Step 4, second half: what the body says. Faults: invalid_json, duplicate_model.
Result<void> scan_body(Exchange& exchange);

}  // namespace rotary::proxy
