#pragma once

#include <cstdint>

namespace rotary::demo {

// Throws std::runtime_error with a sentence for the user when nothing can listen on this port of
// 127.0.0.1; port 0 is always free.
void require_free(std::uint16_t port);

}  // namespace rotary::demo
