#pragma once

#include "proxy/exchange.hpp"

#include <rotary/wire/http1_writer.hpp>

// The CORS lines of answers to browsers (Fetch standard, "CORS protocol"), as cORSPolicy wants
// them.
namespace rotary::proxy {

// Lets the origin that asked read the answer, a refusal too. Nothing where its route has no policy
// or the policy does not allow the origin.
void write_cors(const Exchange& exchange, wire::HeadWriter& writer);

// What may follow a preflight.
void write_preflight(const Exchange& exchange, wire::HeadWriter& writer);

}  // namespace rotary::proxy
