#include <rotary/net/session_set.hpp>

#include <utility>

namespace rotary::net {

bool ConnectionLimit::take() noexcept {
    std::size_t open = open_.load(std::memory_order_relaxed);
    do {
        if (open >= most()) return false;
    } while (!open_.compare_exchange_weak(open, open + 1, std::memory_order_relaxed));
    return true;
}

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
    if (set_.limit_ != nullptr) set_.limit_->give();
    set_.tell_if_empty();
}

// Cancelling only queues whom it wakes: no node goes while the list is walked.
void SessionSet::drain() {
    draining_ = true;
    for (Node* node = first_; node != nullptr; node = node->next_) {
        if (node->idle && !node->fresh) node->client_.cancel();
    }
    tell_if_empty();
}

void SessionSet::end_fresh() noexcept {
    fresh_time_is_over_ = true;
    for (Node* node = first_; node != nullptr; node = node->next_) {
        if (node->fresh) node->client_.cancel();
    }
}

void SessionSet::cancel_all() noexcept {
    fresh_time_is_over_ = true;
    for (Node* node = first_; node != nullptr; node = node->next_) node->client_.cancel();
}

void SessionSet::on_empty(std::function<void()> callback) {
    on_empty_ = std::move(callback);
    tell_if_empty();
}

void SessionSet::tell_if_empty() {
    if (!draining_ || size_ > 0 || !on_empty_) return;
    const std::function<void()> callback = std::exchange(on_empty_, nullptr);
    callback();
}

}  // namespace rotary::net
