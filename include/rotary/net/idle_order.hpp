#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>

namespace rotary::net {

// Sessions in the order in which they went idle, linked through themselves: entering and leaving
// are a few pointer writes. Owned by a SessionSet, its thread only, but for idle_since(): any
// thread may read it, and what it says may be over by then.
class IdleOrder {
public:
    struct Node {
        bool is_idle = false;
        SteadyTime since{};
        Node* previous = nullptr;
        Node* next = nullptr;
    };

    // Behind all others: `now` is never earlier than the last one's. Of one that is in: it starts
    // anew.
    void enter(Node& node, SteadyTime now) noexcept;
    void leave(Node& node) noexcept;  // or nothing, of one that is not in
    Node* longest() const noexcept { return first_; }

    // Since when the longest has been idle; SteadyTime::max() when none is.
    SteadyTime idle_since() const noexcept {
        return SteadyTime(SteadyTime::duration(since_.load(std::memory_order_relaxed)));
    }

private:
    void publish() noexcept;

    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::atomic<SteadyTime::rep> since_{SteadyTime::max().time_since_epoch().count()};
};

}  // namespace rotary::net
