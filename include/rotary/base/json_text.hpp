#pragma once

#include <rotary/base/utf8.hpp>

#include <string>
#include <string_view>

namespace rotary::text {

// How a JSON string spells what JSON leaves open; to a reader of JSON all spellings are the same.
struct JsonSpelling {
    std::string_view del = "\\u007f";
    std::string_view not_utf8 = "\xEF\xBF\xBD";  // U+FFFD, in the place of each byte
    bool short_escapes = true;                   // \n instead of \u000a
};

// The inside of one escape, `\n` or `\u001f`, for a character that can't stand as it is.
class JsonEscape {
public:
    JsonEscape(char c, const JsonSpelling& spelling) noexcept;
    std::string_view text() const noexcept { return {text_, size_}; }

private:
    char text_[6];
    std::size_t size_;
};

// Whether a JSON string holds this character as it is.
constexpr bool is_plain_json(char c) noexcept {
    return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F &&
           c != '"' && c != '\\';
}

// Whether it holds all of them as they are: most of what is written.
bool is_plain_json(std::string_view value) noexcept;

// Writes `value` as a JSON string, quotes included, by out.append(std::string_view). Bytes that are
// not UTF-8 are replaced, so whatever a peer sent, the text stays valid JSON.
template <class Out>
void write_json_string(Out& out, std::string_view value, const JsonSpelling& spelling = {}) {
    out.append(std::string_view("\""));
    const char* p = value.data();
    const char* const end = p + value.size();
    while (p != end) {
        const char* const run = p;
        while (p != end && is_plain_json(*p)) ++p;
        out.append(std::string_view(run, static_cast<std::size_t>(p - run)));
        if (p == end) break;
        const std::size_t size = utf8_sequence(p, end);
        if (*p == '\x7f')
            out.append(spelling.del);
        else if (size == 0)
            out.append(spelling.not_utf8);
        else if (size == 1)
            out.append(JsonEscape(*p, spelling).text());
        else
            out.append(std::string_view(p, size));
        p += size == 0 ? 1 : size;
    }
    out.append(std::string_view("\""));
}

// The same at the end of a string; allocates only when `out` must grow.
void append_json_string(std::string& out, std::string_view value);

}  // namespace rotary::text
