#include "quota/leased_take.hpp"

#include <algorithm>
#include <limits>

namespace rotary::quota {

namespace {

std::int64_t difference(std::int64_t one, std::int64_t other) noexcept {
    std::int64_t result = 0;
    if (!__builtin_sub_overflow(one, other, &result)) return result;
    return one > 0 ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
}

// What a replica goes on with when the fleet can't be asked: its part of the rest that it last
// heard of, or of a window that it heard nothing of; one at least, or it would admit none of a
// limit that is smaller than the fleet.
std::int64_t part_of(const Lease::View& view, std::int64_t amount, std::int64_t replicas) noexcept {
    if (view.heard) return std::max<std::int64_t>(view.rest, 0) / replicas;
    return std::max<std::int64_t>(amount / replicas, 1);
}

void want(Lease& lease, const LeasedAsk& ask, const Window& window, std::int64_t need) noexcept {
    lease.want(ask.limit.family, ask.counter.keyed(), lease_terms(ask.limit, window), need);
}

// What may be used of the window here, into `terms`.
Lease::View share_in(Terms& terms, const LeasedAsk& ask, bool is_alone) noexcept {
    const Lease& lease = *ask.counter->lease();
    const Lease::View view = lease.view(terms.window.begin);
    terms.limit = view.granted;
    if (is_alone) terms.limit += part_of(view, ask.limit.amount, lease.desk().replicas());
    return view;
}

Taken take(const Terms& terms, const LeasedAsk& ask) noexcept {
    Counter& counter = *ask.counter.get();
    if (ask.may_take) {
        return ask.limit.shadow ? counter.add(terms, ask.amount) : counter.take(terms, ask.amount);
    }
    Taken taken = counter.look(terms);
    taken.admitted = false;
    return taken;
}

}  // namespace

std::int64_t used_by_all(std::int64_t amount, std::int64_t rest, std::int64_t left) noexcept {
    return difference(difference(amount, rest), left);
}

LeasedTaken take_leased(const LeasedAsk& ask) noexcept {
    const Limit& limit = ask.limit;
    Counter& counter = *ask.counter.get();
    Lease& lease = *counter.lease();
    const bool is_alone = lease.desk().is_away() || !ask.is_patient;
    Terms terms = plain_terms(limit, ask.now);
    Lease::View view = share_in(terms, ask, is_alone);
    LeasedTaken result;
    Taken& taken = result.taken;
    taken = take(terms, ask);
    if (taken.window != terms.window.begin) {
        // Others are in a later window by now: what was granted in this one says nothing of it.
        if (taken.admitted || limit.shadow) counter.undo(taken.window, ask.amount);
        terms.window = {taken.window, taken.free_at};
        view = share_in(terms, ask, is_alone);
        taken = take(terms, ask);
    }
    const std::int64_t left = difference(terms.limit, taken.used);
    const std::int64_t rest = is_alone ? 0 : view.rest;
    const std::int64_t missing = difference(limit.strict ? ask.amount : 1, left);
    const bool can_ever = !limit.strict || ask.amount <= limit.amount;
    const bool may_have_more =
        ask.may_take && !is_alone && can_ever && (!view.heard || rest >= missing);
    if (taken.admitted) {
        // One that the fleet has not heard of is handed in even if it is away: for when it is back.
        const bool is_low = !view.heard || (!is_alone && rest > 0 && left <= lease.low());
        if (is_low) want(lease, ask, terms.window, 0);
    } else if (may_have_more) {
        want(lease, ask, terms.window, missing);
        result.waits = !limit.shadow;
        taken.admitted = limit.shadow;
    } else {
        const bool asks = !view.heard || (ask.now >= lease.ask_again() && !lease.desk().is_away());
        if (asks) want(lease, ask, terms.window, missing);
        if (limit.sliding && view.heard) taken.free_at = lease.free_at();
    }
    taken.used = used_by_all(limit.amount, rest, left);
    return result;
}

void settle_leased(const LeasedUse& use, WallTime now) noexcept {
    const auto& [limit, counter, window, amount, actual] = use;
    const Terms terms = plain_terms(limit, now);
    counter->settle(terms, window, amount, actual);
    Lease& lease = *counter->lease();
    const Counter::Latest latest = counter->latest();
    const Lease::View view = lease.view(latest.window);
    const bool is_in_debt = view.heard && latest.used > view.granted;
    if (is_in_debt && !lease.desk().is_away()) {
        want(lease, {limit, counter, 0, now}, terms.window, 0);
    }
}

}  // namespace rotary::quota
