#pragma once

#include <rotary/config/settings/settings.hpp>
#include <rotary/control/ledger_file.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace rotary::tools {

// The days (UTC, since 1970) from `first` to `last`, both included.
struct Days {
    std::int64_t first = 0;
    std::int64_t last = 0;
};

// Of those, the ones that a fleet's Redis keeps, which keeps so many; none: the first is behind the
// last.
Days kept_of(const Days& asked, std::int64_t today, std::int64_t kept) noexcept;

// What the replicas of the fleet that `config` is of (state.redis) have told their Redis that they
// spent, by day. Read in pieces, so that the Redis is held up by none. Throws std::runtime_error,
// with a sentence, where it can't be had. Returns how many rows there were.
std::size_t read_fleet_spend(const config::Config& config, const Days& days,
                             const std::function<void(const control::DaySum& sum)>& visit);

}  // namespace rotary::tools
