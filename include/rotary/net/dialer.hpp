#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/stream.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::net {

struct Endpoint {
    std::string host;  // name or IP literal
    std::uint16_t port = 0;
    std::shared_ptr<const TlsContext> tls;  // null: plain
};

// Opens connections of one worker: name to addresses (cached), connect to each in turn, TLS.
// Single-threaded; outlives every task it started.
class Dialer {
public:
    struct Limits {
        std::chrono::milliseconds dns{5000};
        std::chrono::milliseconds dns_cache{30000};  // also how long a failed refresh keeps the old
        std::chrono::milliseconds connect{5000};     // connect and TLS handshake together
        std::size_t dns_cache_entries = 256;
        std::size_t dns_addresses = 16;        // tried for one name, the first ones
        std::size_t receive_buffer_bytes = 0;  // of the kernel, a connection; 0: its own choice
    };
    Dialer(Reactor& reactor, BufferPool& buffers, const Limits& limits);
    ~Dialer();

    // Ends early when `limits.client` hangs up or at `limits.deadline`, if that is before the
    // dialer's own. Faults: upstream_dns_failed, upstream_connect_failed, upstream_tls_failed,
    // upstream_timeout, client_gone; overloaded (origin internal, for the next entry) when this
    // process is out of descriptors, memory or local ports: closing something may help.
    Task<Result<std::unique_ptr<Stream>>> dial(const Endpoint& endpoint, WaitFor limits);

    // Has `host` stand for these IP literals as if they had just been resolved, in this order.
    void learn(const std::string& host, const std::vector<std::string>& addresses);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
