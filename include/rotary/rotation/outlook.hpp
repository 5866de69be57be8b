#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <limits>

namespace rotary::rotation {

// How long a rotation knows which of its entries are active without asking each of them: until the
// first suspension ends, or an entry changes. Shared by all workers and by the entries, which may
// outlive the rotation. A look at the entries goes begin(), then their states, then set().
//
// Every write is a read-modify-write: so a look either sees what an entry had changed before it
// ended the outlook, or finds the outlook ended when it is through.
class Outlook {
public:
    bool holds(SteadyTime now) const noexcept {
        return now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
    }
    void begin() noexcept { until_.exchange(kLooking, std::memory_order_acq_rel); }
    void set(SteadyTime until) noexcept {
        Ticks expected = kLooking;
        until_.compare_exchange_strong(expected, until.time_since_epoch().count(),
                                       std::memory_order_acq_rel);
    }
    void end() noexcept { until_.exchange(kEnded, std::memory_order_acq_rel); }

private:
    using Ticks = SteadyTime::rep;
    static constexpr Ticks kEnded = std::numeric_limits<Ticks>::min();
    static constexpr Ticks kLooking = kEnded + 1;
    std::atomic<Ticks> until_{kEnded};
};

}  // namespace rotary::rotation
