#include <rotary/proxy/explain.hpp>

#include "proxy/admit.hpp"
#include "proxy/asked_model.hpp"
#include "proxy/authenticate.hpp"
#include "proxy/caller_places.hpp"
#include "proxy/explained_try.hpp"
#include "proxy/limits.hpp"
#include "proxy/match.hpp"
#include "proxy/model_list.hpp"
#include "proxy/own_answer.hpp"
#include "proxy/scan.hpp"
#include "proxy/select.hpp"
#include "proxy/usage_ask.hpp"

#include <rotary/wire/problem.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

// The order of serve() in proxy/pipeline, up to the first try; what follows from a fault is the
// caller's business. A signature is checked at once, and no key is waited for.
Result<void> take_steps(Context& context, Exchange& exchange, std::string_view body) {
    if (const auto step = match(exchange); !step) return step;
    KeyNeed need;
    need.in_turn = true;
    need.may_ask = false;
    if (const auto step = authenticate(context, exchange, need); !step) return step;
    if (exchange.match.route->redirect) return {};
    if (const auto step = take_places(context, exchange); !step) return step;
    if (const auto step = admit_request(context, exchange); !step) return step;
    if (asks_for_models(exchange)) return {};
    if (const auto step = admit(context, exchange); !step) return step;
    exchange.request.body = body;
    if (exchange.list() != nullptr) {
        if (const auto step = scan_body(exchange); !step) return step;
        plan_usage_ask(context, exchange);
    } else if (exchange.match.route->counts_tokens) {
        if (const auto step = read_asked_model(context, exchange); !step) return step;
        plan_usage_ask(context, exchange);
    }
    return reserve_tokens(context, exchange);
}

// A try at a provider that could not even be reached: the request goes on to the next one.
Attempted unreachable() {
    Attempted attempted;
    attempted.answered = Fault::upstream(FaultKind::upstream_connect_failed);
    attempted.verdict.try_next = true;
    return attempted;
}

void note_fault(const Exchange& exchange, const Fault& fault, Explanation& told) {
    const wire::Problem& problem = wire::problem_of(fault.kind);
    told.status = problem.status;
    told.code = problem.code;
    told.message = fault.detail[0] != '\0' ? std::string_view(fault.detail) : problem.message;
    told.reason = exchange.outcome.reason;
    if (exchange.quotas.refusal && exchange.quotas.refusal->limit != nullptr) {
        const quota::Limit& limit = *exchange.quotas.refusal->limit;
        told.reason = "the limit of " + limit.subject + " in " + limit.policy;
    }
}

void note_limits(const Exchange& exchange, const std::vector<std::size_t>& limits,
                 Explanation& told) {
    for (const std::size_t index : limits) {
        const quota::Limit& limit = exchange.snapshot().limits[index];
        told.limits.push_back({limit.policy, limit.subject,
                               std::string(quota::to_string(limit.what)), limit.amount,
                               std::string(limit.unit_name())});
    }
}

void note_limit_set(const Exchange& exchange, const routing::LimitSet& set, Explanation& told) {
    note_limits(exchange, set.requests, told);
    note_limits(exchange, set.tokens, told);
    note_limits(exchange, set.costs, told);
    for (const routing::KeyedLimit& keyed : set.keyed) note_limits(exchange, {keyed.limit}, told);
}

void note_match(const Exchange& exchange, Explanation& told) {
    const routing::Route* route = exchange.match.route;
    if (route == nullptr) return;
    told.api = route->api;
    told.environment = routing::to_string(route->environment);
    told.route = route->name;
    told.path = exchange.match.rule->pattern.shown();
    told.policy = route->policy;
    told.is_open = route->auth.disabled;
    told.consumer = exchange.match.consumer;
    if (exchange.match.caller) told.subject = exchange.match.caller->subject();
    note_limit_set(exchange, route->quotas, told);
    if (exchange.quotas.subscriber != nullptr) {
        note_limit_set(exchange, exchange.quotas.subscriber->limits, told);
    }
    const auto& budgets =
        exchange.snapshot().consumer_budgets[static_cast<std::size_t>(route->environment)];
    note_limits(exchange, budgets.of(exchange.match.consumer), told);
    if (!exchange.match.consumer.empty()) note_limits(exchange, budgets.for_each(), told);
}

// Why an entry that no try came to is out; empty: it was not its turn yet.
std::string why_out(const Exchange& exchange, std::size_t index, SteadyTime now) {
    const routing::EntryList& list = *exchange.list();
    if (list.entries[index].weight == 0) return "its weight is 0";
    if (exchange.is_narrowed()) {
        const rotation::Rotation* part =
            exchange.match.key_owner == nullptr
                ? nullptr
                : list.rotation_for(exchange.match.key_owner->model_set);
        if (part == nullptr || !part->lists(index)) return "it is not among the key's models";
    }
    const rotation::EntryState& state = list.rotation.state(index);
    if (state.standing(now) == rotation::Standing::out) {
        return "suspended: " + std::string(rotation::to_string(state.reason()));
    }
    return {};
}

