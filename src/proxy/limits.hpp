#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>
#include <rotary/proxy/context.hpp>

#include <cstdint>

namespace rotary::proxy {

// What limits say of a request. Later: replicas share one of them, and the fleet is being asked.
enum class LimitsSaid : std::uint8_t { yes, no, later };

// Of a step that is to be taken again when the fleet has answered: `quotas.waits` says so.
inline const Fault kLater = Fault::internal(FaultKind::overloaded);

// Step 3: what can be said of a request before its body is read: whether its caller is subscribed,
// and limits of requests. Faults: subscription_required, rate_limit_exceeded.
Result<void> admit_request(Context& context, Exchange& exchange);

// Whether a budget applies to the request.
bool is_budgeted(const Exchange& exchange) noexcept;

// budgets.unpriced: of a request whose model has no price, where a budget applies.
inline const Fault kWithoutPrice = Fault::client(
    FaultKind::model_not_allowed, "A budget applies to this request, and its model has no price.");

// Behind the body: limits of tokens and budgets, for what the request is estimated to use and cost.
// A request that is refused takes nothing of any limit. Faults: token_budget_exceeded,
// cost_budget_exceeded, model_not_allowed.
Result<void> reserve_tokens(Context& context, Exchange& exchange);

// The limits of the Backend that was chosen. No: one is reached, and entries of that Backend are
// out until its window ends.
LimitsSaid admit_try(Context& context, Exchange& exchange);
// The last try failed: it counts as a request, and has used no tokens.
void settle_try(Context& context, Exchange& exchange);
// The last try was sent, and nothing came: its Backend may have read all of it.
void settle_silent_try(Context& context, Exchange& exchange, std::uint64_t input);
// The last Backend of a rule without a rotation was refused by admit_try().
Fault refuse_for_backend(const Exchange& exchange);

// At its end, when its cost is known: all limits get what the answer used.
void settle_limits(Context& context, Exchange& exchange);

}  // namespace rotary::proxy
