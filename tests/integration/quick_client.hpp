#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace rotary::test {

// A TLS client in steps, and so cheap that a test can have ten thousand: nothing is verified, one
// context for all. No call waits for longer than 10 s.
class QuickClient {
public:
    QuickClient() = default;
    explicit QuickClient(std::uint16_t port) { connect(port); }
    ~QuickClient() { close(); }
    QuickClient(QuickClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), tls_(std::exchange(other.tls_, nullptr)) {}
    QuickClient& operator=(QuickClient&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(tls_, other.tls_);
        return *this;
    }

    // To 127.0.0.1; false with errno.
    bool connect(std::uint16_t port) {
        close();
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    bool handshake() {
        ERR_clear_error();
        errno = 0;
        tls_ = SSL_new(context());
        SSL_set_tlsext_host_name(tls_, "default.gw.wso2.com");
        SSL_set_fd(tls_, fd_);
        return SSL_connect(tls_) == 1;
    }

    bool send(const std::string& bytes) {
        errno = 0;
        return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) ==
               static_cast<int>(bytes.size());
    }

    // The next bytes; empty at the end, errno says whether it was a bad one.
    std::string read() {
        errno = 0;
        std::array<char, 16384> buffer;
        const int got = SSL_read(tls_, buffer.data(), static_cast<int>(buffer.size()));
        return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
    }

    // Whether the peer has ended the connection; does not wait.
    bool ended() const {
        char byte = 0;
        const ssize_t got = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got == 0 || (got < 0 && errno != EAGAIN);
    }

    // Sends and reads to the end of the head; its status, 0 without one.
    unsigned status_of(const std::string& request) {
        if (!send(request)) return 0;
        std::string head;
        while (head.find("\r\n\r\n") == std::string::npos) {
            const std::string more = read();
            if (more.empty()) return 0;
            head += more;
        }
        return static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    }

    void close() {
        if (tls_ != nullptr) SSL_free(std::exchange(tls_, nullptr));
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    static SSL_CTX* context() {
        static const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> made(
            SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
        return made.get();
    }

    int fd_ = -1;
    SSL* tls_ = nullptr;
};

}  // namespace rotary::test
