#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace rotary::net {

class TlsContext;

enum class IoStatus : std::uint8_t {
    ok,
    would_block,  // wait for it to become readable or writable; or the others have their turn now
    end,          // a proper end: FIN on plain TCP, close_notify on TLS
    truncated,    // TLS: FIN without close_notify
    error         // reset or a TLS failure; the stream is of no more use
};

struct IoResult {
    IoStatus status = IoStatus::ok;
    std::size_t bytes = 0;
};

// One byte stream over one socket, plain or TLS, in one non-template class. Calls never suspend:
// they do what can be done now; the caller awaits reactor().wait({.read = &descriptor()}).
// TLS reads come straight from the socket through an own BIO, which asks it only while it is known
// to be readable and notes when it ran dry: a record's length says nothing about what is left
// behind it. TLS records to write are collected in the thread's scratch and leave with one send a
// call. A failed write leaves reading possible: the peer may have answered before it closed.
class Stream {
public:
    struct Role {
        const TlsContext* tls = nullptr;    // nullptr: plain
        std::string_view server_name = {};  // client side: SNI and the name that is verified
    };
    Stream(Reactor& reactor, BufferPool& buffers, int fd, const Role& role);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // TLS handshake of either side; ready at once on plain streams. A server's TLS state is made
    // here: a client that has yet to say something costs none. `limits`: deadline and client.
    // Faults: upstream_tls_failed (client side) or bad_request (server side), upstream_timeout /
    // request_timeout, client_gone.
    Task<Result<void>> handshake(WaitFor limits);

    // Of a stream from which nothing was read yet, below TLS: what has come, which stays, and the
    // end of what was looked at. would_block: nothing has come that was not there before.
    IoResult peek(std::span<char> space) noexcept;
    void skip(std::size_t bytes) noexcept;
    bool has_shown_anything() const noexcept { return peeked_ > 0; }

    IoResult read_some(char* data, std::size_t size) noexcept;

    // Takes as many of the bytes as it can now and says how many. On TLS up to 64 KB of records may
    // wait here for the socket: `ok` with has_pending() until flush() has sent them.
    IoResult write_some(std::span<const std::string_view> pieces) noexcept;
    IoStatus flush() noexcept;
    bool has_pending() const noexcept { return !pending_.empty(); }

    // Writes all of it, waiting as needed. Faults: client_gone when `limits.client` hung up,
    // upstream_connect_failed on error, upstream_timeout at the deadline; callers rename them.
    Task<Result<void>> write_all(std::span<const std::string_view> pieces, WaitFor limits);

    // close_notify and FIN, as far as they go without waiting. Reading goes on.
    void shutdown() noexcept;
    // The destructor will send RST and no close_notify: no peer takes a piece for the whole.
    void abort() noexcept;

    Descriptor& descriptor() noexcept { return descriptor_; }
    bool is_tls() const noexcept { return ssl_ != nullptr || server_context_ != nullptr; }
    // Idle streams: anything that happened on it means that it is dead or out of step.
    bool quiet() const noexcept { return !descriptor_.readable() && !descriptor_.hung_up(); }

    SSL* native_tls() const noexcept { return ssl_; }  // null: plain

    // Of a server whose handshake failed. A letter where TLS begins with 0x16: a request in plain.
    bool spoke_plain_http() const noexcept;
    bool said_anything() const noexcept { return first_byte_ >= 0; }
    // Goes on as a plain stream, to be able to say so. What was read is gone.
    void drop_tls() noexcept;

private:
    friend struct TlsBio;  // OpenSSL's way to the socket, stream_tls.cpp
    enum class Step : std::uint8_t { done, wait, failed };

    void take_role(const Role& role) noexcept;
    void start_tls(SSL_CTX* context) noexcept;
    Step handshake_step() noexcept;
    Fault handshake_fault() const noexcept;
    IoResult read_plain(char* data, std::size_t size) noexcept;
    IoResult read_tls(char* data, std::size_t size) noexcept;
    IoResult write_plain(std::span<const std::string_view> pieces) noexcept;
    IoResult write_tls(std::span<const std::string_view> pieces) noexcept;
    IoResult write_rest(std::span<const std::string_view> pieces, std::size_t done) noexcept;
    IoStatus tls_status(int result) noexcept;  // of an SSL call that did not succeed
    IoStatus send_records() noexcept;          // what the last SSL call left in the scratch
    bool keep_pending(std::string_view bytes) noexcept;
    long send_now(const char* data, std::size_t size) noexcept;  // bytes taken, or -1: failed
    void fail() noexcept;

    Descriptor descriptor_;
    std::size_t peeked_ = 0;  // bytes that peek() has shown
    BufferPool& buffers_;
    bool server_ = false;
    SSL_CTX* server_context_ = nullptr;  // until the first byte has come
    SSL* ssl_ = nullptr;
    Buffer pending_;                    // records that the socket did not take yet
    IoStatus read_end_ = IoStatus::ok;  // how reading ended, once it has
    const char* tls_error_ = nullptr;   // why the handshake failed, in OpenSSL's words
    short first_byte_ = -1;             // on TLS: that came from the peer; -1: none yet
    bool write_failed_ = false;
    bool saw_eof_ = false;
    bool lost_ = false;  // the socket said so: end, reset or a failed send
    bool shut_ = false;
    bool aborted_ = false;
};

}  // namespace rotary::net
