#pragma once

#include <rotary/net/idle_order.hpp>
#include <rotary/net/reactor.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace rotary::net {

class SessionSet;

// How many clients the whole process may have, and which worker has the one that has been idle for
// longest. Shared by all workers: one atomic, touched as a connection comes and goes. The count is
// exact; a limit that is lowered ends no connection.
class ConnectionLimit {
public:
    explicit ConnectionLimit(std::size_t most) noexcept : most_(most) {}

    // A place for one more; false when there is none.
    bool take() noexcept;
    void give() noexcept { open_.fetch_sub(1, std::memory_order_relaxed); }
    void set_most(std::size_t most) noexcept { most_.store(most, std::memory_order_relaxed); }
    std::size_t most() const noexcept { return most_.load(std::memory_order_relaxed); }
    std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

    // The set whose idle session has waited longest, null when none has one. By the time it is
    // asked to evict that session it may have none any more.
    SessionSet* longest_idle() const noexcept;

private:
    friend class SessionSet;
    std::atomic<std::size_t> most_;
    std::atomic<std::size_t> open_{0};
    std::vector<SessionSet*> sets_;  // changes only while no other thread runs
};

// Who is alive on this worker: counts sessions, ends them for a drain, and the one that has been
// idle for longest to make room. Owned by the worker, single-threaded but for idle_since().
// Registering is a few pointer writes; nodes live in their sessions.
class SessionSet {
public:
    // One session's place, from its construction to its end; it gives the place in the
    // ConnectionLimit back, if there is one and it still has it.
    class Node {
    public:
        Node(SessionSet& set, Descriptor& client) noexcept;
        ~Node();
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;

        // No request is in progress: the session may be ended to make room, and by a drain once
        // its client has had an answer.
        void enter_idle() noexcept;
        void leave_idle() noexcept { set_.idle_.leave(idle_); }
        // Its place has gone to another connection: the session ends without a further look.
        bool evicted() const noexcept { return !has_place_; }

        bool fresh = true;  // no byte of a request has come yet: its client may count on one answer

    private:
        friend class SessionSet;
        struct Idle : IdleOrder::Node {
            explicit Idle(SessionSet::Node& owner) noexcept : session(owner) {}
            SessionSet::Node& session;
        };
        bool has_word() const noexcept;  // its client has said something that is not yet read
        SessionSet& set_;
        Descriptor& client_;
        Idle idle_{*this};
        bool has_place_ = true;
        Node* previous_ = nullptr;
        Node* next_ = nullptr;
    };

    explicit SessionSet(Reactor& reactor, ConnectionLimit* limit = nullptr);
    ~SessionSet();
    SessionSet(const SessionSet&) = delete;
    SessionSet& operator=(const SessionSet&) = delete;

    // Whether there is a place for one more session; it is then taken, and the next Node has it.
    bool admit() noexcept { return limit_ == nullptr || limit_->take(); }
    std::size_t size() const noexcept { return size_; }
    // Sessions look at these before they wait for another request: a drain wakes only those that
    // wait. Fresh ones go on until their time is over too.
    bool draining() const noexcept { return draining_; }
    bool fresh_time_is_over() const noexcept { return fresh_time_is_over_; }

    // Any thread: SteadyTime::max() when no session is idle.
    SteadyTime idle_since() const noexcept { return idle_.idle_since(); }
    Reactor& reactor() const noexcept { return reactor_; }
    // Ends the session that has been idle for longest, and says for how long it was. Its place is
    // the caller's, as if admit() had given it. One whose client has just said something has not
    // been idle: it goes behind the others. Nothing: there is none, or one of another set of the
    // limit has been idle for longer by now.
    std::optional<SteadyTime::duration> evict_longest_idle() noexcept;

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

    Reactor& reactor_;
    ConnectionLimit* limit_;
    IdleOrder idle_;
    Node* first_ = nullptr;
    std::size_t size_ = 0;
    bool draining_ = false;
    bool fresh_time_is_over_ = false;
    std::function<void()> on_empty_;
};

}  // namespace rotary::net
