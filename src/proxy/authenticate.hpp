#pragma once

#include "proxy/key_need.hpp"

namespace rotary::proxy {

// Step 2: who is calling, and may they. Reads the head out of the worker's scratch. Faults:
// missing_credentials, invalid_token, token_expired, scope_denied, issuer_unavailable. `need` says
// whether a key may still come.
Result<void> authenticate(Context& context, Exchange& exchange, KeyNeed& need);

}  // namespace rotary::proxy
