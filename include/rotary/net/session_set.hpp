#pragma once

#include <rotary/net/reactor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>

namespace rotary::net {

// How many clients the whole process may have. Shared by all workers: one atomic, touched as a
// connection comes and goes. The count is exact; a limit that is lowered ends nobody.
class ConnectionLimit {
public:
    explicit ConnectionLimit(std::size_t most) noexcept : most_(most) {}

    // A place for one more; false when there is none.
    bool take() noexcept;
    void give() noexcept { open_.fetch_sub(1, std::memory_order_relaxed); }
    void set_most(std::size_t most) noexcept { most_.store(most, std::memory_order_relaxed); }
    std::size_t most() const noexcept { return most_.load(std::memory_order_relaxed); }
    std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> most_;
    std::atomic<std::size_t> open_{0};
};

// Who is alive on this worker: counts sessions and ends them for a drain. Owned by the worker,
// single-threaded. Registering is a few pointer writes; nodes live in their sessions.
class SessionSet {
public:
    // One session's place, from its construction to its end; it gives the place in the
    // ConnectionLimit back, if there is one. Both flags are the session's to set.
    class Node {
    public:
        Node(SessionSet& set, Descriptor& client) noexcept;
        ~Node();
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;

        bool idle = false;  // waits for another request: may be ended without anybody's loss
        bool fresh = true;  // no byte of a request has come yet: its client may count on one answer

    private:
        friend class SessionSet;
        SessionSet& set_;
        Descriptor& client_;
        Node* previous_ = nullptr;
        Node* next_ = nullptr;
    };

    explicit SessionSet(ConnectionLimit* limit = nullptr) noexcept : limit_(limit) {}
    SessionSet(const SessionSet&) = delete;
    SessionSet& operator=(const SessionSet&) = delete;

    // Whether there is a place for one more session; it is then taken, and the next Node has it.
    bool admit() noexcept { return limit_ == nullptr || limit_->take(); }
    std::size_t size() const noexcept { return size_; }
    // Sessions look at these before they wait for another request: a drain wakes only those that
    // wait. Fresh ones go on until their time is over too.
    bool draining() const noexcept { return draining_; }
    bool fresh_time_is_over() const noexcept { return fresh_time_is_over_; }

    // No session goes idle from here on; idle ones wake with `cancelled`.
    void drain();
    // Those whose client has not begun its request wake with `cancelled`.
    void end_fresh() noexcept;
    // Every session's wait that involves its client wakes with `cancelled`.
    void cancel_all() noexcept;
    // Called once the set is draining and empty: at once, or as the last node goes, from within
    // that session's end. It must not destroy the set.
    void on_empty(std::function<void()> callback);

private:
    void tell_if_empty();

    ConnectionLimit* limit_;
    Node* first_ = nullptr;
    std::size_t size_ = 0;
    bool draining_ = false;
    bool fresh_time_is_over_ = false;
    std::function<void()> on_empty_;
};

}  // namespace rotary::net
