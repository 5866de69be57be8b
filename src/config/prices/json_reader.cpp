#include "config/prices/json_reader.hpp"

#include <algorithm>

namespace rotary::config {

namespace {
constexpr std::size_t kMostDepth = 32;

bool is_of_number(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}
bool is_of_word(char c) { return c >= 'a' && c <= 'z'; }
}  // namespace

void JsonReader::blanks() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
        ++at_;
    }
}

void JsonReader::fail(const char* what) {
    if (ok()) error_ = what;
}

int JsonReader::line() const noexcept {
    const auto from = text_.begin() + static_cast<std::ptrdiff_t>(counted_to_);
    const auto to = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
    line_ += static_cast<int>(std::count(from, to, '\n'));
    counted_to_ = std::min(at_, text_.size());
    return line_;
}

JsonReader::Kind JsonReader::peek() {
    if (!ok()) return Kind::nothing;
    blanks();
    if (at_ == text_.size()) return Kind::nothing;
    switch (text_[at_]) {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        default:
            break;
    }
    if (is_of_word(text_[at_])) return Kind::word;
    return is_of_number(text_[at_]) ? Kind::number : Kind::nothing;
}

bool JsonReader::expect(char c) {
    if (!ok()) return false;
    blanks();
    if (at_ < text_.size() && text_[at_] == c) {
        ++at_;
        return true;
    }
    static constexpr const char* kMissing[] = {"a '{' is missing", "a '[' is missing",
                                               "a ':' is missing", "a '\"' is missing",
                                               "a ',' is missing"};
    const std::size_t which = std::string_view("{[:\",").find(c);
    fail(which < std::size(kMissing) ? kMissing[which] : "a bracket is missing");
    return false;
}

bool JsonReader::open(char bracket) {
    if (!expect(bracket)) return false;
    if (++depth_ <= kMostDepth) return true;
    fail("it is nested too deeply");
    return false;
}

// Whether another member or item comes; takes the comma before it, or the closing bracket.
bool JsonReader::next(bool is_first, char closing) {
    if (!ok()) return false;
    blanks();
    if (at_ < text_.size() && text_[at_] == closing) {
        ++at_;
        return false;
    }
    return is_first || expect(',');
}

std::string_view JsonReader::string() {
    if (!expect('"')) return {};
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
    if (at_ >= text_.size()) {
        at_ = text_.size();
        fail("a text has no end");
        return {};
    }
    return text_.substr(begin, at_++ - begin);
}

std::string_view JsonReader::number() {
    if (peek() != Kind::number) {
        fail("a number is missing");
        return {};
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_of_number(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
}

void JsonReader::skip() {
    switch (peek()) {
        case Kind::object:
            object([](std::string_view) {});
            return;
        case Kind::array:
            if (!open('[')) return;
            for (bool is_first = true; next(is_first, ']'); is_first = false) skip();
            --depth_;
            return;
        case Kind::string:
            string();
            return;
        case Kind::number:
            number();
            return;
        case Kind::word: {
            const std::size_t begin = at_;
            while (at_ < text_.size() && is_of_word(text_[at_])) ++at_;
            const std::string_view word = text_.substr(begin, at_ - begin);
            if (word != "true" && word != "false" && word != "null") fail("a value is missing");
            return;
        }
        case Kind::nothing:
            fail("a value is missing");
            return;
    }
}

void JsonReader::finish() {
    if (!ok()) return;
    blanks();
    if (at_ != text_.size()) fail("there is something behind its end");
}

}  // namespace rotary::config
