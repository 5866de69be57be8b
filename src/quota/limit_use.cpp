#include <rotary/quota/limit_use.hpp>

#include "quota/leased_take.hpp"

#include <algorithm>

namespace rotary::quota {

LimitUse use_of(const Limit& limit, const Counter& counter, WallTime now) noexcept {
    if (!is_leased(limit, counter)) return {counter.look(limit.terms(now)), std::nullopt};
    LimitUse use{counter.look(plain_terms(limit, now)), std::nullopt};
    Taken& stands = use.stands;
    use.here = stands.used;
    const Lease& lease = *counter.lease();
    const Lease::View view = lease.view(stands.window);
    if (!view.heard) return use;
    const std::int64_t all = used_by_all(limit.amount, view.rest, view.granted - *use.here);
    stands.used = std::max(all, *use.here);
    if (limit.sliding && stands.used >= limit.amount) stands.free_at = lease.free_at();
    return use;
}

void ask_fleet(const Limit& limit, const HeldCounter& counter, WallTime now) noexcept {
    if (!is_leased(limit, *counter.get())) return;
    Lease& lease = *counter->lease();
    if (lease.desk().is_away()) return;
    lease.ask_what_is_left(limit.family, counter.keyed(), lease_terms(limit, limit.window(now)));
}

}  // namespace rotary::quota
