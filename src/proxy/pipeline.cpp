#include "proxy/pipeline.hpp"

#include "proxy/admit.hpp"
#include "proxy/attempt.hpp"
#include "proxy/body.hpp"
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

bool tries_left(const Exchange& exchange) {
    return exchange.list != nullptr && exchange.attempts < exchange.routing().max_attempts;
}

// Steps 5 to 8: entries in turn until one answers for good. Returns the fault that the client must
// be told, or nothing when an answer was relayed.
Task<Result<void>> forward(Context& context, ClientSide& client, Exchange& exchange) {
    Reply reply;
    for (;;) {
        const auto choice = select(context, exchange, context.reactor.now());
        if (!choice) co_return choice.error();

        const SteadyTime begun = std::chrono::steady_clock::now();
        const auto answered = co_await attempt(context, client, exchange, choice->target, reply);
        const SteadyTime ended = std::chrono::steady_clock::now();
        exchange.upstream_wait += ended - begun;
        if (!answered) {
            const Fault fault = answered.error();
            const auto verdict = settle_failure(context, exchange, fault, choice->probe);
            if (!verdict.try_next || !tries_left(exchange)) co_return fault;
            const bool another =
                exchange.list->rotation.has_other(context.reactor.now(), exchange.tried);
            if (!another) co_return fault;
            context.metrics.add(exchange.wiring->process.failovers);
            continue;
        }
        exchange.first_byte = ended;
        auto hints = read_hints(context, exchange);
        auto kind = policy::QuotaKind::rate;
        const bool refused = policy::refused_for_quota(reply.status) && exchange.entry != nullptr;
        if (refused) {
            co_await read_error_body(context, client, exchange, reply);
            kind = policy::quota_kind(body_at_hand(reply, context.scratch.path));
        }
        const auto verdict = settle_answer(
            context, exchange, {reply.status, hints, kind, choice->probe, ended - begun});
        if (verdict.try_next && tries_left(exchange) &&
            exchange.list->rotation.has_other(context.reactor.now(), exchange.tried)) {
            release(context, reply);
            context.metrics.add(exchange.wiring->process.failovers);
            continue;
        }
        if (refused) {
            const SteadyTime now = context.reactor.now();
            if (exchange.list->rotation.all_out_for_quota(now)) {
                release(context, reply);
                co_return nobody_left(context, exchange, now);
            }
            reparse_head(context, exchange, reply);
        }
        const auto relayed = co_await relay(context, client, exchange, reply);
        co_return relayed;
    }
}

// Steps 1 to 9, each returning the fault that ends the story there.
Task<Result<void>> serve(Context& context, ClientSide& client, Exchange& exchange) {
    if (const auto step = match(context, exchange); !step) co_return step.error();
    KeyNeed need;
    if (const auto step = authenticate(context, exchange, need); !step) {
        if (!need.pending) co_return step.error();
        const auto later = co_await authenticate_later(context, client, exchange, need);
        if (!later) co_return later.error();
    }
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
