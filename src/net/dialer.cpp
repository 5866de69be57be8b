#include <rotary/net/dialer.hpp>

#include "dial_fault.hpp"
#include "dial_plan.hpp"
#include "ip_literal.hpp"
#include "socket_options.hpp"
#include "tls_session.hpp"
#include "tls_session_slots.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace rotary::net {

namespace {

using boost::asio::ip::tcp;
using StreamPointer = std::unique_ptr<Stream>;

}  // namespace

struct Dialer::State {
    Task<Resolved> resolve(const Endpoint& endpoint, WaitFor wait);
    Result<StreamPointer> begin(const Endpoint& endpoint, const tcp::endpoint& address);
    Task<Result<StreamPointer>> connect(const Endpoint& endpoint, tcp::endpoint address,
                                        WaitFor wait);

    Reactor& reactor;
    BufferPool& buffers;
    Resolver& resolver;
    Limits limits;
    SessionSlots sessions;
};

Task<Resolved> Dialer::State::resolve(const Endpoint& endpoint, WaitFor wait) {
    const std::optional<tcp::endpoint> address = ip_literal(endpoint.host, endpoint.port);
    if (address) co_return std::make_shared<const Addresses>(1, *address);
    if (const std::optional<Resolved> known = resolver.known(endpoint.host)) co_return *known;

    Event done;
    Resolved answer = Fault();
    const auto post = [this](std::function<void()> work) { reactor.post(std::move(work)); };
    const Resolver::Question question =
        resolver.ask(endpoint.host, post, [&](const Resolved& resolved) {
            answer = resolved;
            done.set();
        });
    wait.event = &done;
    const Wake wake = co_await reactor.wait(wait);
    if (wake != Wake::ready) co_return wait_fault(wake, "no time left to resolve the name");
    co_return answer;
}

Result<StreamPointer> Dialer::State::begin(const Endpoint& endpoint, const tcp::endpoint& address) {
    const int family = address.protocol().family();
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return connect_fault(errno);
    set_tcp_options(fd);
    set_receive_buffer(fd, limits.receive_buffer_bytes);
    // Before the socket is watched: an unconnected one would report a hang-up.
    if (::connect(fd, address.data(), static_cast<socklen_t>(address.size())) != 0 &&
        errno != EINPROGRESS) {
        const int error = errno;
        ::close(fd);
        return connect_fault(error);
    }
    Stream::Role role;
    role.tls = endpoint.tls.get();
    role.server_name = endpoint.host;
    auto stream = std::make_unique<Stream>(reactor, buffers, fd, role);
    if (stream->is_tls()) {
        const std::string key = endpoint.host + ":" + std::to_string(endpoint.port);
        use_session_slot(stream->native_tls(),
                         sessions.slot(key, endpoint.tls, limits.tls_sessions));
    }
    return stream;
}

Task<Result<StreamPointer>> Dialer::State::connect(const Endpoint& endpoint, tcp::endpoint address,
                                                   WaitFor wait) {
    Result<StreamPointer> begun = begin(endpoint, address);
    if (!begun) co_return begun.error();
    StreamPointer stream = std::move(*begun);
    wait.write = &stream->descriptor();
    const Wake wake = co_await reactor.wait(wait);
    if (wake != Wake::ready) {
        const Fault fault = wait_fault(wake, "connect timed out");
        co_return fault;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(stream->descriptor().fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        const Fault fault = connect_fault(error);
        co_return fault;
    }
    co_return std::move(stream);
}

Dialer::Dialer(Reactor& reactor, BufferPool& buffers, Resolver& resolver, const Limits& limits)
    : state_(new State{reactor, buffers, resolver, limits, {}}) {}

Dialer::~Dialer() = default;

void Dialer::set_limits(const Limits& limits) { state_->limits = limits; }

const Dialer::Limits& Dialer::limits() const noexcept { return state_->limits; }

Task<Result<StreamPointer>> Dialer::dial(const Endpoint& endpoint, WaitFor limits,
                                         std::chrono::milliseconds patience) {
    State& state = *state_;
    limits.read = limits.write = nullptr;
    limits.event = nullptr;
    const Resolved resolved = co_await state.resolve(endpoint, limits);
    if (!resolved) co_return resolved.error();
    const SteadyTime deadline = std::min(limits.deadline, state.reactor.now() + patience);
    DialPlan plan(**resolved, endpoint.port, deadline);
    while (const std::optional<DialPlan::Try> next = plan.next(state.reactor.now())) {
        limits.deadline = next->deadline;
        Result<StreamPointer> connected = co_await state.connect(endpoint, next->address, limits);
        if (connected.has_error()) {
            plan.failed(connected.error(), state.reactor.now());
            continue;
        }
        StreamPointer stream = std::move(*connected);
        limits.deadline = deadline;
        const Result<void> secured = co_await stream->handshake(limits);
        if (secured.has_error()) co_return secured.error();
        co_return std::move(stream);
    }
    co_return plan.fault();
}

}  // namespace rotary::net
