#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/log_writer.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/net/session_set.hpp>
#include <rotary/net/tls.hpp>
#include <rotary/policy/jwt.hpp>
#include <rotary/proxy/wiring.hpp>

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
    net::ConnectionLimit* connections = nullptr;  // of all workers; one more is closed at once
    net::Resolver* resolver = nullptr;
    MemoryBudget* bodies = nullptr;   // null: bodies may take what they want
    LogWriter* access_log = nullptr;  // null: no access log
    Logger* log = nullptr;
    metrics::Registry* registry = nullptr;
    std::shared_ptr<const proxy::Wiring> wiring;
    std::shared_ptr<const policy::IssuerTable> issuers;
    std::function<void(const std::shared_ptr<policy::KeyFetch>&)> on_stale_keys;  // any thread
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

    // From now on exchanges begin with this; those under way keep what they began with.
    void publish(std::shared_ptr<const proxy::Wiring> wiring,
                 std::shared_ptr<const policy::IssuerTable> issuers);

    // A fetch of keys has ended: requests that wait for one look again. After publish() they do
    // anyway.
    void wake_key_waits();

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
    struct Body;
    std::unique_ptr<Body> body_;
    std::vector<std::uint16_t> ports_;
};

}  // namespace rotary::server
