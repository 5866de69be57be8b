#include "dns_client.hpp"

#include "address_family.hpp"
#include "dns_patience.hpp"
#include "socket_options.hpp"

#include <ares.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rotary::net {

namespace {

using Clock = std::chrono::steady_clock;
using Outcome = DnsAnswer::Outcome;

constexpr int kEvents = 64;

}  // namespace

// One question: its channel and what became of it. On the client's thread.
struct DnsClient::Lookup {
    Lookup(State& of, DnsQuestion what)
        : state(of), question(std::move(what)), deadline(Clock::now() + question.patience) {}
    ~Lookup() {
        finished = true;  // what c-ares says from here on is about its end only
        if (channel != nullptr) ares_destroy(channel);
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    void begin();
    int open();
    void finish(DnsAnswer with) {
        if (finished) return;
        finished = true;
        answer = std::move(with);
        if (want != nullptr && answer.outcome != Outcome::found) {
            answer.outcome = Outcome::our_want;
            answer.detail = want;
        }
    }
    void watch(int fd, bool reads, bool writes);
    int wait(Clock::time_point now) const;

    State& state;
    DnsQuestion question;
    Clock::time_point deadline;
    ares_channel channel = nullptr;
    const char* want = nullptr;  // what this process lacked for a socket
    bool finished = false;
    DnsAnswer answer;
};

struct DnsClient::State {
    explicit State(OnAnswer to);
    ~State();

    void run();
    bool take_questions();  // false: the end
    void run_out(Clock::time_point now);
    void give_answers();
    int wait() const;
    void wake() const noexcept;

