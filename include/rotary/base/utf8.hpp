#pragma once

#include <cstddef>
#include <cstdint>

namespace rotary::text {

// The length of the well-formed UTF-8 sequence at `p` (Unicode table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF), or 0. `p` must be before `end`.
constexpr std::size_t utf8_sequence(const char* p, const char* end) noexcept {
    const auto byte = [p](std::size_t i) { return static_cast<std::uint8_t>(p[i]); };
    const auto room = static_cast<std::size_t>(end - p);
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return room >= 2 && follows(1) ? 2 : 0;
    if (lead < 0xF0) {
        if (room < 3 || !follows(1) || !follows(2)) return 0;
        if (lead == 0xE0 && byte(1) < 0xA0) return 0;
        if (lead == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (lead > 0xF4 || room < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
}

}  // namespace rotary::text
