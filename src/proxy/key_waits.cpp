#include <rotary/proxy/key_waits.hpp>

namespace rotary::proxy {

KeyWaits::Waiter::Waiter(KeyWaits& waits) noexcept
    : previous_(waits.head_.previous_), next_(&waits.head_) {
    previous_->next_ = this;
    next_->previous_ = this;
}

void KeyWaits::Waiter::unlink() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
}

KeyWaits::~KeyWaits() {
    while (!empty()) head_.next_->unlink();
}

void KeyWaits::wake_all() noexcept {
    for (Waiter* waiter = head_.next_; waiter != &head_; waiter = waiter->next_) {
        waiter->news.set();
    }
}

}  // namespace rotary::proxy
