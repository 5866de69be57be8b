#include <rotary/rotation/suspension.hpp>

#include <algorithm>
#include <utility>

namespace rotary::rotation {

namespace {
std::chrono::steady_clock::rep ticks(SteadyTime time) noexcept {
    return time.time_since_epoch().count();
}

// A key that is refused is not asked about twice as seldom each time: a person is at it.
std::chrono::milliseconds grown(std::chrono::milliseconds first, SuspendReason reason,
                                std::uint32_t times, std::chrono::milliseconds longest) noexcept {
    constexpr std::uint32_t kDoublings = 30;
    const std::int64_t factor = reason == SuspendReason::credential_refused
                                    ? times
                                    : std::int64_t{1} << std::min(times - 1, kDoublings);
    return first > longest / factor ? longest : first * factor;
}

// Up to `percent` more, by the low digits of the clock: no peer gains from guessing them.
std::chrono::milliseconds jittered(std::chrono::milliseconds duration, unsigned percent,
                                   SteadyTime now) noexcept {
    if (percent == 0) return duration;
    const auto mixed = static_cast<std::uint64_t>(ticks(now)) * 0x9e3779b97f4a7c15u;
    const auto part = static_cast<std::int64_t>(mixed >> 54);  // of 1024
    return duration + duration * static_cast<std::int64_t>(percent) * part / (100 * 1024);
}
}  // namespace

Standing EntryState::standing(SteadyTime now) const noexcept {
    if (down_until_.load(std::memory_order_acquire) != kActive) return Standing::out;
    if (limited_until_.load(std::memory_order_acquire) > ticks(now)) return Standing::out;
    const Ticks until = until_.load(std::memory_order_acquire);
    if (until == kActive) return Standing::active;
    if (until > ticks(now)) return Standing::out;
    const Ticks probe = probe_until_.load(std::memory_order_acquire);
    return probe > ticks(now) ? Standing::out : Standing::probe_due;
}

bool EntryState::claim_probe(SteadyTime now, const Limits& limits) noexcept {
    std::lock_guard lock(change_);
    const Ticks until = until_.load(std::memory_order_relaxed);
    if (until == kActive) return false;  // another request's probe passed
    if (until > ticks(now)) return false;
    const Ticks probe = probe_until_.load(std::memory_order_relaxed);
    if (probe > ticks(now)) return false;
    const SuspendReason reason = reason_.load(std::memory_order_relaxed);
    const bool broken = is_broken(reason);
    if (probe != 0 && !waits_ && !broken) {
        // The probe brought no verdict in time: a slow entry is not a refusing one.
        put_back(reason);
        return false;
    }
    if (fellows_ && is_shared(reason) && !may_probe(now, limits)) return false;
    end_probe();
    probe_until_.store(ticks(now + limits.probe_verdict), std::memory_order_release);
    changed();
    // It is back from here on at the earliest, not from a time when no request asked for it.
    if (broken) out_again_ = now + last_duration_;
    return true;
}

// Whether this replica is the one that probes; else it has asked, or asks, and waits.
bool EntryState::may_probe(SteadyTime now, const Limits& limits) noexcept {
    if (now < granted_until_ || !fellows_->are_ready() || questions_ == kMostQuestions) return true;
    const auto wait = limits.probe_verdict + kProbeGrace;
    ++questions_;
    waits_ = true;
    probe_until_.store(ticks(now + wait), std::memory_order_release);
    changed();
    fellows_->ask_for_probe(wait);
    return false;
}

bool EntryState::suspend(SteadyTime now, std::chrono::milliseconds duration, SuspendReason reason,
                         const Limits& limits) noexcept {
    if (duration <= std::chrono::milliseconds::zero()) return false;
    std::lock_guard lock(change_);
    const Ticks old_until = until_.load(std::memory_order_relaxed);
    const bool was_probed = probe_until_.load(std::memory_order_relaxed) != 0 && !waits_;
    const bool refused = is_refusal(reason);
    if (was_probed && refused && last_duration_ * 2 > duration) {
        duration = jittered(last_duration_ * 2, limits.jitter_percent, now);
    }
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
    end_probe();
    changed();
    if (new_until != old_until) tell_out(reason, duration, 0);
    return fresh;
}

bool EntryState::fail(SteadyTime now, bool probe, const Limits& limits, bool silent) noexcept {
    std::lock_guard lock(change_);
    // Late, or after the operator's word, it is a failure like any other.
    const bool is_verdict = probe && probe_until_.load(std::memory_order_relaxed) != 0;
    if (!is_verdict) {
        // News of requests from before: the entry is out, or its probe will tell.
        if (until_.load(std::memory_order_relaxed) != kActive) return false;
        const auto in_a_row = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
        if (in_a_row < limits.failures) return false;
    }
    take_out(now, SuspendReason::failing, silent ? limits.silent : limits.failing, limits);
    return true;
}

bool EntryState::put_out(SteadyTime now, SuspendReason reason, const Limits& limits) noexcept {
    std::lock_guard lock(change_);
    const bool is_out = until_.load(std::memory_order_relaxed) > ticks(now);
    if (is_out && reason_.load(std::memory_order_relaxed) == reason) return false;
    take_out(now, reason,
             reason == SuspendReason::credential_refused ? limits.refused : limits.failing, limits);
    return !is_out;
}

void EntryState::take_out(SteadyTime now, SuspendReason reason, std::chrono::milliseconds first,
                          const Limits& limits) noexcept {
    const Ticks old_until = until_.load(std::memory_order_relaxed);
    // What has not served since the last time was not back yet, however long no request came.
    const bool was_broken =
        old_until != kActive && is_broken(reason_.load(std::memory_order_relaxed));
    times_out_ = was_broken || now < out_again_ ? times_out_ + 1 : 1;
    auto duration = grown(first, reason, times_out_, limits.failing_longest);
    duration = jittered(duration, limits.jitter_percent, now);
    duration = std::min(duration, limits.failing_longest);
    out_again_ = now + 2 * duration;
    failures_.store(0, std::memory_order_relaxed);
    last_duration_ = duration;
    end_probe();
    const Ticks until = ticks(now + duration);
    const bool is_later = until >= old_until;  // else out for longer already, for another reason
    if (is_later) {
        reason_.store(reason, std::memory_order_relaxed);
        until_.store(until, std::memory_order_release);
    }
    changed();
    if (is_later) tell_out(reason, duration, times_out_);
}

void EntryState::probe_passed() noexcept {
    std::lock_guard lock(change_);
    if (probe_until_.load(std::memory_order_relaxed) == 0) return;  // suspended again meanwhile
    put_back(reason_.load(std::memory_order_relaxed));
}

void EntryState::probe_dropped() noexcept {
    std::lock_guard lock(change_);
    const bool is_ours = probe_until_.load(std::memory_order_relaxed) != 0 && !waits_;
    if (!is_ours && fellows_) return;  // another replica's is under way, or none
    const auto granted = SteadyTime(SteadyTime::duration(probe_until_.load()));
    end_probe();
    if (fellows_) granted_until_ = granted;
    changed();
}

void EntryState::resume() noexcept {
    std::lock_guard lock(change_);
    forget();
    if (fellows_) fellows_->resumed();
}

void EntryState::set_down(SteadyTime expected) noexcept {
    std::lock_guard lock(change_);
    down_until_.store(std::max<Ticks>(ticks(expected), 1), std::memory_order_release);
    changed();
}

void EntryState::set_up() noexcept {
    std::lock_guard lock(change_);
    down_until_.store(kActive, std::memory_order_release);
    changed();
}

void EntryState::set_limited(SteadyTime until) noexcept {
    std::lock_guard lock(change_);
    const Ticks wanted = until == SteadyTime::min() ? kActive : ticks(until);
    if (limited_until_.exchange(wanted, std::memory_order_acq_rel) != wanted) changed();
}

void EntryState::share_with(std::shared_ptr<Fellows> fellows) {
    std::lock_guard lock(change_);
    fellows_ = std::move(fellows);
}

bool EntryState::hear_out(const Outage& heard) noexcept {
    std::lock_guard lock(change_);
    const Ticks until = ticks(heard.until);
    if (until <= until_.load(std::memory_order_relaxed)) return false;
    last_duration_ = is_refusal(heard.reason) || is_broken(heard.reason)
                         ? heard.lasts
                         : std::chrono::milliseconds{0};
    if (is_broken(heard.reason)) {
        times_out_ = heard.times;
        out_again_ = heard.until + heard.lasts;
    }
    reason_.store(heard.reason, std::memory_order_relaxed);
    until_.store(until, std::memory_order_release);
    end_probe();
    changed();
    return true;
}

bool EntryState::hear_back() noexcept {
    std::lock_guard lock(change_);
    if (until_.load(std::memory_order_relaxed) == kActive) return false;
    if (!is_shared(reason_.load(std::memory_order_relaxed))) return false;
    put_back(SuspendReason::none);
    return true;
}

bool EntryState::hear_resumed() noexcept {
    std::lock_guard lock(change_);
    const bool was_out = until_.load(std::memory_order_relaxed) != kActive;
    forget();
    return was_out;
}

void EntryState::grant_probe(SteadyTime now) noexcept {
    std::lock_guard lock(change_);
    if (!waits_) return;
    const unsigned questions = questions_;
    end_probe();
    questions_ = questions;
    granted_until_ = now + kGrantHolds;
    changed();
}

// Tells the fellows of it where `reason` is one of theirs.
void EntryState::put_back(SuspendReason reason) noexcept {
    until_.store(kActive, std::memory_order_release);
    end_probe();
    reason_.store(SuspendReason::none, std::memory_order_relaxed);
    changed();
    if (fellows_ && is_shared(reason)) fellows_->came_back();
}

void EntryState::forget() noexcept {
    put_back(SuspendReason::none);
    last_duration_ = std::chrono::milliseconds{0};
    failures_.store(0, std::memory_order_relaxed);
    times_out_ = 0;
    out_again_ = {};
}

void EntryState::end_probe() noexcept {
    probe_until_.store(0, std::memory_order_release);
    waits_ = false;
    granted_until_ = {};
    questions_ = 0;
}

void EntryState::tell_out(SuspendReason reason, std::chrono::milliseconds lasts,
                          std::uint32_t times) const noexcept {
    if (!fellows_ || !is_shared(reason)) return;
    const SteadyTime until{SteadyTime::duration(until_.load(std::memory_order_relaxed))};
    fellows_->went_out({until, lasts, times, reason});
}

void EntryState::tell(const std::shared_ptr<Outlook>& outlook) {
    std::lock_guard lock(change_);
    std::erase_if(told_, [](const auto& gone) { return gone.expired(); });
    told_.push_back(outlook);
}

void EntryState::changed() const noexcept {
    for (const auto& told : told_) {
        if (const auto outlook = told.lock()) outlook->end();
    }
}

// A health check ends when it says so, not by the clock.
SteadyTime EntryState::out_until() const noexcept {
    const bool down = down_until_.load(std::memory_order_acquire) != kActive;
    return down ? SteadyTime::max() : until();
}

SteadyTime EntryState::until() const noexcept {
    const Ticks down = down_until_.load(std::memory_order_acquire);
    const Ticks until = until_.load(std::memory_order_acquire);
    const Ticks limited = limited_until_.load(std::memory_order_acquire);
    if (until == kActive && down == kActive && limited == kActive) return SteadyTime::min();
    const Ticks probe = until == kActive ? 0 : probe_until_.load(std::memory_order_acquire);
    return SteadyTime(SteadyTime::duration(std::max({until, probe, down, limited})));
}

SuspendReason EntryState::reason() const noexcept {
    const bool down = down_until_.load(std::memory_order_acquire) != kActive;
    if (down) return SuspendReason::unhealthy;
    const Ticks until = until_.load(std::memory_order_acquire);
    const bool limited = limited_until_.load(std::memory_order_acquire) > until;
    return limited ? SuspendReason::limit : reason_.load(std::memory_order_relaxed);
}

}  // namespace rotary::rotation
