#pragma once

#include "proxy/exchange.hpp"

#include <rotary/proxy/explain.hpp>

namespace rotary::proxy {

// What would go to the choice's Backend, as write_upstream_request() writes it, without secrets.
ExplainedTry explain_try(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
