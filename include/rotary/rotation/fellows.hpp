#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/rotation/suspend_reason.hpp>

#include <chrono>
#include <cstdint>

namespace rotary::rotation {

// A suspension as replicas tell it to each other.
struct Outage {
    SteadyTime until;
    std::chrono::milliseconds lasts{0};  // from its beginning: what the next refusal doubles
    std::uint32_t times = 0;             // in a row, of what has no end of the provider's own
    SuspendReason reason = SuspendReason::none;
};

// The other replicas, as one entry sees them. Called under the entry's lock, from the thread that
// changed it, and only where reasons are shared: it must not block nor call the entry.
class Fellows {
public:
    Fellows() = default;
    virtual ~Fellows() = default;
    Fellows(const Fellows&) = delete;
    Fellows& operator=(const Fellows&) = delete;

    // Whether they can be asked now; else the entry decides alone. May be a moment old.
    virtual bool are_ready() const noexcept = 0;
    virtual void went_out(const Outage& outage) noexcept = 0;
    // A probe passed, or had no verdict in time.
    virtual void came_back() noexcept = 0;
    virtual void resumed() noexcept = 0;  // by an operator
    // May this replica probe? EntryState::grant_probe() says yes; no answer within `wait` is no.
    virtual void ask_for_probe(std::chrono::milliseconds wait) noexcept = 0;
};

}  // namespace rotary::rotation
