#include <rotary/net/reactor.hpp>

#include <boost/asio/post.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace rotary::net {

namespace {

constexpr int kBatch = 256;  // of events; behind each Asio's timers have their turn

int make_epoll() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
    return fd;
}

}  // namespace

// Descriptor

Descriptor::Descriptor(Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {
    reactor_.add(*this);
}

Descriptor::~Descriptor() {
    cancel();
    // The last reference to the socket: closing takes it out of the epoll set too.
    if (fd_ >= 0) ::close(fd_);
}

void Descriptor::cancel() noexcept {
    if (reader_ != nullptr) reader_->finish(Wake::cancelled);
    if (writer_ != nullptr) writer_->finish(Wake::cancelled);
    if (hang_up_watcher_ != nullptr) hang_up_watcher_->finish(Wake::cancelled);
}

// Flags change only here, for a whole batch, before anything is resumed: no code runs that could
// destroy a descriptor while an event of this batch still points to it.
void Descriptor::happened(std::uint32_t events) noexcept {
    const bool hang_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (hang_up || (events & EPOLLIN) != 0) readable_ = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
    hung_up_ = hung_up_ || hang_up;
    if (readable_ && reader_ != nullptr) reader_->finish(Wake::ready);
    if ((writable_ || hang_up) && writer_ != nullptr) writer_->finish(Wake::ready);
    if (hung_up_ && hang_up_watcher_ != nullptr) hang_up_watcher_->finish(Wake::peer_gone);
}

// Event

void Event::set() noexcept {
    set_ = true;
    if (waiter_ != nullptr) waiter_->finish(Wake::ready);
}

// WaitList

void WaitList::push(Wait& wait) noexcept {
    wait.previous_ = last;
    wait.next_ = nullptr;
    wait.queue_ = this;
    (last != nullptr ? last->next_ : first) = &wait;
    last = &wait;
}

void WaitList::erase(Wait& wait) noexcept {
    (wait.previous_ != nullptr ? wait.previous_->next_ : first) = wait.next_;
    (wait.next_ != nullptr ? wait.next_->previous_ : last) = wait.previous_;
    wait.previous_ = wait.next_ = nullptr;
    wait.queue_ = nullptr;
}

// Wait

Wait::~Wait() {
    unlink();
    if (queue_ != nullptr) queue_->erase(*this);
}

bool Wait::await_ready() noexcept {
    if (yields_) return false;
    wake_ = Wake::ready;
    if (what_.deadline != SteadyTime::max() && what_.deadline <= reactor_.now()) {
        wake_ = Wake::timed_out;
        return true;
    }
    // The client's own last bytes may lie before its FIN: reading from it must get them.
    if (what_.client != nullptr && what_.client != what_.read && what_.client->hung_up_) {
        wake_ = Wake::peer_gone;
        return true;
    }
    if (!is_fulfilled()) return false;
    yields_ = reactor_.turn_is_over();
    return !yields_;
}

bool Wait::is_fulfilled() const noexcept {
    if (what_.read != nullptr && (what_.read->readable_ || what_.read->hung_up_)) return true;
    if (what_.write != nullptr && what_.write->writable_) return true;
    return what_.event != nullptr && what_.event->set_;
}

// One that yields can still be cancelled, or lose its client; it waits for the others, so the time
// is none of what it waits for.
void Wait::await_suspend(std::coroutine_handle<> awaiter) noexcept {
    awaiter_ = awaiter;
    link();
    if (!yields_) {
        if (what_.waited != nullptr) begun_ = reactor_.exact_now();
        return;
    }
    reactor_.yielded_.push(*this);
    reactor_.run_later();
}

void Wait::link() noexcept {
    linked_ = true;
    if (what_.read != nullptr) what_.read->reader_ = this;
    if (what_.write != nullptr) what_.write->writer_ = this;
    if (what_.event != nullptr) what_.event->waiter_ = this;
    if (what_.client != nullptr && what_.client != what_.read) {
        what_.client->hang_up_watcher_ = this;
    }
    if (what_.deadline != SteadyTime::max()) {
        timer_.wait = this;
        reactor_.deadlines_.arm(timer_, what_.deadline);
    }
}

void Wait::unlink() noexcept {
    if (!linked_) return;
    linked_ = false;
    if (what_.read != nullptr && what_.read->reader_ == this) what_.read->reader_ = nullptr;
    if (what_.write != nullptr && what_.write->writer_ == this) what_.write->writer_ = nullptr;
    if (what_.event != nullptr && what_.event->waiter_ == this) what_.event->waiter_ = nullptr;
    if (what_.client != nullptr && what_.client->hang_up_watcher_ == this) {
        what_.client->hang_up_watcher_ = nullptr;
    }
    reactor_.deadlines_.disarm(timer_);
}

void Wait::finish(Wake why) noexcept {
    if (!linked_ || (yields_ && why == Wake::ready)) return;  // it is about to go on anyway
    unlink();
    if (queue_ != nullptr) queue_->erase(*this);
    if (what_.waited != nullptr && !yields_) {
        // A turn that began before the wait did has the end in one of its later batches.
        *what_.waited += std::max(reactor_.now() - begun_, SteadyTime::duration::zero());
    }
    wake_ = why;
    reactor_.resume_later(*this);
}

// Reactor

Reactor::Reactor(boost::asio::io_context& context, Clock clock)
    : context_(context),
      clock_(clock),
      epoll_(context, make_epoll()),
      deadlines_(context),
      now_(clock_()),
      alive_(std::make_shared<bool>(true)) {
    deadlines_.on_expired = [](DeadlineNode& node, void*) { node.wait->finish(Wake::timed_out); };
    arm();
}

Reactor::~Reactor() { *alive_ = false; }

void Reactor::stop() {
    stopped_ = true;
    deadlines_.stop();
    boost::system::error_code ignored;
    epoll_.cancel(ignored);
}

void Reactor::add(Descriptor& descriptor) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &descriptor;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor.fd(), &event) == 0) return;
    // No event will ever come for it: let its owner find it dead rather than wait.
    ::shutdown(descriptor.fd(), SHUT_RDWR);
    descriptor.readable_ = descriptor.writable_ = descriptor.hung_up_ = true;
}

