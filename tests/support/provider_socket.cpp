#include <support/provider_socket.hpp>

#include <openssl/err.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace rotary::test {

ProviderSocket::ProviderSocket(int fd, int stop_fd, SSL_CTX* tls) : fd_(fd), stop_fd_(stop_fd) {
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, fd_);
    SSL_set_accept_state(ssl_);
}

ProviderSocket::~ProviderSocket() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
}

// True: the socket is ready for `what`. A peer that closed its side has gone: none of those who
// talk to a provider closes one direction only.
bool ProviderSocket::wait(short what, std::chrono::milliseconds timeout) {
    std::array<pollfd, 2> polled{
        {{fd_, static_cast<short>(what | POLLRDHUP), 0}, {stop_fd_, POLLIN, 0}}};
    int ready = 0;
    do {
        ready = ::poll(polled.data(), polled.size(), static_cast<int>(timeout.count()));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || polled[1].revents != 0) return false;
    if ((polled[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
        if (!gone_at_) gone_at_ = Clock::now();
        return false;
    }
    return true;
}

bool ProviderSocket::wait_for_tls(int result) {
    switch (SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ:
            return wait(POLLIN);
        case SSL_ERROR_WANT_WRITE:
            return wait(POLLOUT);
        default:
            if (!gone_at_) gone_at_ = Clock::now();
            return false;
    }
}

bool ProviderSocket::handshake() {
    for (;;) {
        ERR_clear_error();
        const int result = SSL_accept(ssl_);
        if (result == 1) return true;
        if (!wait_for_tls(result)) return false;
    }
}

void ProviderSocket::begin_handshake() {
    if (!wait_for_bytes()) return;
    ERR_clear_error();
    static_cast<void>(SSL_accept(ssl_));
}

bool ProviderSocket::wait_for_bytes() { return wait(POLLIN); }

std::string ProviderSocket::read() {
    std::array<char, 16 * 1024> space;
    for (;;) {
        if (ssl_ != nullptr) {
            ERR_clear_error();
            const int size = SSL_read(ssl_, space.data(), static_cast<int>(space.size()));
            if (size > 0) return std::string(space.data(), static_cast<std::size_t>(size));
            if (!wait_for_tls(size)) return "";
            continue;
        }
        const ssize_t size = ::recv(fd_, space.data(), space.size(), 0);
        if (size > 0) return std::string(space.data(), static_cast<std::size_t>(size));
        const bool waits = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
        if (!waits && !gone_at_) gone_at_ = Clock::now();
        if (!waits || !wait(POLLIN)) return "";
    }
}

bool ProviderSocket::write(std::string_view bytes) {
    if (ssl_ == nullptr) return write_raw(bytes);
    while (!bytes.empty()) {
        ERR_clear_error();
        std::size_t sent = 0;
        const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent);
        if (result == 1) {
            bytes.remove_prefix(sent);
        } else if (!wait_for_tls(result)) {
            return false;
        }
    }
    return true;
}

bool ProviderSocket::write_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        const bool waits = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        if (!waits && !gone_at_) gone_at_ = Clock::now();
        if (!waits || !wait(POLLOUT, patience_)) return false;
    }
    return true;
}

void ProviderSocket::finish(bool notify) {
    ERR_clear_error();
    if (ssl_ != nullptr && notify) SSL_shutdown(ssl_);
    ::shutdown(fd_, SHUT_WR);
}

void ProviderSocket::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd_);
    fd_ = -1;
}

bool ProviderSocket::wait_until_gone(std::chrono::milliseconds timeout) {
    if (!gone_at_ && fd_ >= 0) wait(0, timeout);
    return gone_at_.has_value();
}

}  // namespace rotary::test
