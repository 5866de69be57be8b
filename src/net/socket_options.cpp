#include "socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace rotary::net {

namespace {

void set(int fd, int level, int name, int value) noexcept {
    // Fails only on what is no TCP socket or is already dead, which its next use will show.
    static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

}  // namespace

void set_tcp_options(int fd) noexcept {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

// The kernel doubles the number for its own bookkeeping (socket(7)).
void set_send_buffer(int fd, std::size_t bytes) noexcept {
    if (bytes > 0) set(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(bytes / 2));
}

void set_receive_buffer(int fd, std::size_t bytes) noexcept {
    if (bytes > 0) set(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(bytes / 2));
}

}  // namespace rotary::net
