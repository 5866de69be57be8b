#include "proxy/limits.hpp"

#include "proxy/limit_asking.hpp"

#include <rotary/llm/request_facts.hpp>
#include <rotary/quota/money_text.hpp>
#include <rotary/quota/spend.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rotary::proxy {

namespace {

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

Result<void> ask_budgets(Exchange& exchange, LimitAsking& asking) {
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
        if (limits != nullptr) asking.ask(*limits);
    }
    if (budgets.for_each != nullptr) asking.ask_for_each(*budgets.for_each);
    return {};
}

// A request that waits holds what its steps before have taken.
Result<void> verdict(Exchange& exchange, LimitsSaid said) {
    if (said == LimitsSaid::yes) return {};
    if (said == LimitsSaid::later) return kLater;
    exchange.quotas.refusal = *exchange.quotas.held.reached();
    exchange.quotas.held.undo();
    return Fault::client(fault_of(exchange.quotas.refusal->limit->what));
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
    LimitAsking asking(context, exchange, quotas.held);
    asking.ask(route.quotas.requests);
    if (!route.quotas.keyed.empty()) asking.ask_keyed(route.quotas.keyed);
    if (quotas.subscriber != nullptr) asking.ask(quotas.subscriber->limits.requests);
    return verdict(exchange, asking.end());
}

Result<void> reserve_tokens(Context& context, Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    if (!route.counts_tokens) return {};
    Quotas& quotas = exchange.quotas;
    quotas.estimate = estimate_of(exchange);
    LimitAsking asking(context, exchange, quotas.held);
    asking.ask(route.quotas.tokens);
    if (quotas.subscriber != nullptr) asking.ask(quotas.subscriber->limits.tokens);
    if (const auto asked = ask_budgets(exchange, asking); !asked) return asked;
    return verdict(exchange, asking.end());
}

LimitsSaid admit_try(Context& context, Exchange& exchange) {
    const routing::LimitSet& limits = exchange.backend()->quotas;
    quota::Admission& admission = exchange.quotas.of_try;
    exchange.quotas.refusal.reset();
    admission.clear();  // what is told is of the Backend that answers
    exchange.quotas.estimate[quota::What::requests] = 1;
    LimitAsking asking(context, exchange, admission);
    asking.ask(limits.requests);
    asking.ask(limits.tokens);
    if (const routing::Entry* entry = exchange.entry()) {
        asking.ask(entry->quotas.requests);
        asking.ask(entry->quotas.tokens);
    }
    const LimitsSaid said = asking.end();
    if (said != LimitsSaid::no) return said;
    const quota::Reached* reached = admission.reached();
    exchange.quotas.refusal = *reached;
    admission.undo();
    put_out(context, exchange, *reached);
    if (exchange.tries.choice.is_probe) {
        exchange.list()->rotation.state(exchange.tries.choice.entry).probe_dropped();
    }
    return LimitsSaid::no;
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
