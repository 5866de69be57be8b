#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rotary::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// A place on the wheel; what has a deadline is one.
struct DeadlineNode {
    DeadlineNode* previous = nullptr;
    DeadlineNode* next = nullptr;
    SteadyTime expiry = SteadyTime::max();
    void (*on_due)(DeadlineNode& node) = nullptr;  // called when its time has come, disarmed
    bool armed() const noexcept { return next != nullptr; }
};

// A coarse wheel of deadlines: arming and disarming are a few pointer writes. Never early, late by
// one tick at most. The ticks of the turn that is going on have a slot each; those of later turns
// lie in one list a turn, which is dealt out when its turn begins. So what is not due is touched
// once in its life, and nothing has to happen between two ticks at which something is due, but at
// the beginning of a turn. Told the time, it asks no clock. One thread's.
class DeadlineWheel {
public:
    using Tick = std::uint64_t;  // since the clock's epoch
    static constexpr std::chrono::milliseconds kTick{10};
    static constexpr Tick kNever = static_cast<Tick>(-1);
    static constexpr Tick kSlots = 1024;  // of a turn: 10.24 s

    explicit DeadlineWheel(SteadyTime now) noexcept;
    DeadlineWheel(const DeadlineWheel&) = delete;
    DeadlineWheel& operator=(const DeadlineWheel&) = delete;

    static SteadyTime time_of(Tick tick) noexcept { return SteadyTime(tick * kTick); }

    // Returns when expire() must be called for it, at the latest.
    Tick arm(DeadlineNode& node, SteadyTime expiry) noexcept;
    void disarm(DeadlineNode& node) noexcept;
    bool empty() const noexcept { return armed_ == 0; }
    // While nothing is armed the hand may be set anew.
    void set_now(SteadyTime now) noexcept;

    // Moves what is due by `now` onto the circular list whose head is `expired`; those nodes are
    // armed until they are disarmed.
    void expire(SteadyTime now, DeadlineNode& expired) noexcept;
    // When expire() must be called next; kNever: nothing is armed.
    Tick next() noexcept;

private:
    static constexpr Tick kTurns = 64;  // an expiry that is further off is dealt out more than once
    static constexpr std::size_t kWordBits = 64;

    Tick turn() const noexcept { return (hand_ + 1) / kSlots; }
    void deal_out(DeadlineNode& turn) noexcept;
    // The first occupied slot's tick from `from` to `last`, both of one turn; kNever: none.
    Tick occupied(Tick from, Tick last) noexcept;

    std::array<DeadlineNode, kSlots> slots_;                // heads of circular lists
    std::array<std::uint64_t, kSlots / kWordBits> bits_{};  // of slots that may hold a node
    std::array<DeadlineNode, kTurns> turns_;
    Tick hand_;  // the last tick that was gone through
    std::size_t armed_ = 0;
};

}  // namespace rotary::net
