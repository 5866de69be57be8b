#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/net/stream.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace rotary::net {

struct Endpoint {
    std::string host;  // name or IP literal
    std::uint16_t port = 0;
    std::shared_ptr<const TlsContext> tls;  // null: plain
};

// Opens connections of one worker: name to addresses, connect to each in turn, TLS.
// Single-threaded; outlives every task it started.
class Dialer {
public:
    struct Limits {
        std::size_t tls_sessions = 1024;       // kept to be taken up again, one an endpoint
        std::size_t receive_buffer_bytes = 0;  // of the kernel, a connection; 0: its own choice
        bool operator==(const Limits&) const = default;
    };
    Dialer(Reactor& reactor, BufferPool& buffers, Resolver& resolver, const Limits& limits);
    ~Dialer();

    void set_limits(const Limits& limits);  // for what is dialled from here on
    const Limits& limits() const noexcept;

    // Within `patience`, from the time on when the addresses are known. Ends early when
    // `limits.client` hangs up or at `limits.deadline`. Faults: the resolver's,
    // upstream_connect_failed, upstream_tls_failed, upstream_timeout, client_gone; overloaded
    // (origin internal, for the next entry) when this process is out of descriptors, memory or
    // local ports: closing something may help.
    Task<Result<std::unique_ptr<Stream>>> dial(const Endpoint& endpoint, WaitFor limits,
                                               std::chrono::milliseconds patience);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
