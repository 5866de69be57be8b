#pragma once

#include <rotary/quota/limit.hpp>

#include <cstdint>
#include <optional>

namespace rotary::quota {

// How a limit stands by one of its counters, for those who look on. Where replicas share it
// `stands` is of them all, as far as it is known here: what was lent to others and lies idle counts
// as used.
struct LimitUse {
    Taken stands;
    std::optional<std::int64_t> here;  // of it this replica's; none: replicas do not share it
};
LimitUse use_of(const Limit& limit, const Counter& counter, WallTime now) noexcept;

// Has the fleet asked what all have used of it, so that a later look knows it. Nothing where
// replicas do not share it, or the fleet can't be asked. Any thread that holds the counter.
void ask_fleet(const Limit& limit, const HeldCounter& counter, WallTime now) noexcept;

}  // namespace rotary::quota
