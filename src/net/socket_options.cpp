#include "socket_options.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

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

// The kernel shows the filter the segment from its TCP header on; its flags are byte 13 (RFC 9293).
bool drop_new_handshakes(int fd) noexcept {
    constexpr unsigned kFlags = 13;
    constexpr unsigned kSyn = 0x02;
    constexpr unsigned kSynAck = 0x12;
    constexpr unsigned kAll = 0xffffffff;
    std::array<sock_filter, 5> program = {{{BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlags},
                                           {BPF_ALU | BPF_AND | BPF_K, 0, 0, kSynAck},
                                           {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kSyn},
                                           {BPF_RET | BPF_K, 0, 0, 0},
                                           {BPF_RET | BPF_K, 0, 0, kAll}}};
    sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0;
}

bool lacks_resources(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace rotary::net
