
#include <rotary/base/utf8.hpp>
#include <rotary/llm/json_scanner.hpp>
#include <rotary/wire/json_escape.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace rotary::llm {

namespace {

constexpr std::size_t kMaxDepth = 1024;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether a byte inside a string needs a look: the quote, the backslash, control characters, and
// what is not ASCII (negative as a signed char).
constexpr bool is_special(char c) noexcept {
    return c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20;
}

#ifdef __SSE2__
inline __m128i load(const char* p) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

inline __m128i special_bytes(__m128i bytes) noexcept {
    const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i signed_low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    return _mm_or_si128(_mm_or_si128(quotes, slashes), signed_low);
}

inline unsigned mask_of(__m128i bytes) noexcept {
    return static_cast<unsigned>(_mm_movemask_epi8(bytes));
}
#endif

// The first special byte at or after `p`, or `end`. Never reads at or behind `end`.
inline const char* skip_plain(const char* p, const char* end) noexcept {
#ifdef __SSE2__
    while (end - p >= 64) {
        const __m128i a = special_bytes(load(p));
        // Most keys and many values end within the first sixteen bytes.
        if (const unsigned mask = mask_of(a)) return p + std::countr_zero(mask);
        const __m128i b = special_bytes(load(p + 16));
        const __m128i c = special_bytes(load(p + 32));
        const __m128i d = special_bytes(load(p + 48));
        if (mask_of(_mm_or_si128(b, _mm_or_si128(c, d))) != 0) {
            const std::uint64_t mask = std::uint64_t{mask_of(b)} << 16 |
                                       std::uint64_t{mask_of(c)} << 32 |
                                       std::uint64_t{mask_of(d)} << 48;
            return p + std::countr_zero(mask);
        }
        p += 64;
    }
    while (end - p >= 16) {
        if (const unsigned mask = mask_of(special_bytes(load(p)))) {
            return p + std::countr_zero(mask);
        }
        p += 16;
    }
#endif
    while (p != end && !is_special(*p)) ++p;
    return p;
}

// One bit a nested level: object or array.
class Nesting {
public:
    explicit Nesting(std::size_t limit) noexcept : limit_(std::min(limit, kMaxDepth)) {}
    std::size_t level() const noexcept { return level_; }
    bool push(bool object) noexcept {
        if (level_ == limit_) return false;
        std::uint64_t& word = bits_[level_ / 64];
        const std::uint64_t bit = std::uint64_t{1} << level_ % 64;
        word = object ? word | bit : word & ~bit;
        ++level_;
        return true;
    }
    void pop() noexcept { --level_; }
    bool in_object() const noexcept {
        return (bits_[(level_ - 1) / 64] >> (level_ - 1) % 64 & 1U) != 0;
    }

private:
    std::array<std::uint64_t, kMaxDepth / 64> bits_{};
    std::size_t limit_;
    std::size_t level_ = 0;
};

// One pass over one text. Functions return false once something is wrong; error() then says what.
class Scanner {
public:
    Scanner(std::string_view text, std::size_t depth) noexcept
        : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), nesting_(depth) {}

    using Path = std::span<const std::string>;  // what of it is still to come

    bool scan(ScannedBody& body, Path path) noexcept;
    const char* error() const noexcept { return error_; }
    bool duplicate() const noexcept { return duplicate_; }
    bool misplaced() const noexcept { return misplaced_; }

private:
    bool fail(const char* what) noexcept {
        error_ = what;
        return false;
    }
    bool at(char c) const noexcept { return p_ != end_ && *p_ == c; }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(p_ - begin_); }
    void space() noexcept {
        while (p_ != end_ && is_space(*p_)) ++p_;
    }
    bool skip_string() noexcept;
    bool skip_number() noexcept;
    bool skip_digits() noexcept;
    bool skip_literal(std::string_view word) noexcept;
    bool skip_key() noexcept;
    bool skip_value() noexcept;
    bool begin_value(bool& opened) noexcept;
    bool next_value(bool& done, std::size_t base) noexcept;
    bool object(ScannedBody& body, Path path, std::size_t level) noexcept;
    bool member(ScannedBody& body, Path path, std::size_t level, bool& met) noexcept;

    const char* begin_;
    const char* p_;
    const char* end_;
    Nesting nesting_;
    const char* error_ = "";
    bool duplicate_ = false;
    bool misplaced_ = false;
};

bool Scanner::skip_string() noexcept {
    const char* p = p_ + 1;
    for (;;) {
        p = skip_plain(p, end_);
        if (p == end_) return fail("a string is not closed");
        if (*p == '"') {
            p_ = p + 1;
            return true;
        }
        if (*p == '\\') {
            const std::size_t size = wire::escape_size(p, end_);
            if (size == 0) return fail("a string holds a malformed escape");
            p += size;
        } else if (static_cast<unsigned char>(*p) < 0x20) {
            return fail("a string holds a control character");
        } else {
            do {
                const std::size_t size = text::utf8_sequence(p, end_);
                if (size == 0) return fail("a string is not UTF-8");
                p += size;
            } while (p != end_ && static_cast<signed char>(*p) < 0);
        }
    }
}

bool Scanner::skip_digits() noexcept {
    if (p_ == end_ || !is_digit(*p_)) return fail("a number is malformed");
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return true;
}

bool Scanner::skip_number() noexcept {
    if (*p_ == '-') ++p_;
    if (at('0'))
        ++p_;
    else if (!skip_digits())
        return false;
    if (at('.')) {
        ++p_;
        if (!skip_digits()) return false;
    }
    if (at('e') || at('E')) {
        ++p_;
        if (at('+') || at('-')) ++p_;
        if (!skip_digits()) return false;
    }
    return true;  // what follows must be a comma, a bracket or white space: next_value sees to it
}

