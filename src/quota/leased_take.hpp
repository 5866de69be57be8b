#pragma once

#include <rotary/quota/lease.hpp>
#include <rotary/quota/limit.hpp>

#include <cstdint>

namespace rotary::quota {

// Whether replicas share what was used of it. Of a limit of nothing there is nothing to share.
inline bool is_leased(const Limit& limit, const Counter& counter) noexcept {
    const Lease* lease = counter.lease();
    return lease != nullptr && limit.amount > 0 && lease->desk().is_open();
}

// How its counter is kept here: windows that slide and debts are the fleet's business.
inline Terms plain_terms(const Limit& limit, WallTime now) noexcept {
    return {limit.window(now), now, limit.amount, limit.strict};
}

// What the fleet is asked for it.
inline LeaseTerms lease_terms(const Limit& limit, const Window& window) noexcept {
    return {window, limit.amount, limit.sliding, limit.carry_debt, limit.what == What::cost};
}

// What all have used, of which there is `rest` left for all and `left` of what was granted here.
std::int64_t used_by_all(std::int64_t amount, std::int64_t rest, std::int64_t left) noexcept;

struct LeasedAsk {
    const Limit& limit;
    const HeldCounter& counter;
    std::int64_t amount = 0;
    WallTime now;
    bool is_patient = true;  // a request may wait for the fleet's answer
    bool may_take = true;
};

// `used` and `free_at` are the fleet's, as far as it is known here.
struct LeasedTaken {
    Taken taken;
    bool waits = false;  // neither taken nor refused: the fleet is being asked
};

// Takes of what is granted here, and has the fleet asked for more when that runs low. Any worker.
LeasedTaken take_leased(const LeasedAsk& ask) noexcept;

// What was taken of one, and used in truth. What was used above what is granted is told the fleet
// at once.
struct LeasedUse {
    const Limit& limit;
    const HeldCounter& counter;
    WallTime window;  // where it was taken
    std::int64_t amount = 0;
    std::int64_t actual = 0;
};
void settle_leased(const LeasedUse& use, WallTime now) noexcept;

}  // namespace rotary::quota
