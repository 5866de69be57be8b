#include "proxy/pipeline.hpp"

#include "proxy/admit.hpp"
#include "proxy/asked_model.hpp"
#include "proxy/authenticate.hpp"
#include "proxy/caller_places.hpp"
#include "proxy/charge.hpp"
#include "proxy/forward.hpp"
#include "proxy/key_wait.hpp"
#include "proxy/lease_wait.hpp"
#include "proxy/limits.hpp"
#include "proxy/match.hpp"
#include "proxy/model_list.hpp"
#include "proxy/own_answer.hpp"
#include "proxy/record.hpp"
#include "proxy/refusal.hpp"
#include "proxy/scan.hpp"
#include "proxy/usage_ask.hpp"

namespace rotary::proxy {

namespace {

// Steps 1 to 9, each returning the fault that ends the story there.
Task<Result<void>> serve(Context& context, downstream::Client& client, Exchange& exchange) {
    if (asks_for_whole_server(exchange)) {
        const auto answered = co_await answer_for_whole_server(client, exchange);
        co_return answered;
    }
    if (is_allowed_preflight(exchange)) {
        const auto answered = co_await answer_preflight(context, client, exchange);
        co_return answered;
    }
    if (const auto step = match(exchange); !step) co_return step.error();
    KeyNeed need;
    if (const auto step = authenticate(context, exchange, need); !step) {
        if (!need.pending) co_return step.error();
        const auto later = co_await authenticate_later(context, client, exchange, need);
        if (!later) co_return later.error();
    }
    if (exchange.match.route->redirect) {
        const auto redirected = co_await redirect(context, client, exchange);
        co_return redirected;
    }
    if (const auto step = take_places(context, exchange); !step) {
        if (!exchange.quotas.waits) co_return step.error();
        const auto later = co_await ask_fleet(context, client, exchange, take_places);
        if (!later) co_return later.error();
    }
    if (const auto step = admit_request(context, exchange); !step) {
        if (!exchange.quotas.waits) co_return step.error();
        const auto later = co_await ask_fleet(context, client, exchange, admit_request);
        if (!later) co_return later.error();
    }
    if (asks_for_models(exchange)) {
        const auto answered = co_await answer_models(client, exchange);
        co_return answered;
    }
    if (const auto step = admit(context, exchange); !step) co_return step.error();
    if (!client.take_body_at_hand()) {
        const auto step = co_await client.read_body();
        if (!step) co_return step.error();
    }
    if (exchange.list() != nullptr) {
        if (const auto step = scan_body(exchange); !step) co_return step.error();
        plan_usage_ask(context, exchange);
    } else if (exchange.match.route->counts_tokens) {
        if (const auto step = read_asked_model(context, exchange); !step) co_return step.error();
        plan_usage_ask(context, exchange);
    }
    if (const auto step = reserve_tokens(context, exchange); !step) {
        if (!exchange.quotas.waits) co_return step.error();
        const auto later = co_await ask_fleet(context, client, exchange, reserve_tokens);
        if (!later) co_return later.error();
    }
    exchange.outcome.deadline = exchange.request.started + exchange.timeouts().total;
    const auto forwarded = co_await forward(context, client, exchange);
    co_return forwarded;
}

}  // namespace

Task<void> run(Context& context, downstream::Client& client, Exchange& exchange) {
    context.metrics.add(exchange.match.wiring->process.in_flight);
    const auto served = co_await serve(context, client, exchange);
    exchange.quotas.places.leave();
    const bool can_be_told = served || !exchange.outcome.answer_started ||
                             served.error().kind == FaultKind::client_gone;  // is only noted
    if (!can_be_told) {
        exchange.outcome.fault = served.error();
        client.close_after();
    } else if (!served) {
        co_await refuse(context, client, exchange, served.error());
    }
    context.metrics.sub(exchange.match.wiring->process.in_flight);
    exchange.outcome.bytes_sent = client.bytes_sent();
    charge(context, exchange);
    settle_limits(context, exchange);
    record(context, exchange);
}

Task<void> run_refusal(Context& context, downstream::Client& client, Exchange& exchange,
                       Fault fault) {
    co_await refuse(context, client, exchange, fault);
    exchange.outcome.bytes_sent = client.bytes_sent();
    record(context, exchange);
}

}  // namespace rotary::proxy
