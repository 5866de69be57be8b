#include "proxy/forward.hpp"

#include "proxy/attempt.hpp"
#include "proxy/hold.hpp"
#include "proxy/lease_wait.hpp"
#include "proxy/relay.hpp"
#include "proxy/select.hpp"
#include "proxy/settle.hpp"
#include "proxy/try_log.hpp"
#include "proxy/usage_ask.hpp"
#include "proxy/usage_settle.hpp"

#include <rotary/net/cut_short.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace rotary::proxy {

namespace {

bool is_listed(const routing::Backend& backend, std::uint16_t status) {
    if (!backend.retry) return false;
    const auto& statuses = backend.retry->statuses;
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

// The wait before the same Backend is tried again: its baseIntervalMillis, doubled each time.
Task<Result<void>> pause(Context& context, downstream::Client& client, Exchange& exchange) {
    constexpr unsigned kDoublings = 10;
    const auto times = std::min(exchange.tries.attempts - 1, kDoublings);
    const SteadyTime next =
        context.reactor.now() + exchange.backend()->retry->base_interval * (1u << times);
    const net::WaitFor what =
        wait_until(std::min(exchange.outcome.deadline, next), client, exchange);
    const net::Wake wake = co_await context.reactor.wait(what);
    if (const auto cut = net::cut_short(wake)) co_return *cut;
    co_return Result<void>{};
}

// A place among a Backend's tries that are not their request's first (circuitBreaker.maxRetries).
class RetryPlace {
public:
    RetryPlace(const routing::Backend& backend, bool is_retry) noexcept {
        if (!is_retry || backend.limits.retries == rotation::BackendLimits::kNone) return;
        admitted_ = backend.state->enter_retry(backend.limits.retries);
        if (admitted_) state_ = backend.state.get();
    }
    ~RetryPlace() {
        if (state_ != nullptr) state_->leave_retry();
    }
    RetryPlace(const RetryPlace&) = delete;
    RetryPlace& operator=(const RetryPlace&) = delete;
    bool admitted() const noexcept { return admitted_; }

private:
    rotation::BackendState* state_ = nullptr;
    bool admitted_ = true;
};

// Reads as much of the answer as its verdict needs. `answer` gets what the body says.
Task<Result<void>> read_for_verdict(Context& context, Exchange& exchange,
                                    upstream::Provider& provider, rotation::Answer& answer) {
    if (rotation::error_body_decides(provider.answer().status)) {
        co_await read_refusal(context, exchange, provider);
        const std::string_view body = provider.payload_at_hand(context.path);
        answer.error = llm::read_error_body(
            body, exchange.entry() == nullptr ? std::string_view{} : exchange.entry()->model);
    } else {
        Hold hold(context, exchange, provider);
        auto held = hold.look();
        if (held && *held && !(*held)->is_error_event) co_return Result<void>{};
        if (!held) held = co_await hold.run();
        if (!*held) co_return held->error();
        answer.is_error_event = (*held)->is_error_event;
        answer.error = (*held)->error;
    }
    provider.reread_head();
    co_return Result<void>{};
}

// The total time of a request may end in the middle of a try, whatever that was at and whatever
// its own word for being late: the provider is not to blame.
Fault blame(const Exchange& exchange, Fault fault, SteadyTime now) {
    if (fault.origin != Origin::upstream || now < exchange.outcome.deadline) return fault;
    return Fault::internal(FaultKind::upstream_timeout, "The request's time is over.");
}

// Steps 7 and 9 for one entry.
Task<Attempted> try_one(Context& context, downstream::Client& client, Exchange& exchange,
                        upstream::Provider& provider) {
    const SteadyTime begun = context.reactor.exact_now();
    exchange.trail.open(exchange.tries.choice, begun);
    rotation::Answer answer;
    Attempted attempted;
    const RetryPlace place(*exchange.backend(), exchange.tries.attempts > 1);
    if (place.admitted()) {
        attempted.answered = co_await attempt(context, client, exchange, provider);
        bool asks_again = attempted.answered && may_refuse_usage_ask(exchange, provider);
        if (asks_again) asks_again = co_await refuses_usage_ask(context, exchange, provider);
        if (asks_again) attempted.answered = co_await attempt(context, client, exchange, provider);
    } else {
        attempted.answered = upstream::kNoRoom;
    }
    if (attempted.answered) {
        exchange.trail.last().head = std::max(begun, context.reactor.now());
        answer.status = provider.answer().status;
        answer.is_listed = attempted.is_listed =
            is_listed(*exchange.backend(), provider.answer().status);
        answer.hints = read_hints(context, exchange);
        answer.is_later = exchange.tries.attempts > 1 && !exchange.tries.choice.is_probe;
        answer.has_our_key = exchange.backend()->has_credential;
        const bool is_judged =
            exchange.entry() != nullptr ||
            (answer.has_our_key && rotation::error_body_decides(provider.answer().status));
        if (is_judged) {
            attempted.answered = co_await read_for_verdict(context, exchange, provider, answer);
        }
    }
    const SteadyTime ended = context.reactor.exact_now();
    const Tried tried{exchange.tries.choice.is_probe, provider.asked(), ended - begun};
    if (attempted.answered) {
        exchange.outcome.first_byte = ended;
        log_try(context, exchange, {answer.status, {}, tried.wait});
        attempted.verdict = settle_answer(context, exchange, answer, tried);
        exchange.trail.judge(answer.status, FaultKind::none, attempted.verdict, ended);
    } else {
        attempted.answered = blame(exchange, attempted.answered.error(), ended);
        log_try(context, exchange, {answer.status, attempted.answered.error(), tried.wait});
        settle_unanswered(context, exchange, attempted.answered.error(), tried.asked);
        const Fault& fault = attempted.answered.error();
        attempted.verdict = settle_failure(context, exchange, fault, tried);
        exchange.trail.judge(answer.status, fault.kind, attempted.verdict, ended);
    }
    exchange.trail.last().reused_connection = exchange.tries.reused_connection;
    co_return attempted;
}

}  // namespace

Task<Result<void>> forward(Context& context, downstream::Client& client, Exchange& exchange) {
    context.retry_budget.earn(context.reactor.now(), exchange.match.route->budget_rules);
    upstream::Http1Provider provider(context.providers);
    Next next = Next::nowhere;
    for (;;) {
        if (const auto selected = select(context, exchange, next); !selected) {
            if (!exchange.quotas.waits) co_return selected.error();
            const auto later = co_await ask_fleet(context, client, exchange, select_again);
            if (!later) co_return later.error();
        }
        const Attempted attempted = co_await try_one(context, client, exchange, provider);
        next = next_after(context, exchange, attempted);
        if (next != Next::nowhere) {
            provider.release();
            exchange.trail.last().failed_over = true;
            context.metrics.add(exchange.match.wiring->process.failovers);
            if (next != Next::same_backend) continue;  // there is nothing to wait for
            const auto paused = co_await pause(context, client, exchange);
            if (!paused) co_return paused.error();
            continue;
        }
        if (!attempted.answered) co_return attempted.answered.error();
        if (attempted.verdict.is_withheld) {
            provider.release();
            co_return Fault::upstream(FaultKind::upstream_credential_refused);
        }
        if (attempted.verdict.try_next && exchange.entry() != nullptr &&
            exchange.rotation().all_out_for_quota(context.reactor.now())) {
            provider.release();
            co_return nobody_left(context, exchange);
        }
        const auto relayed = co_await relay(context, client, exchange, provider);
        settle_relayed(context, exchange, relayed, attempted.verdict);
        exchange.trail.end(relayed, context.reactor.now());
        co_return relayed;
    }
}

}  // namespace rotary::proxy
