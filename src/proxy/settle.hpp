#pragma once

#include "proxy/exchange.hpp"

#include <rotary/llm/rate_limit_headers.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/rotation/verdict.hpp>

#include <chrono>

namespace rotary::proxy {

// Step 9 for one try: the verdict on what it brought, carried out on the rotation and counted.
// `probe`: the entry's return hung on this try. `asked`: the request went out. `wait`: from its
// start to its answer.
struct Tried {
    bool probe = false;
    bool asked = true;
    std::chrono::nanoseconds wait{0};
};
rotation::Verdict settle_answer(Context& context, const Exchange& exchange,
                                const rotation::Answer& answer, const Tried& tried);
rotation::Verdict settle_failure(Context& context, const Exchange& exchange, const Fault& fault,
                                 const Tried& tried);

// What became of an answer after its beginning had gone to the client. `tried`: what its beginning
// was taken for.
void settle_relayed(Context& context, const Exchange& exchange, const Result<void>& relayed,
                    const rotation::Verdict& tried);

// What the provider said of its limits, from the head in the worker's scratch.
llm::RateLimitHints read_hints(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
