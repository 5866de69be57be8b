#pragma once

#include <rotary/base/text.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// What the reader and the writer of HTTP/1.1 share: one table of character classes and a few scans
// that look at sixteen bytes at a time.
namespace rotary::wire::http1 {

inline constexpr std::uint8_t kTokenChar = 1;   // tchar, RFC 9110 section 5.6.2
inline constexpr std::uint8_t kTargetChar = 2;  // VCHAR without '#', for an origin-form target
inline constexpr std::uint8_t kHostChar = 4;    // unreserved and sub-delims, RFC 3986 section 3.2.2
inline constexpr std::uint8_t kFieldChar = 8;   // HTAB, SP, VCHAR, obs-text: RFC 9110 section 5.5
inline constexpr std::uint8_t kUnderscore = 16;

constexpr std::array<std::uint8_t, 256> make_classes() noexcept {
    std::array<std::uint8_t, 256> classes{};
    const auto mark = [&classes](std::string_view chars, std::uint8_t bit) {
        for (const char c : chars) classes[static_cast<unsigned char>(c)] |= bit;
    };
    for (unsigned c = 0; c < 256; ++c) {
        const bool digit = c >= '0' && c <= '9';
        const bool alpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (digit || alpha) classes[c] |= kTokenChar | kHostChar;
        if (c > 0x20 && c < 0x7f && c != '#') classes[c] |= kTargetChar;
        if (c == '\t' || (c >= 0x20 && c != 0x7f)) classes[c] |= kFieldChar;
    }
    mark("!#$%&'*+-.^_`|~", kTokenChar);
    mark("-._~!$&'()*+,;=", kHostChar);
    mark("_", kUnderscore);
    return classes;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

constexpr bool is_class(char c, std::uint8_t wanted) noexcept {
    return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

// Does not stop at the first that is not: nearly always there is none.
constexpr bool all_of_class(std::string_view text, std::uint8_t wanted) noexcept {
    std::uint8_t common = wanted;
    for (const char c : text) common &= kClasses[static_cast<unsigned char>(c)];
    return common == wanted;
}

#if defined(__SSE2__)
// A bit for each of the sixteen bytes at `at` that may not stand in a field value.
inline unsigned refused_in_value(const char* at) noexcept {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}
#endif

#if defined(__SSE2__)
// A bit for each of the sixteen bytes at `at` that is none of the letters, digits and hyphens of
// which nearly all names are made.
inline unsigned unusual_in_name(const char* at) noexcept {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto within = [](__m128i bytes, char first, char last) {
        const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
        const __m128i most = _mm_set1_epi8(static_cast<char>(last - first));
        return _mm_cmpeq_epi8(_mm_min_epu8(offset, most), offset);
    };
    const __m128i letter = within(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 'z');
    const __m128i digit = within(block, '0', '9');
    const __m128i hyphen = _mm_cmpeq_epi8(block, _mm_set1_epi8('-'));
    const __m128i usual = _mm_or_si128(_mm_or_si128(letter, digit), hyphen);
    return static_cast<unsigned>(_mm_movemask_epi8(usual)) ^ 0xFFFFU;
}
#endif

// Behind the letters, digits and hyphens that begin [at, end), sixteen at a time.
inline const char* skip_usual_name(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        const unsigned mask = unusual_in_name(at);
        if (mask != 0) return at + std::countr_zero(mask);
    }
#endif
    return at;
}

// The first byte of [at, end) that may not stand in a field value, or `end`.
inline const char* skip_field_value(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    for (; end - at >= 32; at += 32) {
        const unsigned mask = refused_in_value(at) | refused_in_value(at + 16) << 16;
        if (mask != 0) return at + std::countr_zero(mask);
    }
    for (; end - at >= 16; at += 16) {
        const unsigned mask = refused_in_value(at);
        if (mask != 0) return at + std::countr_zero(mask);
    }
#endif
    while (at != end && is_class(*at, kFieldChar)) ++at;
    return at;
}

// The first CR or LF of [at, end), or `end`.
inline const char* find_line_break(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i lf = _mm_set1_epi8('\n');
    for (; end - at >= 16; at += 16) {
        const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(block, cr), _mm_cmpeq_epi8(block, lf));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
        if (mask != 0) return at + std::countr_zero(mask);
    }
#endif
    while (at != end && *at != '\r' && *at != '\n') ++at;
    return at;
}

// Takes the first element off a comma-separated list, trimmed; it may be empty.
inline std::string_view take_element(std::string_view& list) noexcept {
    const auto comma = list.find(',');
    const auto element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return text::trim(element);
}

}  // namespace rotary::wire::http1