void Reactor::arm() {
    if (stopped_) return;
    // Asio re-arms its own edge-triggered set here, so that events left over are reported again.
    epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this, alive = alive_](const boost::system::error_code& error) {
                          if (!*alive || error || stopped_) return;
                          ++turns_;
                          go_round();
                          if (*alive) arm();
                      });
}

void Reactor::take_events() {
    std::array<epoll_event, kBatch> events;
    const int count = ::epoll_wait(epoll_.native_handle(), events.data(), kBatch, 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        static_cast<Descriptor*>(event.data.ptr)->happened(event.events);
    }
}

void Reactor::go_round() {
    refresh_now();
    running_ = true;
    take_events();
    run_ready();
    run_yielded();
    running_ = false;
    if (!yielded_.empty() || !ready_.empty()) run_later();
}

void Reactor::resume_later(Wait& wait) noexcept {
    ready_.push(wait);
    run_later();
}

void Reactor::run_later() noexcept {
    if (running_ || posted_) return;
    posted_ = true;
    boost::asio::post(context_, [this, alive = alive_] {
        if (!*alive) return;
        posted_ = false;
        go_round();
    });
}

void Reactor::run_ready() noexcept {
    while (!ready_.empty()) {
        Wait& wait = *ready_.first;
        ready_.erase(wait);
        resume(wait);
    }
}

// One after the other, those that yield again behind the rest; then new events are looked for. So
// what becomes ready waits for one of them, or for as long as others before it have just taken.
void Reactor::run_yielded() noexcept {
    if (yielded_.empty()) return;
    const SteadyTime begun = clock_();
    const SteadyTime until = begun + (begun - now_);
    do {
        Wait& wait = *yielded_.first;
        yielded_.erase(wait);
        wait.unlink();
        resume(wait);
    } while (!yielded_.empty() && ready_.empty() && clock_() < until);
}

void Reactor::resume(Wait& wait) noexcept {
    turn_.begin();
    const std::coroutine_handle<> awaiter = std::exchange(wait.awaiter_, nullptr);
    awaiter.resume();  // `wait` is gone with this
    turn_.begin();
}

}  // namespace rotary::net
