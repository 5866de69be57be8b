#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Of what serves the request: its entry, or the model that the client asks for. Null: none.
const quota::Price* price_of(const Exchange& exchange) noexcept;

// Whether the model that the answer names is to be known: no entry says which one serves the
// request, or no price list has that.
bool needs_response_model(const Exchange& exchange) noexcept;

// What the answer cost, by what it used and its price: into its outcome and the metrics.
// Once, when its usage is known. The same of tries that failed and that the caller pays for.
void charge(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
