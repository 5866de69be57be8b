#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

namespace rotary::proxy {

// Answers the exchange with a fault of Rotary's own, in the one shape that all of them have
// (wire/problem.hpp). Decides whether the connection can go on: sets keep_alive.
// Does nothing for client_gone. Faults: client_gone.
Task<Result<void>> refuse(Context& context, downstream::Client& client, Exchange& exchange,
                          Fault fault);

}  // namespace rotary::proxy
