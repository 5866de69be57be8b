#include "config/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace rotary::config {
namespace {

// The length of the character at the start of the text, 0 when it is not one.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) {
        return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
    };
    const auto between = [](unsigned value, unsigned low, unsigned high) {
        return value >= low && value <= high;
    };
    const auto tail = [&](std::size_t i) { return between(byte(i), 0x80, 0xBF); };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first < 0x80) {
        return 1;
    }
    if (between(first, 0xC2, 0xDF)) {
        return tail(1) ? 2 : 0;
    }
    if (between(first, 0xE0, 0xEF)) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return between(second, low, high) && tail(2) ? 3 : 0;
    }
    if (between(first, 0xF0, 0xF4)) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80;
        const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
        return between(second, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::optional<BadText> find_bad_text(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = text[at] == '\0' ? 0 : utf8_length(text.substr(at));
        if (length == 0) {
            const std::string_view before = text.substr(0, at);
            const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
            return BadText{1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                           1 + static_cast<int>(at - line_start),
                           text[at] == '\0' ? "a NUL byte" : "not valid UTF-8"};
        }
        at += length;
    }
    return std::nullopt;
}

}  // namespace rotary::config
