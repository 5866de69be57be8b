#include "proxy/forward.hpp"

#include "proxy/attempt.hpp"
#include "proxy/cut_short.hpp"
#include "proxy/hold.hpp"
#include "proxy/lease.hpp"
#include "proxy/relay.hpp"
#include "proxy/settle.hpp"
#include "proxy/try_log.hpp"

#include <algorithm>
#include <cstdint>

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

// Of a rule's Backends one whose health check does not fail; of all of them when all fail.
std::size_t next_backend(const policy::Snapshot& snapshot, const policy::Route& route) {
    policy::EntrySet healthy = route.backend_cursor->all();
    for (std::size_t i = 0; i < route.backends.size(); ++i) {
        if (!snapshot.backends[route.backends[i]].state->healthy()) {
            healthy &= ~(policy::EntrySet{1} << i);
        }
    }
    if (healthy == 0) healthy = route.backend_cursor->all();
    return route.backends[route.backend_cursor->next(healthy)];
}

// Step 5: who serves this try.
Result<Choice> select(Context& context, Exchange& exchange, SteadyTime now) {
    const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
    Choice choice;
    if (exchange.list == nullptr) {
        if (exchange.route->backend_cursor == nullptr) {
            return Fault::internal(FaultKind::all_models_unavailable);
        }
        // Backend.retry is about the same one.
        choice.target.backend =
            exchange.attempts == 0
                ? next_backend(snapshot, *exchange.route)
                : static_cast<std::size_t>(exchange.backend - snapshot.backends.data());
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
    exchange.backend = &snapshot.backends[choice.target.backend];
    ++exchange.attempts;
    return choice;
}

// What one try came to: an answer in the reply, its parsed head in the worker's scratch, or a
// fault.
struct Outcome {
    Result<void> answered{};
    policy::Verdict verdict;
    bool is_listed = false;  // answered with one of Backend.retry.statusCodes
};

bool is_listed(const policy::Backend& backend, std::uint16_t status) {
    if (!backend.retry) return false;
    const auto& statuses = backend.retry->statuses;
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

// Whether there is somebody to try after this: another entry of the rotation; without one the same
// Backend, when its `retry` says so.
bool has_next(Context& context, const Exchange& exchange, const Outcome& outcome) {
    const SteadyTime now = context.reactor.now();
    if (now >= exchange.deadline) return false;
    const auto& retry = exchange.backend->retry;
    if (exchange.list == nullptr) {
        return outcome.is_listed && exchange.attempts <= retry->count;
    }
    if (!outcome.verdict.try_next || exchange.attempts >= exchange.routing().max_attempts) {
        return false;
    }
    const bool within_count =
        !outcome.verdict.costs_budget || !retry || exchange.attempts <= retry->count;
    return within_count && exchange.list->rotation.has_other(now, exchange.tried);
}

// Takes from the retry budget what another try costs.
bool can_afford(Context& context, const Exchange& exchange, const Outcome& outcome) {
    if (!outcome.verdict.costs_budget) return true;
    const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
    const bool affordable = context.retry_budget.take(context.reactor.now(), snapshot.budget_rules,
                                                      *snapshot.retry_reserve);
    if (!affordable) context.metrics.add(exchange.wiring->process.budget_exhausted);
    return affordable;
}

// The wait before the same Backend is tried again: its baseIntervalMillis, doubled each time.
Task<Result<void>> pause(Context& context, ClientSide& client, Exchange& exchange) {
    constexpr unsigned kDoublings = 10;
    const auto times = std::min(exchange.attempts - 1, kDoublings);
    const SteadyTime next =
        context.reactor.now() + exchange.backend->retry->base_interval * (1u << times);
    const net::WaitFor what = wait_until(std::min(exchange.deadline, next), client, exchange);
    const net::Wake wake = co_await context.reactor.wait(what);
    if (const auto cut = cut_short(wake)) co_return *cut;
    co_return Result<void>{};
}

// A place among a Backend's tries that are not their request's first (circuitBreaker.maxRetries).
class RetryPlace {
public:
    RetryPlace(const policy::Backend& backend, bool is_retry) noexcept {
        if (!is_retry || backend.limits.retries == policy::BackendLimits::kNone) return;
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
    policy::BackendState* state_ = nullptr;
    bool admitted_ = true;
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

// The total time of a request may end in the middle of a try, whatever that was at and whatever
// its own word for being late: it blames nobody.
Fault blame(const Exchange& exchange, Fault fault, SteadyTime now) {
    if (fault.origin != Origin::upstream || now < exchange.deadline) return fault;
    return Fault::internal(FaultKind::upstream_timeout, "The request's time is over.");
}

// Steps 7 and 9 for one entry.
Task<Outcome> try_one(Context& context, ClientSide& client, Exchange& exchange,
                      const Choice& choice, Reply& reply) {
    const SteadyTime begun = std::chrono::steady_clock::now();
    policy::Answer answer;
    Outcome outcome;
    const RetryPlace place(*exchange.backend, exchange.attempts > 1);
    if (place.admitted()) {
        outcome.answered = co_await attempt(context, client, exchange, choice.target, reply);
    } else {
        outcome.answered = kNoRoom;
    }
    if (outcome.answered) {
        answer.status = reply.status;
        answer.is_listed = outcome.is_listed = is_listed(*exchange.backend, reply.status);
        answer.hints = read_hints(context, exchange);
        if (exchange.entry != nullptr) {
            outcome.answered = co_await read_for_verdict(context, client, exchange, reply, answer);
        }
    }
    const SteadyTime ended = std::chrono::steady_clock::now();
    const Tried tried{choice.probe, ended - begun};
    if (outcome.answered) {
        exchange.first_byte = ended;
        log_try(context, exchange, answer.status, {}, tried.wait);
        outcome.verdict = settle_answer(context, exchange, answer, tried);
    } else {
        outcome.answered = blame(exchange, outcome.answered.error(), ended);
        log_try(context, exchange, answer.status, outcome.answered.error(), tried.wait);
        outcome.verdict = settle_failure(context, exchange, outcome.answered.error(), tried);
    }
    co_return outcome;
}

}  // namespace

Task<Result<void>> forward(Context& context, ClientSide& client, Exchange& exchange) {
    context.retry_budget.earn(context.reactor.now(), exchange.wiring->snapshot->budget_rules);
    Reply reply;
    for (;;) {
        const auto choice = select(context, exchange, context.reactor.now());
        if (!choice) co_return choice.error();
        const Outcome outcome = co_await try_one(context, client, exchange, *choice, reply);
        if (has_next(context, exchange, outcome) && can_afford(context, exchange, outcome)) {
            release(context, reply);
            context.metrics.add(exchange.wiring->process.failovers);
            if (exchange.list != nullptr) continue;  // another entry: there is nothing to wait for
            const auto paused = co_await pause(context, client, exchange);
            if (!paused) co_return paused.error();
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

}  // namespace rotary::proxy
