#include <rotary/base/json_text.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

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

#if defined(__SSE2__)

namespace {

bool are_plain(__m128i bytes) noexcept {
    // Compared with their signs: what is no ASCII is below a blank too.
    const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i any = _mm_or_si128(_mm_or_si128(low, quote), _mm_or_si128(slash, del));
    return _mm_movemask_epi8(any) == 0;
}

__m128i load16(const char* p) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// The first and the last bytes of what is shorter than sixteen: they may be the same ones.
template <class Word>
bool ends_are_plain(const char* p, std::size_t size) noexcept {
    Word words[2];
    std::memcpy(&words[0], p, sizeof(Word));
    std::memcpy(&words[1], p + size - sizeof(Word), sizeof(Word));
    const auto first = static_cast<long long>(words[0]);
    if constexpr (sizeof(Word) == 8) {
        return are_plain(_mm_set_epi64x(static_cast<long long>(words[1]), first));
    }
    const auto both = static_cast<long long>(static_cast<std::uint64_t>(words[1]) << 32 | words[0]);
    return are_plain(_mm_set1_epi64x(both));
}

}  // namespace

bool is_plain_json(std::string_view value) noexcept {
    const char* p = value.data();
    const std::size_t size = value.size();
    if (size >= 16) {
        const char* const last = p + size - 16;
        for (; p < last; p += 16) {
            if (!are_plain(load16(p))) return false;
        }
        return are_plain(load16(last));
    }
    if (size >= 8) return ends_are_plain<std::uint64_t>(p, size);
    if (size >= 4) return ends_are_plain<std::uint32_t>(p, size);
    return std::all_of(value.begin(), value.end(), [](char c) { return is_plain_json(c); });
}

#else

bool is_plain_json(std::string_view value) noexcept {
    return std::all_of(value.begin(), value.end(), [](char c) { return is_plain_json(c); });
}

#endif

void append_json_string(std::string& out, std::string_view value) {
    if (!is_plain_json(value)) return write_json_string(out, value);
    out.push_back('"');
    out.append(value);
    out.push_back('"');
}

}  // namespace rotary::text
