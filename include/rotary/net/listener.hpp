#pragma once

#include <rotary/net/reactor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace rotary::net {

// What to say when a port can't be listened on: address, port, the system's reason, and what a port
// takes that only privileged processes may have.
std::system_error cannot_listen(const std::string& address, std::uint16_t port, int error);

// One worker's SO_REUSEPORT acceptor. The kernel spreads connections over the workers' sockets.
// Out of descriptors it closes what it can through a spare one, backs off and goes on.
class Listener {
public:
    struct Options {
        std::string address;  // IP literal
        std::uint16_t port = 0;
        int backlog = 4096;
        std::size_t send_buffer_bytes = 0;       // of the kernel, a connection; 0: its own choice
        std::chrono::milliseconds backoff{100};  // after an accept failed for want of resources
        std::function<void()> on_refused;        // one was closed for want of descriptors
    };
    // `on_accept` owns the fd it gets (non-blocking, close-on-exec, TCP_NODELAY, keep-alive set).
    // Throws std::system_error naming address and port when it can't bind.
    Listener(Reactor& reactor, const Options& options, std::function<void(int fd)> on_accept);
    ~Listener();

    // Takes the backlog, the send buffer and the back-off over; the others need another socket.
    void adjust(const Options& options);
    int backlog() const noexcept;
    std::size_t send_buffer_bytes() const noexcept;
    std::chrono::milliseconds backoff() const noexcept;
    std::uint16_t port() const noexcept;  // the real one when 0 was asked for

    // From within on_accept: takes no more in until resume(); who comes waits in the kernel's
    // queue.
    void pause() noexcept;
    void resume() noexcept;

    // The first half of stopping without loss. The kernel resets what has not been accepted when a
    // listening socket closes, even when another process listens on the port: so from here on it
    // ignores those who begin to connect (they try again a second later, and meet that other
    // process), while those who have begun are accepted. False: it can't, stop() is all there is.
    bool stop_taking() noexcept;
    // Accepts what waits, then closes the socket. From within on_accept it closes at once.
    void stop();
    std::uint64_t refused() const noexcept;  // closed for want of descriptors

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
