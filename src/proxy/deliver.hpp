#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>
#include <rotary/proxy/context.hpp>

#include <span>
#include <string_view>

namespace rotary::proxy {

// Writes all of it to the client, waiting for it as long as timeouts.write_stall allows. Does not
// suspend when the socket takes it at once. Only the first piece may lie in the worker's scratch.
// Faults: client_gone.
Task<Result<void>> deliver(Context& context, ClientSide& client, Exchange& exchange,
                           std::span<std::string_view> pieces);

}  // namespace rotary::proxy
