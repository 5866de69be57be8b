#pragma once

#include <rotary/auth/jwt.hpp>
#include <rotary/auth/token_cache.hpp>
#include <rotary/base/buffers.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/log_writer.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/base/span_queue.hpp>
#include <rotary/net/dialer.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/net/session_set.hpp>
#include <rotary/net/tls.hpp>
#include <rotary/proxy/access_log.hpp>
#include <rotary/proxy/request_ring.hpp>
#include <rotary/proxy/wiring.hpp>
#include <rotary/quota/spend.hpp>
#include <rotary/upstream/upstream_pool.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// Where a worker listens; the same for all of them (SO_REUSEPORT).
struct ListenAt {
    std::string address;
    std::uint16_t port = 0;
    std::shared_ptr<const net::TlsContext> tls;  // null: plaintext
};

struct WorkerOptions {
    std::size_t index = 0;
    net::ConnectionLimit* connections = nullptr;  // of all workers; outlives them
    net::Resolver* resolver = nullptr;
    MemoryBudget* bodies = nullptr;       // null: bodies may take what they want
    LogWriter* access_log = nullptr;      // null: no access log
    quota::SpendOutbox* spend = nullptr;  // for the ledger; null: there is none
    std::function<void()> on_spend;       // it was handed over; any thread
    SpanQueue* traces = nullptr;
    Logger* log = nullptr;
    metrics::Registry* registry = nullptr;
    std::shared_ptr<const proxy::Wiring> wiring;
    std::shared_ptr<const auth::IssuerTable> issuers;
    std::function<void(const std::shared_ptr<auth::KeyFetch>&)> on_stale_keys;  // any thread
};

// What a worker's parts go by that have settings of their own, as the parts tell.
struct WorkerSettings {
    struct Listener {
        int backlog = 0;
        std::size_t send_buffer_bytes = 0;
        std::chrono::milliseconds backoff{0};
        bool operator==(const Listener&) const = default;
    };
    BufferPool::Limits buffers;
    net::Dialer::Limits dialer;
    upstream::UpstreamPool::Limits pool;
    auth::TokenCacheLimits tokens;
    proxy::AccessLogFormat access_log = proxy::AccessLogFormat::off;
    std::size_t access_log_bytes = 0;
    std::size_t head_bytes = 0;  // of the largest head that can be put together
    std::vector<Listener> listeners;
    bool operator==(const WorkerSettings&) const = default;
};

// One event loop on its own thread with its own everything: listeners, sessions, upstream pool,
// token cache, counters, log buffer. Made, started, drained and joined on the control thread;
// post() is the only door for other threads.
class Worker {
public:
    // Binds. Throws std::system_error naming address and port.
    Worker(const WorkerOptions& options, const std::vector<ListenAt>& listeners);
    ~Worker();  // stops and joins
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }
    void start();
    void post(std::function<void()> work);

    // What is in force from now on: exchanges begin with it; those under way keep what they began
    // with. `tls` as the listeners, for new handshakes; null or not there: the one that is.
    struct Published {
        std::shared_ptr<const proxy::Wiring> wiring;
        std::shared_ptr<const auth::IssuerTable> issuers;
        std::vector<std::shared_ptr<const net::TlsContext>> tls;
    };
    void publish(Published published);
    WorkerSettings settings();  // once it has started; waits for its thread

    // `tell` gets the last requests, the newest first, on the worker's thread.
    void latest_requests(std::size_t most,
                         std::function<void(std::vector<proxy::RequestRecord>)> tell);
    const proxy::LiveCounts& live() const noexcept;  // any thread

    // A fetch of keys has ended: requests that wait for one look again. After publish() they do
    // anyway.
    void wake_key_waits();
    void wake_lease_waits();

    // Closes idle connections at once, the listeners after timeouts.accept_grace; clients that have
    // asked for nothing yet have timeouts.shutdown from then on to begin. `on_empty` is called (on
    // the worker's thread) when no listener is open and the last session has ended.
    void drain(std::function<void()> on_empty);
    void cancel_all();  // ends the sessions that are left, honestly where they are in mid-answer
    // Ends what is left and then the loop; who can't end within timeouts.shutdown is lost.
    void begin_stop();
    void join();

    // Whether the loop turned within `patience`.
    bool alive(std::chrono::steady_clock::time_point now, std::chrono::milliseconds patience) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::vector<std::uint16_t> ports_;
};

}  // namespace rotary::server
