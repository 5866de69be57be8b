#include "net_support.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace rotary::test {

namespace {

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Task<void> note_end(Task<void> task, bool& done) {
    co_await task;
    done = true;
}

}  // namespace

std::pair<int, std::uint16_t> listen_on_loopback() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    require(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    require(::listen(fd, 16) == 0, "listen");
    require(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    return {fd, ntohs(address.sin_port)};
}

SocketPair tcp_pair() {
    const auto [listener, port] = listen_on_loopback();
    SocketPair pair;
    pair.theirs = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    require(
        ::connect(pair.theirs, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "connect");
    pair.ours = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    require(pair.ours >= 0, "accept");
    ::close(listener);
    return pair;
}

void NetLoop::run(Task<void> task) {
    bool done = false;
    spawn(note_end(std::move(task), done));
    run_until(done);
}

void NetLoop::run_until(const bool& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done) {
        reactor.run_once(std::chrono::seconds(1));
        if (std::chrono::steady_clock::now() < limit) continue;
        std::fputs("the loop did not come to its end\n", stderr);
        std::abort();
    }
}

PeerTls::PeerTls() : context_(SSL_CTX_new(TLS_client_method())) {}

PeerTls::PeerTls(const PemFiles& identity) : context_(SSL_CTX_new(TLS_server_method())) {
    require(SSL_CTX_use_certificate_chain_file(context_, identity.certificate.c_str()) == 1,
            "chain");
    require(SSL_CTX_use_PrivateKey_file(context_, identity.key.c_str(), SSL_FILETYPE_PEM) == 1,
            "key");
}

PeerTls::~PeerTls() { SSL_CTX_free(context_); }

Peer::~Peer() {
    SSL_free(ssl_);
    ::close(fd_);
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL.
static void ignore_sigpipe() { std::signal(SIGPIPE, SIG_IGN); }

bool Peer::connect_tls(const PeerTls& tls) {
    ignore_sigpipe();
    ERR_clear_error();
    ssl_ = SSL_new(tls.native());
    SSL_set_fd(ssl_, fd_);
    SSL_set_tlsext_host_name(ssl_, "localhost");
    return SSL_connect(ssl_) == 1;
}

bool Peer::accept_tls(const PeerTls& tls) {
    ignore_sigpipe();
    ERR_clear_error();
    ssl_ = SSL_new(tls.native());
    SSL_set_fd(ssl_, fd_);
    return SSL_accept(ssl_) == 1;
}

bool Peer::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const int size = static_cast<int>(bytes.size());
        const ssize_t sent = ssl_ != nullptr
                                 ? SSL_write(ssl_, bytes.data(), size)
                                 : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string Peer::read(std::size_t bytes) {
    std::string got(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
        const int left = static_cast<int>(bytes - have);
        const ssize_t more = ssl_ != nullptr ? SSL_read(ssl_, got.data() + have, left)
                                             : ::recv(fd_, got.data() + have, bytes - have, 0);
        if (more <= 0) break;
        have += static_cast<std::size_t>(more);
    }
    got.resize(have);
    return got;
}

void Peer::close_notify() { SSL_shutdown(ssl_); }

void Peer::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(fd_, -1));
}

void Peer::finish() { ::shutdown(fd_, SHUT_WR); }

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::shared_ptr<const net::TlsContext> server_context() {
    net::TlsContext::ServerOptions options;
    options.certificate_pem = read_file(certificates().server.certificate);
    options.key_pem = read_file(certificates().server.key);
    return net::TlsContext::server(options);
}

std::shared_ptr<const net::TlsContext> client_context() {
    net::TlsContext::ClientOptions options;
    options.ca_pem = read_file(certificates().ca);
    return net::TlsContext::client(options);
}

std::string pattern(std::size_t bytes) {
    std::string made(bytes, '\0');
    std::uint32_t state = 1;
    for (char& byte : made) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24U);
    }
    return made;
}

Task<net::IoStatus> read_until(net::Stream& stream, std::size_t bytes, std::size_t at_once,
                               std::string& got) {
    std::vector<char> space(at_once);
    net::WaitFor what;
    what.read = &stream.descriptor();
    while (got.size() < bytes) {
        const std::size_t most = std::min(space.size(), bytes - got.size());
        const net::IoResult result = stream.read_some(space.data(), most);
        got.append(space.data(), result.bytes);
        if (result.status == net::IoStatus::would_block) {
            co_await stream.descriptor().reactor().wait(what);
        } else if (result.status != net::IoStatus::ok) {
            co_return result.status;
        }
    }
    co_return net::IoStatus::ok;
}

}  // namespace rotary::test
