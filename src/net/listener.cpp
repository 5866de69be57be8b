#include <rotary/net/listener.hpp>

#include "socket_options.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace rotary::net {

namespace {

constexpr int kAcceptsATurn = 64;

// A coroutine that starts at once and whose frame its owner destroys, waiting or done.
class Loop {
public:
    struct promise_type {
        Loop get_return_object() {
            return Loop(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    Loop(Loop&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    Loop& operator=(Loop&&) = delete;
    ~Loop() {
        if (frame_) frame_.destroy();
    }

private:
    explicit Loop(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

int open_spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

int open_socket(const Listener::Options& options) {
    const auto require = [&options](bool good, int fd = -1) {
        if (good) return;
        const int error = errno;
        if (fd >= 0) ::close(fd);
        throw cannot_listen(options.address, options.port, error);
    };
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(options.address, error);
    if (error) errno = EINVAL;
    require(!error);
    const boost::asio::ip::tcp::endpoint endpoint(address, options.port);
    const int fd =
        ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(fd >= 0);
    const int on = 1;
    require(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, fd);
    require(::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0, fd);
    set_tcp_options(fd);  // inherited by what is accepted: no call a connection
    set_send_buffer(fd, options.send_buffer_bytes);
    require(::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0, fd);
    require(::listen(fd, options.backlog) == 0, fd);
    return fd;
}

}  // namespace

std::system_error cannot_listen(const std::string& address, std::uint16_t port, int error) {
    const bool is_v6 = address.find(':') != std::string::npos;
    std::string what =
        "cannot listen on " + (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
    if (error == EACCES) {
        what +=
            " (low ports need CAP_NET_BIND_SERVICE, or a lower "
            "net.ipv4.ip_unprivileged_port_start)";
    }
    return {error, std::generic_category(), what};
}

struct Listener::State {
    State(Reactor& owner, int fd, const Options& made_with, std::function<void(int)> callback)
        : reactor(owner), options(made_with), on_accept(std::move(callback)), spare(open_spare()) {
        descriptor.emplace(owner, fd);
    }
    ~State() {
        if (spare >= 0) ::close(spare);
    }

    enum class Batch { drained, more, exhausted, paused, stopped };
    Batch accept_batch();
    void refuse_waiting() noexcept;
    Loop run();

    Reactor& reactor;
    Options options;
    std::function<void(int)> on_accept;
    std::optional<Descriptor> descriptor;
    Event stopped;
    Event resumed;  // or stopped
    bool paused = false;
    int spare = -1;          // given up for a moment to accept and close when there are no others
    bool accepting = false;  // within accept_batch
    std::uint64_t refused = 0;
    std::uint16_t port = 0;
    std::optional<Loop> loop;  // destroyed first: it waits on the others
};

// The kernel's errors of a connection that died in its queue are passed over (accept(2)).
Listener::State::Batch Listener::State::accept_batch() {
    for (int i = 0; i < kAcceptsATurn; ++i) {
        const int fd = ::accept4(descriptor->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            on_accept(fd);
            if (stopped.is_set()) return Batch::stopped;
            if (paused) return Batch::paused;
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            descriptor->clear_readable();
            return Batch::drained;
        }
        if (lacks_resources(errno)) {
            refuse_waiting();
            return Batch::exhausted;
        }
    }
    return Batch::more;
}

// A client in the queue would wait for nothing: better it hears at once.
void Listener::State::refuse_waiting() noexcept {
    for (int i = 0; i < kAcceptsATurn && spare >= 0; ++i) {
        ::close(std::exchange(spare, -1));
        const int fd = ::accept4(descriptor->fd(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            ::close(fd);
            ++refused;
            if (options.on_refused) options.on_refused();
        }
        spare = open_spare();
        if (fd < 0) return;
    }
    if (spare < 0) spare = open_spare();
}

Loop Listener::State::run() {
    for (;;) {
        WaitFor connection;
        connection.read = &*descriptor;
        connection.event = &stopped;
        co_await reactor.wait(connection);
        if (stopped.is_set()) break;
        accepting = true;
        const Batch batch = accept_batch();
        accepting = false;
        if (batch == Batch::stopped) break;
        if (batch == Batch::more) co_await reactor.yield();
        if (batch == Batch::paused) {
            WaitFor room;
            room.event = &resumed;
            co_await reactor.wait(room);
        }
        if (batch == Batch::exhausted) {
            WaitFor pause;
            pause.event = &stopped;
            pause.deadline = reactor.now() + options.backoff;
            co_await reactor.wait(pause);
        }
        if (stopped.is_set()) break;
    }
    descriptor.reset();
}

Listener::Listener(Reactor& reactor, const Options& options, std::function<void(int fd)> on_accept)
    : state_(
          std::make_unique<State>(reactor, open_socket(options), options, std::move(on_accept))) {
    boost::asio::ip::tcp::endpoint bound;
    socklen_t size = static_cast<socklen_t>(bound.capacity());
    ::getsockname(state_->descriptor->fd(), bound.data(), &size);
    state_->port = bound.port();
    state_->loop.emplace(state_->run());
}

Listener::~Listener() = default;

void Listener::adjust(const Options& options) {
    State& state = *state_;
    state.options.backlog = options.backlog;
    state.options.send_buffer_bytes = options.send_buffer_bytes;
    state.options.backoff = options.backoff;
    if (state.stopped.is_set()) return;
    set_send_buffer(state.descriptor->fd(), options.send_buffer_bytes);
    ::listen(state.descriptor->fd(), options.backlog);  // of one that listens: its queue's length
}

int Listener::backlog() const noexcept { return state_->options.backlog; }
std::size_t Listener::send_buffer_bytes() const noexcept {
    return state_->options.send_buffer_bytes;
}
std::chrono::milliseconds Listener::backoff() const noexcept { return state_->options.backoff; }

std::uint16_t Listener::port() const noexcept { return state_->port; }

void Listener::pause() noexcept {
    state_->paused = true;
    state_->resumed.reset();
}

void Listener::resume() noexcept {
    state_->paused = false;
    state_->resumed.set();
}

bool Listener::stop_taking() noexcept {
    return !state_->stopped.is_set() && drop_new_handshakes(state_->descriptor->fd());
}

// Usually the loop sleeps, and the socket can go now; within on_accept the loop closes it itself.
// The queue holds no more than the backlog and one: a flood does not keep the socket open.
void Listener::stop() {
    if (state_->stopped.is_set()) return;
    resume();
    if (!state_->accepting) {
        state_->accepting = true;
        for (int left = state_->options.backlog + 1; left > 0; left -= kAcceptsATurn) {
            if (state_->accept_batch() != State::Batch::more) break;
        }
        state_->accepting = false;
        state_->stopped.set();
        state_->descriptor.reset();
    }
    state_->stopped.set();
}

std::uint64_t Listener::refused() const noexcept { return state_->refused; }

}  // namespace rotary::net
