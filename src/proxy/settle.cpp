#include "proxy/settle.hpp"

#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/problem.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

const EntrySeries& series_of(const Wiring& wiring, const routing::EntryList& list,
                             std::size_t entry) {
    const auto index = static_cast<std::size_t>(&list - wiring.snapshot->lists.data());
    return wiring.entries[index][entry];
}

const EntrySeries& series_of(const Exchange& exchange) {
    const Choice& choice = exchange.tries.choice;
    return exchange.match.wiring->entries[choice.list][choice.entry];
}

const Wiring::Upstream& upstream_of(const Exchange& exchange) {
    return exchange.match.wiring->upstreams[exchange.tries.choice.backend];
}

rotation::EntryState& state_of(const Exchange& exchange) {
    return exchange.list()->rotation.state(exchange.tries.choice.entry);
}

// Counts and tells that an entry was taken out of the rotation.
void note_suspension(Context& context, const Exchange& exchange, const routing::EntryList& list,
                     std::size_t entry) {
    const rotation::EntryState& state = list.rotation.state(entry);
    const rotation::SuspendReason reason = state.reason();
    const EntrySeries& series = series_of(*exchange.match.wiring, list, entry);
    context.metrics.add(series.suspensions[static_cast<std::size_t>(reason)]);
    const std::chrono::duration<double> left = state.until() - context.reactor.exact_now();
    context.log.warn("model suspended", {{"entry", list.entries[entry].id},
                                         {"reason", rotation::to_string(reason)},
                                         {"seconds", left.count()},
                                         {"request_id", exchange.request_id()}});
}

// The others behind a credential that is used up stay out as long as the one that found it out,
// whose time may have been doubled; those behind one that is refused, as long as their own times in
// a row say.
void suspend_credential(Context& context, const Exchange& exchange,
                        const rotation::Verdict& verdict) {
    const routing::Snapshot& snapshot = exchange.snapshot();
    const SteadyTime now = context.reactor.exact_now();
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(state_of(exchange).until() - now);
    for (const auto& place : snapshot.by_credential[exchange.backend()->credential]) {
        const routing::EntryList& list = snapshot.lists[place.list];
        const rotation::EntryState::Limits& limits = list.rotation.limits();
        rotation::EntryState& state = list.rotation.state(place.entry);
        if (&state == &state_of(exchange)) continue;
        const bool is_refused = verdict.effect == rotation::Effect::put_out_credential;
        if (is_refused ? state.put_out(now, verdict.reason, limits)
                       : state.suspend(now, left, verdict.reason, limits)) {
            note_suspension(context, exchange, list, place.entry);
        }
    }
}

// A person has to act: no retry brings a key back.
void tell_of_credential(Context& context, const Exchange& exchange) {
    context.log.error("the provider refuses the key of a Backend",
                      {{"backend", exchange.backend()->name},
                       {"host", exchange.backend()->host_header},
                       {"request_id", exchange.request_id()}});
}

// Does to the rotation what the verdict says. The entry that was tried is the one that suffers,
// whatever model the answer names.
void carry_out(Context& context, const Exchange& exchange, const rotation::Verdict& verdict,
               bool probe) {
    const rotation::EntryState::Limits& limits = exchange.list()->rotation.limits();
    const SteadyTime now = context.reactor.exact_now();
    rotation::EntryState& state = state_of(exchange);
    bool is_out = false;
    switch (verdict.effect) {
        case rotation::Effect::none:
            return;
        case rotation::Effect::count_failure:
            is_out = state.fail(now, probe, limits, verdict.silent);
            break;
        case rotation::Effect::suspend_entry:
        case rotation::Effect::suspend_credential:
            is_out = state.suspend(now, verdict.duration, verdict.reason, limits);
            break;
        case rotation::Effect::put_out_entry:
        case rotation::Effect::put_out_credential:
            is_out = state.put_out(now, verdict.reason, limits);
            break;
    }
    if (is_out) note_suspension(context, exchange, *exchange.list(), exchange.tries.choice.entry);
    if (verdict.effect == rotation::Effect::put_out_credential && is_out) {
        tell_of_credential(context, exchange);
    }
    if (verdict.effect == rotation::Effect::suspend_credential ||
        verdict.effect == rotation::Effect::put_out_credential) {
        suspend_credential(context, exchange, verdict);
    }
}

