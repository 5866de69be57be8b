#include <rotary/net/reactor.hpp>

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

constexpr std::int64_t kLongestWait = 1'000'000;  // ms
constexpr int kBatch = 256;  // of events; behind each deadlines have their turn, and mail

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
    wait.before_ = last;
    wait.behind_ = nullptr;
    wait.queue_ = this;
    (last != nullptr ? last->behind_ : first) = &wait;
    last = &wait;
}

void WaitList::erase(Wait& wait) noexcept {
    (wait.before_ != nullptr ? wait.before_->behind_ : first) = wait.behind_;
    (wait.behind_ != nullptr ? wait.behind_->before_ : last) = wait.before_;
    wait.before_ = wait.behind_ = nullptr;
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
        on_due = [](DeadlineNode& node) { static_cast<Wait&>(node).finish(Wake::timed_out); };
        reactor_.arm(*this, what_.deadline);
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
    reactor_.disarm(*this);
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
    reactor_.ready_.push(*this);
}

// Reactor

Reactor::Reactor(Clock clock)
    : clock_(clock), epoll_(make_epoll()), wheel_(clock_()), now_(clock_()) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;  // tells it from a descriptor
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, mailbox_.fd(), &event) == 0) return;
    const int error = errno;
    ::close(epoll_);
    throw std::system_error(error, std::system_category(), "epoll_ctl");
}

Reactor::~Reactor() { ::close(epoll_); }

void Reactor::add(Descriptor& descriptor) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &descriptor;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor.fd(), &event) == 0) return;
    // No event will ever come for it: let its owner find it dead rather than wait.
    ::shutdown(descriptor.fd(), SHUT_RDWR);
    descriptor.readable_ = descriptor.writable_ = descriptor.hung_up_ = true;
}

void Reactor::arm(DeadlineNode& node, SteadyTime expiry) noexcept {
    // The hand of a wheel on which nothing is armed has not been moved.
    if (wheel_.empty()) wheel_.set_now(now());
    due_ = std::min(due_, wheel_.arm(node, expiry));
}

void Reactor::run() {
    while (!stopped_) run_once(SteadyTime::duration::max());
}

bool Reactor::run_once(SteadyTime::duration longest) {
    bool any = take_events(patience(longest));
    refresh_now();
    running_ = true;
    any = expire() || any;
    any = empty_mailbox() || any;
    any = run_ready() || any;
    any = run_yielded() || any;
    running_ = false;
    if (any) ++rounds_;
    return any;
}

int Reactor::patience(SteadyTime::duration longest) const noexcept {
    if (!ready_.empty() || !yielded_.empty()) return 0;
    if (due_ == DeadlineWheel::kNever && longest == longest.max()) return -1;
    if (due_ != DeadlineWheel::kNever) {
        longest = std::min(longest, DeadlineWheel::time_of(due_) - clock_());
    }
    // A wake before the time would find nothing due.
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
    return static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, kLongestWait));
}

bool Reactor::take_events(int patience) {
    std::array<epoll_event, kBatch> events;
    const int count = ::epoll_wait(epoll_, events.data(), kBatch, patience);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) {
            has_mail_ = true;
        } else {
            static_cast<Descriptor*>(event.data.ptr)->happened(event.events);
        }
    }
    return count > 0;
}

bool Reactor::expire() {
    if (due_ == DeadlineWheel::kNever || now_ < DeadlineWheel::time_of(due_)) return false;
    // What expired is gathered first: a callback may arm and disarm whatever it likes.
    DeadlineNode expired;
    expired.previous = expired.next = &expired;
    wheel_.expire(now_, expired);
    due_ = wheel_.next();
    const bool any = expired.next != &expired;
    while (expired.next != &expired) {
        DeadlineNode& node = *expired.next;
        wheel_.disarm(node);
        node.on_due(node);
    }
    return any;
}

bool Reactor::empty_mailbox() {
    if (!std::exchange(has_mail_, false)) return false;
    for (const Mailbox::Work& work : mailbox_.empty()) {
        turn_.begin();
        work();
    }
    return true;
}

bool Reactor::run_ready() noexcept {
    if (ready_.empty()) return false;
    while (!ready_.empty()) {
        Wait& wait = *ready_.first;
        ready_.erase(wait);
        resume(wait);
    }
    return true;
}

// One after the other, those that yield again behind the rest; then new events are looked for. So
// what becomes ready waits for one of them, or for as long as others before it have just taken.
bool Reactor::run_yielded() noexcept {
    if (yielded_.empty()) return false;
    const SteadyTime begun = clock_();
    const SteadyTime until = begun + (begun - now_);
    do {
        Wait& wait = *yielded_.first;
        yielded_.erase(wait);
        wait.unlink();
        resume(wait);
    } while (!yielded_.empty() && ready_.empty() && clock_() < until);
    return true;
}

void Reactor::resume(Wait& wait) noexcept {
    turn_.begin();
    const std::coroutine_handle<> awaiter = std::exchange(wait.awaiter_, nullptr);
    awaiter.resume();  // `wait` is gone with this
    turn_.begin();
}

}  // namespace rotary::net
