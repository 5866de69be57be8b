#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Step 3: what may be taken on. Reads the head out of the worker's scratch; what later steps need
// of it is in the exchange afterwards. Faults: request_too_large, length_required,
// model_not_allowed, unsupported_content_encoding, unsupported_media_type, bad_request,
// headers_too_large.
Result<void> admit(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
