#include "proxy/charge.hpp"

namespace rotary::proxy {

namespace {

// Of the try's entry, or the model that the client asks for.
const quota::Price* price_at(const Exchange& exchange, const Choice& choice) noexcept {
    if (choice.entry == Choice::kNone) return exchange.content.asked.price;
    return exchange.snapshot().lists[choice.list].entries[choice.entry].price.at(
        exchange.request.started_wall);
}

}  // namespace

const quota::Price* price_of(const Exchange& exchange) noexcept {
    return price_at(exchange, exchange.tries.choice);
}

bool needs_response_model(const Exchange& exchange) noexcept {
    if (exchange.entry() == nullptr) return true;
    return exchange.snapshot().prices != nullptr && exchange.entry()->price.empty();
}

namespace {

// What a try used, and at which price; null: there is none.
struct Work {
    const llm::Usage& usage;
    const quota::Price* price;
};

// What that usage costs, counted for the choice; none: there is no price.
std::optional<std::int64_t> cost_at(Context& context, const Exchange& exchange,
                                    const Choice& choice, const Work& work) {
    const Wiring& wiring = *exchange.match.wiring;
    const CostSeries& series = choice.entry != Choice::kNone
                                   ? wiring.entries[choice.list][choice.entry].cost
                                   : wiring.upstreams[choice.backend].cost;
    if (work.price == nullptr) {
        context.metrics.add(series.unpriced);
        return std::nullopt;
    }
    const std::int64_t cost = work.price->cost(work.usage);
    context.metrics.add(series.nanos, static_cast<std::uint64_t>(cost));
    return cost;
}

// Of the answer; where no price list has the model that was asked, of the one that answered.
const quota::Price* answer_price(Exchange& exchange) noexcept {
    const quota::Price* price = price_of(exchange);
    const std::string_view model = exchange.response_model();
    if (price != nullptr || model.empty()) return price;
    const quota::NamedPrice found =
        exchange.match.route->prices.find(model, exchange.request.started_wall);
    if (exchange.entry() == nullptr && found.price != nullptr) exchange.content.asked = found;
    return found.price;
}

}  // namespace

void charge(Context& context, Exchange& exchange) {
    if (exchange.snapshot().prices == nullptr) return;
    Outcome& outcome = exchange.outcome;
    for (FailedTry& failed : exchange.quotas.failed) {
        const quota::Price* price = price_at(exchange, failed.choice);
        failed.cost = cost_at(context, exchange, failed.choice, {failed.usage, price});
    }
    if (outcome.usage.source == llm::UsageSource::none || exchange.backend() == nullptr) return;
    const quota::Price* price = answer_price(exchange);
    outcome.cost = cost_at(context, exchange, exchange.tries.choice, {outcome.usage, price});
}

}  // namespace rotary::proxy
