#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>

namespace rotary::wire {

inline constexpr std::size_t kMillisecondsBytes = 32;  // what one takes at most

// Milliseconds with three decimals, cut off: 1.234. Returns the place behind them.
inline char* write_milliseconds(char* at, std::chrono::nanoseconds value) noexcept {
    auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    if (micros < 0) {
        *at++ = '-';
        micros = -micros;
    }
    at = std::to_chars(at, at + kMillisecondsBytes, micros / 1000).ptr;
    const auto rest = static_cast<unsigned>(micros % 1000);
    const auto digit = [](unsigned n) { return static_cast<char>('0' + n); };
    *at++ = '.';
    *at++ = digit(rest / 100);
    *at++ = digit(rest / 10 % 10);
    *at++ = digit(rest % 10);
    return at;
}

}  // namespace rotary::wire
