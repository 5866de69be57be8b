#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

namespace rotary::proxy {

// The path of one request, from its parsed head (in the worker's scratch) to its log line. Returns
// when the answer is out or the client is gone; exchange.request.keep_alive then says whether the
// connection may carry another request, and exchange.outcome.fault whether it must be cut.
Task<void> run(Context& context, downstream::Client& client, Exchange& exchange);

// Step 10 alone, with the answer before it: for requests whose head never became one.
Task<void> run_refusal(Context& context, downstream::Client& client, Exchange& exchange,
                       Fault fault);

}  // namespace rotary::proxy
