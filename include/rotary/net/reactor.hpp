#pragma once

#include <rotary/net/deadline_wheel.hpp>
#include <rotary/net/mailbox.hpp>
#include <rotary/net/turn.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

namespace rotary::net {

class Reactor;
class Wait;

// Why a wait ended.
enum class Wake : std::uint8_t {
    ready,      // what was waited for is there (or failed: the next call says how)
    timed_out,  // the deadline passed
    peer_gone,  // the watched client hung up while something else was waited for
    cancelled   // Descriptor::cancel(): drain, shutdown
};

// One registered socket: readiness flags kept from edge-triggered events, and who waits for them.
// Owned by a Stream or a Listener; single-threaded; its address is registered with the kernel, so
// it does not move. At most one waiter for reading, one for writing and one for a hang-up.
class Descriptor {
public:
    Descriptor(Reactor& reactor, int fd);  // takes the fd over, registers IN|OUT|RDHUP|ET
    ~Descriptor();                         // closes; no coroutine may be waiting
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int fd() const noexcept { return fd_; }
    bool readable() const noexcept { return readable_; }
    bool writable() const noexcept { return writable_; }
    bool hung_up() const noexcept { return hung_up_; }  // RDHUP, HUP or ERR was seen
    // Only after a read or a write that would block. Readable stays set once hung up.
    void clear_readable() noexcept { readable_ = hung_up_; }
    void clear_writable() noexcept { writable_ = false; }
    // Bytes that left the socket wait above it: a wait for reading must not suspend.
    void set_readable() noexcept { readable_ = true; }

    void cancel() noexcept;  // every waiter on it wakes with `cancelled`
    Reactor& reactor() const noexcept { return reactor_; }

private:
    friend class Reactor;
    friend class Wait;
    void happened(std::uint32_t events) noexcept;  // epoll's bits: updates flags, queues waiters

    Reactor& reactor_;
    int fd_;
    bool readable_ = false;
    bool writable_ = false;
    bool hung_up_ = false;
    Wait* reader_ = nullptr;
    Wait* writer_ = nullptr;
    Wait* hang_up_watcher_ = nullptr;
};

// A flag that another callback on this thread raises (a DNS answer, a task's end).
class Event {
public:
    void set() noexcept;  // wakes the waiter, or the next one at once
    bool is_set() const noexcept { return set_; }
    void reset() noexcept { set_ = false; }

private:
    friend class Wait;
    Wait* waiter_ = nullptr;
    bool set_ = false;
};

// What a wait is for; every wait of a request also watches its client and its deadline.
struct WaitFor {
    Descriptor* read = nullptr;    // ready when this becomes readable
    Descriptor* write = nullptr;   // or when this becomes writable
    Event* event = nullptr;        // or when this is set
    Descriptor* client = nullptr;  // wakes with peer_gone when this one hangs up
    SteadyTime deadline = SteadyTime::max();
    // Gets the time added that this took: from the suspension to the turn that brought the end.
    std::chrono::nanoseconds* waited = nullptr;
};

// Waits that became ready, in order. Linked through the waits themselves: queueing allocates
// nothing, and a frame destroyed while it is queued takes itself out.
struct WaitList {
    Wait* first = nullptr;
    Wait* last = nullptr;
    bool empty() const noexcept { return first == nullptr; }
    void push(Wait& wait) noexcept;
    void erase(Wait& wait) noexcept;
};

// The awaiter. Lives in the frame that awaits it, links itself into whatever may wake it and
// unlinks itself on waking. Does not suspend when a flag is already set, unless the turn is over:
// then the others come first. A passed deadline or a client already gone is reported before
// readiness.
class Wait : DeadlineNode {
public:
    Wait(Reactor& reactor, const WaitFor& what) noexcept : reactor_(reactor), what_(what) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait();

