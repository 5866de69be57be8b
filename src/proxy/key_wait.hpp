#pragma once

#include "proxy/key_need.hpp"

#include <rotary/base/task.hpp>

namespace rotary::proxy {

// Step 2 again, after the end of what was pending, at most timeouts.jwks_wait later. The request's
// head is parsed anew into the scratch. Faults: those of authenticate(), client_gone, draining.
Task<Result<void>> authenticate_later(Context& context, downstream::Client& client,
                                      Exchange& exchange, KeyNeed& need);

}  // namespace rotary::proxy
