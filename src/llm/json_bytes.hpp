#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Scans over the bytes of JSON that a UsageReader goes through.
namespace rotary::llm {

// How many backslashes the text ends with is odd.
inline bool ends_escaping(const char* begin, const char* end) noexcept {
    const char* at = end;
    while (at != begin && at[-1] == '\\') --at;
    return (end - at) % 2 != 0;
}

constexpr bool is_structure(char c) noexcept {
    return c == '"' || c == '{' || c == '[' || c == '}' || c == ']';
}

// The next quote or bracket, or `end`; sixteen bytes at a time.
inline const char* find_structure(const char* at, const char* end) noexcept {
#ifdef __SSE2__
    // With this bit set the two brackets of a kind are one.
    const __m128i fold = _mm_set1_epi8(0x20);
    for (; end - at >= 16; at += 16) {
        const __m128i bytes =
            _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), fold);
        const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        const __m128i opens = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('{'));
        const __m128i closes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('}'));
        const __m128i found = _mm_or_si128(quotes, _mm_or_si128(opens, closes));
        for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(found)); mask != 0;
             mask &= mask - 1) {
            const char* const place = at + std::countr_zero(mask);
            if (is_structure(*place)) return place;
        }
    }
#endif
    while (at != end && !is_structure(*at)) ++at;
    return at;
}

// The end of the string that begins here, when it ends within 48 bytes and has no escape; else
// null.
inline const char* find_near_quote(const char* at, const char* end) noexcept {
#ifdef __SSE2__
    for (int blocks = 3; blocks > 0 && end - at >= 16; --blocks, at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
        if (mask == 0) continue;
        at += std::countr_zero(mask);
        return *at == '"' ? at : nullptr;
    }
#endif
    const char* const last = end - at > 16 ? at + 16 : end;
    while (at != last && *at != '"' && *at != '\\') ++at;
    return at != last && *at == '"' ? at : nullptr;
}

inline std::uint64_t eight_bytes(const char* at) noexcept {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

// Of two names that are as long as each other.
inline bool is_same_name(std::string_view a, std::string_view b) noexcept {
    constexpr std::size_t kBytes = sizeof(std::uint64_t);
    if (a.size() < kBytes) return a == b;
    const std::size_t rest = a.size() - kBytes;
    for (std::size_t at = 0; at < rest; at += kBytes) {
        if (eight_bytes(a.data() + at) != eight_bytes(b.data() + at)) return false;
    }
    return eight_bytes(a.data() + rest) == eight_bytes(b.data() + rest);
}

}  // namespace rotary::llm
