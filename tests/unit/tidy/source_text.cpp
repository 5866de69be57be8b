#include "unit/tidy/source_text.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace rotary::tidy {

namespace {

// The end of the string or character literal whose quote stands at `at`.
std::size_t literal_end(std::string_view text, std::size_t at) {
    const bool raw = text[at] == '"' && at > 0 && text[at - 1] == 'R';
    if (raw) {
        const std::size_t open = text.find('(', at);
        if (open == std::string_view::npos) return text.size();
        const std::string close = ")" + std::string(text.substr(at + 1, open - at - 1)) + "\"";
        const std::size_t end = text.find(close, open);
        return end == std::string_view::npos ? text.size() : end + close.size();
    }
    std::size_t i = at + 1;
    while (i < text.size() && text[i] != text[at] && text[i] != '\n')
        i += text[i] == '\\' ? 2U : 1U;
    return std::min(i + 1, text.size());
}

}  // namespace

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view end) { return path.ends_with(end); });
}

bool starts_with_any(std::string_view path, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view begin) { return path.starts_with(begin); });
}

bool is_cpp(const File& file) { return ends_with_any(file.path, {".hpp", ".cpp"}); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string blanked(std::string_view text, Blank blank) {
    std::string out(text);
    const auto wipe = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < out.size(); ++i)
            if (out[i] != '\n') out[i] = ' ';
    };
    std::size_t i = 0;
    while (i < text.size()) {
        std::size_t end = i + 1;
        if (text.substr(i, 2) == "//" || text.substr(i, 2) == "/*") {
            const bool line = text[i + 1] == '/';
            end = line ? text.find('\n', i) : text.find("*/", i + 2);
            end = end == std::string_view::npos ? text.size() : end + (line ? 0 : 2);
            if (blank == Blank::strings_and_comments) wipe(i, end);
        } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word(text[i - 1])))) {
            end = literal_end(text, i);
            wipe(i + 1, end - 1);
        }
        i = end;
    }
    return out;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::count(
                   text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

Findings matches(std::string_view text, const std::regex& pattern, std::string_view what) {
    Findings findings;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (std::regex_search(lines[i], pattern)) findings.push_back({i + 1, std::string(what)});
    return findings;
}

}  // namespace rotary::tidy
