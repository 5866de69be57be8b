#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace rotary::rotation {

struct BudgetRules {
    unsigned percent = 20;                     // of the requests in the window
    unsigned min = 15;                         // tries that are always allowed in a window
    std::chrono::milliseconds window{10'000};  // after two of them an unused allowance is gone
};

// The tries that are allowed however few requests there are: as many as it takes to find out that
// entries fail, so that until then no client pays. One for each list, so that no list lives at
// another's expense. Any thread.
class RetryReserve {
public:
    // True at most `rules.min` times in each window.
    bool take(SteadyTime now, const BudgetRules& rules) noexcept;

private:
    std::atomic<std::uint64_t> used_{0};  // the window's number << 24 | tries taken in it
};

// One worker's allowance of tries beyond a request's first: each request earns a part of a try, so
// over any stretch the tries are at most `percent` of the requests and what the reserve lets
// through. Not shared: a request costs an addition.
class RetryBudget {
public:
    void earn(SteadyTime now, const BudgetRules& rules) noexcept;
    bool take(SteadyTime now, const BudgetRules& rules, RetryReserve& reserve) noexcept;

private:
    void turn(SteadyTime now, const BudgetRules& rules) noexcept;

    // In hundredths of a try: what this window and the one before have earned and not used.
    std::uint64_t current_ = 0;
    std::uint64_t previous_ = 0;
    SteadyTime window_end_{};
};

}  // namespace rotary::rotation
