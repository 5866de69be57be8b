#pragma once

#include <string>
#include <string_view>

namespace rotary::admin {

// A JSON text that we wrote, as YAML in block style; empty when it is none.
std::string json_as_yaml(std::string_view json);

}  // namespace rotary::admin
