#include <rotary/net/session_set.hpp>

#include <utility>

namespace rotary::net {

SessionSet::Node::Node(SessionSet& set, Descriptor& client) noexcept
    : set_(set), client_(client), next_(set.first_) {
    if (next_ != nullptr) next_->previous_ = this;
    set_.first_ = this;
    ++set_.size_;
}

SessionSet::Node::~Node() {
    (previous_ != nullptr ? previous_->next_ : set_.first_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    --set_.size_;
    set_.tell_if_empty();
}

// Cancelling only queues whom it wakes: no node goes while the list is walked.
void SessionSet::drain() {
    draining_ = true;
    for (Node* node = first_; node != nullptr; node = node->next_) {
        if (node->idle) node->client_.cancel();
    }
    tell_if_empty();
}

void SessionSet::cancel_all() noexcept {
    for (Node* node = first_; node != nullptr; node = node->next_) node->client_.cancel();
}

void SessionSet::tell_if_empty() {
    if (!draining_ || size_ > 0 || !on_empty_) return;
    const std::function<void()> callback = std::exchange(on_empty_, nullptr);
    callback();
}

}  // namespace rotary::net