    bool await_ready() noexcept;
    void await_suspend(std::coroutine_handle<> awaiter) noexcept;
    Wake await_resume() const noexcept { return wake_; }

    void finish(Wake why) noexcept;  // unlinks and queues the awaiter to run in this loop turn

private:
    friend class Reactor;
    friend struct WaitList;
    struct Yield {};
    Wait(Reactor& reactor, Yield) noexcept : reactor_(reactor), yields_(true) {}
    bool is_fulfilled() const noexcept;
    void link() noexcept;
    void unlink() noexcept;

    Reactor& reactor_;
    WaitFor what_;
    SteadyTime begun_{};
    std::coroutine_handle<> awaiter_;
    Wait* before_ = nullptr;  // in the list it is queued on
    Wait* behind_ = nullptr;
    WaitList* queue_ = nullptr;
    Wake wake_ = Wake::ready;
    bool linked_ = false;
    bool yields_ = false;  // has what it waits for, and lets the others go first
};

// One worker's loop: an edge-triggered epoll set, a wheel of deadlines and a mailbox, in one wait a
// round. One epoll_ctl a connection, none an operation.
//
// Fairness: what a coroutine does between two waits is its turn. Streams count its bytes and calls
// here; when the turn is over they say `would_block`, and the wait that follows queues the
// coroutine behind all that have just become ready. So no loop over a stream needs to think of the
// others. Those that are queued so go on one after the other, at least one a round and for as long
// as the rest has just taken.
class Reactor {
public:
    // The clock is the path's only one: what passes another moves the time.
    using Clock = SteadyTime (*)() noexcept;
    explicit Reactor(Clock clock = std::chrono::steady_clock::now);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    Wait wait(const WaitFor& what) noexcept { return Wait(*this, what); }
    // Lets all other coroutines have a turn first: for loops that never run dry.
    Wait yield() noexcept { return Wait(*this, Wait::Yield{}); }
    bool turn_is_over() noexcept { return running_ && turn_.is_over(); }
    Turn& turn() noexcept { return turn_; }
    // The loop's notion of now: read once a round, outside of one as it is.
    SteadyTime now() const noexcept { return running_ ? now_ : clock_(); }
    void refresh_now() noexcept { now_ = clock_(); }
    SteadyTime exact_now() const noexcept { return clock_(); }  // for measures; 20 to 30 ns

    void arm(DeadlineNode& node, SteadyTime expiry) noexcept;
    void disarm(DeadlineNode& node) noexcept { wheel_.disarm(node); }
    // Has `work` run in a round to come; from any thread. Dropped when the reactor goes first.
    void post(Mailbox::Work work) { mailbox_.put(std::move(work)); }

    void run();  // rounds, until stop() is called in one
    void stop() noexcept { stopped_ = true; }
    // One round: waits until something happens, `longest` at most. Returns whether anything did.
    bool run_once(SteadyTime::duration longest);
    std::uint64_t rounds() const noexcept { return rounds_; }  // in which something happened

private:
    friend class Descriptor;
    friend class Wait;
    void add(Descriptor& descriptor) noexcept;
    int patience(SteadyTime::duration longest) const noexcept;  // of the epoll set, in ms
    bool take_events(int patience);                             // a batch
    bool expire();
    bool empty_mailbox();
    bool run_ready() noexcept;  // never nested: resumed code only queues
    bool run_yielded() noexcept;
    void resume(Wait& wait) noexcept;

    Clock clock_;
    int epoll_;
    Mailbox mailbox_;
    DeadlineWheel wheel_;
    DeadlineWheel::Tick due_ = DeadlineWheel::kNever;  // when the wheel has to be looked at
    SteadyTime now_;
    std::uint64_t rounds_ = 0;
    WaitList ready_;
    WaitList yielded_;
    Turn turn_;  // of the coroutine that runs
    bool has_mail_ = false;
    bool running_ = false;
    bool stopped_ = false;
};

}  // namespace rotary::net
