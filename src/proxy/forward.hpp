#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>
#include <rotary/proxy/context.hpp>

namespace rotary::proxy {

// Steps 5 to 9 of a request: entries in turn until one answers for good. Each is asked once at
// most, without a wait between them, and nothing of an answer goes to the client before it can be
// trusted. Returns the fault that the client must be told, or nothing when an answer was relayed.
Task<Result<void>> forward(Context& context, downstream::Client& client, Exchange& exchange);

}  // namespace rotary::proxy
