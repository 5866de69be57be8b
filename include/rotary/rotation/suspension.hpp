#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/config/settings/limits.hpp>
#include <rotary/llm/told_limits.hpp>
#include <rotary/rotation/fellows.hpp>
#include <rotary/rotation/outlook.hpp>
#include <rotary/rotation/suspend_reason.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace rotary::rotation {

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
        using Times = config::Timeouts;
        std::chrono::milliseconds longest = Times{}.suspension_max;
        std::chrono::milliseconds probe_verdict = Times{}.probe_verdict;
        unsigned failures = config::kFailuresToSuspend;  // so many in a row suspend
        // Twice as long each time in a row; `silent` where it failed by silence.
        std::chrono::milliseconds failing = Times{}.failure_suspension;
        std::chrono::milliseconds silent = Times{}.silence_suspension;
        // A credential's, times the times in a row.
        std::chrono::milliseconds refused = Times{}.credential_suspension;
        std::chrono::milliseconds failing_longest =
            Times{}.failure_suspension_max;  // of these three
        // Added at random to what Rotary makes up itself, so that gateways don't return in step; a
        // policy's duration and a provider's hint are taken at their word.
        unsigned jitter_percent = 0;
    };

    Standing standing(SteadyTime now) const noexcept;

    // True for exactly one caller after a suspension ended. That caller owes a verdict: suspend(),
    // fail(), put_out(), probe_passed() or probe_dropped(). Without one in Limits::probe_verdict
    // the others follow; but an entry that did not work is tried by one more at a time, or the
    // whole crowd would wait on it.
    bool claim_probe(SteadyTime now, const Limits& limits) noexcept;

    // Takes the entry out until `now + duration`; a shorter suspension never shortens a running
    // one. Refused as a probe: at least twice as long as the last time, and so on; an operator's
    // word or a counter that says when it refills is taken as it is. While a probe is under way the
    // first refusal counts as the probe's, from any request. True when the entry was not suspended
    // before (the caller counts and logs it then).
    bool suspend(SteadyTime now, std::chrono::milliseconds duration, SuspendReason reason,
                 const Limits& limits) noexcept;

    // An attempt failed. Limits::failures of them in a row suspend the entry, a failed probe does
    // at once; each time in a row for longer. In a row: again before it has been back for as long
    // as it was out. A probe that is late, after the others followed, is an attempt like any other;
    // failures of requests from before count for nothing. `silent`: it did not answer, and will
    // keep its next visitor waiting too. True when this one took it out.
    bool fail(SteadyTime now, bool probe, const Limits& limits, bool silent = false) noexcept;
    // It can't work until a person acts, as its reason says (credential_refused, model_unknown):
    // out at once, longer each time in a row. What is out for the same reason already stays as it
    // is. True when this one took it out.
    bool put_out(SteadyTime now, SuspendReason reason, const Limits& limits) noexcept;
    // An answer was served to its end: failures count anew. One load unless there were some.
    void served() noexcept {
        if (failures_.load(std::memory_order_relaxed) != 0) {
            failures_.store(0, std::memory_order_relaxed);
        }
    }

    void probe_passed() noexcept;   // the entry is active again
    void probe_dropped() noexcept;  // the probe ended without a verdict: another may try at once
    void resume() noexcept;         // the operator's word: active now, history forgotten

    // The Backend's health check: out until set_up(), beside any suspension, which goes on.
    // `expected` is when the next check may bring it back: what clients are told.
    void set_down(SteadyTime expected) noexcept;
    void set_up() noexcept;

    // A limit of ours on its Backend is reached: out until then, beside any suspension, and back
    // without a probe. For a limit that has changed: SteadyTime::min().
    void set_limited(SteadyTime until) noexcept;

    // What holds for every replica is told to the fellows from now on, and one of them all probes:
    // while they are ready the request that finds the time over asks, and the next one that comes
    // behind grant_probe() probes. Without a grant or another's verdict it asks once more after the
    // time a probe takes; without a word on that either this replica probes alone.
    void share_with(std::shared_ptr<Fellows> fellows);
    // Said by another replica, so not told on: out until the later of both ends; back behind its
    // probe; resumed. Whether it changed anything.
    bool hear_out(const Outage& heard) noexcept;
    bool hear_back() noexcept;
    bool hear_resumed() noexcept;
    // The answer to Fellows::ask_for_probe(). Too late, it is none.
    void grant_probe(SteadyTime now) noexcept;

    // From now on every change of its standing ends the outlook, for as long as that lives.
    void tell(const std::shared_ptr<Outlook>& outlook);
    // While it is out: until when, unless it changes.
    SteadyTime out_until() const noexcept;

    // When it returns, or when its probe's verdict is due; SteadyTime::min() while it is active.
    SteadyTime until() const noexcept;
    SuspendReason reason() const noexcept;

    // What its provider tells of its limits: apart from what every pick looks at.
    llm::ToldLimits& told() const noexcept { return *limits_told_; }

private:
    using Ticks = std::chrono::steady_clock::rep;
    static constexpr Ticks kActive = 0;
    // Behind the verdict of another replica's probe: how long its word may take.
    static constexpr std::chrono::milliseconds kProbeGrace{500};
    // A grant is for the next request, however seldom one comes; others may have one by then.
    static constexpr std::chrono::seconds kGrantHolds{5};
    static constexpr unsigned kMostQuestions = 2;

    void take_out(SteadyTime now, SuspendReason reason, std::chrono::milliseconds first,
                  const Limits& limits) noexcept;
    // All of these under change_.
    bool may_probe(SteadyTime now, const Limits& limits) noexcept;
    void put_back(SuspendReason reason) noexcept;
    void forget() noexcept;
    void end_probe() noexcept;
    void tell_out(SuspendReason reason, std::chrono::milliseconds lasts,
                  std::uint32_t times) const noexcept;
    void changed() const noexcept;  // behind the change

    std::atomic<Ticks> until_{kActive};
    std::atomic<Ticks> down_until_{kActive};
    std::atomic<Ticks> limited_until_{kActive};
    std::atomic<Ticks> probe_until_{0};  // 0: no probe is awaited
    std::atomic<SuspendReason> reason_{SuspendReason::none};
    std::atomic<std::uint32_t> failures_{0};  // in a row
    std::mutex change_;
    std::vector<std::weak_ptr<Outlook>> told_;    // by each change
    std::chrono::milliseconds last_duration_{0};  // of the refusals in a row; 0: none
    std::uint32_t times_out_ = 0;                 // take_out() in a row
    const std::unique_ptr<llm::ToldLimits> limits_told_ = std::make_unique<llm::ToldLimits>();
    SteadyTime out_again_{};  // being taken out before that is in a row
    std::shared_ptr<Fellows> fellows_;
    bool waits_ = false;          // probe_until_ is another replica's, or an answer's
    unsigned questions_ = 0;      // asked since it was taken out, without a verdict
    SteadyTime granted_until_{};  // the next request probes
};

}  // namespace rotary::rotation
