#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

namespace rotary::proxy {

// Step 4: reads the body to its end, into the space behind the head if it fits there, else into a
// block of its own; chunked bodies are unwrapped. Answers Expect: 100-continue. Never suspends when
// the body came with the head.
// Faults: request_too_large, bad_request, request_timeout, client_gone.
Task<Result<void>> read_body(Context& context, ClientSide& client, Exchange& exchange);

// Whether the body came with the head as a whole: then there is nothing to wait for.
bool take_body_at_hand(ClientSide& client, Exchange& exchange) noexcept;

// Step 4, second half: what the body says. Faults: invalid_json, duplicate_model.
Result<void> scan_body(Exchange& exchange);

// Whether a refused body is short enough, and of a known length, to be read for nothing.
bool can_discard_body(const ClientSide& client, const Exchange& exchange) noexcept;

// After a refusal: reads what is left of such a body, so that the connection can go on. False when
// the connection must be closed.
Task<bool> discard_body(Context& context, ClientSide& client, Exchange& exchange);

}  // namespace rotary::proxy
