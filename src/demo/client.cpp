#include <demo/client.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace rotary::demo {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};  // for a whole call

std::string reason(int error) { return std::generic_category().message(error); }

// Until `fd` has one of `events` or the signal came; false when the time is over.
bool wait_on(int fd, short events, const StopSignal& stop, Clock::time_point deadline) {
    for (;;) {
        std::array<pollfd, 2> polls{{{fd, events, 0}, {stop.fd(), POLLIN, 0}}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        const int timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
        const int count = ::poll(polls.data(), polls.size(), timeout);
        if (count < 0 && errno == EINTR) continue;
        if (polls[1].revents != 0) throw Stopped{};
        return count > 0;
    }
}

struct Socket {
    Socket() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (fd >= 0) ::close(fd);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    const int fd;
};

// One connection, plain or TLS, over a socket that does not block.
class Connection {
public:
    Connection(std::uint16_t port, const StopSignal& stop) : stop_(stop) {
        if (socket_.fd < 0) throw std::runtime_error("no socket: " + reason(errno));
        connect(port);
    }

    void start_tls(SSL_CTX* context, const std::string& host) {
        ssl_.reset(SSL_new(context));
        if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.fd) != 1 ||
            SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1 ||
            SSL_set1_host(ssl_.get(), host.c_str()) != 1) {
            throw std::runtime_error("TLS can't be set up");
        }
        const int done = repeat([this] { return SSL_connect(ssl_.get()); });
        if (done == 1) return;
        const long verdict = SSL_get_verify_result(ssl_.get());
        throw std::runtime_error(
            std::string("TLS handshake failed: ") +
            (verdict == X509_V_OK ? "refused" : X509_verify_cert_error_string(verdict)));
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const int size = static_cast<int>(bytes.size());
            const auto write = [&] { return SSL_write(ssl_.get(), bytes.data(), size); };
            const int sent = ssl_ ? repeat(write) : send_plain(bytes);
            if (sent <= 0) throw std::runtime_error("the connection ended while sending");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    // 0 at the end of the connection.
    std::size_t receive(char* out, std::size_t size) {
        const int got =
            ssl_ ? repeat([&] { return SSL_read(ssl_.get(), out, static_cast<int>(size)); })
                 : receive_plain(out, size);
        return got > 0 ? static_cast<std::size_t>(got) : 0;
    }

private:
    void connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* where = reinterpret_cast<const sockaddr*>(&address);
        int error = ::connect(socket_.fd, where, sizeof address) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            wait_for(POLLOUT);
            socklen_t size = sizeof error;
            ::getsockopt(socket_.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error != 0) {
            throw std::runtime_error("no connection to 127.0.0.1:" + std::to_string(port) + ": " +
                                     reason(error));
        }
    }

    void wait_for(short events) const {
        if (!wait_on(socket_.fd, events, stop_, deadline_)) {
            throw std::runtime_error("no answer within " + std::to_string(kPatience.count()) +
                                     " s");
        }
    }

    // Tries until OpenSSL has done it or has given up.
    template <class Operation>
    int repeat(Operation operation) {
        for (;;) {
            ERR_clear_error();
            const int result = operation();
            const int what = SSL_get_error(ssl_.get(), result);
            if (what == SSL_ERROR_WANT_READ) {
                wait_for(POLLIN);
            } else if (what == SSL_ERROR_WANT_WRITE) {
                wait_for(POLLOUT);
            } else {
                return result;
            }
        }
    }

    int send_plain(std::string_view bytes) const {
        wait_for(POLLOUT);
        return static_cast<int>(::send(socket_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    int receive_plain(char* out, std::size_t size) const {
        wait_for(POLLIN);
        return static_cast<int>(::recv(socket_.fd, out, size, 0));
    }

    const StopSignal& stop_;
    const Clock::time_point deadline_ = Clock::now() + kPatience;
    Socket socket_;
    openssl::SslPtr ssl_;
};

Answer receive_answer(Connection& connection, const Call& call) {
    AnswerReader reader(call);
    std::array<char, 16384> buffer;
    while (!reader.is_done()) {
        const std::size_t got = connection.receive(buffer.data(), buffer.size());
        if (got == 0) {
            reader.end();
        } else {
            reader.take({buffer.data(), got});
        }
    }
    return reader.answer();
}

}  // namespace

StopSignal::StopSignal() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGHUP);
    fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd_ < 0) throw std::runtime_error("signals can't be caught: " + reason(errno));
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
}

StopSignal::~StopSignal() {
    signalfd_siginfo taken;  // else the ones that came would kill us now
    while (::read(fd_, &taken, sizeof taken) > 0) {
    }
    ::close(fd_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignal::wait_for(std::chrono::milliseconds time) const {
    wait_on(-1, 0, *this, Clock::now() + time);
}

void StopSignal::wait() const {
    pollfd poll{fd_, POLLIN, 0};
    while (::poll(&poll, 1, -1) < 0 && errno == EINTR) {
    }
}

Client::Client(const std::string& ca_file, const StopSignal& stop)
    : tls_(SSL_CTX_new(TLS_client_method())), stop_(stop) {
    if (!tls_ || SSL_CTX_set_min_proto_version(tls_.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_load_verify_file(tls_.get(), ca_file.c_str()) != 1) {
        throw std::runtime_error("TLS can't be set up with " + ca_file);
    }
    SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
}

Answer Client::https(std::uint16_t port, const Call& call) const {
    Connection connection(port, stop_);
    connection.start_tls(tls_.get(), call.host);
    connection.send(bytes_of(call));
    return receive_answer(connection, call);
}

Answer Client::http(std::uint16_t port, const Call& call) const {
    Connection connection(port, stop_);
    connection.send(bytes_of(call));
    return receive_answer(connection, call);
}

}  // namespace rotary::demo
