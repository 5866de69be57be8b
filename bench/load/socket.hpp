#pragma once

#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rotary::bench {

using Clock = std::chrono::steady_clock;

enum class Io { done, would_block, closed };

struct Moved {
    Io how;
    std::size_t bytes;
};

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

// A client's context, which trusts that authority, and a server's. They throw.
TlsContext client_context(const std::string& authority);
TlsContext server_context(const std::string& certificate, const std::string& key);

// A TCP connection that never blocks, in TLS or plain. It owns its descriptor.
class Socket {
public:
    Socket() = default;
    // `context` may be null. Whether the socket asks or answers follows from the context.
    Socket(int descriptor, SSL_CTX* context);

    // Begins to connect to that port of this machine; throws when it can't even begin.
    static Socket dial(std::uint16_t port, SSL_CTX* context);

    bool is_open() const { return descriptor_.number >= 0; }
    int descriptor() const { return descriptor_.number; }
    SSL* tls() const { return tls_.get(); }

    // Goes on with connecting and the handshake.
    Io connect();
    Moved read(std::span<char> into);
    Moved write(std::string_view bytes);
    // Writes what the kernel takes of it and cuts that off. A reader that is gone is seen by the
    // next read.
    void send(std::string& unsent);

private:
    struct Descriptor {
        explicit Descriptor(int value) : number(value) {}
        Descriptor(Descriptor&& other) noexcept : number(other.number) { other.number = -1; }
        Descriptor& operator=(Descriptor&& other) noexcept {
            std::swap(number, other.number);
            return *this;
        }
        ~Descriptor();
        int number;
    };
    struct FreeTls {
        // OpenSSL forgets the session of a connection that was not shut down.
        void operator()(SSL* tls) const {
            SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
            SSL_free(tls);
        }
    };

    Io judge(int result) const;

    Descriptor descriptor_{-1};
    std::unique_ptr<SSL, FreeTls> tls_;
};

// Descriptors that became ready, edge by edge, each with the pointer it was added with.
class Poller {
public:
    Poller();

    void add(int descriptor, void* owner) const;
    // Waits until something is ready or that time has come.
    std::span<const epoll_event> wait(Clock::time_point until);

private:
    int epoll_;  // as old as the process
    std::array<epoll_event, 256> ready_{};
};

// A listener on 127.0.0.1, non-blocking; throws.
int listen_on(std::uint16_t port);

}  // namespace rotary::bench
