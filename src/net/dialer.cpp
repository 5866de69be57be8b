#include <rotary/net/dialer.hpp>

#include "socket_options.hpp"
#include "tls_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>

namespace rotary::net {

namespace {

using boost::asio::ip::tcp;
using StreamPointer = std::unique_ptr<Stream>;

constexpr std::chrono::milliseconds kLeastTry{1000};  // for one address, if the budget allows

// What this process lacks is not the provider's fault.
Fault out_of(const char* detail) noexcept {
    return {FaultKind::overloaded, Origin::internal, Retry::next_entry, detail};
}

Fault wait_fault(Wake wake, const char* timed_out) noexcept {
    if (wake == Wake::timed_out) return Fault::upstream(FaultKind::upstream_timeout, timed_out);
    if (wake == Wake::peer_gone) return Fault::client(FaultKind::client_gone, "client hung up");
    return Fault::internal(FaultKind::draining, "connecting cancelled");
}

Fault connect_failed(const char* detail) noexcept {
    return Fault::upstream(FaultKind::upstream_connect_failed, detail);
}

Fault connect_fault(int error) noexcept {
    switch (error) {
        case ECONNREFUSED:
            return connect_failed("connection refused");
        case ECONNRESET:
            return connect_failed("connection reset");
        case ETIMEDOUT:
            return connect_failed("connect timed out");
        case EHOSTUNREACH:
            return connect_failed("host unreachable");
        case ENETUNREACH:
            return connect_failed("network unreachable");
        case EMFILE:
        case ENFILE:
            return out_of("out of file descriptors");
        case ENOBUFS:
        case ENOMEM:
            return out_of("out of memory for sockets");
        case EADDRNOTAVAIL:
            return out_of("out of local ports");
        default:
            return connect_failed("connect failed");
    }
}

// The literal's address, or nothing when it is a name.
std::optional<tcp::endpoint> literal(const Endpoint& endpoint) {
    std::string_view host = endpoint.host;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error) return std::nullopt;
    return tcp::endpoint(address, endpoint.port);
}

struct KnownSession {
    std::weak_ptr<const TlsContext> context;
    std::shared_ptr<SessionSlot> slot;
};

}  // namespace

struct Dialer::State {
    std::shared_ptr<SessionSlot> session_slot(const Endpoint& endpoint);
    Task<Resolved> resolve(const Endpoint& endpoint, WaitFor wait);
    Result<StreamPointer> begin(const Endpoint& endpoint, const tcp::endpoint& address);
    Task<Result<StreamPointer>> connect(const Endpoint& endpoint, tcp::endpoint address,
                                        WaitFor wait);

    Reactor& reactor;
    BufferPool& buffers;
    Resolver& resolver;
    Limits limits;
    std::unordered_map<std::string, KnownSession> sessions;
};

std::shared_ptr<SessionSlot> Dialer::State::session_slot(const Endpoint& endpoint) {
    const std::string key = endpoint.host + ":" + std::to_string(endpoint.port);
    if (sessions.size() >= std::max<std::size_t>(limits.tls_sessions, 1) &&
        sessions.find(key) == sessions.end()) {
        sessions.erase(sessions.begin());
    }
    KnownSession& known = sessions[key];
    // After a reload the context differs, and what was verified by the old one counts no more.
    if (known.slot == nullptr || known.context.lock() != endpoint.tls) {
        known.slot = std::make_shared<SessionSlot>();
        known.context = endpoint.tls;
    }
    return known.slot;
}

Task<Resolved> Dialer::State::resolve(const Endpoint& endpoint, WaitFor wait) {
    const std::optional<tcp::endpoint> address = literal(endpoint);
    if (address) co_return std::make_shared<const Addresses>(1, *address);
    if (const std::optional<Resolved> known = resolver.known(endpoint.host)) co_return *known;

    Event done;
    Resolved answer = Fault();
    const Resolver::Question question =
        resolver.ask(endpoint.host, reactor.context(), [&](const Resolved& resolved) {
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
    if (stream->is_tls()) use_session_slot(stream->native_tls(), session_slot(endpoint));
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
    const Addresses& addresses = **resolved;

    const SteadyTime deadline = std::min(limits.deadline, state.reactor.now() + patience);
    Fault fault;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        tcp::endpoint address = addresses[i];
        address.port(endpoint.port);
        // An address that does not answer must leave time for those behind it.
        const SteadyTime now = state.reactor.now();
        const auto left = static_cast<std::int64_t>(addresses.size() - i);
        const auto share = std::max<SteadyTime::duration>(kLeastTry, (deadline - now) / left);
        limits.deadline = std::min(deadline, now + share);
        Result<StreamPointer> connected = co_await state.connect(endpoint, address, limits);
        if (connected.has_error()) {
            const Fault failed = connected.error();
            // The client's or a drain: nothing more to try.
            if (failed.kind == FaultKind::client_gone || failed.kind == FaultKind::draining) {
                co_return failed;
            }
            // Of our own want and a provider's refusal the latter counts: a machine without IPv6
            // has no local address for the one, while the other answered.
            const bool known = fault.kind != FaultKind::none && fault.origin == Origin::upstream;
            if (failed.origin == Origin::upstream || !known) fault = failed;
            if (state.reactor.now() >= deadline) break;
            continue;
        }
        StreamPointer stream = std::move(*connected);
        limits.deadline = deadline;
        const Result<void> secured = co_await stream->handshake(limits);
        if (secured.has_error()) co_return secured.error();
        co_return std::move(stream);
    }
    co_return fault;
}

}  // namespace rotary::net
