#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rotary::net {

using SteadyTime = std::chrono::steady_clock::time_point;

class Deadlines;
class Wait;

// A place on the wheel; part of a Wait.
struct DeadlineNode {
    DeadlineNode* previous = nullptr;
    DeadlineNode* next = nullptr;
    SteadyTime expiry = SteadyTime::max();
    Wait* wait = nullptr;
    bool armed() const noexcept { return next != nullptr; }
};

// A coarse wheel: arming and disarming are a few pointer writes where a timer an operation costs
// 3.5 us. Never early, late by one tick at most. The tick timer runs only while something is armed.
class Deadlines {
public:
    static constexpr std::chrono::milliseconds kTick{10};

    explicit Deadlines(boost::asio::io_context& context);
    ~Deadlines();
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

    void arm(DeadlineNode& node, SteadyTime expiry) noexcept;
    void disarm(DeadlineNode& node) noexcept;
    void stop();
    // Called with each node whose time came; set once by the reactor.
    void (*on_expired)(DeadlineNode& node, void* context) = nullptr;
    void* on_expired_context = nullptr;

private:
    static constexpr std::size_t kSlots = 1024;  // an expiry further off passes its slot unharmed
    void tick();
    void schedule();
    void expire_slot(std::uint64_t tick, SteadyTime now, DeadlineNode& expired) noexcept;

    boost::asio::steady_timer timer_;
    std::array<DeadlineNode, kSlots> slots_;  // heads of circular lists
    std::uint64_t last_tick_ = 0;
    std::size_t armed_ = 0;
    bool ticking_ = false;
    bool stopped_ = false;
    std::shared_ptr<bool> alive_;  // false once destroyed: a timer that fired may still be queued
};

}  // namespace rotary::net
