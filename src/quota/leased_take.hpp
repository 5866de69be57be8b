#pragma once

#include <rotary/quota/limit.hpp>

#include <cstdint>

namespace rotary::quota {

// Whether replicas share what was used of it. Of a limit of nothing there is nothing to share.
bool is_leased(const Limit& limit, const Counter& counter) noexcept;

// How the counter of such a limit is kept here: windows that slide and debts are the fleet's
// business.
Terms terms_of(const Limit& limit, const Counter& counter, WallTime now) noexcept;

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

// Behind what was settled: what was used above what is granted is told the fleet at once.
void tell_debt(const Limit& limit, const HeldCounter& counter, WallTime now) noexcept;

}  // namespace rotary::quota
