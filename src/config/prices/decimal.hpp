#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::config {

struct Decimal {
    std::int64_t value = 0;
    bool is_exact = true;  // false: it was rounded, half up
};

// A decimal number (3, 0.15, 7.5e-08) times 10^exponent, from its digits: no binary fraction is
// ever made of it. None for what is no such number, is negative, or does not fit.
std::optional<Decimal> parse_decimal(std::string_view text, int exponent);

}  // namespace rotary::config
