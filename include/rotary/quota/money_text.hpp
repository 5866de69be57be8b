#pragma once

#include <rotary/quota/price.hpp>

#include <array>
#include <string_view>

namespace rotary::quota {

// Money as people write it: "100.00", "0.0015"; two digits behind the point, or as many as it has.
using MoneyText = std::array<char, 32>;
// The view is into `text`. Of negative sums nothing is there.
std::string_view write_money(Nanos nanos, MoneyText& text) noexcept;

}  // namespace rotary::quota
