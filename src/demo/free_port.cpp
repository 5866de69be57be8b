#include <demo/free_port.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace rotary::demo {

// The gateway's listeners share their port among themselves (SO_REUSEPORT), so a second gateway of
// the same user would quietly get half of the calls. A plain socket tells whether it is free.
void require_free(std::uint16_t port) {
    if (port == 0) return;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;  // the gateway will say so
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    const int error = ::bind(fd, where, sizeof address) == 0 ? 0 : errno;
    ::close(fd);
    if (error == 0) return;
    throw std::runtime_error("can't listen on 127.0.0.1:" + std::to_string(port) + ": " +
                             std::generic_category().message(error) +
                             ". Choose another port: rotary demo --port 9195");
}

}  // namespace rotary::demo
