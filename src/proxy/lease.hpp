#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

#include <cstddef>

namespace rotary::proxy {

// The Backend's own limits are in the way: nobody's fault, so that no entry suffers for it.
inline constexpr Fault kNoRoom{FaultKind::overloaded, Origin::internal, Retry::next_entry,
                               "The provider's connections are all in use."};

// For when the pool has none to give: waits until a connection comes back on this worker or a place
// becomes free on any. Faults: kNoRoom, at once when too many wait already and else after
// timeouts.connect; client_gone, draining; upstream_timeout (of origin internal) at the exchange's
// own deadline.
Task<Result<upstream::UpstreamConnection>> wait_for_place(Context& context, ClientSide& client,
                                                          Exchange& exchange, std::size_t bucket);

// Counts the connection among the Backend's requests. False: it went back to the pool.
bool begin_use(Context& context, std::size_t bucket, upstream::UpstreamConnection& connection);

}  // namespace rotary::proxy