void note_entries(const Exchange& exchange, const std::vector<std::string>& reasons,
                  Explanation& told) {
    const routing::EntryList& list = *exchange.list();
    for (std::size_t i = 0; i < list.entries.size(); ++i) {
        ExplainedEntry entry{list.entries[i].id, list.entries[i].weight, 0, reasons[i]};
        const auto place = std::find_if(told.tries.begin(), told.tries.end(),
                                        [&](const auto& one) { return one.entry == entry.id; });
        if (place != told.tries.end()) {
            entry.turn = static_cast<std::size_t>(place - told.tries.begin()) + 1;
            entry.why =
                entry.turn == 1 ? "it is its turn" : "when those before it can't be reached";
        } else if (entry.why.empty()) {
            const bool is_without_price =
                exchange.quotas.must_be_priced &&
                list.entries[i].price.at(exchange.request.started_wall) == nullptr;
            entry.why = is_without_price ? "a budget applies, and it has no price"
                                         : "routing.max_attempts is reached before its turn";
        }
        told.entries.push_back(std::move(entry));
    }
}

void take_tries(Context& context, Exchange& exchange, Explanation& told) {
    const SteadyTime now = context.reactor.now();
    std::vector<std::string> reasons;
    if (exchange.list() != nullptr) {
        told.rotates = true;
        for (std::size_t i = 0; i < exchange.list()->entries.size(); ++i) {
            reasons.push_back(why_out(exchange, i, now));
        }
    }
    exchange.outcome.deadline = exchange.request.started + exchange.timeouts().total;
    context.retry_budget.earn(now, exchange.match.route->budget_rules);
    const Attempted failed = unreachable();
    Next next = Next::nowhere;
    do {
        if (const auto selected = select(context, exchange, next); !selected) {
            if (told.tries.empty()) note_fault(exchange, selected.error(), told);
            break;
        }
        exchange.tries.asks_usage = asks_usage(exchange);
        told.tries.push_back(explain_try(context, exchange));
        next = next_after(context, exchange, failed);
    } while (next != Next::nowhere && next != Next::same_backend);
    if (told.rotates) note_entries(exchange, reasons, told);
}

// What ends before a route is looked for, or on one that asks no Backend.
bool is_own_answer(Exchange& exchange, Explanation& told) {
    constexpr std::uint16_t kNoContent = 204;
    constexpr std::uint16_t kOk = 200;
    if (asks_for_whole_server(exchange)) told.status = kNoContent;
    if (is_allowed_preflight(exchange)) told.status = kOk;
    return told.status != 0;
}

void run_steps(Context& context, Exchange& exchange, const Asked& asked, Explanation& told) {
    if (is_own_answer(exchange, told)) {
        note_match(exchange, told);
        return;
    }
    const auto steps = take_steps(context, exchange, asked.body);
    note_match(exchange, told);
    if (!steps) {
        note_fault(exchange, steps.error(), told);
        return;
    }
    if (exchange.match.route->redirect) {
        told.status = static_cast<std::uint16_t>(exchange.match.route->redirect->status);
        constexpr std::string_view kName = "location: ";
        if (!write_location(context, exchange)) {
            note_fault(exchange, Fault::client(FaultKind::uri_too_long), told);
            return;
        }
        told.location = exchange.content.lines.view().substr(kName.size());
        told.location.resize(told.location.size() - 2);
        return;
    }
    if (asks_for_models(exchange)) {
        told.status = 200;
        told.reason = "it is the list of the models that the caller may use";
        return;
    }
    take_tries(context, exchange, told);
}

Result<void> parse(Context& context, const Asked& asked) {
    const config::Limits& limits = context.wiring->snapshot->config.limits;
    wire::HeadLimits most;
    most.uri_bytes = limits.uri_bytes;
    most.headers = limits.headers;
    most.header_bytes = limits.header_bytes;
    if (asked.head.size() > most.header_bytes) {
        return Fault::client(FaultKind::headers_too_large);
    }
    return wire::parse_request_head(asked.head, most, context.scratch.request);
}

}  // namespace

Explanation explain(Context& context, const Asked& asked) {
    Explanation told;
    context.reactor.refresh_now();
    const ExchangePool::Lease lease(context.exchanges);
    Exchange& exchange = *lease;
    exchange.request = {};
    exchange.request.started = context.reactor.now();
    exchange.request.started_wall = wall_now();
    exchange.begin(context);
    exchange.quotas.is_patient = false;
    told.max_attempts = exchange.routing().max_attempts;
    if (const auto parsed = parse(context, asked); !parsed) {
        note_fault(exchange, parsed.error(), told);
    } else {
        exchange.request.adopt(context.scratch.request);
        exchange.request.client_address = asked.client_address;
        exchange.request.is_tls = asked.is_tls;
        run_steps(context, exchange, asked, told);
    }
    exchange.end();
    return told;
}

}  // namespace rotary::proxy
