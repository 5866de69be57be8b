#include <rotary/net/session_set.hpp>

#include <sys/socket.h>

#include <utility>

namespace rotary::net {

bool ConnectionLimit::take() noexcept {
    std::size_t open = open_.load(std::memory_order_relaxed);
    do {
        if (open >= most()) return false;
    } while (!open_.compare_exchange_weak(open, open + 1, std::memory_order_relaxed));
    return true;
}

SessionSet* ConnectionLimit::longest_idle() const noexcept {
    SessionSet* longest = nullptr;
    SteadyTime since = SteadyTime::max();
    for (SessionSet* set : sets_) {
        const SteadyTime its = set->idle_since();
        if (its >= since) continue;
        since = its;
        longest = set;
    }
    return longest;
}

SessionSet::SessionSet(Reactor& reactor, ConnectionLimit* limit)
    : reactor_(reactor), limit_(limit) {
    if (limit_ != nullptr) limit_->sets_.push_back(this);
}

SessionSet::~SessionSet() {
    if (limit_ != nullptr) std::erase(limit_->sets_, this);
}

SessionSet::Node::Node(SessionSet& set, Descriptor& client) noexcept
    : set_(set), client_(client), next_(set.first_) {
    if (next_ != nullptr) next_->previous_ = this;
    set_.first_ = this;
    ++set_.size_;
}

SessionSet::Node::~Node() {
    leave_idle();
    (previous_ != nullptr ? previous_->next_ : set_.first_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    --set_.size_;
    if (set_.limit_ != nullptr && has_place_) set_.limit_->give();
    set_.tell_if_empty();
}

void SessionSet::Node::enter_idle() noexcept { set_.idle_.enter(idle_, set_.reactor_.now()); }

// What the reactor has not seen yet may lie in the socket. An end is no word.
bool SessionSet::Node::has_word() const noexcept {
    char first = 0;
    return client_.readable() ||
           ::recv(client_.fd(), &first, sizeof first, MSG_PEEK | MSG_DONTWAIT) > 0;
}

std::optional<SteadyTime::duration> SessionSet::evict_longest_idle() noexcept {
    const SteadyTime now = reactor_.now();
    for (auto* idle = idle_.longest(); idle != nullptr && idle->since < now;
         idle = idle_.longest()) {
        // Others may have taken the one that was meant: then an older one waits in another set.
        if (limit_ != nullptr && limit_->longest_idle() != this) return std::nullopt;
        Node& node = static_cast<Node::Idle*>(idle)->session;
        if (node.has_word()) {
            idle_.enter(*idle, now);
            continue;
        }
        node.leave_idle();
        node.has_place_ = false;
        node.client_.cancel();
        return now - idle->since;
    }
    return std::nullopt;
}

// Cancelling only queues whom it wakes: no node goes while the list is walked.
void SessionSet::drain() {
    draining_ = true;
    for (Node* node = first_; node != nullptr; node = node->next_) {
        if (node->idle_.is_idle && !node->fresh) node->client_.cancel();
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
