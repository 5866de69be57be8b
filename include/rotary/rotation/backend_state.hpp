#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace rotary::rotation {

// How much of a Backend this process may use at a time, all workers together.
struct BackendLimits {
    static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    std::size_t connections = kNone;  // open ones, the idle ones too
    std::size_t pending = kNone;      // requests that wait for a connection
    std::size_t requests = kNone;     // connections in use
    std::size_t retries = kNone;      // tries beyond a request's first
};

// What all workers know of one Backend. Shared by all workers; outlives snapshots: a reload keeps
// the counts. Nothing here locks. Each limit is exact: of two threads that want the last place one
// gets it. A limit that a reload lowered lets no request in until enough have left.
class BackendState {
public:
    // A connection's place, from before it is dialled until after its socket is closed.
    bool open_connection(std::size_t limit) noexcept { return enter(connections_, limit); }
    void close_connection() noexcept { leave(connections_); }
    bool enter_pending(std::size_t limit) noexcept { return enter(pending_, limit); }
    void leave_pending() noexcept { leave(pending_); }
    // Only while BackendLimits::requests is set: two atomic operations a request.
    bool enter_request(std::size_t limit) noexcept { return enter(requests_, limit); }
    void leave_request() noexcept { leave(requests_); }
    bool enter_retry(std::size_t limit) noexcept { return enter(retries_, limit); }
    void leave_retry() noexcept { leave(retries_); }

    // Each a few ns old, and of different instants.
    std::size_t connections() const noexcept { return connections_.load(kRelaxed); }
    std::size_t pending() const noexcept { return pending_.load(kRelaxed); }
    std::size_t requests() const noexcept { return requests_.load(kRelaxed); }
    std::size_t retries() const noexcept { return retries_.load(kRelaxed); }

    // Idle connections, as the workers' pools last told (each second): for metrics only.
    void idle_changed(std::size_t from, std::size_t to) noexcept;
    std::size_t idle() const noexcept;

    // What the health check says; true where there is none. Written by the control thread alone.
    bool healthy() const noexcept { return healthy_.load(kRelaxed); }
    void set_healthy(bool healthy) noexcept { healthy_.store(healthy, kRelaxed); }

    // True at most once in each `pause`: whether to log that the Backend's key is refused.
    bool tell_refused(SteadyTime now, std::chrono::milliseconds pause) noexcept;

private:
    using Count = std::atomic<std::size_t>;
    static constexpr auto kRelaxed = std::memory_order_relaxed;  // counts publish nothing else
    static bool enter(Count& count, std::size_t limit) noexcept;
    static void leave(Count& count) noexcept { count.fetch_sub(1, kRelaxed); }

    // What every return of a connection reads stands apart from what every request may write.
    alignas(64) Count connections_{0};
    Count pending_{0};
    Count retries_{0};
    std::atomic<std::int64_t> idle_{0};
    std::atomic<bool> healthy_{true};
    std::atomic<SteadyTime::rep> refused_told_until_{0};
    alignas(64) Count requests_{0};
};

}  // namespace rotary::rotation
