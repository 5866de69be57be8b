#pragma once

#include <rotary/net/reactor.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace rotary::net {

// Who is alive on this worker: counts sessions for limits and ends them for a drain. Owned by the
// worker, single-threaded. Registering is a few pointer writes; nodes live in their sessions.
class SessionSet {
public:
    // One session's place, from its construction to its end. `idle` is the session's to set: true
    // while it waits for the next request and may be ended without anybody's loss.
    class Node {
    public:
        Node(SessionSet& set, Descriptor& client) noexcept;
        ~Node();
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;

        bool idle = false;

    private:
        friend class SessionSet;
        SessionSet& set_;
        Descriptor& client_;
        Node* previous_ = nullptr;
        Node* next_ = nullptr;
    };

    SessionSet() = default;
    SessionSet(const SessionSet&) = delete;
    SessionSet& operator=(const SessionSet&) = delete;

    std::size_t size() const noexcept { return size_; }
    // Sessions look at it before they wait for another request: `drain` wakes only those that wait.
    bool draining() const noexcept { return draining_; }

    // No session goes idle from here on; idle ones wake with `cancelled`.
    void drain();
    // Every session's wait that involves its client wakes with `cancelled`.
    void cancel_all() noexcept;
    // Called once the set is draining and empty: at once, or as the last node goes, from within
    // that session's end. It must not destroy the set.
    void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

private:
    void tell_if_empty();

    Node* first_ = nullptr;
    std::size_t size_ = 0;
    bool draining_ = false;
    std::function<void()> on_empty_;
};

}  // namespace rotary::net
