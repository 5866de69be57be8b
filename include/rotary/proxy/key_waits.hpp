#pragma once

#include <rotary/auth/unknown_kids.hpp>
#include <rotary/net/reactor.hpp>

namespace rotary::proxy {

// The exchanges of one worker that wait for a token issuer's keys, and the key names that are not
// worth it. Owned by the worker's Context; its thread only. Linked through the waiters, which live
// in coroutine frames and take themselves out: waiting allocates nothing.
class KeyWaits {
public:
    class Waiter {
    public:
        explicit Waiter(KeyWaits& waits) noexcept;
        ~Waiter() { unlink(); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        net::Event news;  // set by wake_all(); reset by its owner

    private:
        friend class KeyWaits;
        Waiter() noexcept = default;
        void unlink() noexcept;

        Waiter* previous_ = this;
        Waiter* next_ = this;
    };

    KeyWaits() = default;
    ~KeyWaits();
    KeyWaits(const KeyWaits&) = delete;
    KeyWaits& operator=(const KeyWaits&) = delete;

    // A fetch has ended or new keys are in force: all of them look again. They run later.
    void wake_all() noexcept;
    bool empty() const noexcept { return head_.next_ == &head_; }

    auth::UnknownKids unknown_kids;

private:
    Waiter head_;  // of a circle
};

}  // namespace rotary::proxy
