#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <cstdint>

namespace rotary::auth {

// What can be hoped for when a token needs a key that its issuer's set does not have.
enum class KeyHope : std::uint8_t {
    none,     // too early for another fetch
    pending,  // the keys are being fetched, or newer ones are on their way to this worker
    ask       // the caller, and no other one, must have the control thread fetch them
};

// Whether one token issuer's keys are being fetched. Shared by all workers and the control thread;
// outlives snapshots: a reload keeps it with its issuer. The control thread fetches and reports;
// workers read, and claim the right to ask. A key set's `generation` is KeySet's, 0: none.
//
// The newest set is named before `under_way` falls, so a worker that finds no fetch under way and
// still holds an older set knows that a newer one is coming, and does not refuse a token for it.
class KeyFetch {
public:
    // For a worker that holds the set `have`. After `ask` this counts as under way until ended().
    KeyHope hope(std::uint64_t have, SteadyTime now) noexcept;
    // The same without the right to ask.
    bool pending(std::uint64_t have) const noexcept;
    // The last fetch brought nothing: what the set lacks may be there all the same.
    bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

    // The control thread's reports.
    void started() noexcept { under_way_.store(true, std::memory_order_relaxed); }
    void has_keys(std::uint64_t generation) noexcept;
    // A fetch is over, or was not made at all. No worker asks again before `not_before`.
    void ended(bool failed, SteadyTime not_before) noexcept;

private:
    std::atomic<bool> under_way_{false};
    std::atomic<bool> failed_{false};
    std::atomic<std::uint64_t> newest_{0};
    std::atomic<SteadyTime::rep> not_before_{SteadyTime::min().time_since_epoch().count()};
};

}  // namespace rotary::auth
