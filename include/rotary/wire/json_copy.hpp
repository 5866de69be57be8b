#pragma once

#include <rotary/wire/json_document.hpp>

#include <string>

namespace rotary::wire {

// Appends a value as JSON text, as compact as it goes. It nests no deeper than its document was
// allowed to.
void append_json(std::string& out, JsonValue value);

}  // namespace rotary::wire
