#pragma once

#include <rotary/net/reactor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rotary::net {

// One worker's SO_REUSEPORT acceptor. The kernel spreads connections over the workers' sockets.
// Out of descriptors it closes what it can through a spare one, backs off 100 ms and goes on.
class Listener {
public:
    struct Options {
        std::string address;  // IP literal
        std::uint16_t port = 0;
        int backlog = 4096;
    };
    // `on_accept` owns the fd it gets (non-blocking, close-on-exec, TCP_NODELAY, keep-alive set).
    // Throws std::system_error naming address and port when it can't bind.
    Listener(Reactor& reactor, const Options& options, std::function<void(int fd)> on_accept);
    ~Listener();

    std::uint16_t port() const noexcept;     // the real one when 0 was asked for
    void stop() noexcept;                    // stops accepting, closes the socket
    std::uint64_t refused() const noexcept;  // closed for want of descriptors

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::net
