#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>
#include <rotary/upstream/provider.hpp>

namespace rotary::proxy {

// Step 8: the provider's answer to the client, piece by piece, each read flushed at once. The head
// must be in the worker's scratch. On return the connection is back in its pool or closed.
// Faults: client_gone; upstream_stream_interrupted when the provider died after the answer began:
// then the client's connection must be cut, not closed.
Task<Result<void>> relay(Context& context, downstream::Client& client, Exchange& exchange,
                         upstream::Provider& provider);

}  // namespace rotary::proxy
