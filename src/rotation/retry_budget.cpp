#include <rotary/rotation/retry_budget.hpp>

#include <algorithm>

namespace rotary::rotation {

namespace {
constexpr std::uint64_t kTry = 100;
constexpr unsigned kCountBits = 24;
constexpr unsigned kMostTries = (1u << kCountBits) - 1;
}  // namespace

bool RetryReserve::take(SteadyTime now, const BudgetRules& rules) noexcept {
    const auto window = static_cast<std::uint64_t>(
        now.time_since_epoch() / std::max(rules.window, std::chrono::milliseconds(1)));
    std::uint64_t seen = used_.load(std::memory_order_relaxed);
    for (;;) {
        // A worker whose clock was read a moment ago may lag behind the one that turned the window.
        const std::uint64_t last = seen >> kCountBits;
        const bool same = last == window || last == window + 1;
        const std::uint64_t taken = same ? seen & kMostTries : 0;
        if (taken >= std::min(rules.min, kMostTries)) return false;
        if (used_.compare_exchange_weak(seen, (same ? last : window) << kCountBits | (taken + 1),
                                        std::memory_order_relaxed)) {
            return true;
        }
    }
}

void RetryBudget::turn(SteadyTime now, const BudgetRules& rules) noexcept {
    if (now < window_end_) return;
    const bool is_next = now < window_end_ + rules.window;
    previous_ = is_next ? current_ : 0;
    current_ = 0;
    window_end_ = is_next ? window_end_ + rules.window : now + rules.window;
}

void RetryBudget::earn(SteadyTime now, const BudgetRules& rules) noexcept {
    turn(now, rules);
    current_ += rules.percent;
}

bool RetryBudget::take(SteadyTime now, const BudgetRules& rules, RetryReserve& reserve) noexcept {
    turn(now, rules);
    if (previous_ + current_ < kTry) return reserve.take(now, rules);
    const std::uint64_t of_previous = std::min(previous_, kTry);
    previous_ -= of_previous;
    current_ -= kTry - of_previous;
    return true;
}

}  // namespace rotary::rotation
