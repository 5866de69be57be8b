#include <rotary/base/json_text.hpp>
#include <rotary/base/utf8.hpp>

namespace rotary::text {

namespace {

constexpr char kHex[] = "0123456789abcdef";

constexpr bool is_plain(char c) noexcept {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F &&
           c != '"' && c != '\\';
}

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    const auto byte = static_cast<unsigned char>(c);
    const char escape[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    out.append(escape, sizeof escape);
}

}  // namespace

void append_json_string(std::string& out, std::string_view value) {
    out += '"';
    const char* p = value.data();
    const char* const end = p + value.size();
    while (p != end) {
        const char* run = p;
        while (p != end && is_plain(*p)) ++p;
        out.append(run, static_cast<std::size_t>(p - run));
        if (p == end) break;
        if (static_cast<unsigned char>(*p) < 0x80) {
            append_escaped(out, *p++);
            continue;
        }
        const std::size_t size = utf8_sequence(p, end);
        if (size == 0) {
            out += "\xEF\xBF\xBD";
            ++p;
        } else {
            out.append(p, size);
            p += size;
        }
    }
    out += '"';
}

}  // namespace rotary::text
