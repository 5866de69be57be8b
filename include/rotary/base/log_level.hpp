#pragma once

#include <cstdint>

namespace rotary {

// From what weight on a Logger writes a line; also the setting log.level. `trace` lets through what
// `debug` does: no line is lighter.
enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };

}  // namespace rotary
