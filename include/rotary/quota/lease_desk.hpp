#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace rotary::quota {

class Lease;

// Where workers hand in the leases that ran low, and what all leases of a process have in common.
// Shared by all workers; what changes is said by the control thread. As it begins limits are not
// shared: then no counter has a lease.
class LeaseDesk {
public:
    LeaseDesk() = default;
    LeaseDesk(const LeaseDesk&) = delete;
    LeaseDesk& operator=(const LeaseDesk&) = delete;

    // From now on limits are shared. `bell` is rung by any worker when the first lease is handed in
    // after take_due() took all: it may neither wait nor allocate. The first bell stays for ever.
    void open(std::function<void()> bell);
    // Every replica counts by itself again.
    void close() noexcept { is_open_.store(false); }
    bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }

    // The fleet can't be asked: every replica goes on with its part of what it last heard.
    void set_away(bool away) noexcept { is_away_.store(away); }
    bool is_away() const noexcept { return is_away_.load(std::memory_order_relaxed); }
    void set_replicas(std::uint32_t replicas) noexcept {
        replicas_.store(replicas > 0 ? replicas : 1);
    }
    std::uint32_t replicas() const noexcept { return replicas_.load(std::memory_order_relaxed); }
    // How long a request waits for an answer of the fleet.
    void set_patience(std::chrono::milliseconds patience) noexcept {
        patience_.store(patience.count());
    }
    std::chrono::milliseconds patience() const noexcept {
        return std::chrono::milliseconds(patience_.load(std::memory_order_relaxed));
    }

    void hand_in(Lease& lease) noexcept;
    // All that were handed in since, the latest first; null: none. Control thread.
    Lease* take_due() noexcept { return due_.exchange(nullptr); }
    static Lease* next(const Lease& lease) noexcept;

    // A request that waits while this lives. It looks once more behind the first line of this: what
    // was answered before may have been told to none.
    class Waiting {
    public:
        explicit Waiting(LeaseDesk& desk) noexcept : desk_(desk) { desk_.waiting_.fetch_add(1); }
        ~Waiting() { desk_.waiting_.fetch_sub(1); }
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;

    private:
        LeaseDesk& desk_;
    };
    bool is_waited_for() const noexcept { return waiting_.load() != 0; }

private:
    std::atomic<bool> is_open_{false};
    std::atomic<bool> is_away_{false};
    std::atomic<std::uint32_t> replicas_{1};
    std::atomic<std::int64_t> patience_{20};
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<Lease*> due_{nullptr};
    std::function<void()> bell_;
};

}  // namespace rotary::quota
