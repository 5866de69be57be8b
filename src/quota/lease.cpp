#include <rotary/quota/lease.hpp>

#include <rotary/quota/lease_desk.hpp>

namespace rotary::quota {

// Each window that is opened begins with nothing granted and nothing heard, and is named between
// the two: a reader that finds its window before and behind has no number of another one.
Lease::View Lease::view(WallTime window) const noexcept {
    const std::int64_t wanted = window.time_since_epoch().count();
    if (window_.load(std::memory_order_acquire) != wanted) return {};
    const std::int64_t granted = granted_.load(std::memory_order_acquire);
    const std::int64_t rest = rest_.load(std::memory_order_acquire);
    if (rest == kUnheard || window_.load(std::memory_order_acquire) != wanted) return {};
    return {true, granted, rest};
}

void Lease::grant(WallTime window, const Grant& grant) noexcept {
    const std::int64_t begin = window.time_since_epoch().count();
    ask_again_.store(grant.ask_again.time_since_epoch().count(), std::memory_order_relaxed);
    free_at_.store(grant.free_at.time_since_epoch().count(), std::memory_order_relaxed);
    low_.store(grant.low, std::memory_order_relaxed);
    if (window_.load(std::memory_order_relaxed) != begin) {
        granted_.store(0);
        rest_.store(kUnheard);
        window_.store(begin);
    }
    granted_.store(grant.granted);
    rest_.store(grant.rest);
}

std::int64_t Lease::used(WallTime window) const noexcept {
    const Counter::Latest latest = counter_.latest();
    return latest.window == window ? latest.used : 0;
}

void Lease::hand_in(const std::shared_ptr<Family>& family, KeyedCounter* keyed,
                    const Wanted& wanted) noexcept {
    if (due_.load(std::memory_order_relaxed) || due_.exchange(true)) return;
    wanted_ = wanted;
    if (hold_.family == nullptr) {
        hold_.family = family;
        if (keyed != nullptr) hold_.keyed = HeldCounter::another(*keyed);
    }
    desk_.hand_in(*this);
}

}  // namespace rotary::quota
