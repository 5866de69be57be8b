#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::test {

// One accepted connection of a FaultyProvider, plain or TLS, used on its thread only. Every wait
// ends as well when `stop_fd` turns readable, and notes when the peer was seen to have gone.
class ProviderSocket {
public:
    using Clock = std::chrono::steady_clock;

    ProviderSocket(int fd, int stop_fd, SSL_CTX* tls);  // null: plain
    ~ProviderSocket();
    ProviderSocket(const ProviderSocket&) = delete;
    ProviderSocket& operator=(const ProviderSocket&) = delete;

    bool is_tls() const { return ssl_ != nullptr; }
    bool handshake();        // all of it
    void begin_handshake();  // the server's first flight has gone, the client's answer is not read
    bool wait_for_bytes();   // false: the peer has gone, or it is time to stop

    std::string read();  // what is there, waiting for the first byte of it; "": no more will come
    bool write(std::string_view bytes);      // all of them; false: the peer has gone, or stop
    bool write_raw(std::string_view bytes);  // around TLS

    void set_patience(std::chrono::milliseconds most) {
        patience_ = most;
    }  // of a raw write's waits

    void finish(bool notify);  // FIN; before it close_notify if asked for and TLS
    void reset();              // RST
    // Until the peer has gone; nothing of what it sends is read. False when the time is over first.
    bool wait_until_gone(std::chrono::milliseconds timeout = std::chrono::milliseconds(-1));
    std::optional<Clock::time_point> gone_at() const { return gone_at_; }

private:
    bool wait(short what, std::chrono::milliseconds timeout = std::chrono::milliseconds(-1));
    bool wait_for_tls(int result);

    int fd_;
    int stop_fd_;
    SSL* ssl_ = nullptr;
    std::chrono::milliseconds patience_{-1};  // for ever
    std::optional<Clock::time_point> gone_at_;
};

}  // namespace rotary::test
