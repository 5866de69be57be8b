#include "proxy/exchange.hpp"

#include <rotary/proxy/spend_record.hpp>

#include <string_view>

namespace rotary::proxy {

namespace {

quota::SpendKey key_of(const Exchange& exchange, const Choice& choice) {
    const routing::Route& route = *exchange.match.route;
    const routing::Snapshot& snapshot = exchange.snapshot();
    std::string_view model = exchange.content.asked.name;
    if (choice.entry != Choice::kNone) {
        model = snapshot.lists[choice.list].entries[choice.entry].model;
    }
    quota::SpendKey key;
    key.quarter_hour = quota::SpendKey::quarter_hour_of(exchange.request.started_wall);
    key.names = {exchange.match.consumer, route.api, routing::to_string(route.environment),
                 route.provider,          model,     snapshot.backends[choice.backend].name};
    return key;
}

}  // namespace

void SpendRecord::record(const Exchange& exchange, SteadyTime) {
    const auto add = [&](const Choice& choice, const quota::Spend& spend) {
        const std::size_t most = exchange.limits().ledger_cells;
        if (outbox_.add(key_of(exchange, choice), spend, most)) on_first_();
    };
    for (const FailedTry& failed : exchange.quotas.failed) {
        add(failed.choice, quota::Spend::of(failed.usage, failed.cost));
    }
    const Outcome& outcome = exchange.outcome;
    if (outcome.usage.source == llm::UsageSource::none || exchange.backend() == nullptr) return;
    add(exchange.tries.choice, quota::Spend::of(outcome.usage, outcome.cost));
}

}  // namespace rotary::proxy
