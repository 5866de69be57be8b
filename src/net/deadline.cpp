#include <rotary/net/deadline.hpp>

#include <algorithm>

namespace rotary::net {

namespace {

using std::chrono::steady_clock;

// The first tick at or after `time`: nothing expires early.
std::uint64_t tick_at_or_after(SteadyTime time) noexcept {
    const auto since = time.time_since_epoch();
    const auto ticks = std::chrono::ceil<std::chrono::milliseconds>(since) / Deadlines::kTick;
    const bool exact = since == ticks * Deadlines::kTick;
    return static_cast<std::uint64_t>(ticks) + (exact ? 0 : 1);
}

// The last tick that has begun by `time`.
std::uint64_t tick_at_or_before(SteadyTime time) noexcept {
    return static_cast<std::uint64_t>(time.time_since_epoch() / Deadlines::kTick);
}

void insert(DeadlineNode& head, DeadlineNode& node) noexcept {
    node.previous = head.previous;
    node.next = &head;
    head.previous->next = &node;
    head.previous = &node;
}

void unlink(DeadlineNode& node) noexcept {
    node.previous->next = node.next;
    node.next->previous = node.previous;
    node.previous = node.next = nullptr;
}

}  // namespace

Deadlines::Deadlines(boost::asio::io_context& context)
    : timer_(context), alive_(std::make_shared<bool>(true)) {
    for (DeadlineNode& head : slots_) head.previous = head.next = &head;
    last_tick_ = tick_at_or_before(steady_clock::now());
}

Deadlines::~Deadlines() { *alive_ = false; }

void Deadlines::arm(DeadlineNode& node, SteadyTime expiry) noexcept {
    if (node.armed()) disarm(node);
    // No tick moved the hand while the wheel was empty.
    if (armed_ == 0 && !ticking_) last_tick_ = tick_at_or_before(steady_clock::now());
    node.expiry = expiry;
    const std::uint64_t tick = std::max(tick_at_or_after(expiry), last_tick_ + 1);
    insert(slots_[tick % kSlots], node);
    ++armed_;
    if (!ticking_) schedule();
}

void Deadlines::disarm(DeadlineNode& node) noexcept {
    if (!node.armed()) return;
    unlink(node);
    --armed_;
}

void Deadlines::stop() {
    stopped_ = true;
    timer_.cancel();
}

void Deadlines::schedule() {
    if (stopped_) return;
    ticking_ = true;
    timer_.expires_at(SteadyTime((last_tick_ + 1) * kTick));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!*alive) return;
        ticking_ = false;
        if (!error && !stopped_) tick();
    });
}

void Deadlines::tick() {
    const SteadyTime now = steady_clock::now();
    const std::uint64_t current = tick_at_or_before(now);
    const std::uint64_t first = last_tick_ + 1;
    const std::uint64_t count =
        current >= first ? std::min(current - first + 1, std::uint64_t{kSlots}) : 0;
    last_tick_ = std::max(last_tick_, current);

    // What expired is gathered first: a callback may arm and disarm whatever it likes.
    DeadlineNode expired;
    expired.previous = expired.next = &expired;
    for (std::uint64_t i = 0; i < count; ++i) expire_slot(first + i, now, expired);
    while (expired.next != &expired) {
        DeadlineNode& node = *expired.next;
        disarm(node);
        if (on_expired != nullptr) on_expired(node, on_expired_context);
    }
    if (armed_ > 0 && !ticking_) schedule();
}

void Deadlines::expire_slot(std::uint64_t tick, SteadyTime now, DeadlineNode& expired) noexcept {
    DeadlineNode& head = slots_[tick % kSlots];
    for (DeadlineNode* node = head.next; node != &head;) {
        DeadlineNode* next = node->next;
        if (node->expiry <= now) {
            unlink(*node);
            insert(expired, *node);
        }
        node = next;
    }
}

}  // namespace rotary::net
