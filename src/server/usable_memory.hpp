#pragma once

#include <cstddef>
#include <string>

namespace rotary::server {

// The memory that this process may use, in bytes: the machine's, or less where one of its control
// groups, version 1 or 2, has a limit. `root` is put before the paths of /proc and /sys.
std::size_t usable_memory(const std::string& root = "");

}  // namespace rotary::server
