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

void LimitAsking::begin() noexcept {
    if (size_ != 0) return;
    now_ = wall_time(exchange_, context_.reactor.now());
    if (!exchange_.quotas.is_patient) admission_.end_patience();
}

void LimitAsking::ask_all(const std::vector<std::size_t>& limits) {
    begin();
    for (const std::size_t index : limits) {
        const quota::Limit& limit = exchange_.snapshot().limits[index];
        note(index, limit, admission_.ask(limit, exchange_.quotas.estimate[limit.what], now_));
    }
}

void LimitAsking::ask_keyed(const std::vector<routing::KeyedLimit>& limits) {
    begin();
    const routing::Snapshot& snapshot = exchange_.snapshot();
    for (const routing::KeyedLimit& keyed : limits) {
        const std::string_view value = value_of(context_, exchange_, keyed);
        const bool is_each = keyed.value.empty();
        if (!is_each && value != keyed.value) continue;
        const quota::Limit& limit = snapshot.limits[keyed.limit];
        quota::HeldCounter counter(limit.family->common());
        if (is_each) counter = snapshot.counters->hold(limit.family, value, limit.window(now_));
        note(keyed.limit, limit, admission_.ask(limit, std::move(counter), 1, now_));
    }
}

void LimitAsking::ask_for_each(const std::vector<std::size_t>& limits) {
    if (limits.empty()) return;
    begin();
    const routing::Snapshot& snapshot = exchange_.snapshot();
    const std::int64_t amount = exchange_.quotas.estimate[quota::What::cost];
    for (const std::size_t index : limits) {
        const quota::Limit& limit = snapshot.limits[index];
        auto counter =
            snapshot.counters->hold(limit.family, exchange_.match.consumer, limit.window(now_));
        note(index, limit, admission_.ask(limit, std::move(counter), amount, now_));
    }
}

void LimitAsking::note(std::size_t index, const quota::Limit& limit, bool taken) noexcept {
    if (size_ == said_.size()) return;
    const LimitSeries& series = exchange_.match.wiring->limits[index];
    metrics::SeriesId counted = series.admitted;
    if (!taken) {
        counted = series.refused;
    } else if (admission_.shadowed() == &limit) {
        counted = series.shadowed;
    } else if (admission_.softened() == &limit) {
        counted = series.warned;
    }
    said_[size_++] = {counted.index, admission_.warning()};
}

// What was said goes among the metrics; and into the log, once a window, that little is left.
LimitsSaid LimitAsking::conclude() {
    const bool is_refused = admission_.reached() != nullptr;
    if (!is_refused && admission_.waits()) {
        admission_.undo_from(held_before_);
        exchange_.quotas.waits = true;
        return LimitsSaid::later;
    }
    for (std::size_t i = 0; i < size_; ++i) {
        context_.metrics.add(metrics::SeriesId{said_[i].series});
        if (said_[i].warns != nullptr) warn(*said_[i].warns);
    }
    return is_refused ? LimitsSaid::no : LimitsSaid::yes;
}

void LimitAsking::warn(const quota::Limit& limit) {
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
