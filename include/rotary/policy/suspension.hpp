#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace rotary::policy {

// Why an entry is out of the rotation. Labels of metrics and of /api/v1/models.
enum class SuspendReason : std::uint8_t {
    none,
    rate_limited,
    quota_exhausted,
    account_exhausted,
    failing,
    operator_request
};
std::string_view to_string(SuspendReason reason) noexcept;

// Whether the rotation may send a request to an entry.
enum class Standing : std::uint8_t {
    active,
    out,       // suspended, or back but its probe is still under way
    probe_due  // its suspension ended: one request may try it first, with claim_probe()
};

// The suspension of one entry. Shared by all workers; outlives snapshots: a reload keeps it.
//
// The fast path is standing(): one load while the entry is active. A worker may see a change some
// nanoseconds late, which sends it at most a request that was already being picked. Changes are
// rare and take a mutex, so that `until`, the probe and the doubling never disagree.
class EntryState {
public:
    struct Limits {
        std::chrono::milliseconds longest{3'600'000};
        std::chrono::milliseconds probe_verdict{1'000};
    };

    Standing standing(SteadyTime now) const noexcept;

    // True for exactly one caller after a suspension ended. That caller owes a verdict: suspend()
    // or probe_passed(), else the others follow after Limits::probe_verdict.
    bool claim_probe(SteadyTime now, const Limits& limits) noexcept;

    // Takes the entry out until `now + duration`; a shorter suspension never shortens a running
    // one. Refused as a probe: at least twice as long as the last time, and so on; an operator's
    // word or a counter that says when it refills is taken as it is. While a probe is under way the
    // first refusal counts as the probe's, whoever brings it. True when the entry was not suspended
    // before (the caller counts and logs it then).
    bool suspend(SteadyTime now, std::chrono::milliseconds duration, SuspendReason reason,
                 const Limits& limits) noexcept;

    void probe_passed() noexcept;   // the entry is active again
    void probe_dropped() noexcept;  // the probe ended without a verdict: another may try at once
    void resume() noexcept;         // the operator's word: active now, history forgotten

    // When it returns, or when its probe's verdict is due; SteadyTime::min() while it is active.
    SteadyTime until() const noexcept;
    SuspendReason reason() const noexcept { return reason_.load(std::memory_order_relaxed); }

private:
    using Ticks = std::chrono::steady_clock::rep;
    static constexpr Ticks kActive = 0;

    std::atomic<Ticks> until_{kActive};
    std::atomic<Ticks> probe_until_{0};  // 0: nobody probes
    std::atomic<SuspendReason> reason_{SuspendReason::none};
    std::mutex change_;
    std::chrono::milliseconds last_duration_{0};  // of the refusals in a row; 0: none
};

}  // namespace rotary::policy
