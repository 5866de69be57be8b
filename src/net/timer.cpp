#include <rotary/net/timer.hpp>

#include <utility>

namespace rotary::net {

Timer::Timer(Reactor& reactor) noexcept : reactor_(reactor) {
    // The callback may start the timer again, or end its life.
    on_due = [](DeadlineNode& node) {
        const auto call = std::exchange(static_cast<Timer&>(node).callback_, nullptr);
        call();
    };
}

Timer::~Timer() { cancel(); }

void Timer::start(SteadyTime::duration after, std::function<void()> callback) {
    callback_ = std::move(callback);
    reactor_.arm(*this, reactor_.now() + after);
}

void Timer::cancel() noexcept {
    reactor_.disarm(*this);
    callback_ = nullptr;
}

}  // namespace rotary::net
