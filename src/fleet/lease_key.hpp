#pragma once

#include <string>
#include <string_view>

namespace rotary::fleet {

// The key of what is counted under that name, whatever the name has in it and however long it is.
std::string lease_key(std::string_view prefix, std::string_view name);

}  // namespace rotary::fleet
