#pragma once

#include "proxy/exchange.hpp"

#include <rotary/wire/http1_writer.hpp>

namespace rotary::proxy {

// What Rotary says of every answer: the request's id, and who served it if routing.expose_route is
// set (x-rotary-request-id, x-rotary-model, x-rotary-backend, x-rotary-attempts). The provider's
// x-request-id stays when there is one.
void write_own_headers(const Exchange& exchange, wire::HeadWriter& head, bool has_request_id);

}  // namespace rotary::proxy
