#include <support/test_connection.hpp>

#include <openssl/err.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>

namespace rotary::test {

namespace {

// One context a CA file: making one costs more than a handshake.
SSL_CTX* context_for(const std::string& ca) {
    static std::mutex mutex;
    static std::map<std::string, std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>> contexts;
    const std::lock_guard lock(mutex);
    const auto found = contexts.find(ca);
    if (found != contexts.end()) return found->second.get();
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                              &SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_AUTO_RETRY);
    if (!ca.empty()) {
        if (SSL_CTX_load_verify_locations(context.get(), ca.c_str(), nullptr) != 1) {
            throw ClientError("no CA certificate in " + ca);
        }
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    }
    return contexts.emplace(ca, std::move(context)).first->second.get();
}

std::string openssl_error() {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
    return text.data();
}

bool timed_out() { return errno == EAGAIN || errno == EWOULDBLOCK; }

timeval to_timeval(std::chrono::milliseconds time) {
    return {time.count() / 1000, (time.count() % 1000) * 1000};
}

}  // namespace

TestClient::Connection::Connection(const ClientOptions& options) : timeout(options.timeout) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        dial(options);
        if (options.tls) handshake(options);
    } catch (...) {
        if (ssl != nullptr) SSL_free(ssl);
        if (fd >= 0) ::close(fd);
        throw;
    }
}

TestClient::Connection::~Connection() {
    if (ssl != nullptr) SSL_free(ssl);
    if (fd >= 0) ::close(fd);
}

void TestClient::Connection::dial(const ClientOptions& options) {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(options.port);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(options.port);
    const bool is_v6 = inet_pton(AF_INET6, options.host.c_str(), &v6.sin6_addr) == 1;
    if (!is_v6 && inet_pton(AF_INET, options.host.c_str(), &v4.sin_addr) != 1) {
        throw ClientError(options.host + " is no address");
    }
    fd = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw ClientError(std::string("socket: ") + std::strerror(errno));
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (options.receive_buffer > 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer,
                     sizeof options.receive_buffer);
    }
    const timeval limit = to_timeval(timeout);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    set_read_timeout(timeout);
    const auto* address =
        is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
    if (::connect(fd, address, is_v6 ? sizeof v6 : sizeof v4) != 0) {
        throw ClientError(std::string("connect: ") + std::strerror(errno));
    }
    const std::string& preface = options.preface;
    if (!preface.empty() && ::send(fd, preface.data(), preface.size(), MSG_NOSIGNAL) < 0) {
        throw ClientError(std::string("send: ") + std::strerror(errno));
    }
}

void TestClient::Connection::handshake(const ClientOptions& options) {
    ERR_clear_error();
    ssl = SSL_new(context_for(options.ca));
    if (options.max_tls != 0) SSL_set_max_proto_version(ssl, options.max_tls);
    if (!options.sni.empty()) {
        SSL_set_tlsext_host_name(ssl, options.sni.c_str());
        if (!options.ca.empty()) SSL_set1_host(ssl, options.sni.c_str());
    }
    if (!options.alpn.empty()) {
        const std::string wire = static_cast<char>(options.alpn.size()) + options.alpn;
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    }
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1) throw ClientError("handshake: " + openssl_error());
}

bool TestClient::Connection::write(std::string_view bytes) {
    while (!bytes.empty()) {
        std::size_t sent = 0;
        if (ssl != nullptr) {
            ERR_clear_error();
            if (SSL_write_ex(ssl, bytes.data(), bytes.size(), &sent) != 1) return false;
        } else {
            const ssize_t result = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (result <= 0) return false;
            sent = static_cast<std::size_t>(result);
        }
        bytes.remove_prefix(sent);
    }
    return true;
}

bool TestClient::Connection::read() {
    std::array<char, 16 * 1024> buffer;
    if (fd < 0) return false;
    if (ssl == nullptr) {
        const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (size > 0) {
            input.append(buffer.data(), static_cast<std::size_t>(size));
            return true;
        }
        end = size == 0 ? ReadEnd::fin : timed_out() ? ReadEnd::timeout : ReadEnd::reset;
        return false;
    }
    ERR_clear_error();
    errno = 0;
    std::size_t size = 0;
    if (SSL_read_ex(ssl, buffer.data(), buffer.size(), &size) == 1) {
        input.append(buffer.data(), size);
        return true;
    }
    const int saved = errno;
    switch (SSL_get_error(ssl, 0)) {
        case SSL_ERROR_ZERO_RETURN:
            end = ReadEnd::close_notify;
            break;
        case SSL_ERROR_WANT_READ:
            end = ReadEnd::timeout;
            break;
        case SSL_ERROR_SSL:
            end = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                      ? ReadEnd::fin
                      : ReadEnd::reset;
            break;
        default:
            errno = saved;
            end = saved == 0 ? ReadEnd::fin : timed_out() ? ReadEnd::timeout : ReadEnd::reset;
    }
    return false;
}

void TestClient::Connection::set_read_timeout(std::chrono::milliseconds time) const {
    const timeval limit = to_timeval(std::max(time, std::chrono::milliseconds{1}));
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

bool TestClient::Connection::readable_within(std::chrono::milliseconds patience) {
    using Clock = std::chrono::steady_clock;
    if (!input.empty()) return true;
    const auto until = Clock::now() + patience;
    for (;;) {
        if (ssl != nullptr && SSL_pending(ssl) > 0) return true;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd poll{fd, POLLIN, 0};
        if (::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0) {
            return false;
        }
        if (ssl == nullptr || !only_tickets_came()) return true;
    }
}

// Session tickets come unasked behind the handshake and are nothing to read: without the retry mode
// a peek takes them in and says that there is no more.
bool TestClient::Connection::only_tickets_came() const {
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    ERR_clear_error();
    char byte = 0;
    const int peeked = SSL_peek(ssl, &byte, 1);
    const bool only_tickets = peeked <= 0 && SSL_get_error(ssl, peeked) == SSL_ERROR_WANT_READ;
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
    return only_tickets;
}

void TestClient::Connection::shut(bool notify, bool both) {
    if (fd < 0) return;
    if (ssl != nullptr && notify) {
        ERR_clear_error();
        SSL_shutdown(ssl);
    }
    ::shutdown(fd, SHUT_WR);
    if (!both) return;
    if (ssl != nullptr) SSL_free(ssl);
    ssl = nullptr;
    ::close(fd);
    fd = -1;
}

void TestClient::Connection::reset() {
    if (fd < 0) return;
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (ssl != nullptr) SSL_free(ssl);
    ssl = nullptr;
    ::close(fd);
    fd = -1;
}

}  // namespace rotary::test
