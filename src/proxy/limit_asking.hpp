#pragma once

#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"

#include <rotary/base/clock.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/routing/limits.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace rotary::proxy {

// The wall clock as an exchange has it.
WallTime wall_time(const Exchange& exchange, SteadyTime now) noexcept;

// One look at the limits of one step of a request: asks all, so that of those that are reached the
// one is known that is free again latest. What they said is counted at the end, once: when one of
// them is for the fleet to decide, nothing was taken and none has said anything.
class LimitAsking {
public:
    LimitAsking(Context& context, Exchange& exchange, quota::Admission& admission) noexcept;

    void ask(const std::vector<std::size_t>& limits);
    // Limits of those who have the same value. Requests without one share a counter, as if that was
    // their value: leaving it out is no way around the limit.
    void ask_keyed(const std::vector<routing::KeyedLimit>& limits);
    // Budgets that each consumer has for itself.
    void ask_for_each(const std::vector<std::size_t>& limits);
    LimitsSaid end();

private:
    enum class Word : std::uint8_t { admitted, warned, shadowed, refused };
    struct Said {
        std::size_t limit;  // of the snapshot's
        Word word;
        bool warns;
    };
    void ask(std::size_t index, quota::HeldCounter counter, std::int64_t amount);
    void count(const Said& said);

    Context& context_;
    Exchange& exchange_;
    quota::Admission& admission_;
    const std::size_t held_before_;
    const WallTime now_;
    std::array<Said, 2 * quota::Admission::kMost> said_;  // the first size_
    std::size_t size_ = 0;
};

}  // namespace rotary::proxy
