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
    Connection(std::uint16_t port, const StopSignal& stop) : x_stop(stop) {
        if (x_socket.fd < 0) throw std::runtime_error("no socket: " + reason(errno));
        connect(port);
    }

    void start_tls(SSL_CTX* context, const std::string& host) {
        x_ssl.reset(SSL_new(context));
        if (!x_ssl || SSL_set_fd(x_ssl.get(), x_socket.fd) != 1 ||
            SSL_set_tlsext_host_name(x_ssl.get(), host.c_str()) != 1 ||
            SSL_set1_host(x_ssl.get(), host.c_str()) != 1) {
            throw std::runtime_error("TLS can't be set up");
        }
        const int done = repeat([this] { return SSL_connect(x_ssl.get()); });
        if (done == 1) return;
        const long verdict = SSL_get_verify_result(x_ssl.get());
        throw std::runtime_error(
            std::string("TLS handshake failed: ") +
            (verdict == X509_V_OK ? "refused" : X509_verify_cert_error_string(verdict)));
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const int size = static_cast<int>(bytes.size());
            const auto write = [&] { return SSL_write(x_ssl.get(), bytes.data(), size); };
            const int sent = x_ssl ? repeat(write) : send_plain(bytes);
            if (sent <= 0) throw std::runtime_error("the connection ended while sending");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    // 0 at the end of the connection.
    std::size_t receive(char* out, std::size_t size) {
        const int got =
            x_ssl ? repeat([&] { return SSL_read(x_ssl.get(), out, static_cast<int>(size)); })
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
        int error = ::connect(x_socket.fd, where, sizeof address) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            wait_for(POLLOUT);
            socklen_t size = sizeof error;
            ::getsockopt(x_socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error != 0) {
            throw std::runtime_error("no connection to 127.0.0.1:" + std::to_string(port) + ": " +
                                     reason(error));
        }
    }

    void wait_for(short events) const {
        if (!wait_on(x_socket.fd, events, x_stop, x_deadline)) {
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
            const int what = SSL_get_error(x_ssl.get(), result);
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
        return static_cast<int>(::send(x_socket.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    int receive_plain(char* out, std::size_t size) const {
        wait_for(POLLIN);
        return static_cast<int>(::recv(x_socket.fd, out, size, 0));
    }

    const StopSignal& x_stop;
    const Clock::time_point x_deadline = Clock::now() + kPatience;
    Socket x_socket;
    openssl::SslPtr x_ssl;
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
    x_fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (x_fd < 0) throw std::runtime_error("signals can't be caught: " + reason(errno));
    ::pthread_sigmask(SIG_BLOCK, &signals, &x_before);
}

StopSignal::~StopSignal() {
    signalfd_siginfo taken;  // else the ones that came would kill us now
    while (::read(x_fd, &taken, sizeof taken) > 0) {
    }
    ::close(x_fd);
    ::pthread_sigmask(SIG_SETMASK, &x_before, nullptr);
}

void StopSignal::wait_for(std::chrono::milliseconds time) const {
    wait_on(-1, 0, *this, Clock::now() + time);
}

void StopSignal::wait() const {
    pollfd poll{x_fd, POLLIN, 0};
    while (::poll(&poll, 1, -1) < 0 && errno == EINTR) {
    }
}

Client::Client(const std::string& ca_file, const StopSignal& stop)
    : x_tls(SSL_CTX_new(TLS_client_method())), x_stop(stop) {
    if (!x_tls || SSL_CTX_set_min_proto_version(x_tls.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_load_verify_file(x_tls.get(), ca_file.c_str()) != 1) {
        throw std::runtime_error("TLS can't be set up with " + ca_file);
    }
    SSL_CTX_set_verify(x_tls.get(), SSL_VERIFY_PEER, nullptr);
}

Answer Client::https(std::uint16_t port, const Call& call) const {
    Connection connection(port, x_stop);
    connection.start_tls(x_tls.get(), call.host);
    connection.send(bytes_of(call));
    return receive_answer(connection, call);
}

Answer Client::http(std::uint16_t port, const Call& call) const {
    Connection connection(port, x_stop);
    connection.send(bytes_of(call));
    return receive_answer(connection, call);
}

}  // namespace rotary::demo
