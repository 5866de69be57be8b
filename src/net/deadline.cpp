#include <rotary/net/deadline.hpp>

namespace rotary::net {

Deadlines::Deadlines(boost::asio::io_context& context)
    : timer_(context),
      wheel_(std::chrono::steady_clock::now()),
      alive_(std::make_shared<bool>(true)) {}

Deadlines::~Deadlines() { *alive_ = false; }

void Deadlines::arm(DeadlineNode& node, SteadyTime expiry) noexcept {
    // No tick moves the hand of a wheel whose timer is not set: then it is empty.
    if (set_to_ == DeadlineWheel::kNever && !in_tick_ && !node.armed()) {
        wheel_.set_now(std::chrono::steady_clock::now());
    }
    const DeadlineWheel::Tick due = wheel_.arm(node, expiry);
    if (due < set_to_ && !in_tick_) set_timer(due);
}

void Deadlines::stop() {
    stopped_ = true;
    timer_.cancel();
}

void Deadlines::set_timer(DeadlineWheel::Tick at) {
    if (stopped_) return;
    set_to_ = at;
    timer_.expires_at(DeadlineWheel::time_of(at));  // an earlier wait ends with an error
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive && !stopped_) tick();
    });
}

void Deadlines::tick() {
    set_to_ = DeadlineWheel::kNever;
    in_tick_ = true;
    // What expired is gathered first: a callback may arm and disarm whatever it likes.
    DeadlineNode expired;
    expired.previous = expired.next = &expired;
    wheel_.expire(std::chrono::steady_clock::now(), expired);
    while (expired.next != &expired) {
        DeadlineNode& node = *expired.next;
        wheel_.disarm(node);
        if (on_expired != nullptr) on_expired(node, on_expired_context);
    }
    in_tick_ = false;
    if (const auto next = wheel_.next(); next != DeadlineWheel::kNever) set_timer(next);
}

}  // namespace rotary::net
