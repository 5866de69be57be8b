#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rotary::test {

// The value at a path of member names and array indices ("error.code", "choices.0.message"), as
// text: strings decoded, numbers as written, "true", "false", "null"; "{n}" and "[n]" for objects
// and arrays of n. "<missing>" when there is none, "<not json>" when `text` is none.
std::string json_at(std::string_view text, std::string_view path);

// Elements of the array or members of the object there; 0 for everything else.
std::size_t json_size(std::string_view text, std::string_view path);

bool is_json(std::string_view text);

// The names of the members of the object there.
std::vector<std::string> json_keys(std::string_view text, std::string_view path);

}  // namespace rotary::test
