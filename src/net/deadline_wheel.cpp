#include <rotary/net/deadline_wheel.hpp>

#include <algorithm>
#include <bit>

namespace rotary::net {

namespace {

using Tick = DeadlineWheel::Tick;

// The first tick at or after `time`: nothing expires early.
Tick tick_at_or_after(SteadyTime time) noexcept {
    const auto since = time.time_since_epoch();
    const auto ticks = since / DeadlineWheel::kTick;
    const bool exact = since == ticks * DeadlineWheel::kTick;
    return static_cast<Tick>(ticks) + (exact ? 0 : 1);
}

// The last tick that has begun by `time`.
Tick tick_at_or_before(SteadyTime time) noexcept {
    return static_cast<Tick>(time.time_since_epoch() / DeadlineWheel::kTick);
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

bool holds_none(const DeadlineNode& head) noexcept { return head.next == &head; }

}  // namespace

DeadlineWheel::DeadlineWheel(SteadyTime now) noexcept : hand_(tick_at_or_before(now)) {
    for (DeadlineNode& head : slots_) head.previous = head.next = &head;
    for (DeadlineNode& head : turns_) head.previous = head.next = &head;
}

void DeadlineWheel::set_now(SteadyTime now) noexcept {
    hand_ = std::max(hand_, tick_at_or_before(now));
}

Tick DeadlineWheel::arm(DeadlineNode& node, SteadyTime expiry) noexcept {
    if (node.armed()) disarm(node);
    node.expiry = expiry;
    ++armed_;
    const Tick tick = std::max(tick_at_or_after(expiry), hand_ + 1);
    const Tick now = turn();
    const Tick its = tick / kSlots;
    if (its > now) {
        insert(turns_[std::min(its, now + kTurns - 1) % kTurns], node);
        return (now + 1) * kSlots;
    }
    const Tick slot = tick % kSlots;
    insert(slots_[slot], node);
    bits_[slot / kWordBits] |= std::uint64_t{1} << (slot % kWordBits);
    return tick;
}

void DeadlineWheel::disarm(DeadlineNode& node) noexcept {
    if (!node.armed()) return;
    unlink(node);
    --armed_;
}

void DeadlineWheel::deal_out(DeadlineNode& turn) noexcept {
    DeadlineNode all;  // what is still further off comes back to the same list
    all.previous = all.next = &all;
    while (!holds_none(turn)) {
        DeadlineNode& node = *turn.next;
        unlink(node);
        insert(all, node);
    }
    while (!holds_none(all)) {
        DeadlineNode& node = *all.next;
        disarm(node);
        arm(node, node.expiry);
    }
}

Tick DeadlineWheel::occupied(Tick from, Tick last) noexcept {
    for (Tick slot = from % kSlots; slot <= last % kSlots;) {
        const std::size_t word = slot / kWordBits;
        const std::uint64_t rest = bits_[word] & (~std::uint64_t{0} << (slot % kWordBits));
        if (rest == 0) {
            slot = (word + 1) * kWordBits;
            continue;
        }
        slot = word * kWordBits + static_cast<Tick>(std::countr_zero(rest));
        if (slot > last % kSlots) break;
        if (!holds_none(slots_[slot])) return from - from % kSlots + slot;
        bits_[word] &= ~(std::uint64_t{1} << (slot % kWordBits));
    }
    return kNever;
}

void DeadlineWheel::expire(SteadyTime now, DeadlineNode& expired) noexcept {
    const Tick current = tick_at_or_before(now);
    while (hand_ < current && armed_ > 0) {
        const Tick last = std::min(current, turn() * kSlots + kSlots - 1);
        for (Tick tick = hand_ + 1; tick <= last; ++tick) {
            tick = occupied(tick, last);
            if (tick == kNever) break;
            DeadlineNode& slot = slots_[tick % kSlots];
            while (!holds_none(slot)) {
                DeadlineNode& node = *slot.next;
                unlink(node);
                insert(expired, node);
            }
        }
        hand_ = last;
        // The coming turn has its slots before next() asks for them.
        if ((hand_ + 1) % kSlots == 0) deal_out(turns_[turn() % kTurns]);
    }
    hand_ = std::max(hand_, current);
}

Tick DeadlineWheel::next() noexcept {
    if (armed_ == 0) return kNever;
    const Tick end = turn() * kSlots + kSlots - 1;
    const Tick found = occupied(hand_ + 1, end);
    return found != kNever ? found : end + 1;
}

}  // namespace rotary::net
