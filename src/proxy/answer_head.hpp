#pragma once

#include <rotary/upstream/provider.hpp>
#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Whether the client gets this answer as a stream of events.
bool is_event_stream(const upstream::Provider& provider) noexcept;

// Begins and starts the answer to the client with the head of the provider's, which stands parsed
// in the worker's scratch. False: it does not fit.
bool write_answer_head(Context& context, downstream::Client& client, Exchange& exchange,
                       const upstream::Provider& provider);

}  // namespace rotary::proxy
