#pragma once

#include <support/gateway.hpp>
#include <support/loopback_port.hpp>
#include <support/provider_socket.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rotary::test {

// A provider whose every byte, and every silence between two of them, is the test's: a function
// runs for each connection, on a thread of its own, and the connection ends with it. Plain TCP.
class ScriptedProvider {
public:
    class Link;
    using Script = std::function<void(Link&)>;

    // One connection as its script sees it. All waits end with the peer, or with the provider.
    class Link {
    public:
        Link(ScriptedProvider& provider, int fd, int stop_fd)
            : provider_(provider), socket_(fd, stop_fd, nullptr) {}

        // The head of the next request; "": there is none.
        std::string read_head() {
            std::size_t end = 0;
            while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
                if (!read_more()) return "";
            }
            std::string head = input_.substr(0, end + 4);
            input_.erase(0, end + 4);
            return head;
        }
        // So much of what stands behind it; less: the peer has gone.
        std::string read_body(std::size_t size) {
            while (input_.size() < size && read_more()) {
            }
            std::string body = input_.substr(0, size);
            input_.erase(0, size);
            return body;
        }
        // The next request, head and body, counted as one that was carried out. "": there is none.
        std::string read_request() {
            std::string request = read_head();
            if (request.empty()) return "";
            const std::size_t at = request.find("ontent-length: ");
            const bool has_body = at != std::string::npos;
            request += read_body(has_body ? std::stoul(request.substr(at + 15)) : 0);
            ++provider_.requests_;
            return request;
        }
        bool write(std::string_view bytes) { return socket_.write(bytes); }
        // Gives up when the peer takes nothing for so long.
        bool write_impatiently(std::string_view bytes, std::chrono::milliseconds most) {
            socket_.set_patience(most);
            return socket_.write(bytes);
        }
        // False: the peer has gone meanwhile.
        bool pause(std::chrono::milliseconds time) { return !socket_.wait_until_gone(time); }
        void wait_until_gone() { socket_.wait_until_gone(); }
        void reset() { socket_.reset(); }

    private:
        bool read_more() {
            const std::string piece = socket_.read();
            input_ += piece;
            return !piece.empty();
        }
        ScriptedProvider& provider_;
        ProviderSocket socket_;
        std::string input_;
    };

    explicit ScriptedProvider(Script script, int buffers = 0)
        : script_(std::move(script)), stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
        if (buffers > 0) {
            ::setsockopt(listener_.fd(), SOL_SOCKET, SO_RCVBUF, &buffers, sizeof buffers);
            ::setsockopt(listener_.fd(), SOL_SOCKET, SO_SNDBUF, &buffers, sizeof buffers);
        }
        listener_.listen(64);
        thread_ = std::thread([this] { accept_all(); });
    }
    ~ScriptedProvider() {
        ::eventfd_write(stop_fd_, 1);
        thread_.join();
        for (std::thread& thread : links_) thread.join();
        ::close(stop_fd_);
    }
    ScriptedProvider(const ScriptedProvider&) = delete;
    ScriptedProvider& operator=(const ScriptedProvider&) = delete;

    GatewayBackend backend(const std::string& more = "") const {
        GatewayBackend backend;
        backend.port = listener_.number();
        backend.more = more;
        return backend;
    }
    std::size_t requests() const { return requests_; }

private:
    void accept_all() {
        for (;;) {
            std::array<pollfd, 2> polled{{{listener_.fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
            if (::poll(polled.data(), polled.size(), -1) < 0) continue;
            if (polled[1].revents != 0) return;
            const int fd =
                ::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) continue;
            links_.emplace_back([this, fd] {
                Link link(*this, fd, stop_fd_);
                script_(link);
            });
        }
    }

    Script script_;
    int stop_fd_;
    LoopbackPort listener_;
    std::atomic<std::size_t> requests_{0};
    std::vector<std::thread> links_;  // of the accepting thread, until that has ended
    std::thread thread_;
};

inline std::string head_of(unsigned status, std::size_t length) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Status\r\ncontent-type: application/json\r\ncontent-length: " +
           std::to_string(length) + "\r\n\r\n";
}

inline const std::string kStreamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

inline std::string chunk_of(std::string_view bytes) {
    std::array<char, 20> size;
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return size.data() + std::string(bytes) + "\r\n";
}

}  // namespace rotary::test
