#pragma once

#include <cstddef>
#include <string>

namespace rotary::control {

// The file's text, at most one byte more than `limit` of it; on failure `error` says why. Never
// waits for a writer, as a FIFO would have it.
std::string read_key_file(const std::string& path, std::size_t limit, std::string& error);

}  // namespace rotary::control
