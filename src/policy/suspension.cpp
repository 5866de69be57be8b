#include <rotary/policy/suspension.hpp>

#include <algorithm>

namespace rotary::policy {

std::string_view to_string(SuspendReason reason) noexcept {
    switch (reason) {
        case SuspendReason::none:
            return "none";
        case SuspendReason::rate_limited:
            return "rate_limited";
        case SuspendReason::quota_exhausted:
            return "quota_exhausted";
        case SuspendReason::account_exhausted:
            return "account_exhausted";
        case SuspendReason::failing:
            return "failing";
        case SuspendReason::operator_request:
            return "operator";
    }
    return "none";
}

namespace {
std::chrono::steady_clock::rep ticks(SteadyTime time) noexcept {
    return time.time_since_epoch().count();
}

// Whether the entry itself turned a request away. An operator's word and a counter that reached
// zero under a request that was served say nothing of how long it will go on refusing.
bool is_refusal(SuspendReason reason) noexcept {
    return reason == SuspendReason::rate_limited || reason == SuspendReason::account_exhausted ||
           reason == SuspendReason::failing;
}
}  // namespace

Standing EntryState::standing(SteadyTime now) const noexcept {
    const Ticks until = until_.load(std::memory_order_acquire);
    if (until == kActive) return Standing::active;
    if (until > ticks(now)) return Standing::out;
    const Ticks probe = probe_until_.load(std::memory_order_acquire);
    return probe > ticks(now) ? Standing::out : Standing::probe_due;
}

bool EntryState::claim_probe(SteadyTime now, const Limits& limits) noexcept {
    std::lock_guard lock(change_);
    const Ticks until = until_.load(std::memory_order_relaxed);
    if (until == kActive) return false;  // somebody's probe passed meanwhile
    if (until > ticks(now)) return false;
    const Ticks probe = probe_until_.load(std::memory_order_relaxed);
    if (probe > ticks(now)) return false;
    if (probe != 0) {
        // The probe brought no verdict in time: a slow entry is not a refusing one.
        until_.store(kActive, std::memory_order_release);
        probe_until_.store(0, std::memory_order_release);
        reason_.store(SuspendReason::none, std::memory_order_relaxed);
        return false;
    }
    probe_until_.store(ticks(now + limits.probe_verdict), std::memory_order_release);
    return true;
}

bool EntryState::suspend(SteadyTime now, std::chrono::milliseconds duration, SuspendReason reason,
                         const Limits& limits) noexcept {
    if (duration <= std::chrono::milliseconds::zero()) return false;
    std::lock_guard lock(change_);
    const Ticks old_until = until_.load(std::memory_order_relaxed);
    const bool was_probed = probe_until_.load(std::memory_order_relaxed) != 0;
    const bool refused = is_refusal(reason);
    if (was_probed && refused) duration = std::max(duration, last_duration_ * 2);
    duration = std::min(duration, limits.longest);
    const Ticks new_until = std::max(old_until, ticks(now + duration));
    const bool fresh = old_until == kActive || was_probed || old_until <= ticks(now);
    if (refused) {
        last_duration_ = fresh ? duration : std::max(last_duration_, duration);
    } else if (fresh) {
        last_duration_ = std::chrono::milliseconds{0};
    }
    if (new_until != old_until) reason_.store(reason, std::memory_order_relaxed);
    until_.store(new_until, std::memory_order_release);
    probe_until_.store(0, std::memory_order_release);
    return fresh;
}

void EntryState::probe_passed() noexcept {
    std::lock_guard lock(change_);
    if (probe_until_.load(std::memory_order_relaxed) == 0) return;  // suspended again meanwhile
    until_.store(kActive, std::memory_order_release);
    probe_until_.store(0, std::memory_order_release);
    reason_.store(SuspendReason::none, std::memory_order_relaxed);
}

void EntryState::probe_dropped() noexcept {
    std::lock_guard lock(change_);
    probe_until_.store(0, std::memory_order_release);
}

void EntryState::resume() noexcept {
    std::lock_guard lock(change_);
    until_.store(kActive, std::memory_order_release);
    probe_until_.store(0, std::memory_order_release);
    reason_.store(SuspendReason::none, std::memory_order_relaxed);
    last_duration_ = std::chrono::milliseconds{0};
}

SteadyTime EntryState::until() const noexcept {
    const Ticks until = until_.load(std::memory_order_acquire);
    if (until == kActive) return SteadyTime::min();
    const Ticks probe = probe_until_.load(std::memory_order_acquire);
    return SteadyTime(SteadyTime::duration(std::max(until, probe)));
}

}  // namespace rotary::policy
