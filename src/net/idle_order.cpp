#include <rotary/net/idle_order.hpp>

namespace rotary::net {

void IdleOrder::enter(Node& node, SteadyTime now) noexcept {
    leave(node);
    node.is_idle = true;
    node.since = now;
    node.previous = last_;
    node.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &node;
    last_ = &node;
    if (first_ == &node) publish();
}

void IdleOrder::leave(Node& node) noexcept {
    if (!node.is_idle) return;
    const bool was_first = first_ == &node;
    node.is_idle = false;
    (node.previous != nullptr ? node.previous->next : first_) = node.next;
    (node.next != nullptr ? node.next->previous : last_) = node.previous;
    if (was_first) publish();
}

void IdleOrder::publish() noexcept {
    const SteadyTime since = first_ != nullptr ? first_->since : SteadyTime::max();
    since_.store(since.time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace rotary::net
