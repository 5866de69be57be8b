#pragma once

#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"

#include <rotary/base/clock.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/routing/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rotary::proxy {

// The wall clock as an exchange has it.
WallTime wall_time(const Exchange& exchange, SteadyTime now) noexcept;

// One look at the limits of one step of a request: asks all, so that of those that are reached the
// one is known that is free again latest. What they said is counted at the end, once: when one of
// them is for the fleet to decide, nothing was taken and none has said anything.
class LimitAsking {
public:
    LimitAsking(Context& context, Exchange& exchange, quota::Admission& admission) noexcept
        : context_(context),
          exchange_(exchange),
          admission_(admission),
          held_before_(admission.size()) {
        exchange.quotas.waits = false;
    }

    void ask(const std::vector<std::size_t>& limits) {
        if (!limits.empty()) ask_all(limits);
    }
    // Limits of those who have the same value. Requests without one share a counter, as if that was
    // their value: leaving it out is no way around the limit.
    void ask_keyed(const std::vector<routing::KeyedLimit>& limits);
    // Budgets that each consumer has for itself.
    void ask_for_each(const std::vector<std::size_t>& limits);
    // Where nothing was asked, as mostly, the answer is at hand.
    LimitsSaid end() { return size_ == 0 ? LimitsSaid::yes : conclude(); }

private:
    // No member has a default: those that nothing is said with cost nothing.
    struct Said {
        std::uint32_t series;       // a SeriesId's index: where it counts
        const quota::Limit* warns;  // null: it does not
    };
    void begin() noexcept;  // before the first limit is asked
    void ask_all(const std::vector<std::size_t>& limits);
    void note(std::size_t index, const quota::Limit& limit, bool taken) noexcept;
    LimitsSaid conclude();
    void warn(const quota::Limit& limit);

    Context& context_;
    Exchange& exchange_;
    quota::Admission& admission_;
    const std::size_t held_before_;
    WallTime now_;
    std::array<Said, 2 * quota::Admission::kMost> said_;  // the first size_
    std::size_t size_ = 0;
};

}  // namespace rotary::proxy
