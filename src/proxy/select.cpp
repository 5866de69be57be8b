#include "proxy/select.hpp"

#include "proxy/asked_model.hpp"
#include "proxy/charge.hpp"
#include "proxy/limits.hpp"

#include <cstdint>

namespace rotary::proxy {

namespace {

// Whether there is a Backend of the rule that this request has not tried, and whose health check
// does not fail, if that is `healthy`. Into `found`, by their places: a rule has few.
bool find_untried(const Exchange& exchange, bool healthy, std::uint64_t& found) {
    const routing::Route& route = *exchange.match.route;
    found = 0;
    if (route.backend_cursor == nullptr) return false;
    for (std::size_t i = 0; i < route.backends.size(); ++i) {
        if (!rotation::contains(route.backend_cursor->all(), i)) continue;
        if (exchange.tries.tried.contains(i)) continue;
        const auto& backend = exchange.snapshot().backends[route.backends[i]];
        if (healthy && !backend.state->healthy()) continue;
        found |= std::uint64_t{1} << i;
    }
    return found != 0;
}

// Of those that were not tried one whose health check does not fail; of all when all fail.
std::size_t pick_backend(Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    std::uint64_t found = 0;
    if (!find_untried(exchange, true, found)) find_untried(exchange, false, found);
    const rotation::EntrySet active(&found, 1);
    const std::size_t place = exchange.tries.tried.empty()
                                  ? route.backend_cursor->next(active)
                                  : route.backend_cursor->next_other(active);
    exchange.tries.tried.add(place);
    return route.backends[place];
}

// Whether a request may have another try. A refusal that takes its entry out bounds itself: the
// next request does not meet it.
bool has_tries(const Exchange& exchange) {
    return exchange.tries.attempts - exchange.tries.attempts_that_suspended <
           exchange.routing().max_attempts;
}

Next candidate(const Exchange& exchange, const Attempted& attempted, SteadyTime now) {
    const auto& retry = exchange.backend()->retry;
    if (exchange.list() == nullptr) {
        if (attempted.is_listed) {
            return exchange.tries.attempts <= retry->count ? Next::same_backend : Next::nowhere;
        }
        // A Backend that could not even be asked has not done the request's work.
        const bool was_asked =
            attempted.answered || !attempted.verdict.try_next || attempted.verdict.costs_budget;
        std::uint64_t found = 0;
        if (was_asked || !has_tries(exchange) || !find_untried(exchange, false, found)) {
            return Next::nowhere;
        }
        return Next::backend;
    }
    if (!attempted.verdict.try_next || !has_tries(exchange)) return Next::nowhere;
    const bool within_count =
        !attempted.verdict.costs_budget || !retry || exchange.tries.attempts <= retry->count;
    if (!within_count || !exchange.rotation().has_other(now, exchange.tries.tried)) {
        return Next::nowhere;
    }
    return Next::entry;
}

// The next one whose turn it is, whatever its limits say.
Result<void> choose(Context& context, Exchange& exchange, Next next) {
    const SteadyTime now = context.reactor.now();
    Choice& choice = exchange.tries.choice;
    const routing::EntryList* list = exchange.list();
    const routing::Route& route = *exchange.match.route;
    if (list == nullptr) {
        if (route.backend_cursor == nullptr) {
            return Fault::internal(FaultKind::all_models_unavailable);
        }
        if (next != Next::same_backend) choice.backend = pick_backend(exchange);
    } else if (const auto pick = exchange.rotation().pick(now, exchange.tries.tried)) {
        exchange.tries.tried.add(pick->entry);
        choice = {choice.list, pick->entry, list->entries[pick->entry].backend, pick->probe};
    } else if (exchange.tries.attempts == 0 && !route.backends.empty() && !exchange.is_narrowed() &&
               exchange.routing().on_all_suspended == config::OnAllSuspended::passthrough) {
        choice.backend = route.backends.front();
        price_client_model(context, exchange);
    } else {
        return nobody_left(context, exchange);
    }
    return {};
}

// Where a request goes whose Backend has had what its limits allow. An entry is out by then; a rule
// without a rotation has its other Backends, each once.
Result<Next> past_limit(Context& context, Exchange& exchange) {
    const bool had_entry = exchange.entry() != nullptr;
    exchange.tries.choice = {exchange.tries.choice.list};
    if (exchange.list() != nullptr) {
        exchange.quotas.refusal.reset();  // the client hears when the soonest entry returns
        if (had_entry) return Next::entry;
        return nobody_left(context, exchange);
    }
    std::uint64_t found = 0;
    if (find_untried(exchange, false, found)) return Next::backend;
    return refuse_for_backend(exchange);
}

// Whether a budget applies that wants to know what the choice costs, and it is not known. Such an
// entry is passed over, as one whose turn it is not.
bool is_without_price(const Exchange& exchange) {
    if (!exchange.quotas.must_be_priced || exchange.list() == nullptr ||
        price_of(exchange) != nullptr) {
        return false;
    }
    if (exchange.tries.choice.is_probe) {
        exchange.list()->rotation.state(exchange.tries.choice.entry).probe_dropped();
    }
    return true;
}

}  // namespace

Result<void> select(Context& context, Exchange& exchange, Next next) {
    settle_try(context, exchange);
    bool is_chosen = std::exchange(exchange.quotas.waits, false);
    for (;;) {
        if (!std::exchange(is_chosen, false)) {
            if (const auto chosen = choose(context, exchange, next); !chosen) return chosen;
        }
        if (is_without_price(exchange)) {
            if (exchange.entry() == nullptr) return kWithoutPrice;
            next = Next::entry;
            exchange.tries.choice = {exchange.tries.choice.list};
            continue;
        }
        const LimitsSaid said = admit_try(context, exchange);
        if (said == LimitsSaid::later) return kLater;
        if (said == LimitsSaid::yes) break;
        const auto other = past_limit(context, exchange);
        if (!other) return other.error();
        next = *other;
    }
    ++exchange.tries.attempts;
    return {};
}

Result<void> select_again(Context& context, Exchange& exchange) {
    return select(context, exchange, Next::nowhere);
}

Next next_after(Context& context, Exchange& exchange, const Attempted& attempted) {
    const SteadyTime now = context.reactor.now();
    if (attempted.verdict.bounds_itself()) ++exchange.tries.attempts_that_suspended;
    if (now >= exchange.outcome.deadline) return Next::nowhere;
    const Next next = candidate(exchange, attempted, now);
    if (next == Next::nowhere || !attempted.verdict.costs_budget) return next;
    const routing::Route& route = *exchange.match.route;
    if (context.retry_budget.take(now, route.budget_rules, *route.retry_reserve)) return next;
    context.metrics.add(exchange.match.wiring->process.budget_exhausted);
    return Next::nowhere;
}

Fault nobody_left(Context& context, const Exchange& exchange) {
    context.metrics.add(exchange.match.wiring->process.all_suspended);
    const bool quota = exchange.rotation().all_out_for_quota(context.reactor.now());
    return Fault::internal(quota ? FaultKind::all_models_suspended
                                 : FaultKind::all_models_unavailable);
}

}  // namespace rotary::proxy
