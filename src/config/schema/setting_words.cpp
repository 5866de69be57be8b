#include "config/schema/shapes.hpp"

#include <algorithm>
#include <map>

namespace rotary::config {
namespace {

using Words = std::map<std::string, SettingWords, std::less<>>;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    return text;
}

// One key with the names above it.
struct Level {
    std::size_t indent = 0;
    std::string path;
};

bool is_key_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

class SampleReader {
public:
    void line(std::string_view text) {
        const std::size_t indent = std::min(text.find_first_not_of(' '), text.size());
        std::string_view rest = text.substr(indent);
        if (rest.starts_with('#')) {
            // Words that did not fit behind the key go on below themselves.
            if (indent > 2 && last_ != nullptr) {
                last_->description += " " + std::string(trimmed(rest.substr(1)));
            }
            return;
        }
        last_ = nullptr;
        std::size_t inner = indent;
        if (rest.starts_with("- ")) {
            rest.remove_prefix(2);
            inner += 2;
        }
        std::size_t size = 0;
        while (size < rest.size() && is_key_letter(rest[size])) {
            ++size;
        }
        if (size == 0 || size >= rest.size() || rest[size] != ':') {
            return;
        }
        while (!levels_.empty() && levels_.back().indent >= inner) {
            levels_.pop_back();
        }
        const std::string above = levels_.empty() ? "" : levels_.back().path + ".";
        levels_.push_back({inner, above + std::string(rest.substr(0, size))});
        last_ = &words_[levels_.back().path];
        rest.remove_prefix(size + 1);
        const std::size_t comment = rest.find(" #");
        last_->usual = trimmed(rest.substr(0, comment));
        if (comment != rest.npos) {
            last_->description = trimmed(rest.substr(comment + 2));
        }
    }
    Words take() { return std::move(words_); }

private:
    Words words_;
    std::vector<Level> levels_;
    SettingWords* last_ = nullptr;
};

Words read_sample() {
    SampleReader reader;
    std::string_view rest = kSettingsSample;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        reader.line(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return reader.take();
}

}  // namespace

SettingWords setting_words(std::string_view path) {
    static const Words kWords = read_sample();
    std::string plain;  // x[].y is x.y in the sample
    for (const char c : path) {
        if (c != '[' && c != ']') {
            plain += c;
        }
    }
    const auto found = kWords.find(plain);
    if (found != kWords.end()) {
        return found->second;
    }
    return {std::string(field_words(kShortForm, plain)), ""};
}

}  // namespace rotary::config
