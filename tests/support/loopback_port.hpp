#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

namespace rotary::test {

// A TCP port of 127.0.0.1 that is taken, which one the kernel says. Connecting is refused until
// listen(), and then succeeds with nobody answering but whoever accepts from fd().
class LoopbackPort {
public:
    LoopbackPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_, generic, size) != 0 || ::getsockname(fd_, generic, &size) != 0) {
            throw std::runtime_error("no port");
        }
        number_ = ntohs(address.sin_port);
    }
    ~LoopbackPort() { ::close(fd_); }
    LoopbackPort(const LoopbackPort&) = delete;
    LoopbackPort& operator=(const LoopbackPort&) = delete;

    void listen(int backlog) {
        if (::listen(fd_, backlog) != 0) throw std::runtime_error("no listener");
    }
    std::uint16_t number() const { return number_; }
    int fd() const { return fd_; }

private:
    int fd_;
    std::uint16_t number_ = 0;
};

}  // namespace rotary::test