    OnAnswer on_answer;
    int epoll = -1;
    int event = -1;
    std::mutex mutex;  // of the next two
    std::vector<DnsQuestion> asked;
    bool stopping = false;
    std::unordered_map<int, Lookup*> sockets;
    std::vector<std::unique_ptr<Lookup>> lookups;
    std::thread thread;
};

namespace {

// The system's calls, but for the note of what this process lacked.
template <class Lookup>
const ares_socket_functions* socket_functions() {
    static const ares_socket_functions kFunctions = {
        [](int family, int type, int protocol, void* lookup) {
            const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
            if (fd < 0 && lacks_resources(errno)) {
                static_cast<Lookup*>(lookup)->want = errno == EMFILE || errno == ENFILE
                                                         ? "out of file descriptors"
                                                         : "out of memory for sockets";
            }
            return fd;
        },
        [](int fd, void*) { return ::close(fd); },
        [](int fd, const sockaddr* to, socklen_t size, void*) { return ::connect(fd, to, size); },
        [](int fd, void* to, std::size_t size, int flags, sockaddr* from, socklen_t* from_size,
           void*) { return ::recvfrom(fd, to, size, flags, from, from_size); },
        [](int fd, const iovec* pieces, int count, void*) { return ::writev(fd, pieces, count); }};
    return &kFunctions;
}

}  // namespace

int DnsClient::Lookup::open() {
    ares_options options{};
    options.timeout = static_cast<int>(first_try(question.patience).count());
    options.tries = kDnsTries;
    options.sock_state_cb = [](void* lookup, int fd, int reads, int writes) {
        static_cast<Lookup*>(lookup)->watch(fd, reads != 0, writes != 0);
    };
    options.sock_state_cb_data = this;
    const int status = ares_init_options(
        &channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        channel = nullptr;
        return status;
    }
    ares_set_socket_functions(channel, socket_functions<Lookup>(), this);
    if (question.servers.empty()) return ARES_SUCCESS;
    return ares_set_servers_ports_csv(channel, question.servers.c_str());
}

void DnsClient::Lookup::begin() {
    const int status = open();
    if (status != ARES_SUCCESS) {
        finish(answer_of(status, nullptr));
        return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = configured_family();
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        channel, question.name.c_str(), nullptr, &hints,
        [](void* lookup, int outcome, int, ares_addrinfo* info) {
            auto& self = *static_cast<Lookup*>(lookup);
            if (!self.finished) self.finish(answer_of(outcome, info));
            if (info != nullptr) ares_freeaddrinfo(info);
        },
        this);
}

void DnsClient::Lookup::watch(int fd, bool reads, bool writes) {
    if (!reads && !writes) {
        ::epoll_ctl(state.epoll, EPOLL_CTL_DEL, fd, nullptr);
        state.sockets.erase(fd);
        return;
    }
    epoll_event event{};
    event.events = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
    event.data.fd = fd;
    const bool known = !state.sockets.insert_or_assign(fd, this).second;
    // A socket that can't be watched is one that never answers: its time-out ends it.
    ::epoll_ctl(state.epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

// Milliseconds until something must be done for it.
int DnsClient::Lookup::wait(Clock::time_point now) const {
    timeval room{};
    return wait_until(deadline, ares_timeout(channel, nullptr, &room), now);
}

DnsClient::State::State(OnAnswer to) : on_answer(std::move(to)) {
    static const int kReady = ares_library_init(ARES_LIB_INIT_ALL);
    if (kReady != ARES_SUCCESS) throw std::system_error(ENOMEM, std::system_category(), "c-ares");
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = event;
    if (epoll < 0 || event < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) != 0) {
        const int error = errno;
        ::close(epoll);
        ::close(event);
        throw std::system_error(error, std::system_category(), "the resolver");
    }
}

DnsClient::State::~State() {
    ::close(epoll);
    ::close(event);
}

void DnsClient::State::wake() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

bool DnsClient::State::take_questions() {
    std::vector<DnsQuestion> taken;
    {
        const std::lock_guard lock(mutex);
        if (stopping) return false;
        taken.swap(asked);
    }
    for (DnsQuestion& question : taken) {
        lookups.push_back(std::make_unique<Lookup>(*this, std::move(question)));
        lookups.back()->begin();
    }
    return true;
}

// At its deadline a lookup ends with what has come: one kind of address is enough when the query
// for the other stays without an answer, and c-ares says so when it is cancelled.
void DnsClient::State::run_out(Clock::time_point now) {
    for (const auto& lookup : lookups) {
        if (lookup->finished) continue;
        ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        if (now >= lookup->deadline) ares_cancel(lookup->channel);
    }
}

void DnsClient::State::give_answers() {
    for (auto& lookup : lookups) {
        if (!lookup->finished) continue;
        on_answer(lookup->question.name, std::move(lookup->answer));
        lookup.reset();
    }
    std::erase(lookups, nullptr);
}

int DnsClient::State::wait() const {
    int least = -1;
    const auto now = Clock::now();
    for (const auto& lookup : lookups) {
        const int wanted = lookup->wait(now);
        least = least < 0 ? wanted : std::min(least, wanted);
    }
    return least;
}

void DnsClient::State::run() {
    pthread_setname_np(pthread_self(), "resolver");
    std::array<epoll_event, kEvents> events;
    do {
        run_out(Clock::now());
        give_answers();
        const int count = ::epoll_wait(epoll, events.data(), kEvents, wait());
        for (int i = 0; i < count; ++i) {
            const epoll_event& happened = events[static_cast<std::size_t>(i)];
            const int fd = happened.data.fd;
            if (fd == event) {
                std::uint64_t ignored = 0;
                [[maybe_unused]] const auto got = ::read(event, &ignored, sizeof ignored);
                continue;
            }
            const auto found = sockets.find(fd);
            if (found == sockets.end()) continue;  // closed by what came before in this batch
            const bool failed = (happened.events & (EPOLLERR | EPOLLHUP)) != 0;
            const bool reads = failed || (happened.events & EPOLLIN) != 0;
            const bool writes = failed || (happened.events & EPOLLOUT) != 0;
            ares_process_fd(found->second->channel, reads ? fd : ARES_SOCKET_BAD,
                            writes ? fd : ARES_SOCKET_BAD);
        }
    } while (take_questions());
    lookups.clear();
}

DnsClient::DnsClient(OnAnswer on_answer) : state_(std::make_unique<State>(std::move(on_answer))) {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

DnsClient::~DnsClient() { stop(); }

void DnsClient::ask(DnsQuestion question) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->asked.push_back(std::move(question));
    }
    state_->wake();
}

void DnsClient::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake();
    if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace rotary::net
