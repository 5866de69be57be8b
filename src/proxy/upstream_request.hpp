#pragma once

#include "proxy/exchange.hpp"

#include <rotary/upstream/provider.hpp>
#include <rotary/wire/pieces.hpp>

namespace rotary::proxy {

// Step 6: a request as it goes to one Backend: starts it at the provider, and gives the pieces of
// its body. The body is not copied: what stands before the model, the model, what stands after it.
// The pieces lead into the exchange's body and into the snapshot. False: the head does not fit.
bool write_upstream_request(Context& context, const Exchange& exchange,
                            upstream::Provider& provider, wire::Pieces& pieces);

}  // namespace rotary::proxy
