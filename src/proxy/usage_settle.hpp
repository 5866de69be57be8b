#pragma once

#include "proxy/exchange.hpp"
#include "proxy/usage_stage.hpp"

namespace rotary::proxy {

// What the answer that was relayed used, told or else estimated: the exchange's outcome, and
// counted for the one that served it. `is_whole`: it came to its end.
void settle_usage(Context& context, Exchange& exchange, UsageStage& stage, bool is_whole);

// A try that went out and brought no answer: its provider may have worked for it. The client pays
// only for one that it left itself.
void settle_unanswered(Context& context, Exchange& exchange, const Fault& fault, bool asked);

}  // namespace rotary::proxy
