#include <rotary/base/json_text.hpp>

#include <algorithm>
#include <array>

namespace rotary::text {

namespace {

// The character behind the backslash of a short escape, or 0.
constexpr char short_escape(char c) noexcept {
    switch (c) {
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        default:
            return 0;
    }
}

}  // namespace

JsonEscape::JsonEscape(char c, const JsonSpelling& spelling) noexcept {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    const char letter = c == '"' || c == '\\' ? c : spelling.short_escapes ? short_escape(c) : '\0';
    if (letter != 0) {
        text_[0] = '\\';
        text_[1] = letter;
        size_ = 2;
        return;
    }
    const std::array<char, 6> escape{'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 15U]};
    std::copy(escape.begin(), escape.end(), text_);
    size_ = escape.size();
}

void append_json_string(std::string& out, std::string_view value) { write_json_string(out, value); }

}  // namespace rotary::text
