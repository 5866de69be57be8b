#pragma once

#include <support/gateway.hpp>
#include <support/loopback_port.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace rotary::test {

// A provider of one large answer that tells how much of it the sockets have taken. For one
// connection; the rest of the answer is dropped when this goes.
class RawProvider {
public:
    struct Plan {
        std::size_t announced = 0;  // Content-Length
        std::size_t sent = 0;       // then FIN
    };

    explicit RawProvider(const Plan& plan) : plan_(plan) {
        listener_.listen(1);
        backend_.port = listener_.number();
        thread_ = std::thread([this] { run(); });
    }
    ~RawProvider() {
        stop_ = true;
        thread_.join();
    }
    RawProvider(const RawProvider&) = delete;
    RawProvider& operator=(const RawProvider&) = delete;

    const GatewayBackend& backend() const { return backend_; }
    std::size_t sent() const { return sent_; }  // of the body

    static bool is_part(std::string_view bytes, std::size_t offset) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (bytes[i] != byte_at(offset + i)) return false;
        }
        return true;
    }

private:
    static char byte_at(std::size_t offset) {
        return static_cast<char>((offset * 2654435761U) >> 13);
    }
    bool ready(int fd, short what) const {
        while (!stop_) {
            pollfd entry{fd, what, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    void run() {
        if (!ready(listener_.fd(), POLLIN)) return;
        const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        std::string request(65536, '\0');
        if (ready(fd, POLLIN)) static_cast<void>(::recv(fd, request.data(), request.size(), 0));
        send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(plan_.announced) +
                         "\r\n\r\n");
        std::string piece;
        while (sent_ < plan_.sent && !stop_) {
            piece.resize(std::min<std::size_t>(plan_.sent - sent_, 65536));
            for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(sent_ + i);
            if (!send_all(fd, piece, &sent_)) break;
        }
        ::shutdown(fd, SHUT_WR);
        ready(fd, POLLIN);  // until the peer has closed, or this goes
        ::close(fd);
    }
    bool send_all(int fd, std::string_view bytes, std::atomic<std::size_t>* counter = nullptr) {
        while (!bytes.empty()) {
            if (!ready(fd, POLLOUT)) return false;
            const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            if (counter != nullptr) *counter += static_cast<std::size_t>(sent);
        }
        return true;
    }

    Plan plan_;
    LoopbackPort listener_;
    GatewayBackend backend_;
    std::atomic<std::size_t> sent_{0};
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace rotary::test
