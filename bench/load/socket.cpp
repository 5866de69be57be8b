#include "load/socket.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace rotary::bench {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void check_tls(bool ok, const std::string& what) {
    if (!ok) {
        throw std::runtime_error("can't use " + what);
    }
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void no_delay(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

TlsContext client_context(const std::string& authority) {
    TlsContext context(SSL_CTX_new(TLS_client_method()));
    check_tls(SSL_CTX_load_verify_locations(context.get(), authority.c_str(), nullptr) == 1,
              authority);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

TlsContext server_context(const std::string& certificate, const std::string& key) {
    TlsContext context(SSL_CTX_new(TLS_server_method()));
    check_tls(SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) == 1,
              certificate);
    check_tls(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1, key);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

Socket::Descriptor::~Descriptor() {
    if (number >= 0) {
        ::close(number);
    }
}

Socket::Socket(int descriptor, SSL_CTX* context) : descriptor_(descriptor) {
    no_delay(descriptor);
    if (context != nullptr) {
        tls_.reset(SSL_new(context));
        SSL_set_fd(tls_.get(), descriptor);
        if (SSL_is_server(tls_.get()) != 0) {
            SSL_set_accept_state(tls_.get());
        } else {
            SSL_set_connect_state(tls_.get());
        }
    }
}

Socket Socket::dial(std::uint16_t port, SSL_CTX* context) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        fail("socket");
    }
    Socket socket(descriptor, context);
    const sockaddr_in address = loopback(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(descriptor, generic, sizeof address) != 0 && errno != EINPROGRESS) {
        fail("connect");
    }
    return socket;
}

Io Socket::judge(int result) const {
    const int error = SSL_get_error(tls_.get(), result);
    ERR_clear_error();
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    return waits ? Io::would_block : Io::closed;
}

Io Socket::connect() {
    if (!tls_) {
        return Io::done;  // the first write waits for it
    }
    const int result = SSL_do_handshake(tls_.get());
    return result == 1 ? Io::done : judge(result);
}

Moved Socket::read(std::span<char> into) {
    if (tls_) {
        const int count = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
        return count > 0 ? Moved{Io::done, static_cast<std::size_t>(count)}
                         : Moved{judge(count), 0};
    }
    const ssize_t count = ::recv(descriptor(), into.data(), into.size(), 0);
    if (count > 0) {
        return {Io::done, static_cast<std::size_t>(count)};
    }
    return {count < 0 && errno == EAGAIN ? Io::would_block : Io::closed, 0};
}

Moved Socket::write(std::string_view bytes) {
    if (tls_) {
        const int count = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
        return count > 0 ? Moved{Io::done, static_cast<std::size_t>(count)}
                         : Moved{judge(count), 0};
    }
    const ssize_t count = ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
        return {Io::done, static_cast<std::size_t>(count)};
    }
    return {errno == EAGAIN ? Io::would_block : Io::closed, 0};
}

void Socket::send(std::string& unsent) {
    std::size_t sent = 0;
    while (sent < unsent.size()) {
        const Moved moved = write(std::string_view(unsent).substr(sent));
        if (moved.how != Io::done) {
            break;
        }
        sent += moved.bytes;
    }
    unsent.erase(0, sent);
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) {
        fail("epoll_create1");
    }
}

void Poller::add(int descriptor, void* owner) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = owner;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        fail("epoll_ctl");
    }
}

std::span<const epoll_event> Poller::wait(Clock::time_point until) {
    const auto left =
        std::clamp<std::chrono::nanoseconds>(until - Clock::now(), {}, std::chrono::seconds(3600));
    timespec time{};
    time.tv_sec = left.count() / 1'000'000'000;
    time.tv_nsec = left.count() % 1'000'000'000;
    const int count =
        ::epoll_pwait2(epoll_, ready_.data(), static_cast<int>(ready_.size()), &time, nullptr);
    if (count < 0 && errno != EINTR) {
        fail("epoll_pwait2");
    }
    return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

int listen_on(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (descriptor < 0 || ::bind(descriptor, generic, sizeof address) != 0 ||
        ::listen(descriptor, 4096) != 0) {
        fail("listen");
    }
    return descriptor;
}

}  // namespace rotary::bench