// A failure of an entry that is out by now meets no further request, so that it bounds itself:
// those that were under way when it failed move on for nothing.
void spare_budget(const Context& context, const Exchange& exchange, rotation::Verdict& verdict) {
    const SteadyTime now = context.reactor.exact_now();
    if (verdict.effect == rotation::Effect::count_failure &&
        state_of(exchange).standing(now) != rotation::Standing::active) {
        verdict.costs_budget = false;
    }
}

void count_failure(Context& context, const Exchange& exchange, rotation::Failure failure) {
    if (failure == rotation::Failure::none) return;
    const auto index = static_cast<std::size_t>(failure);
    context.metrics.add(exchange.entry() != nullptr ? series_of(exchange).failures[index]
                                                    : upstream_of(exchange).failures[index]);
}

}  // namespace

llm::RateLimitHints read_hints(Context& context, const Exchange& exchange) {
    if (exchange.entry() == nullptr) return {};
    return llm::read_rate_limit_hints(context.scratch.response.headers,
                                      exchange.request.started_wall, &state_of(exchange).told());
}

rotation::Verdict settle_answer(Context& context, const Exchange& exchange,
                                const rotation::Answer& answer, const Tried& tried) {
    if (exchange.entry() == nullptr) {
        const Wiring::Upstream& upstream = upstream_of(exchange);
        context.metrics.add_status(upstream.requests, answer.status);
        context.metrics.observe(upstream.duration, tried.wait);
        const rotation::Verdict verdict = rotation::judge_answer(answer, {});
        count_failure(context, exchange, verdict.failure);
        const bool is_refused = verdict.effect == rotation::Effect::put_out_credential;
        const auto pause = exchange.timeouts().credential_suspension;
        if (is_refused &&
            exchange.backend()->state->tell_refused(exchange.request.started, pause)) {
            tell_of_credential(context, exchange);
        }
        return verdict;
    }
    const EntrySeries& series = series_of(exchange);
    context.metrics.add_status(series.upstream_requests, answer.status);
    context.metrics.observe(series.upstream_duration, tried.wait);
    rotation::Verdict verdict = rotation::judge_answer(answer, exchange.list()->rules);
    count_failure(context, exchange, verdict.failure);
    carry_out(context, exchange, verdict, tried.probe);
    spare_budget(context, exchange, verdict);
    if (!tried.probe || verdict.effect != rotation::Effect::none) return verdict;
    if (verdict.is_inconclusive) {
        state_of(exchange).probe_dropped();
    } else {
        state_of(exchange).probe_passed();
        context.log.info("model is back", {{"entry", exchange.entry()->id}});
    }
    return verdict;
}

rotation::Verdict settle_failure(Context& context, const Exchange& exchange, const Fault& fault,
                                 const Tried& tried) {
    rotation::Verdict verdict = rotation::judge_failure(fault, tried.asked);
    count_failure(context, exchange, verdict.failure);
    if (exchange.entry() == nullptr) return verdict;
    if (verdict.effect == rotation::Effect::none) {
        if (tried.probe) state_of(exchange).probe_dropped();
        return verdict;
    }
    context.metrics.add_status(series_of(exchange).upstream_requests,
                               wire::problem_of(fault.kind).status);
    carry_out(context, exchange, verdict, tried.probe);
    spare_budget(context, exchange, verdict);
    return verdict;
}

void settle_relayed(Context& context, const Exchange& exchange, const Result<void>& relayed,
                    const rotation::Verdict& tried) {
    auto failure = rotation::Failure::none;
    if (!relayed) {
        if (relayed.error().origin != Origin::upstream) return;  // the client went, or we end
        failure = rotation::judge_failure(relayed.error()).failure;
    } else if (exchange.events.saw_error()) {
        failure = rotation::Failure::server_error;
    }
    count_failure(context, exchange, failure);
    if (exchange.entry() == nullptr) return;
    if (failure == rotation::Failure::none) {
        const bool has_failed = tried.effect == rotation::Effect::count_failure;
        if (exchange.outcome.status < 500 && !has_failed) state_of(exchange).served();
        return;
    }
    rotation::Verdict verdict;
    verdict.effect = rotation::Effect::count_failure;
    verdict.silent = failure == rotation::Failure::timeout;
    carry_out(context, exchange, verdict, false);
}

}  // namespace rotary::proxy
