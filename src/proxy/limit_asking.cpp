#include "proxy/limit_asking.hpp"

#include <rotary/quota/money_text.hpp>

#include <algorithm>
#include <utility>

namespace rotary::proxy {

namespace {

// A request that takes longer hears of a step of the wall clock: it may not be as far behind the
// others as a counter takes for a clock that was wrong.
constexpr std::chrono::seconds kLongSince{30};

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

}  // namespace

WallTime wall_time(const Exchange& exchange, SteadyTime now) noexcept {
    const auto since = std::max(now - exchange.request.started, SteadyTime::duration::zero());
    if (since > kLongSince) return wall_now();
    return exchange.request.started_wall + std::chrono::duration_cast<WallTime::duration>(since);
}

LimitAsking::LimitAsking(Context& context, Exchange& exchange, quota::Admission& admission) noexcept
    : context_(context),
      exchange_(exchange),
      admission_(admission),
      held_before_(admission.size()),
      now_(wall_time(exchange, context.reactor.now())) {
    exchange.quotas.waits = false;
    if (!exchange.quotas.is_patient) admission.end_patience();
}

void LimitAsking::ask(const std::vector<std::size_t>& limits) {
    for (const std::size_t index : limits) {
        const quota::Limit& limit = exchange_.snapshot().limits[index];
        ask(index, quota::HeldCounter(limit.family->common()),
            exchange_.quotas.estimate[limit.what]);
    }
}

void LimitAsking::ask_keyed(const std::vector<routing::KeyedLimit>& limits) {
    const routing::Snapshot& snapshot = exchange_.snapshot();
    for (const routing::KeyedLimit& keyed : limits) {
        const std::string_view value = value_of(context_, exchange_, keyed);
        const bool is_each = keyed.value.empty();
        if (!is_each && value != keyed.value) continue;
        const quota::Limit& limit = snapshot.limits[keyed.limit];
        quota::HeldCounter counter(limit.family->common());
        if (is_each) counter = snapshot.counters->hold(limit.family, value, limit.window(now_));
        ask(keyed.limit, std::move(counter), 1);
    }
}

void LimitAsking::ask_for_each(const std::vector<std::size_t>& limits) {
    const routing::Snapshot& snapshot = exchange_.snapshot();
    for (const std::size_t index : limits) {
        const quota::Limit& limit = snapshot.limits[index];
        ask(index,
            snapshot.counters->hold(limit.family, exchange_.match.consumer, limit.window(now_)),
            exchange_.quotas.estimate[quota::What::cost]);
    }
}

void LimitAsking::ask(std::size_t index, quota::HeldCounter counter, std::int64_t amount) {
    const quota::Limit& limit = exchange_.snapshot().limits[index];
    const bool taken = admission_.ask(limit, std::move(counter), amount, now_);
    if (size_ == said_.size()) return;
    Word word = Word::admitted;
    if (!taken) {
        word = Word::refused;
    } else if (admission_.shadowed() == &limit) {
        word = Word::shadowed;
    } else if (admission_.softened() == &limit) {
        word = Word::warned;
    }
    said_[size_++] = {index, word, admission_.warning() != nullptr};
}

LimitsSaid LimitAsking::end() {
    const bool is_refused = admission_.reached() != nullptr;
    if (!is_refused && admission_.waits()) {
        admission_.undo_from(held_before_);
        exchange_.quotas.waits = true;
        return LimitsSaid::later;
    }
    for (std::size_t i = 0; i < size_; ++i) count(said_[i]);
    return is_refused ? LimitsSaid::no : LimitsSaid::yes;
}

// What a limit said, among the metrics; and in the log, once a window, that little is left of it.
void LimitAsking::count(const Said& said) {
    const LimitSeries& series = exchange_.match.wiring->limits[said.limit];
    switch (said.word) {
        case Word::admitted:
            context_.metrics.add(series.admitted);
            break;
        case Word::warned:
            context_.metrics.add(series.warned);
            break;
        case Word::shadowed:
            context_.metrics.add(series.shadowed);
            break;
        case Word::refused:
            context_.metrics.add(series.refused);
            break;
    }
    if (!said.warns) return;
    const quota::Limit& limit = exchange_.snapshot().limits[said.limit];
    quota::MoneyText soft;
    quota::MoneyText amount;
    context_.log.warn("a budget has reached its soft limit",
                      {{"budget", limit.policy},
                       {"for", limit.subject},
                       {"consumer", exchange_.match.consumer},
                       {"soft", quota::write_money(limit.soft, soft)},
                       {"amount", quota::write_money(limit.amount, amount)},
                       {"request_id", exchange_.request_id()}});
}

}  // namespace rotary::proxy
