#include <rotary/quota/lease_desk.hpp>

#include <rotary/quota/lease.hpp>

#include <utility>

namespace rotary::quota {

void LeaseDesk::open(std::function<void()> bell) {
    if (!bell_) bell_ = std::move(bell);
    is_open_.store(true);
}

void LeaseDesk::hand_in(Lease& lease) noexcept {
    Lease* first = due_.load(std::memory_order_relaxed);
    do {
        lease.next_ = first;
    } while (!due_.compare_exchange_weak(first, &lease));
    if (first == nullptr) bell_();
}

Lease* LeaseDesk::next(const Lease& lease) noexcept { return lease.next_; }

}  // namespace rotary::quota
