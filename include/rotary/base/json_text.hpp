#pragma once

#include <string>
#include <string_view>

namespace rotary::text {

// Appends `value` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, so
// whatever a peer sent, the line stays valid JSON. Allocates only when `out` must grow.
void append_json_string(std::string& out, std::string_view value);

}  // namespace rotary::text
