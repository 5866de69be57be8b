#include "proxy/exchange.hpp"

#include <rotary/proxy/spend_record.hpp>

namespace rotary::proxy {

void SpendRecord::record(const Exchange& exchange, SteadyTime) {
    const Outcome& outcome = exchange.outcome;
    if (outcome.usage.source == llm::UsageSource::none || exchange.backend() == nullptr) return;
    const routing::Route& route = *exchange.match.route;
    quota::SpendKey key;
    key.quarter_hour = quota::SpendKey::quarter_hour_of(exchange.request.started_wall);
    key.names = {exchange.match.consumer,
                 route.api,
                 routing::to_string(route.environment),
                 route.provider,
                 exchange.entry() == nullptr ? std::string_view{} : exchange.entry()->model,
                 exchange.backend()->name};
    const auto spend = quota::Spend::of(outcome.usage, outcome.cost);
    if (outbox_.add(key, spend, exchange.limits().ledger_cells)) on_first_();
}

}  // namespace rotary::proxy
