#pragma once

#include <rotary/net/deadline.hpp>
#include <rotary/net/turn.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>

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
class Wait {
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
    DeadlineNode timer_;
    SteadyTime begun_{};
    std::coroutine_handle<> awaiter_;
    Wait* previous_ = nullptr;  // in the list it is queued on
    Wait* next_ = nullptr;
    WaitList* queue_ = nullptr;
    Wake wake_ = Wake::ready;
    bool linked_ = false;
    bool yields_ = false;  // has what it waits for, and lets the others go first
};

// One worker's readiness loop: a private edge-triggered epoll set, nested in the worker's
// io_context through its descriptor, so that Asio's timers and signals share the thread
// (measured overhead over a bare epoll loop: 2 %). One epoll_ctl a connection, none an operation.
//
// Fairness: what a coroutine does between two waits is its turn. Streams count its bytes and calls
// here; when the turn is over they say `would_block`, and the wait that follows queues the
// coroutine behind all that have just become ready. So no loop over a stream needs to think of the
// others. Those that are queued so go on one after the other, at least one each time around and
// for as long as the rest has just taken.
class Reactor {
public:
    // The clock is the path's only one: what passes another moves the time.
    using Clock = SteadyTime (*)() noexcept;
    explicit Reactor(boost::asio::io_context& context,
                     Clock clock = std::chrono::steady_clock::now);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    Wait wait(const WaitFor& what) noexcept { return Wait(*this, what); }
    // Lets all other coroutines have a turn first: for loops that never run dry.
    Wait yield() noexcept { return Wait(*this, Wait::Yield{}); }
    // Outside of a round, in a callback of Asio's, no loop of ours keeps the others waiting.
    bool turn_is_over() noexcept { return running_ && turn_.is_over(); }
    Turn& turn() noexcept { return turn_; }
    // The loop's notion of now: read once a turn, outside one (in a callback of Asio's) as it is.
    SteadyTime now() const noexcept { return running_ ? now_ : clock_(); }
    void refresh_now() noexcept { now_ = clock_(); }
    SteadyTime exact_now() const noexcept { return clock_(); }  // for measures; 20 to 30 ns
    boost::asio::io_context& context() noexcept { return context_; }
    std::uint64_t turns() const noexcept { return turns_; }

    void stop();  // no more turns; called on the worker's thread once its streams are gone

private:
    friend class Descriptor;
    friend class Wait;
    void add(Descriptor& descriptor) noexcept;
    void arm();          // async_wait on the inner epoll
    void go_round();     // what became ready runs, then some of what yielded
    void take_events();  // of the inner epoll, a batch
    void resume_later(Wait& wait) noexcept;
    void run_later() noexcept;  // has go_round called soon when none is going on
    void run_ready() noexcept;  // never nested: resumed code only queues
    void run_yielded() noexcept;
    void resume(Wait& wait) noexcept;

    boost::asio::io_context& context_;
    Clock clock_;
    boost::asio::posix::stream_descriptor epoll_;
    Deadlines deadlines_;
    SteadyTime now_;
    std::uint64_t turns_ = 0;
    WaitList ready_;
    WaitList yielded_;
    Turn turn_;  // of the coroutine that runs
    bool running_ = false;
    bool posted_ = false;
    bool stopped_ = false;
    std::shared_ptr<bool> alive_;  // false once destroyed: handlers of ours may still be queued
};

}  // namespace rotary::net
