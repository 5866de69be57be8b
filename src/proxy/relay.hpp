#pragma once

#include "proxy/attempt.hpp"
#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

#include <span>
#include <string_view>

namespace rotary::proxy {

// Writes all of it to the client, waiting for it as long as timeouts.write_stall allows. Does not
// suspend when the socket takes it at once. Only the first piece may lie in the worker's scratch.
// Faults: client_gone.
Task<Result<void>> deliver(Context& context, ClientSide& client, Exchange& exchange,
                           std::span<std::string_view> pieces);

// Step 8: the provider's answer to the client, piece by piece, each read flushed at once. The head
// must be in the worker's scratch. On return the connection is back in its pool or closed.
// Faults: client_gone; upstream_stream_interrupted when the provider died after the answer began:
// then the client's connection must be cut, not closed.
Task<Result<void>> relay(Context& context, ClientSide& client, Exchange& exchange, Reply& reply);

}  // namespace rotary::proxy
