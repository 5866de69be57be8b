#pragma once

#include <cstddef>
#include <string_view>

// Escapes inside JSON strings (RFC 8259 section 7).
namespace rotary::wire {

// The length of the escape at `p`, which is at its backslash and before `end`; 0 when malformed.
std::size_t escape_size(const char* p, const char* end) noexcept;

// Whether the contents of a valid JSON string, decoded, are `name`.
bool spells(std::string_view raw, std::string_view name) noexcept;

}  // namespace rotary::wire
