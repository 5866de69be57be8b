#include "proxy/charge.hpp"

namespace rotary::proxy {

void charge(Context& context, Exchange& exchange) {
    Outcome& outcome = exchange.outcome;
    if (outcome.usage.source == llm::UsageSource::none || exchange.entry() == nullptr) return;
    if (exchange.snapshot().prices == nullptr) return;
    const Choice& choice = exchange.tries.choice;
    const EntrySeries& series = exchange.match.wiring->entries[choice.list][choice.entry];
    const quota::Price* price = exchange.entry()->price.at(exchange.request.started_wall);
    if (price == nullptr) {
        context.metrics.add(series.unpriced);
        return;
    }
    outcome.cost = price->cost(outcome.usage);
    context.metrics.add(series.cost, static_cast<std::uint64_t>(*outcome.cost));
}

}  // namespace rotary::proxy
