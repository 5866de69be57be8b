#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/downstream/client.hpp>
#include <rotary/proxy/context.hpp>

namespace rotary::proxy {

using LimitStep = Result<void> (*)(Context&, Exchange&);

// Takes a step again that found a limit for the fleet to decide (`quotas.waits`), each time the
// fleet has answered. All waits of a request together last as long as the desk of leases says; then
// the step is taken by what is known here. The request's head is parsed anew into the scratch.
// Faults: those of the step, client_gone, draining.
Task<Result<void>> ask_fleet(Context& context, downstream::Client& client, Exchange& exchange,
                             LimitStep step);

}  // namespace rotary::proxy
