#include <rotary/rotation/backend_state.hpp>

#include <algorithm>

namespace rotary::rotation {

bool BackendState::enter(Count& count, std::size_t limit) noexcept {
    std::size_t now = count.load(kRelaxed);
    while (now < limit) {
        if (count.compare_exchange_weak(now, now + 1, kRelaxed)) return true;
    }
    return false;
}

void BackendState::idle_changed(std::size_t from, std::size_t to) noexcept {
    if (from == to) return;
    idle_.fetch_add(static_cast<std::int64_t>(to) - static_cast<std::int64_t>(from), kRelaxed);
}

std::size_t BackendState::idle() const noexcept {
    return static_cast<std::size_t>(std::max<std::int64_t>(idle_.load(kRelaxed), 0));
}

bool BackendState::tell_refused(SteadyTime now, std::chrono::milliseconds pause) noexcept {
    auto until = refused_told_until_.load(kRelaxed);
    const auto next = (now + pause).time_since_epoch().count();
    return until <= now.time_since_epoch().count() &&
           refused_told_until_.compare_exchange_strong(until, next, kRelaxed);
}

}  // namespace rotary::rotation
