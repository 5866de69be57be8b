#include <support/faulty_provider.hpp>
#include <support/provider_script.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <stdexcept>
#include <thread>

namespace rotary::test {

namespace {

using Clock = std::chrono::steady_clock;
using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

TlsContext context_of(const PemFiles* identity) {
    TlsContext context(nullptr, &SSL_CTX_free);
    if (identity == nullptr) return context;
    context.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate_chain_file(context.get(), identity->certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context.get(), identity->key.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw std::runtime_error("no certificate in " + identity->certificate);
    }
    return context;
}

}  // namespace

struct FaultyProvider::State : ProviderBoard {
    explicit State(const Options& given) : options(given), tls(context_of(given.tls)) {}

    void listen();
    void accept_all();
    void reap(bool all);
    template <typename Condition>
    bool wait(std::chrono::milliseconds timeout, const Condition& condition) const {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, timeout, condition);
    }

    const Options options;
    const TlsContext tls;
    int listener = -1;
    int stop = -1;  // an eventfd, readable from the end on
    std::uint16_t port = 0;
    std::thread thread;

    // Guarded by the board's mutex.
    std::uint64_t accepted = 0;
    std::map<std::uint64_t, std::thread> threads;
    std::vector<std::uint64_t> finished;  // their threads are at their end
};

void FaultyProvider::State::listen() {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stop = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    // Accepted sockets inherit the sizes, and only here do they bear on the window.
    const auto set_size = [&](int name, int size) {
        if (size > 0) ::setsockopt(listener, SOL_SOCKET, name, &size, sizeof size);
    };
    set_size(SO_SNDBUF, options.send_buffer);
    set_size(SO_RCVBUF, options.receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, generic, size) != 0 || ::getsockname(listener, generic, &size) != 0 ||
        (options.listens && ::listen(listener, 512) != 0)) {
        throw std::runtime_error("no listener");
    }
    port = ntohs(address.sin_port);
    if (options.listens) thread = std::thread([this] { accept_all(); });
}

void FaultyProvider::State::accept_all() {
    for (;;) {
        std::array<pollfd, 2> polled{{{listener, POLLIN, 0}, {stop, POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), -1);
        if (polled[1].revents != 0) return;
        reap(false);
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) continue;
        const std::lock_guard lock(mutex);
        const std::uint64_t id = ++accepted;
        open.insert(id);
        changed.notify_all();
        threads.emplace(id, std::thread([this, id, fd] {
                            run_provider_script(*this, {id, fd, stop, tls.get()});
                            const std::lock_guard guard(mutex);
                            finished.push_back(id);
                        }));
    }
}

// Joins the threads of connections that have ended, so that thousands leave nothing behind.
void FaultyProvider::State::reap(bool all) {
    std::vector<std::thread> ended;
    {
        const std::lock_guard lock(mutex);
        if (all) {
            for (auto& [id, running] : threads) ended.push_back(std::move(running));
            threads.clear();
        }
        for (const std::uint64_t id : finished) {
            const auto found = threads.find(id);
            if (found == threads.end()) continue;
            ended.push_back(std::move(found->second));
            threads.erase(found);
        }
        finished.clear();
    }
    for (std::thread& one : ended) one.join();
}

FaultyProvider::FaultyProvider(const Options& options) : state_(std::make_unique<State>(options)) {
    std::signal(SIGPIPE, SIG_IGN);
    state_->listen();
}

FaultyProvider::~FaultyProvider() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(state_->stop, &one, sizeof one));
    if (state_->thread.joinable()) state_->thread.join();
    state_->reap(true);
    ::close(state_->listener);
    ::close(state_->stop);
}

std::uint16_t FaultyProvider::port() const { return state_->port; }

GatewayBackend FaultyProvider::backend(const std::string& key) const {
    GatewayBackend backend;
    backend.port = state_->port;
    backend.key = key;
    backend.tls = state_->options.tls != nullptr;
    return backend;
}

void FaultyProvider::set_plan(const ProviderPlan& plan) {
    const std::lock_guard lock(state_->mutex);
    state_->plan = plan;
}

void FaultyProvider::set_planner(Planner planner) {
    const std::lock_guard lock(state_->mutex);
    state_->planner = std::move(planner);
}

std::vector<ProviderRequest> FaultyProvider::requests() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requests;
}

std::size_t FaultyProvider::request_count() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requests.size();
}

std::size_t FaultyProvider::connection_count() const {
    const std::lock_guard lock(state_->mutex);
    return state_->accepted;
}

std::size_t FaultyProvider::open_count() const {
    const std::lock_guard lock(state_->mutex);
    return state_->open.size();
}

std::size_t FaultyProvider::fault_count() const {
    const std::lock_guard lock(state_->mutex);
    return state_->faults;
}

std::uint64_t FaultyProvider::bytes_sent() const { return state_->bytes_sent; }

std::optional<Clock::time_point> FaultyProvider::closed_at(std::uint64_t connection) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->closed.find(connection);
    if (found == state_->closed.end()) return std::nullopt;
    return found->second;
}

bool FaultyProvider::wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->requests.size() >= count; });
}

bool FaultyProvider::wait_for_faults(std::size_t count, std::chrono::milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->faults >= count; });
}

bool FaultyProvider::wait_for_closed(std::uint64_t connection,
                                     std::chrono::milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->closed.count(connection) > 0; });
}

bool FaultyProvider::wait_until_none_is_open(std::chrono::milliseconds timeout) const {
    return state_->wait(timeout, [&] { return state_->open.empty(); });
}

}  // namespace rotary::test
