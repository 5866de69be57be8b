#pragma once

#include <rotary/net/reactor.hpp>

namespace rotary::proxy {

// The exchanges of one worker that wait for one kind of news. Its thread only. Linked through the
// waiters, which live in coroutine frames and take themselves out: waiting allocates nothing.
class Waiters {
public:
    class Waiter {
    public:
        explicit Waiter(Waiters& waits) noexcept;
        ~Waiter() { unlink(); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        net::Event news;  // set by wake_all(); reset by its owner

    private:
        friend class Waiters;
        Waiter() noexcept = default;
        void unlink() noexcept;

        Waiter* previous_ = this;
        Waiter* next_ = this;
    };

    Waiters() = default;
    ~Waiters();
    Waiters(const Waiters&) = delete;
    Waiters& operator=(const Waiters&) = delete;

    // All of them look again. They run later.
    void wake_all() noexcept;
    bool empty() const noexcept { return head_.next_ == &head_; }

private:
    Waiter head_;  // of a circle
};

}  // namespace rotary::proxy
