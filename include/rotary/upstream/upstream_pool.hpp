#pragma once

#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/rotation/backend_state.hpp>
#include <rotary/upstream/upstream_connection.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rotary::upstream {

// One worker's idle keep-alive connections to providers, last in first out, so that the warm ones
// stay warm and the rest age out, and its requests that wait for one, first come first served.
// Single-threaded. A connection that died or spoke while idle is known by its readiness flags:
// noticing costs no system call.
//
// How many connections a Backend has is counted over all workers, in its BackendState. A worker
// can't wake another one's waiters: those look again each tick, and workers leave them places: what
// comes back here goes to a waiter here, else, when one waits elsewhere, it is closed.
class UpstreamPool {
public:
    struct Limits {
        std::size_t idle_connections = 128;  // a bucket
        std::chrono::milliseconds idle{4000};
        // So long this worker's waiters pass places among each other while others' wait too.
        std::chrono::milliseconds turn{1000};
        bool operator==(const Limits&) const = default;
    };
    UpstreamPool(net::Reactor& reactor, const Limits& limits)
        : reactor_(reactor), limits_(limits) {}
    ~UpstreamPool() { clear(); }
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    void set_limits(const Limits& limits) noexcept { limits_ = limits; }  // of what comes back
    const Limits& limits() const noexcept { return limits_; }

    // The place for connections with this key: the same one, with what waits in it, as long as
    // it is held; it takes the new limits over. Not for the path: resolved once when a
    // snapshot is published. Equal keys come with the same state.
    std::size_t hold(const std::string& key, std::shared_ptr<rotation::BackendState> state,
                     const rotation::BackendLimits& limits);
    // Once for each hold(). The last one closes the bucket's connections and frees its place.
    void release(std::size_t bucket) noexcept;

    // An idle connection that looks alive; else a place for a new one; else, when the limit is
    // reached or others wait already, nothing: be a Waiter then.
    UpstreamConnection take(std::size_t bucket, net::SteadyTime now) noexcept;
    // Only streams whose last answer was read to its end, with nothing behind it.
    void put(std::size_t bucket, UpstreamConnection connection, net::SteadyTime now);

    // A request's turn in a bucket's queue, from its making to its end. In the frame that waits.
    class Waiter {
    public:
        Waiter(UpstreamPool& pool, std::size_t bucket) noexcept;
        ~Waiter();
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        bool admitted() const noexcept { return admitted_; }  // false: too many wait already
        net::Event& event() noexcept { return event_; }       // set when something was handed over
        // What was handed over, or a place that became free elsewhere; nothing: go on waiting.
        UpstreamConnection look() noexcept;

    private:
        friend class UpstreamPool;
        void leave_queue() noexcept;

        UpstreamPool& pool_;
        std::size_t bucket_;
        bool admitted_ = false;
        bool queued_ = false;
        Waiter* previous_ = nullptr;
        Waiter* next_ = nullptr;
        net::Event event_;
        UpstreamConnection handed_;
    };

    void sweep(net::SteadyTime now);  // closes what is dead or too old; called each second
    void close_idle() noexcept;       // all of them, for want of descriptors
    void clear() noexcept;            // the same for good: nothing is kept from here on
    std::size_t idle() const noexcept;
    std::size_t buckets() const noexcept { return keys_.size(); }

private:
    friend class UpstreamConnection;
    struct Idle {
        UpstreamConnection connection;
        net::SteadyTime since;
    };
    struct Bucket {
        std::string key;
        std::size_t holders = 0;  // 0: the place is free
        std::shared_ptr<rotation::BackendState> state;
        rotation::BackendLimits limits;
        std::vector<Idle> idle;
        std::size_t reported = 0;  // of idle, to the state
        Waiter* first = nullptr;
        Waiter* last = nullptr;
        std::size_t waiting = 0;
        net::SteadyTime turn_ends = net::SteadyTime::max();  // max: no other worker waits
        net::SteadyTime hold_back{};  // till then what was let go is for others
    };
    std::size_t free_place();
    bool usable(const Idle& idle, net::SteadyTime now) const noexcept;
    bool others_turn(Bucket& bucket) const noexcept;
    bool find_place(Bucket& bucket) noexcept;
    bool hand_over(UpstreamConnection& connection) noexcept;
    void drop(UpstreamConnection& connection) noexcept;
    void report(Bucket& bucket) noexcept;
    bool yield_to_others() noexcept;
    Task<void> watch();

    net::Reactor& reactor_;
    Limits limits_;
    std::map<std::string, std::size_t> keys_;
    std::vector<Bucket> buckets_;
    net::Event cleared_;  // set for good by clear()
    bool watching_ = false;
};

}  // namespace rotary::upstream
