#include "proxy/limits.hpp"

#include <rotary/llm/request_facts.hpp>
#include <rotary/quota/money_text.hpp>
#include <rotary/quota/spend.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rotary::proxy {

namespace {

// A request that takes longer hears of a step of the wall clock: it may not be as far behind the
// others as a counter takes for a clock that was wrong.
constexpr std::chrono::seconds kLongSince{30};

WallTime wall_time(const Exchange& exchange, SteadyTime now) noexcept {
    const auto since = std::max(now - exchange.request.started, SteadyTime::duration::zero());
    if (since > kLongSince) return wall_now();
    return exchange.request.started_wall + std::chrono::duration_cast<WallTime::duration>(since);
}

// So that no request holds all of a limit that others share by saying that its answer may be
// endless.
constexpr std::uint64_t kMostTimesTheUsual = 128;

quota::Amounts estimate_of(Exchange& exchange) noexcept {
    const config::Config& config = exchange.snapshot().config;
    const std::size_t list = exchange.tries.choice.list;
    const std::uint32_t learnt =
        list == Choice::kNone ? 0 : exchange.match.wiring->learnt[list]->ratio();
    exchange.content.facts = llm::measure_request(exchange.request.body);
    const llm::RequestSize size = llm::size_of(*exchange.content.facts, config.usage, learnt);
    const std::uint64_t usual = config.quotas.reserve_output_tokens;
    const std::uint64_t one = std::min(size.max_output.value_or(usual), usual * kMostTimesTheUsual);
    return quota::amounts_of(size.input_tokens, one * std::max<std::uint32_t>(size.n, 1));
}

// The highest of those that may serve it; null: none has a price.
const quota::Price* dearest_price(const Exchange& exchange) noexcept {
    const routing::EntryList* list = exchange.list();
    if (list == nullptr) return exchange.content.asked.price;
    return list->entries[list->dearest].price.at(exchange.request.started_wall);
}

// What it may cost, whichever entry serves it.
std::int64_t likely_cost(const Exchange& exchange) noexcept {
    const quota::Price* price = dearest_price(exchange);
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

// What one limit of the snapshot's said.
struct Said {
    std::size_t limit = 0;
    bool taken = false;
};

// What a limit said, among the metrics; and in the log, once a window, that little is left of it.
void note(Context& context, const Exchange& exchange, const quota::Admission& admission,
          Said said) {
    const quota::Limit& limit = exchange.snapshot().limits[said.limit];
    const LimitSeries& series = exchange.match.wiring->limits[said.limit];
    if (!said.taken) {
        context.metrics.add(series.refused);
    } else if (admission.shadowed() == &limit) {
        context.metrics.add(series.shadowed);
    } else {
        context.metrics.add(admission.softened() == &limit ? series.warned : series.admitted);
    }
    if (admission.warning() == nullptr) return;
    quota::MoneyText soft;
    quota::MoneyText amount;
    context.log.warn("a budget has reached its soft limit",
                     {{"budget", limit.policy},
                      {"for", limit.subject},
                      {"consumer", exchange.match.consumer},
                      {"soft", quota::write_money(limit.soft, soft)},
                      {"amount", quota::write_money(limit.amount, amount)},
                      {"request_id", exchange.request_id()}});
}

// Asks all of a set, so that of those that are reached the one is known that is free again latest.
void ask(Context& context, Exchange& exchange, const std::vector<std::size_t>& limits,
         quota::Admission& admission) {
    if (limits.empty()) return;
    const WallTime now = wall_time(exchange, context.reactor.now());
    for (const std::size_t index : limits) {
        const quota::Limit& limit = exchange.snapshot().limits[index];
        const bool taken = admission.ask(limit, exchange.quotas.estimate[limit.what], now);
        note(context, exchange, admission, {index, taken});
    }
}

// What a keyed limit tells requests apart by; empty where there is none. Of a header that comes
// twice none is the one.
std::string_view value_of(const Context& context, const Exchange& exchange,
                          const routing::KeyedLimit& keyed) noexcept {
    switch (keyed.by) {
        case config::CustomRate::By::consumer:
            return exchange.match.consumer;
        case config::CustomRate::By::claim: {
            const auth::Claims* claims = exchange.match.caller.get();
            return claims == nullptr ? std::string_view{} : claims->named(keyed.name);
        }
        case config::CustomRate::By::header:
            break;
    }
    const wire::HeaderTable& headers = context.scratch.request.headers;
    return headers.count(keyed.name) == 1 ? headers.find(keyed.name)->value : std::string_view{};
}

// Limits of those who have the same value. Requests without one share a counter, as if that was
// their value: leaving it out is no way around the limit.
void ask_keyed(Context& context, Exchange& exchange,
               const std::vector<routing::KeyedLimit>& limits) {
    const routing::Snapshot& snapshot = exchange.snapshot();
    const WallTime now = wall_time(exchange, context.reactor.now());
    quota::Admission& held = exchange.quotas.held;
    for (const routing::KeyedLimit& keyed : limits) {
        const std::string_view value = value_of(context, exchange, keyed);
        const bool is_each = keyed.value.empty();
        if (!is_each && value != keyed.value) continue;
        const quota::Limit& limit = snapshot.limits[keyed.limit];
        quota::HeldCounter counter(limit.family->common());
        if (is_each) counter = snapshot.counters->hold(limit.family, value, limit.window(now));
        const bool taken = held.ask(limit, std::move(counter), 1, now);
        note(context, exchange, held, {keyed.limit, taken});
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
        note(context, exchange, held, {index, taken});
    }
}

// The budgets that apply to a request, as places among the snapshot's limits.
struct AppliedBudgets {
    // The API's, the consumer's by its name, and its subscription's; null: there is none.
    std::array<const std::vector<std::size_t>*, 3> shared{};
    const std::vector<std::size_t>* for_each = nullptr;  // that it has for itself, as all have

    bool empty() const noexcept {
        const auto is_empty = [](const auto* limits) {
            return limits == nullptr || limits->empty();
        };
        return std::all_of(shared.begin(), shared.end(), is_empty) && is_empty(for_each);
    }
};

AppliedBudgets budgets_of(const Exchange& exchange) noexcept {
    const routing::Route& route = *exchange.match.route;
    const routing::ConsumerBudgets& budgets =
        exchange.snapshot().consumer_budgets[static_cast<std::size_t>(route.environment)];
    const std::string_view consumer = exchange.match.consumer;
    const routing::Subscriber* subscriber = exchange.quotas.subscriber;
    AppliedBudgets applied;
    applied.shared = {&route.quotas.costs, &budgets.of(consumer),
                      subscriber == nullptr ? nullptr : &subscriber->limits.costs};
    if (!consumer.empty()) applied.for_each = &budgets.for_each();
    return applied;
}

// Whether there is a price for its model, or for one of the list's.
bool has_price(const Exchange& exchange) noexcept {
    return dearest_price(exchange) != nullptr ||
           (exchange.list() == nullptr && !exchange.request.has_body);
}

Result<void> ask_budgets(Context& context, Exchange& exchange) {
    const AppliedBudgets budgets = budgets_of(exchange);
    if (budgets.empty()) return {};
    Quotas& quotas = exchange.quotas;
    quotas.must_be_priced = exchange.snapshot().config.budgets.refuses_unpriced;
    if (quotas.must_be_priced && !has_price(exchange)) {
        quotas.held.undo();
        return kWithoutPrice;
    }
    quotas.estimate[quota::What::cost] = likely_cost(exchange);
    for (const auto* limits : budgets.shared) {
        if (limits != nullptr) ask(context, exchange, *limits, quotas.held);
    }
    if (budgets.for_each != nullptr) ask_for_each(context, exchange, *budgets.for_each);
    return {};
}

Result<void> verdict(Exchange& exchange) {
    const quota::Reached* reached = exchange.quotas.held.reached();
    if (reached == nullptr) return {};
    exchange.quotas.refusal = *reached;
    exchange.quotas.held.undo();
    return Fault::client(fault_of(reached->limit->what));
}

// The entries of one model at the Backend that was chosen.
void put_out_model(const Exchange& exchange, std::string_view model, SteadyTime until) {
    for (const routing::EntryList& list : exchange.snapshot().lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            const routing::Entry& entry = list.entries[i];
            const bool is_same =
                entry.backend == exchange.tries.choice.backend && entry.model == model;
            if (is_same) list.rotation.state(i).set_limited(until);
        }
    }
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
    if (reached.limit->model.empty()) {
        for (const auto& state : exchange.snapshot().by_backend[exchange.tries.choice.backend]) {
            state->set_limited(until);
        }
    } else {
        put_out_model(exchange, reached.limit->model, until);
    }
    const std::chrono::duration<double> seconds = left;
    context.log.info("a Backend has reached its limit", {{"backend", exchange.backend()->name},
                                                         {"policy", reached.limit->policy},
                                                         {"seconds", seconds.count()},
                                                         {"request_id", exchange.request_id()}});
}

}  // namespace

