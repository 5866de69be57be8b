#include <rotary/admin/token_rates.hpp>

namespace rotary::admin {

std::uint64_t tokens_of(const metrics::Registry& registry, const proxy::EntrySeries& series) {
    return registry.value(series.tokens[0]) + registry.value(series.tokens[1]);
}

void TokenRates::note(const proxy::Wiring& wiring, const metrics::Registry& registry,
                      SteadyTime now) {
    sums_.note(wiring, now,
               [&](const proxy::EntrySeries& series) { return tokens_of(registry, series); });
}

std::uint64_t TokenRates::last_minute(std::string_view entry, std::uint64_t total,
                                      SteadyTime now) const {
    const std::uint64_t* before = sums_.before(entry, now);
    if (before == nullptr) return 0;
    return total >= *before ? total - *before : total;  // less: its series began anew
}

}  // namespace rotary::admin
