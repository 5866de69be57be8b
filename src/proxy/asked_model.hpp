#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>

// Requests without a rotation name their model themselves: what it costs is found by that name.
namespace rotary::proxy {

// While the head is there: the model, where it stands in a header.
void keep_model_of_head(Context& context, Exchange& exchange, const routing::ModelPlace& place);

// Behind the body, of a route that counts tokens: the model, its price, and whether a stream is
// wanted. Where a budget applies a body must be one that can be read, or its model would go without
// a price that it has. Faults: invalid_json, duplicate_model, bad_request,
// unsupported_content_encoding.
Result<void> read_asked_model(Context& context, Exchange& exchange);

// The same of a request for a list none of whose entries is there for it: its first Backend serves
// what the client asks for.
void price_client_model(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
