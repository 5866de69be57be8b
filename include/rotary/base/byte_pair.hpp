#pragma once

#include <bit>
#include <cstddef>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Where two bytes stand side by side, looked for at sixteen places a step: a text has quotes
// enough, and hardly ever one before the byte that matters.
namespace rotary::text {

#ifdef __SSE2__
// A bit for each of the sixteen places at `at` where the two stand; reads one byte more.
inline unsigned pairs_at(const char* at, char first, char second) noexcept {
    const auto load = [](const char* bytes) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    };
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(load(at), _mm_set1_epi8(first)),
                                       _mm_cmpeq_epi8(load(at + 1), _mm_set1_epi8(second)));
    return static_cast<unsigned>(_mm_movemask_epi8(both));
}
#endif

// The first place at or behind `from`, or npos.
inline std::size_t find_pair(std::string_view text, char first, char second,
                             std::size_t from = 0) noexcept {
    std::size_t at = from;
#ifdef __SSE2__
    for (; at + 16 < text.size(); at += 16) {
        const unsigned mask = pairs_at(text.data() + at, first, second);
        if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
    }
#endif
    for (; at + 1 < text.size(); ++at) {
        if (text[at] == first && text[at + 1] == second) return at;
    }
    return std::string_view::npos;
}

// The last place, or npos.
inline std::size_t rfind_pair(std::string_view text, char first, char second) noexcept {
    std::size_t places = text.empty() ? 0 : text.size() - 1;
#ifdef __SSE2__
    for (; places >= 16; places -= 16) {
        const unsigned mask = pairs_at(text.data() + places - 16, first, second);
        if (mask != 0) return places - 16 + static_cast<std::size_t>(std::bit_width(mask)) - 1;
    }
#endif
    while (places > 0) {
        --places;
        if (text[places] == first && text[places + 1] == second) return places;
    }
    return std::string_view::npos;
}

}  // namespace rotary::text
