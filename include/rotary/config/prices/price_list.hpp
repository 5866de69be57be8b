#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// Money in 10^-12 of the currency: what a token costs is exact in it to six decimals a million.
using Picos = std::int64_t;
inline constexpr Picos kMostPicos = 1'000'000'000'000'000;  // 1,000 a token, an image, a request

// What has a price of its own. The members of a PriceEntry's rates, in this order.
enum class Rate : std::uint8_t {
    input,
    cached_read,
    cache_write,
    cache_write_long,
    audio_in,
    image_in,
    output,
    reasoning,
    audio_out,
    request,     // each
    image,       // that was made
    second,      // of audio
    web_search,  // that the model made
};
inline constexpr std::size_t kRates = 13;

// What a price list says, and nothing where it says nothing.
using Rates = std::array<std::optional<Picos>, kRates>;

// Rates of requests whose whole input is above so many tokens, in place of the entry's own.
struct PriceTier {
    std::uint64_t above_input = 0;
    Rates rates;
};

// What a provider takes for its services other than the standard one: so many millionths of the
// price, or rates in place of the entry's own.
struct PriceService {
    std::int64_t millionths = 1'000'000;
    Rates rates;
    bool is_multiple = true;
    bool is_stated = false;  // otherwise it costs what the standard one does
};
inline constexpr std::size_t kServices = 3;  // batch, flex, priority
inline constexpr std::int64_t kMostMillionths = 100'000'000;

// What one provider takes for one model, or for all whose names begin alike.
struct PriceEntry {
    std::string provider;  // "*": any
    std::string model;     // without the '*' at its end
    bool is_prefix = false;
    std::optional<std::chrono::sys_days> from;  // UTC; none: always
    Rates rates;
    std::vector<PriceTier> tiers;  // the highest last
    std::array<PriceService, kServices> services;
};

}  // namespace rotary::config
