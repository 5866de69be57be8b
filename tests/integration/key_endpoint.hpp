#pragma once

#include <support/loopback_port.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace rotary::test {

// Where a token issuer publishes its keys: an HTTP server on loopback with a thread of its own that
// answers as it is told, late, wrongly or not at all. One connection at a time.
class KeyEndpoint {
public:
    explicit KeyEndpoint(std::string body) {
        serve(std::move(body));
        open();
        thread_ = std::thread([this] { run(); });
    }
    ~KeyEndpoint() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_all();
        thread_.join();
        close();
    }
    KeyEndpoint(const KeyEndpoint&) = delete;
    KeyEndpoint& operator=(const KeyEndpoint&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/jwks"; }
    int requests() const { return requests_; }

    // From the next answer on, one that is held back included.
    void serve(std::string body, std::string status = "200 OK") {
        const std::lock_guard lock(mutex_);
        body_ = std::move(body);
        status_ = std::move(status);
    }
    void hold() {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }
    void release() {
        {
            const std::lock_guard lock(mutex_);
            held_ = false;
        }
        changed_.notify_all();
    }
    // One answer passes; the next is held again.
    void release_one() {
        {
            const std::lock_guard lock(mutex_);
            ++passes_;
        }
        changed_.notify_all();
    }
    // Connections are refused from then on.
    void close() {
        const std::lock_guard lock(mutex_);
        listener_.reset();
    }
    void open() {  // at the port that it had before
        const std::lock_guard lock(mutex_);
        listener_.emplace(port_);
        listener_->listen(16);
        port_ = listener_->number();
    }

private:
    void run() {
        for (;;) {
            int fd = -1;
            pollfd door{-1, POLLIN,
                        0};  // -1: closed, there is nothing to wait for but the next look
            {
                const std::lock_guard lock(mutex_);
                if (stopped_) return;
                if (listener_) door.fd = listener_->fd();
                if (listener_) fd = ::accept4(door.fd, nullptr, nullptr, SOCK_CLOEXEC);
            }
            if (fd < 0) {
                ::poll(&door, 1, 1);
                continue;
            }
            answer(fd);
            ::close(fd);
        }
    }
    void answer(int fd) {
        std::string request;
        char piece[4096];
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(fd, piece, sizeof(piece), 0);
            if (got <= 0) return;
            request.append(piece, static_cast<std::size_t>(got));
        }
        ++requests_;
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !held_ || passes_ > 0 || stopped_; });
        if (held_ && passes_ > 0) --passes_;
        const std::string bytes = "HTTP/1.1 " + status_ +
                                  "\r\nContent-Length: " + std::to_string(body_.size()) +
                                  "\r\nConnection: close\r\n\r\n" + body_;
        lock.unlock();
        static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    std::uint16_t port_ = 0;  // 0: the kernel chooses
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string body_;
    std::string status_;
    bool held_ = false;
    int passes_ = 0;
    bool stopped_ = false;
    std::optional<LoopbackPort> listener_;
    std::atomic<int> requests_{0};
    std::thread thread_;
};

}  // namespace rotary::test
