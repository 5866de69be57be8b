#include "config/yaml/utf8.hpp"

#include <rotary/base/utf8.hpp>

#include <algorithm>

namespace rotary::config {

std::optional<BadText> find_bad_text(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length =
            text[at] == '\0' ? 0 : text::utf8_sequence(text.data() + at, text.data() + text.size());
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