bool is_budgeted(const Exchange& exchange) noexcept { return !budgets_of(exchange).empty(); }

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
    if (!route.quotas.keyed.empty()) ask_keyed(context, exchange, route.quotas.keyed);
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
    if (const auto asked = ask_budgets(context, exchange); !asked) return asked;
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
    if (const routing::Entry* entry = exchange.entry()) {
        ask(context, exchange, entry->quotas.requests, admission);
        ask(context, exchange, entry->quotas.tokens, admission);
    }
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

void settle_silent_try(Context& context, Exchange& exchange, std::uint64_t input) {
    quota::Admission& admission = exchange.quotas.of_try;
    if (admission.size() == 0) return;
    admission.settle(quota::amounts_of(input, 0), wall_time(exchange, context.reactor.now()));
}

Fault refuse_for_backend(const Exchange& exchange) {
    return Fault::client(fault_of(exchange.quotas.refusal->limit->what));
}

void settle_limits(Context& context, Exchange& exchange) {
    Quotas& quotas = exchange.quotas;
    if (quotas.held.size() == 0 && quotas.of_try.size() == 0) return;
    const Outcome& outcome = exchange.outcome;
    const auto amounts_of = [](const quota::Spend& spend) {
        quota::Amounts used = quota::amounts_of(spend.usage.input, spend.usage.output);
        used[quota::What::cost] = spend.nanos;
        return used;
    };
    const WallTime now = wall_time(exchange, context.reactor.now());
    quota::Spend spend = quota::Spend::of(outcome.usage, outcome.cost);
    quotas.of_try.settle(amounts_of(spend), now);
    for (const FailedTry& failed : quotas.failed) {
        spend += quota::Spend::of(failed.usage, failed.cost);
    }
    quotas.held.settle(amounts_of(spend), now);
}

}  // namespace rotary::proxy
