#pragma once

#include "proxy/exchange.hpp"

namespace rotary::proxy {

// Step 4, second half: what the body says. Faults: invalid_json, duplicate_model.
Result<void> scan_body(Exchange& exchange);

// JSON is told by its brace where its type does not tell it: `curl -d` names every body a form. No
// form begins so; encoders escape the brace.
bool looks_like_json(std::string_view body) noexcept;

// What a body that was scanned says: the client's model, and whether it wants a stream.
void note_scan(Exchange& exchange, const llm::ScannedBody& scan);

}  // namespace rotary::proxy