bool Scanner::skip_literal(std::string_view word) noexcept {
    if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(word)) {
        return fail("a value is malformed");
    }
    p_ += word.size();
    return true;
}

// A key, its colon, and the white space around them.
bool Scanner::skip_key() noexcept {
    if (!at('"')) return fail("an object's key is missing");
    if (!skip_string()) return false;
    space();
    if (!at(':')) return fail("a colon is missing");
    ++p_;
    space();
    return true;
}

// Reads a scalar, an empty container or an opening bracket with all that stands before the first
// value within; `opened` says that such a value comes next.
bool Scanner::begin_value(bool& opened) noexcept {
    opened = false;
    if (p_ == end_) return fail("a value is missing");
    switch (*p_) {
        case '"':
            return skip_string();
        case 't':
            return skip_literal("true");
        case 'f':
            return skip_literal("false");
        case 'n':
            return skip_literal("null");
        case '{':
        case '[':
            break;
        default:
            if (*p_ != '-' && !is_digit(*p_)) return fail("a value is malformed");
            return skip_number();
    }
    const bool object = *p_ == '{';
    if (!nesting_.push(object)) return fail("nested too deeply");
    ++p_;
    space();
    if (at(object ? '}' : ']')) {
        ++p_;
        nesting_.pop();
        return true;
    }
    opened = true;
    return !object || skip_key();
}

// After a value: closes what ends here and stops before the next value, or with `done` once the
// nesting is back at the object that the outermost value is a member of.
bool Scanner::next_value(bool& done, std::size_t base) noexcept {
    while (nesting_.level() > base) {
        space();
        const bool object = nesting_.in_object();
        if (at(',')) {
            ++p_;
            space();
            return !object || skip_key();
        }
        if (!at(object ? '}' : ']')) return fail("a comma or a closing bracket is missing");
        ++p_;
        nesting_.pop();
    }
    done = true;
    return true;
}

bool Scanner::skip_value() noexcept {
    const std::size_t base = nesting_.level();
    for (bool done = false; !done;) {
        bool opened = false;
        if (!begin_value(opened)) return false;
        if (!opened && !next_value(done, base)) return false;
    }
    return true;
}

// `met`: the next member of the path was met in this object before.
bool Scanner::member(ScannedBody& body, Path path, std::size_t level, bool& met) noexcept {
    const char* const key = p_ + 1;
    if (!at('"')) return fail("an object's key is missing");
    if (!skip_string()) return false;
    const std::string_view name(key, static_cast<std::size_t>(p_ - key) - 1);
    space();
    if (!at(':')) return fail("a colon is missing");
    ++p_;
    space();
    const bool on_path = wire::spells(name, path.front());
    duplicate_ = duplicate_ || (on_path && met);
    met = met || on_path;
    MemberRange range{true, offset(), 0};
    if (on_path && path.size() > 1 && at('{')) {
        if (!object(body, path.subspan(1), level + 1)) return false;
    } else {
        if (!skip_value()) return false;
        misplaced_ = misplaced_ || (on_path && path.size() > 1);
    }
    range.end = offset();
    if (on_path && path.size() == 1) body.model = range;
    if (level > 0) return true;
    if (wire::spells(name, "stream"))
        body.stream = range;
    else if (wire::spells(name, "stream_options"))
        body.stream_options = range;
    return true;
}

// An object on the way to the model; `level` members of the path have led here.
bool Scanner::object(ScannedBody& body, Path path, std::size_t level) noexcept {
    if (!at('{')) return fail("not a JSON object");
    if (!nesting_.push(true)) return fail("nested too deeply");
    ++p_;
    body.insert_at = offset();
    body.levels = level;
    space();
    body.is_empty = at('}');
    if (!body.is_empty) {
        bool met = false;
        if (!member(body, path, level, met)) return false;
        for (space(); at(','); space()) {
            ++p_;
            space();
            if (!member(body, path, level, met)) return false;
        }
        if (!at('}')) return fail("a comma or a closing bracket is missing");
    }
    ++p_;
    nesting_.pop();
    return true;
}

bool Scanner::scan(ScannedBody& body, Path path) noexcept {
    space();
    if (!object(body, path, 0)) return false;
    space();
    return p_ == end_ || fail("something follows the object");
}

}  // namespace

Result<ScannedBody> scan_body(std::string_view text, std::span<const std::string> path,
                              std::size_t depth) {
    ScannedBody body;
    Scanner scanner(text, depth);
    if (!scanner.scan(body, path)) {
        return Fault::client(FaultKind::invalid_json, scanner.error());
    }
    if (scanner.duplicate()) return Fault::client(FaultKind::duplicate_model);
    if (scanner.misplaced()) {
        return Fault::client(FaultKind::bad_request,
                             "A member of the body that should hold the model is no object.");
    }
    return body;
}

std::optional<std::string_view> plain_string(std::string_view text,
                                             const MemberRange& range) noexcept {
    if (!range.found || range.end > text.size() || range.end < range.begin + 2) return std::nullopt;
    const std::string_view value = text.substr(range.begin, range.end - range.begin);
    if (value.front() != '"' || value.back() != '"') return std::nullopt;
    const std::string_view contents = value.substr(1, value.size() - 2);
    if (contents.find('\\') != contents.npos) return std::nullopt;
    return contents;
}

bool is_true(std::string_view text, const MemberRange& range) noexcept {
    return range.found && range.begin <= range.end && range.end <= text.size() &&
           text.substr(range.begin, range.end - range.begin) == "true";
}

}  // namespace rotary::llm
