#pragma once

#include "proxy/exchange.hpp"
#include "proxy/key_wait.hpp"

// The steps between a request's head and its body. All of them are synchronous and read the head
// out of the worker's scratch; what later steps need is in the exchange when they return.
namespace rotary::proxy {

// Step 1: host, path and method to a route. Faults: route_not_found, method_not_allowed,
// bad_request.
Result<void> match(Exchange& exchange);

// Step 2: who is calling, and may they. Faults: missing_credentials, invalid_token, token_expired,
// scope_denied, issuer_unavailable. `need` says whether a key may still come.
Result<void> authenticate(Context& context, Exchange& exchange, KeyNeed& need);

// Those of the worker's issuers whose tokens the exchange's API takes.
auth::TrustedIssuers trusted_issuers(const Context& context, const Exchange& exchange) noexcept;

// Step 3: what may be taken on. Faults: request_too_large, length_required, model_not_allowed,
// unsupported_content_encoding, unsupported_media_type, bad_request, headers_too_large.
Result<void> admit(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
