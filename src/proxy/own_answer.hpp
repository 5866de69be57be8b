#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

// What Rotary answers by itself and is no refusal: where a route redirects to, what a browser asks
// before it asks, and OPTIONS of the whole server.
namespace rotary::proxy {

// OPTIONS * (RFC 9110 section 9.3.7): nothing of a route, so no credential is needed.
bool asks_for_whole_server(const Exchange& exchange) noexcept;
Task<Result<void>> answer_for_whole_server(downstream::Client& client, Exchange& exchange);

// A browser's preflight for a route with a CORS policy that allows its origin. Browsers send no
// credentials with it, so it comes before authentication. Sets the exchange's route.
bool is_allowed_preflight(Exchange& exchange) noexcept;
Task<Result<void>> answer_preflight(Context& context, downstream::Client& client,
                                    Exchange& exchange);

// The Location line of a redirect (Gateway API, HTTPRequestRedirectFilter), in
// exchange.content.lines. False: it does not fit.
bool write_location(Context& context, Exchange& exchange);

// Where a rule with a RequestRedirect sends the client.
Task<Result<void>> redirect(Context& context, downstream::Client& client, Exchange& exchange);

}  // namespace rotary::proxy
