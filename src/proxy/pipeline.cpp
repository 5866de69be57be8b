#include "proxy/pipeline.hpp"

#include "proxy/admit.hpp"
#include "proxy/attempt.hpp"
#include "proxy/body.hpp"
#include "proxy/hold.hpp"
#include "proxy/refusal.hpp"
#include "proxy/relay.hpp"
#include "proxy/settle.hpp"

#include <optional>

namespace rotary::proxy {

namespace {

struct Choice {
    Target target;
    bool probe = false;
};

// No entry is left. Out for quota is the client's business: it hears when to come back.
Fault nobody_left(Context& context, const Exchange& exchange, SteadyTime now) {
    context.metrics.add(exchange.wiring->process.all_suspended);
    const bool quota = exchange.list->rotation.all_out_for_quota(now);
    return Fault::internal(quota ? FaultKind::all_models_suspended
                                 : FaultKind::all_models_unavailable);
}

// Step 5: who serves this try.
Result<Choice> select(Context& context, Exchange& exchange, SteadyTime now) {
    Choice choice;
    if (exchange.list == nullptr) {
        if (exchange.route->backend_cursor == nullptr || exchange.attempts > 0) {
            return Fault::internal(FaultKind::all_models_unavailable);
        }
        const std::size_t place =
            exchange.route->backend_cursor->next(exchange.route->backend_cursor->all());
        choice.target.backend = exchange.route->backends[place];
    } else if (const auto pick = exchange.list->rotation.pick(now, exchange.tried)) {
        exchange.entry_index = pick->entry;
        exchange.tried |= policy::EntrySet{1} << pick->entry;
        choice.target.entry = &exchange.list->entries[pick->entry];
        choice.target.backend = choice.target.entry->backend;
        choice.probe = pick->probe;
    } else if (exchange.attempts == 0 && !exchange.route->backends.empty() &&
               exchange.routing().on_all_suspended == config::OnAllSuspended::passthrough) {
        choice.target.backend = exchange.route->backends.front();
    } else {
        return nobody_left(context, exchange, now);
    }
    exchange.entry = choice.target.entry;
    exchange.backend = &exchange.wiring->snapshot->backends[choice.target.backend];
    ++exchange.attempts;
    return choice;
}

// Whether another entry may be tried after this one. Takes from the retry budget what that costs.
bool moves_on(Context& context, const Exchange& exchange, const policy::Verdict& verdict) {
    if (!verdict.try_next || exchange.list == nullptr) return false;
    const SteadyTime now = context.reactor.now();
    const bool has_tries =
        exchange.attempts < exchange.routing().max_attempts && now < exchange.deadline;
    if (!has_tries || !exchange.list->rotation.has_other(now, exchange.tried)) return false;
    if (!verdict.costs_budget) return true;
    const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
    const bool affordable =
        context.retry_budget.take(now, snapshot.budget_rules, *snapshot.retry_reserve);
    if (!affordable) context.metrics.add(exchange.wiring->process.budget_exhausted);
    return affordable;
}

// What one try came to: an answer in the reply, its parsed head in the worker's scratch, or a fault.
struct Outcome {
    Result<void> answered{};
    policy::Verdict verdict;
};

// Reads as much of the answer as its verdict needs. `answer` gets what the body says.
Task<Result<void>> read_for_verdict(Context& context, ClientSide& client, Exchange& exchange,
                                    Reply& reply, policy::Answer& answer) {
    if (policy::error_body_decides(reply.status)) {
        co_await read_refusal(context, client, exchange, reply);
        answer.error = policy::read_error_body(body_at_hand(reply, context.scratch.path));
    } else {
        Hold hold(context, exchange, reply);
        auto held = hold.look();
        if (held && *held && !(*held)->is_error_event) co_return Result<void>{};
        if (!held) held = co_await hold.run(client);
        if (!*held) co_return held->error();
        answer.is_error_event = (*held)->is_error_event;
        answer.error = (*held)->error;
    }
    reparse_head(context, exchange, reply);
    co_return Result<void>{};
}

// The total time of a request may end in the middle of a try: that blames nobody.
Fault blame(const Exchange& exchange, Fault fault, SteadyTime now) {
    if (fault.kind != FaultKind::upstream_timeout || now < exchange.deadline) return fault;
    return Fault::internal(FaultKind::upstream_timeout, "The request's time is over.");
}

// Steps 7 and 9 for one entry.
Task<Outcome> try_one(Context& context, ClientSide& client, Exchange& exchange,
                      const Choice& choice, Reply& reply) {
    const SteadyTime begun = std::chrono::steady_clock::now();
    policy::Answer answer;
    Outcome outcome;
    outcome.answered = co_await attempt(context, client, exchange, choice.target, reply);
    if (outcome.answered) {
        answer.status = reply.status;
        answer.hints = read_hints(context, exchange);
        if (exchange.entry != nullptr) {
            outcome.answered = co_await read_for_verdict(context, client, exchange, reply, answer);
        }
    }
    const SteadyTime ended = std::chrono::steady_clock::now();
    const Tried tried{choice.probe, ended - begun};
    exchange.upstream_wait += tried.wait;
    if (outcome.answered) {
        exchange.first_byte = ended;
        outcome.verdict = settle_answer(context, exchange, answer, tried);
    } else {
        outcome.answered = blame(exchange, outcome.answered.error(), ended);
        outcome.verdict = settle_failure(context, exchange, outcome.answered.error(), tried);
    }
    co_return outcome;
}

// Steps 5 to 9: entries in turn until one answers for good. Returns the fault that the client must
// be told, or nothing when an answer was relayed.
Task<Result<void>> forward(Context& context, ClientSide& client, Exchange& exchange) {
    context.retry_budget.earn(context.reactor.now(), exchange.wiring->snapshot->budget_rules);
    Reply reply;
    for (;;) {
        const auto choice = select(context, exchange, context.reactor.now());
        if (!choice) co_return choice.error();
        const Outcome outcome = co_await try_one(context, client, exchange, *choice, reply);
        if (moves_on(context, exchange, outcome.verdict)) {
            release(context, reply);
            context.metrics.add(exchange.wiring->process.failovers);
            continue;
        }
        if (!outcome.answered) co_return outcome.answered.error();
        const SteadyTime now = context.reactor.now();
        if (outcome.verdict.try_next && exchange.entry != nullptr &&
            exchange.list->rotation.all_out_for_quota(now)) {
            release(context, reply);
            co_return nobody_left(context, exchange, now);
        }
        const auto relayed = co_await relay(context, client, exchange, reply);
        settle_relayed(context, exchange, relayed);
        co_return relayed;
    }
}

// Steps 1 to 9, each returning the fault that ends the story there.
Task<Result<void>> serve(Context& context, ClientSide& client, Exchange& exchange) {
    if (const auto step = match(context, exchange); !step) co_return step.error();
    if (const auto step = authenticate(context, exchange); !step) co_return step.error();
    if (const auto step = admit(context, exchange); !step) co_return step.error();
    if (!take_body_at_hand(client, exchange)) {
        const auto step = co_await read_body(context, client, exchange);
        if (!step) co_return step.error();
    }
    if (exchange.list != nullptr) {
        if (const auto step = scan_body(exchange); !step) co_return step.error();
    }
    if (!exchange.wants_stream) exchange.deadline = exchange.started + exchange.timeouts().total;
    const auto forwarded = co_await forward(context, client, exchange);
    co_return forwarded;
}

}  // namespace

Task<void> run(Context& context, ClientSide& client, Exchange& exchange) {
    context.metrics.add(exchange.wiring->process.in_flight);
    if (context.sessions.draining()) exchange.keep_alive = false;
    const auto served = co_await serve(context, client, exchange);
    const bool can_be_told = served || !exchange.answer_started ||
                             served.error().kind == FaultKind::client_gone;  // is only noted
    if (!can_be_told) {
        exchange.fault = served.error();
        exchange.keep_alive = false;
    } else if (!served) {
        co_await refuse(context, client, exchange, served.error());
    }
    context.metrics.sub(exchange.wiring->process.in_flight);
    record(context, exchange);
    if (exchange.keep_alive && !client.body_complete) {
        exchange.keep_alive = co_await discard_body(context, client, exchange);
    }
}

Task<void> run_refusal(Context& context, ClientSide& client, Exchange& exchange, Fault fault) {
    co_await refuse(context, client, exchange, fault);
    record(context, exchange);
}

}  // namespace rotary::proxy
