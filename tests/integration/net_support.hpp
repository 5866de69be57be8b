#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/net/stream.hpp>
#include <rotary/net/tls.hpp>

#include <support/certificates.hpp>
#include <support/running.hpp>

#include <coroutine>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

// What the tests of the net room share: its loop on the test's thread, and a peer that blocks on
// another.
namespace rotary::test {

// Two ends of one TCP connection on 127.0.0.1; the first one does not block.
struct SocketPair {
    int ours = -1;
    int theirs = -1;
};
SocketPair tcp_pair();
// A listening socket on 127.0.0.1 and its port.
std::pair<int, std::uint16_t> listen_on_loopback();

// A worker's parts on the test's thread.
class NetLoop {
public:
    ~NetLoop() { reactor.stop(); }
    // Starts the task and runs the loop until it has ended; aborts the test program after 30 s.
    void run(Task<void> task);
    void run_until(const bool& done);

    net::Reactor reactor;
    BufferPool buffers{BufferPool::Limits()};
};

// Starts at once; whoever holds it may destroy it while it waits.
class OwnedTask {
public:
    struct promise_type {
        OwnedTask get_return_object() {
            return OwnedTask(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    OwnedTask() = default;
    OwnedTask(OwnedTask&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    OwnedTask& operator=(OwnedTask&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }
    ~OwnedTask() { destroy(); }
    bool running() const { return frame_ && !frame_.done(); }
    void destroy() {
        if (frame_) std::exchange(frame_, nullptr).destroy();
    }

private:
    explicit OwnedTask(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
    std::coroutine_handle<promise_type> frame_;
};

// An OpenSSL context of a peer's, with everything as OpenSSL has it.
class PeerTls {
public:
    PeerTls();                                   // of clients, which verify nothing
    explicit PeerTls(const PemFiles& identity);  // of servers
    PeerTls(const PeerTls&) = delete;
    PeerTls& operator=(const PeerTls&) = delete;
    ~PeerTls();
    SSL_CTX* native() const { return context_; }

private:
    SSL_CTX* context_;
};

// The other end of a stream: blocking, plain or TLS. Made and used on one thread.
class Peer {
public:
    explicit Peer(int fd) : fd_(fd) {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();  // FIN, no close_notify

    bool connect_tls(const PeerTls& tls);
    bool accept_tls(const PeerTls& tls);
    bool write(std::string_view bytes);
    std::string read(std::size_t bytes);  // fewer at an end
    void close_notify();
    void reset();   // RST, now
    void finish();  // FIN, now
    int fd() const { return fd_; }
    SSL* ssl() const { return ssl_; }

private:
    int fd_;
    SSL* ssl_ = nullptr;
};

std::string read_file(const std::string& path);
std::shared_ptr<const net::TlsContext> server_context();  // localhost, 127.0.0.1
std::shared_ptr<const net::TlsContext> client_context();  // trusts the test's CA

// Bytes that differ at each place within 64 KB and more.
std::string pattern(std::size_t bytes);

// Reads until `bytes` came or the stream ended; says how it went.
Task<net::IoStatus> read_until(net::Stream& stream, std::size_t bytes, std::size_t at_once,
                               std::string& got);

}  // namespace rotary::test
