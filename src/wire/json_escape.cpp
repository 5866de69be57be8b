#include <rotary/wire/json_escape.hpp>

#include <rotary/base/percent.hpp>

#include <array>
#include <cstdint>

namespace rotary::wire {

namespace {

// The value of four hexadecimal digits, or -1.
int hex4(const char* p) noexcept {
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = text::hex_value(p[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// The character that the well-formed escape at `p` stands for; moves `p` behind it. A surrogate
// pair is one character, a lone surrogate is itself.
std::uint32_t decode_escape(const char*& p, const char* end) noexcept {
    const char kind = p[1];
    if (kind != 'u') {
        p += 2;
        switch (kind) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            default:
                return static_cast<unsigned char>(kind);
        }
    }
    const auto first = static_cast<std::uint32_t>(hex4(p + 2));
    p += 6;
    if (first < 0xD800 || first > 0xDBFF) return first;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return first;
    const auto second = static_cast<std::uint32_t>(hex4(p + 2));
    if (second < 0xDC00 || second > 0xDFFF) return first;
    p += 6;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

std::size_t encode_utf8(std::uint32_t c, std::array<char, 4>& out) noexcept {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    const auto tail = [&](int shift) { return byte(0x80U | (c >> shift & 0x3FU)); };
    if (c < 0x80) {
        out[0] = byte(c);
        return 1;
    }
    if (c < 0x800) {
        out = {byte(0xC0U | c >> 6), tail(0)};
        return 2;
    }
    if (c < 0x10000) {
        out = {byte(0xE0U | c >> 12), tail(6), tail(0)};
        return 3;
    }
    out = {byte(0xF0U | c >> 18), tail(12), tail(6), tail(0)};
    return 4;
}

}  // namespace

std::size_t escape_size(const char* p, const char* end) noexcept {
    if (end - p < 2) return 0;
    switch (p[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            return 2;
        case 'u':
            return end - p >= 6 && hex4(p + 2) >= 0 ? 6 : 0;
        default:
            return 0;
    }
}

bool spells(std::string_view raw, std::string_view name) noexcept {
    if (raw.size() < name.size()) return false;  // an escape is never shorter than what it means
    if (raw.find('\\') == raw.npos) return raw == name;
    const char* p = raw.data();
    const char* const end = p + raw.size();
    while (p != end) {
        std::array<char, 4> decoded{*p};
        std::size_t size = 1;
        if (*p == '\\')
            size = encode_utf8(decode_escape(p, end), decoded);
        else
            ++p;
        if (!name.starts_with(std::string_view(decoded.data(), size))) return false;
        name.remove_prefix(size);
    }
    return name.empty();
}

}  // namespace rotary::wire
