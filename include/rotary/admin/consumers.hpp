#pragma once

#include <rotary/admin/cost_of_today.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/wiring.hpp>

#include <cstddef>
#include <string>

namespace rotary::admin {

inline constexpr std::size_t kMostConsumersShown = 1000;

struct ConsumersAsked {
    std::size_t most = 100;
    std::string consumer{};  // that one alone, known or not
};

// What /api/v1/consumers shows: those with most requests, what they used since the process began to
// count and what today costs, requests in flight where these have a limit, and how their limits and
// budgets stand. Where quotas.metric_consumers is 0 none is counted, and what is shown of one that
// is asked for by its name is its limits.
std::string consumers_json(const proxy::Wiring& wiring, WallTime now, const ConsumersAsked& asked,
                           const CostOfToday& today);

// Samples worked out at each scrape: rotary_consumer_*, of quotas.metric_consumers.
void sample_consumers(const proxy::Wiring& wiring, metrics::Exposition& out);

}  // namespace rotary::admin
