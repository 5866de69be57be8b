#pragma once

#include <rotary/config/prices/price_list.hpp>
#include <rotary/llm/usage.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace rotary::quota {

// Money as it is kept, summed and told: 10^-9 of the currency.
using Nanos = std::int64_t;

// What one model costs, every fallback in its place. Immutable, shared by all workers.
class Price {
public:
    explicit Price(const config::PriceEntry& entry);

    // Exact, rounded once, half up. A sum that does not fit is the largest there is.
    Nanos cost(const llm::Usage& usage) const noexcept;
    // Whether it depends on Usage::service.
    bool has_services() const noexcept { return !services_.empty(); }

private:
    using Rates = std::array<config::Picos, config::kRates>;
    struct Tier {
        std::uint64_t above_input = 0;
        Rates rates{};
    };
    struct Special {
        std::int64_t millionths = 1'000'000;  // of what the tiers say
        std::vector<Tier> tiers;              // empty: the standard ones
    };
    const std::vector<Tier>& tiers_of(const Special* special) const noexcept;

    std::vector<Tier> tiers_;        // the first has no threshold; the highest last
    std::vector<Special> services_;  // of each but the standard one; empty: all cost the same
};

}  // namespace rotary::quota
