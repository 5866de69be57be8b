#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/rotation/verdict.hpp>

#include <cstdint>

namespace rotary::proxy {

// What one try came to: an answer, its parsed head in the worker's scratch, or a
// fault.
struct Attempted {
    Result<void> answered{};
    rotation::Verdict verdict;
    bool is_listed = false;  // answered with one of Backend.retry.statusCodes
};

// Where a request goes after a try.
enum class Next : std::uint8_t {
    nowhere,
    entry,        // another one of the rotation
    backend,      // another one of a rule without a rotation
    same_backend  // of such a rule too, as its `retry` says, after a pause
};

// Step 5: who serves the next try, into the exchange's choice. `next` is `nowhere` for a request's
// first. Faults: all_models_suspended, all_models_unavailable.
// With `quotas.waits` the choice stands, but for a limit that the fleet has to decide:
// select_again() goes on there.
Result<void> select(Context& context, Exchange& exchange, Next next);
Result<void> select_again(Context& context, Exchange& exchange);

// Where the request may be tried after this try, within the request's tries, its time and the
// retry budget, which pays for it here.
Next next_after(Context& context, Exchange& exchange, const Attempted& attempted);

// No entry is left. Out for quota is the client's business: it hears when to come back.
Fault nobody_left(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
