#pragma once

#include <rotary/net/deadline_wheel.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace rotary::net {

// The wheel, turned by one timer of Asio's, which is set to the next tick at which something is
// due: a timer an operation would cost 3.5 us, and one that ticked for nothing as much a tick.
class Deadlines {
public:
    static constexpr std::chrono::milliseconds kTick = DeadlineWheel::kTick;

    explicit Deadlines(boost::asio::io_context& context);
    ~Deadlines();
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

    void arm(DeadlineNode& node, SteadyTime expiry) noexcept;
    void disarm(DeadlineNode& node) noexcept { wheel_.disarm(node); }
    void stop();
    // Called with each node whose time came; set once by the reactor.
    void (*on_expired)(DeadlineNode& node, void* context) = nullptr;
    void* on_expired_context = nullptr;

private:
    void tick();
    void set_timer(DeadlineWheel::Tick at);

    boost::asio::steady_timer timer_;
    DeadlineWheel wheel_;
    DeadlineWheel::Tick set_to_ = DeadlineWheel::kNever;  // kNever: the timer is not set
    bool in_tick_ = false;
    bool stopped_ = false;
    std::shared_ptr<bool> alive_;  // false once destroyed: a timer that fired may still be queued
};

}  // namespace rotary::net
