#include "proxy/select.hpp"

namespace rotary::proxy {

namespace {

// The Backends of the rule that this request has not tried. A try there marks its place among them.
rotation::EntrySet untried(const Exchange& exchange) {
    const routing::Route& route = *exchange.route;
    return route.backend_cursor == nullptr ? 0 : route.backend_cursor->all() & ~exchange.tried;
}

// Of them one whose health check does not fail; of all of them when all fail.
std::size_t pick_backend(Exchange& exchange) {
    const routing::Route& route = *exchange.route;
    const rotation::EntrySet all = untried(exchange);
    rotation::EntrySet healthy = all;
    for (std::size_t i = 0; i < route.backends.size(); ++i) {
        const auto& backend = exchange.wiring->snapshot->backends[route.backends[i]];
        if (!backend.state->healthy()) healthy &= ~(rotation::EntrySet{1} << i);
    }
    if (healthy == 0) healthy = all;
    const std::size_t place = exchange.tried == 0 ? route.backend_cursor->next(healthy)
                                                  : route.backend_cursor->next_once(healthy);
    exchange.tried |= rotation::EntrySet{1} << place;
    return route.backends[place];
}

// Whether a request may have another try. A refusal that takes its entry out bounds itself: the
// next request does not meet it.
bool has_tries(const Exchange& exchange) {
    return exchange.attempts - exchange.attempts_that_suspended < exchange.routing().max_attempts;
}

Next candidate(const Exchange& exchange, const Outcome& outcome, SteadyTime now) {
    const auto& retry = exchange.backend->retry;
    if (exchange.list == nullptr) {
        if (outcome.is_listed) {
            return exchange.attempts <= retry->count ? Next::same_backend : Next::nowhere;
        }
        // A Backend that could not even be asked has not done the request's work.
        const bool was_asked =
            outcome.answered || !outcome.verdict.try_next || outcome.verdict.costs_budget;
        if (was_asked || !has_tries(exchange) || untried(exchange) == 0) return Next::nowhere;
        return Next::backend;
    }
    if (!outcome.verdict.try_next || !has_tries(exchange)) return Next::nowhere;
    const bool within_count =
        !outcome.verdict.costs_budget || !retry || exchange.attempts <= retry->count;
    if (!within_count || !exchange.list->rotation.has_other(now, exchange.tried)) {
        return Next::nowhere;
    }
    return Next::entry;
}

}  // namespace

Result<Choice> select(Context& context, Exchange& exchange, Next next) {
    const routing::Snapshot& snapshot = *exchange.wiring->snapshot;
    const SteadyTime now = context.reactor.now();
    Choice choice;
    if (exchange.list == nullptr) {
        if (exchange.route->backend_cursor == nullptr) {
            return Fault::internal(FaultKind::all_models_unavailable);
        }
        choice.target.backend =
            next == Next::same_backend
                ? static_cast<std::size_t>(exchange.backend - snapshot.backends.data())
                : pick_backend(exchange);
    } else if (const auto pick = exchange.list->rotation.pick(now, exchange.tried)) {
        exchange.entry_index = pick->entry;
        exchange.tried |= rotation::EntrySet{1} << pick->entry;
        choice.target.entry = &exchange.list->entries[pick->entry];
        choice.target.backend = choice.target.entry->backend;
        choice.probe = pick->probe;
    } else if (exchange.attempts == 0 && !exchange.route->backends.empty() &&
               exchange.routing().on_all_suspended == config::OnAllSuspended::passthrough) {
        choice.target.backend = exchange.route->backends.front();
    } else {
        return nobody_left(context, exchange);
    }
    exchange.entry = choice.target.entry;
    exchange.backend = &snapshot.backends[choice.target.backend];
    ++exchange.attempts;
    return choice;
}

Next next_after(Context& context, Exchange& exchange, const Outcome& outcome) {
    const SteadyTime now = context.reactor.now();
    if (outcome.verdict.bounds_itself()) ++exchange.attempts_that_suspended;
    if (now >= exchange.deadline) return Next::nowhere;
    const Next next = candidate(exchange, outcome, now);
    if (next == Next::nowhere || !outcome.verdict.costs_budget) return next;
    const routing::Route& route = *exchange.route;
    if (context.retry_budget.take(now, route.budget_rules, *route.retry_reserve)) return next;
    context.metrics.add(exchange.wiring->process.budget_exhausted);
    return Next::nowhere;
}

Fault nobody_left(Context& context, const Exchange& exchange) {
    context.metrics.add(exchange.wiring->process.all_suspended);
    const bool quota = exchange.list->rotation.all_out_for_quota(context.reactor.now());
    return Fault::internal(quota ? FaultKind::all_models_suspended
                                 : FaultKind::all_models_unavailable);
}

}  // namespace rotary::proxy
