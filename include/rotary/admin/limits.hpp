#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/wiring.hpp>

#include <cstddef>
#include <string>

namespace rotary::admin {

inline constexpr std::size_t kLimitsShown = 1000;

inline constexpr std::size_t kMostCallersShown = 1000;

// What /api/v1/limits shows: limits with what was used of their windows, what remains and when
// these end; of more than kLimitsShown the rest as a number. Of a limit that callers have for
// themselves those who have used most, at most `callers` and kMostCallersShown; what it says itself
// is of those without a counter of their own. What replicas share is of them all, as far as it is
// known here; a look has the fleet asked, so that the next one knows it.
std::string limits_json(const proxy::Wiring& wiring, WallTime now, std::size_t callers);

// Samples worked out at each scrape: rotary_limit_used_ratio, of each policy of Backends and APIs
// the limit that is used the most.
void sample_limits(const proxy::Wiring& wiring, WallTime now, metrics::Exposition& out);
// The same of budgets: rotary_budget_used_ratio.
void sample_budgets(const proxy::Wiring& wiring, WallTime now, metrics::Exposition& out);

}  // namespace rotary::admin
