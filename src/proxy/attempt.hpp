#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>
#include <rotary/upstream/provider.hpp>

namespace rotary::proxy {

// Step 7: one try at the Backend that was chosen, up to the head of its answer, which then stands
// parsed in the worker's scratch. A connection that had served before and dies without a byte,
// within timeouts.stale_connection, is replaced by a fresh one, on the same place among the
// Backend's connections; once a request. Faults: upstream_dns_failed, upstream_connect_failed,
// upstream_tls_failed, upstream_timeout, upstream_protocol_error (each with origin upstream),
// client_gone, headers_too_large; overloaded, when the Backend's limits or the process's
// descriptors leave no room: not the provider's fault, and another entry may have some.
Task<Result<void>> attempt(Context& context, downstream::Client& client, Exchange& exchange,
                           upstream::Provider& provider);

}  // namespace rotary::proxy
