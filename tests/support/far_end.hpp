#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace rotary::test {

// Tests write heads with bare line feeds.
inline std::string with_crlf(std::string_view text) {
    std::string all;
    for (const char c : text) {
        if (c == '\n') all.push_back('\r');
        all.push_back(c);
    }
    return all;
}

inline std::string without_cr(std::string_view text) {
    std::string all;
    for (const char c : text) {
        if (c != '\r') all.push_back(c);
    }
    return all;
}

// The test's end of a connection whose near end belongs to what is tested. Nothing blocks: what one
// end has written the other one can read at once.
class FarEnd {
public:
    FarEnd() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            throw std::runtime_error("there is no socket pair");
        }
        near_ = ends[0];
        fd_ = ends[1];
    }
    // Over TCP, of a port on loopback that listens.
    explicit FarEnd(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("the port does not listen");
        }
    }
    // Of the next connection to a listening socket, which is there.
    static FarEnd accepted(int listener) {
        FarEnd end(-1, ::accept(listener, nullptr, nullptr));
        if (end.fd_ < 0) throw std::runtime_error("there is no connection");
        return end;
    }
    FarEnd(FarEnd&& other) noexcept
        : near_(std::exchange(other.near_, -1)), fd_(std::exchange(other.fd_, -1)) {}
    FarEnd& operator=(FarEnd&&) = delete;
    ~FarEnd() { close(); }

    int near() const { return near_; }             // goes to what is tested, which closes it
    int give() { return std::exchange(fd_, -1); }  // the far end too, where nothing is the test's
    // The near end's kernel holds so little that it takes no large message at once.
    void takes_little() const {
        const int bytes = 4096;
        ::setsockopt(near_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }

    void say(std::string_view text) const {
        const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(text.size())) {
            throw std::runtime_error("the near end does not take what the test says");
        }
    }
    // All that has come since the last time.
    std::string hear() {
        std::string all;
        std::array<char, 65536> piece;
        for (;;) {
            const ssize_t got = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
            if (got == 0) ended_ = true;
            if (got < 0 && errno == ECONNRESET) was_reset_ = true;
            if (got <= 0) return all;
            all.append(piece.data(), static_cast<std::size_t>(got));
        }
    }
    // Whether the near end was shut down, and all that it said before was heard.
    bool heard_the_end() {
        hear();
        return ended_;
    }
    bool was_reset() const { return was_reset_; }
    // Until there is something to hear, or the end: over TCP it is on its way for a moment.
    void wait() const {
        pollfd what{fd_, POLLIN, 0};
        if (::poll(&what, 1, 10'000) != 1) throw std::runtime_error("the near end says nothing");
    }
    void shut_down() const { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    FarEnd(int near, int fd) : near_(near), fd_(fd) {}

    int near_ = -1;
    int fd_ = -1;
    bool ended_ = false;
    bool was_reset_ = false;
};

}  // namespace rotary::test
