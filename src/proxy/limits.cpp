#include "proxy/limits.hpp"

#include <rotary/llm/request_facts.hpp>

#include <algorithm>
#include <utility>

namespace rotary::proxy {

namespace {

WallTime wall_time(const Exchange& exchange, SteadyTime now) noexcept {
    const auto since = std::max(now - exchange.request.started, SteadyTime::duration::zero());
    return exchange.request.started_wall + std::chrono::duration_cast<WallTime::duration>(since);
}

// So that no request holds all of a limit that others share by saying that its answer may be
// endless.
constexpr std::uint64_t kMostTimesTheUsual = 128;

quota::Amounts estimate_of(const Exchange& exchange) noexcept {
    const config::Config& config = exchange.snapshot().config;
    const llm::RequestSize size =
        llm::size_of(llm::measure_request(exchange.request.body), config.usage);
    const std::uint64_t usual = config.quotas.reserve_output_tokens;
    const std::uint64_t one = std::min(size.max_output.value_or(usual), usual * kMostTimesTheUsual);
    return quota::amounts_of(size.input_tokens, one * std::max<std::uint32_t>(size.n, 1));
}

// What it may cost, whichever entry serves it.
std::int64_t likely_cost(const Exchange& exchange) noexcept {
    const routing::EntryList* list = exchange.list();
    if (list == nullptr) return 0;
    const routing::Entry& entry = list->entries[list->dearest];
    const quota::Price* price = entry.price.at(exchange.request.started_wall);
    if (price == nullptr) return 0;
    const quota::Amounts& estimate = exchange.quotas.estimate;
    llm::Usage usage;
    usage.input = static_cast<std::uint64_t>(estimate[quota::What::prompt]);
    usage.output = static_cast<std::uint64_t>(estimate[quota::What::completion]);
    return price->cost(usage);
}

FaultKind fault_of(quota::What what) noexcept {
    if (what == quota::What::cost) return FaultKind::cost_budget_exceeded;
    return quota::is_tokens(what) ? FaultKind::token_budget_exceeded
                                  : FaultKind::rate_limit_exceeded;
}

// What a limit said, among the metrics.
void count(Context& context, const LimitSeries& series, bool taken, bool is_shadowed) {
    if (!taken) {
        context.metrics.add(series.refused);
    } else {
        context.metrics.add(is_shadowed ? series.shadowed : series.admitted);
    }
}

// Asks all of a set, so that of those that are reached the one is known that is free again latest.
void ask(Context& context, Exchange& exchange, const std::vector<std::size_t>& limits,
         quota::Admission& admission) {
    const WallTime now = wall_time(exchange, context.reactor.now());
    for (const std::size_t index : limits) {
        const quota::Limit& limit = exchange.snapshot().limits[index];
        const bool taken = admission.ask(limit, exchange.quotas.estimate[limit.what], now);
        count(context, exchange.match.wiring->limits[index], taken, admission.shadowed() == &limit);
    }
}

// Budgets that each consumer has for itself.
void ask_for_each(Context& context, Exchange& exchange, const std::vector<std::size_t>& limits) {
    const routing::Snapshot& snapshot = exchange.snapshot();
    const WallTime now = wall_time(exchange, context.reactor.now());
    for (const std::size_t index : limits) {
        const quota::Limit& limit = snapshot.limits[index];
        quota::HeldCounter counter =
            snapshot.counters->hold(limit.family, exchange.match.consumer, limit.window(now));
        const std::int64_t cost = exchange.quotas.estimate[quota::What::cost];
        quota::Admission& held = exchange.quotas.held;
        const bool taken = held.ask(limit, std::move(counter), cost, now);
        count(context, exchange.match.wiring->limits[index], taken, held.shadowed() == &limit);
    }
}

void ask_budgets(Context& context, Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    const auto environment = static_cast<std::size_t>(route.environment);
    const routing::ConsumerBudgets& budgets = exchange.snapshot().consumer_budgets[environment];
    const std::string_view consumer = exchange.match.consumer;
    const std::vector<std::size_t>& own = budgets.of(consumer);
    const bool is_each = !budgets.for_each().empty() && !consumer.empty();
    if (route.quotas.costs.empty() && own.empty() && !is_each) return;
    exchange.quotas.estimate[quota::What::cost] = likely_cost(exchange);
    ask(context, exchange, route.quotas.costs, exchange.quotas.held);
    ask(context, exchange, own, exchange.quotas.held);
    if (is_each) ask_for_each(context, exchange, budgets.for_each());
}

Result<void> verdict(Exchange& exchange) {
    const quota::Reached* reached = exchange.quotas.held.reached();
    if (reached == nullptr) return {};
    exchange.quotas.refusal = *reached;
    exchange.quotas.held.undo();
    return Fault::client(fault_of(reached->limit->what));
}

// The rotation passes over its entries from now on. A request that is too large for what is left
// says nothing of others.
void put_out(Context& context, Exchange& exchange, const quota::Reached& reached) {
    if (reached.used < reached.limit->amount) return;
    const SteadyTime now = context.reactor.now();
    const auto left = std::max(reached.free_at - wall_time(exchange, now),
                               WallTime::duration(std::chrono::milliseconds(1)));
    const SteadyTime latest = SteadyTime::max() - left;
    const SteadyTime until = now < latest ? now + left : SteadyTime::max();
    for (const auto& state : exchange.snapshot().by_backend[exchange.tries.choice.backend]) {
        state->set_limited(until);
    }
    const std::chrono::duration<double> seconds = left;
    context.log.info("a Backend has reached its limit", {{"backend", exchange.backend()->name},
                                                         {"policy", reached.limit->policy},
                                                         {"seconds", seconds.count()},
                                                         {"request_id", exchange.request_id()}});
}

}  // namespace

Result<void> admit_request(Context& context, Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    Quotas& quotas = exchange.quotas;
    if (route.subscribers) {
        const routing::Subscribers& all = exchange.snapshot().subscribers[*route.subscribers];
        quotas.subscriber = all.find(exchange.match.consumer);
        if (quotas.subscriber == nullptr) {
            exchange.outcome.reason = "no subscription of the caller's application to this API";
            return Fault::client(FaultKind::subscription_required);
        }
    }
    quotas.estimate[quota::What::requests] = 1;
    ask(context, exchange, route.quotas.requests, quotas.held);
    if (quotas.subscriber != nullptr) {
        ask(context, exchange, quotas.subscriber->limits.requests, quotas.held);
    }
    return verdict(exchange);
}

Result<void> reserve_tokens(Context& context, Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    if (!route.counts_tokens) return {};
    Quotas& quotas = exchange.quotas;
    quotas.estimate = estimate_of(exchange);
    ask(context, exchange, route.quotas.tokens, quotas.held);
    if (quotas.subscriber != nullptr) {
        ask(context, exchange, quotas.subscriber->limits.tokens, quotas.held);
    }
    ask_budgets(context, exchange);
    return verdict(exchange);
}

bool admit_try(Context& context, Exchange& exchange) {
    const routing::LimitSet& limits = exchange.backend()->quotas;
    quota::Admission& admission = exchange.quotas.of_try;
    exchange.quotas.refusal.reset();
    admission.clear();  // what is told is of the Backend that answers
    exchange.quotas.estimate[quota::What::requests] = 1;
    ask(context, exchange, limits.requests, admission);
    ask(context, exchange, limits.tokens, admission);
    const quota::Reached* reached = admission.reached();
    if (reached == nullptr) return true;
    exchange.quotas.refusal = *reached;
    admission.undo();
    put_out(context, exchange, *reached);
    if (exchange.tries.choice.is_probe) {
        exchange.list()->rotation.state(exchange.tries.choice.entry).probe_dropped();
    }
    return false;
}

void settle_try(Context& context, Exchange& exchange) {
    quota::Admission& admission = exchange.quotas.of_try;
    if (admission.size() == 0) return;
    admission.settle(quota::amounts_of(0, 0), wall_time(exchange, context.reactor.now()));
}

Fault refuse_for_backend(const Exchange& exchange) {
    return Fault::client(fault_of(exchange.quotas.refusal->limit->what));
}

void settle_limits(Context& context, Exchange& exchange) {
    Quotas& quotas = exchange.quotas;
    if (quotas.held.size() == 0 && quotas.of_try.size() == 0) return;
    const llm::Usage& usage = exchange.outcome.usage;
    quota::Amounts used = quota::amounts_of(usage.input, usage.output);
    used[quota::What::cost] = exchange.outcome.cost.value_or(0);
    const WallTime now = wall_time(exchange, context.reactor.now());
    quotas.held.settle(used, now);
    quotas.of_try.settle(used, now);
}

}  // namespace rotary::proxy
