#include "proxy/charge.hpp"

namespace rotary::proxy {

const quota::Price* price_of(const Exchange& exchange) noexcept {
    return exchange.entry() != nullptr ? exchange.entry()->price.at(exchange.request.started_wall)
                                       : exchange.content.asked.price;
}

namespace {

// What that usage costs at the choice, counted for it; none: there is no price.
std::optional<std::int64_t> cost_at(Context& context, const Exchange& exchange,
                                    const Choice& choice, const llm::Usage& usage) {
    const Wiring& wiring = *exchange.match.wiring;
    const bool has_entry = choice.entry != Choice::kNone;
    const CostSeries& series = has_entry ? wiring.entries[choice.list][choice.entry].cost
                                         : wiring.upstreams[choice.backend].cost;
    const quota::Price* price =
        has_entry ? exchange.snapshot().lists[choice.list].entries[choice.entry].price.at(
                        exchange.request.started_wall)
                  : exchange.content.asked.price;
    if (price == nullptr) {
        context.metrics.add(series.unpriced);
        return std::nullopt;
    }
    const std::int64_t cost = price->cost(usage);
    context.metrics.add(series.nanos, static_cast<std::uint64_t>(cost));
    return cost;
}

}  // namespace

void charge(Context& context, Exchange& exchange) {
    if (exchange.snapshot().prices == nullptr) return;
    Outcome& outcome = exchange.outcome;
    for (FailedTry& failed : exchange.quotas.failed) {
        failed.cost = cost_at(context, exchange, failed.choice, failed.usage);
    }
    if (outcome.usage.source == llm::UsageSource::none || exchange.backend() == nullptr) return;
    outcome.cost = cost_at(context, exchange, exchange.tries.choice, outcome.usage);
}

}  // namespace rotary::proxy
