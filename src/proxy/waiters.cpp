#include <rotary/proxy/waiters.hpp>

namespace rotary::proxy {

Waiters::Waiter::Waiter(Waiters& waits) noexcept
    : previous_(waits.head_.previous_), next_(&waits.head_) {
    previous_->next_ = this;
    next_->previous_ = this;
}

void Waiters::Waiter::unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
}

Waiters::~Waiters() {
    while (!empty()) head_.next_->unlink();
}

void Waiters::wake_all() noexcept {
    for (Waiter* waiter = head_.next_; waiter != &head_; waiter = waiter->next_) {
        waiter->news.set();
    }
}

}  // namespace rotary::proxy
