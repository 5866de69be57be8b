#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

namespace rotary::test {

// A TCP port of 127.0.0.1 that is taken: which one the kernel says, or one that was taken before.
// Connecting is refused until listen(), and then succeeds, answered by none but the test that
// accepts from fd(), which does not wait.
class LoopbackPort {
public:
    explicit LoopbackPort(std::uint16_t number = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), number_(number) {
        // Of a port from before connections may still be closing. One that the kernel chooses is
        // not taken by another, so it is only said behind the choice.
        const int on = 1;
        if (number != 0) ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in place = address();
        socklen_t size = sizeof place;
        auto* const generic = reinterpret_cast<sockaddr*>(&place);
        if (::bind(fd_, generic, size) != 0 || ::getsockname(fd_, generic, &size) != 0) {
            ::close(fd_);
            throw std::runtime_error("no port");
        }
        number_ = ntohs(place.sin_port);
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    ~LoopbackPort() { ::close(fd_); }
    LoopbackPort(const LoopbackPort&) = delete;
    LoopbackPort& operator=(const LoopbackPort&) = delete;

    void listen(int backlog) {
        if (::listen(fd_, backlog) != 0) throw std::runtime_error("no listener");
    }
    std::uint16_t number() const { return number_; }
    sockaddr_in address() const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(number_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    int fd() const { return fd_; }

private:
    int fd_;
    std::uint16_t number_;
};

}  // namespace rotary::test
