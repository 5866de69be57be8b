// Accepting, and what becomes of it when descriptors run out.
#include "net_support.hpp"

#include <rotary/net/listener.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace rotary::test;
using rotary::net::Listener;

Listener::Options loopback_options() {
    Listener::Options options;
    options.address = "127.0.0.1";
    return options;
}

// A connection that the kernel makes while nobody accepts.
int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
        return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
}

struct Fds {
    std::vector<int> all;
    ~Fds() { clear(); }
    void clear() {
        for (const int fd : all) ::close(fd);
        all.clear();
    }
};

TEST(Listener, HandsOverSocketsReadyForUse) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    Listener listener(loop.reactor, loopback_options(),
                      [&](int fd) { accepted.all.push_back(fd); });
    ASSERT_NE(listener.port(), 0);
    clients.all.push_back(connect_to(listener.port()));
    while (accepted.all.empty()) turn(loop.reactor);
    const int fd = accepted.all.front();
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST(Listener, TakesMoreThanATurnsWorth) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    Listener listener(loop.reactor, loopback_options(),
                      [&](int fd) { accepted.all.push_back(fd); });
    for (int i = 0; i < 200; ++i) clients.all.push_back(connect_to(listener.port()));
    while (accepted.all.size() < 200) turn(loop.reactor);
}

TEST(Listener, SharesItsPortWithAnotherWorkers) {
    NetLoop loop;
    const Listener first(loop.reactor, loopback_options(), ::close);
    Listener::Options options = loopback_options();
    options.port = first.port();
    const Listener second(loop.reactor, options, ::close);
    EXPECT_EQ(second.port(), first.port());
}

TEST(Listener, SaysWhereItCannotListen) {
    NetLoop loop;
    const auto [taken, port] = listen_on_loopback();  // without SO_REUSEPORT
    struct Row {
        const char* address;
        std::uint16_t port;
    };
    for (const Row& row :
         {Row{"127.0.0.1", port}, Row{"203.0.113.1", 8443}, Row{"no address", 8443}}) {
        Listener::Options options;
        options.address = row.address;
        options.port = row.port;
        try {
            const Listener listener(loop.reactor, options, ::close);
            ADD_FAILURE() << row.address << " taken";
        } catch (const std::system_error& error) {
            const std::string where = std::string(row.address) + ":" + std::to_string(row.port);
            EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << error.what();
        }
    }
    ::close(taken);
}

TEST(Listener, StoppedOneRefuses) {
    NetLoop loop;
    std::optional<Listener> listener(std::in_place, loop.reactor, loopback_options(), ::close);
    const std::uint16_t port = listener->port();
    listener->stop();
    listener->stop();
    EXPECT_EQ(connect_to(port), -1);
    settle(loop.reactor);
    listener.reset();
}

// A listening socket that closes resets what waits in its queue.
TEST(Listener, AcceptsWhatWaitsBeforeItCloses) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    Listener listener(loop.reactor, loopback_options(),
                      [&](int fd) { accepted.all.push_back(fd); });
    for (int i = 0; i < 200; ++i) clients.all.push_back(connect_to(listener.port()));
    ASSERT_TRUE(accepted.all.empty());
    listener.stop();
    EXPECT_EQ(accepted.all.size(), 200U);
    EXPECT_EQ(connect_to(listener.port()), -1);
    for (const int fd : clients.all) {
        char byte = 0;
        EXPECT_EQ(::recv(fd, &byte, 1, MSG_DONTWAIT), -1);
        EXPECT_EQ(errno, EAGAIN) << "it was not reset";
    }
}

// Who begins to connect once a listener takes nobody is neither refused nor in its queue: the try
// after that, a second later, meets whoever listens there by then.
TEST(Listener, TakesNobodyNewWhileItStops) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    std::optional<Listener> first;
    first.emplace(loop.reactor, loopback_options(), [&](int fd) { accepted.all.push_back(fd); });
    clients.all.push_back(connect_to(first->port()));
    ASSERT_TRUE(first->stop_taking());
    int late = -1;
    std::thread client([&, port = first->port()] { late = connect_to(port); });
    Listener::Options same = loopback_options();
    same.port = first->port();
    std::size_t taken_over = 0;
    std::optional<Listener> second;
    while (accepted.all.empty()) turn(loop.reactor);
    turn_for(loop.reactor, 300ms);
    EXPECT_EQ(accepted.all.size(), 1U) << "it came before";
    second.emplace(loop.reactor, same, [&](int fd) {
        ++taken_over;
        accepted.all.push_back(fd);
    });
    first->stop();
    EXPECT_EQ(accepted.all.size(), 1U);
    while (taken_over == 0) turn(loop.reactor);
    client.join();
    EXPECT_GE(late, 0);
    clients.all.push_back(late);
    EXPECT_FALSE(first->stop_taking()) << "it has stopped";
}

// One byte of whoever accepts it; false: refused or reset. Leaves no TIME_WAIT behind.
bool is_served(std::uint16_t port) {
    const int fd = connect_to(port);
    if (fd < 0) return false;
    const timeval patience{10, 0};  // a connection may be lost without a word, too
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char byte = 0;
    const bool served = ::recv(fd, &byte, 1, 0) == 1;
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd);
    return served;
}

// Clients without a pause, and eight changes of who listens.
TEST(Listener, LosesNobodyWhenAnotherTakesOver) {
    NetLoop loop;
    const auto serve = [](int fd) {
        ::send(fd, "k", 1, MSG_NOSIGNAL);
        ::close(fd);
    };
    auto now = std::make_unique<Listener>(loop.reactor, loopback_options(), serve);
    Listener::Options same = loopback_options();
    same.port = now->port();
    std::atomic<bool> done{false};
    std::atomic<std::size_t> served{0};
    std::atomic<std::size_t> lost{0};
    std::atomic<int> running{8};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            while (!done) ++(is_served(same.port) ? served : lost);
            --running;
        });
    }
    for (int round = 0; round < 8; ++round) {
        const std::size_t before = served;
        auto next = std::make_unique<Listener>(loop.reactor, same, serve);
        ASSERT_TRUE(now->stop_taking());
        turn_for(loop.reactor, 100us);  // on loopback a handshake is over at once
        now->stop();
        now = std::move(next);
        while (served + lost < before + 20) turn_for(loop.reactor, 1ms);
    }
    done = true;
    while (running > 0) turn_for(loop.reactor, 1ms);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(lost, 0U) << "of " << served;
    EXPECT_GE(served, 160U);
}

TEST(Listener, LeavesTheQueueAloneWhileItPauses) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    std::optional<Listener> listener;
    listener.emplace(loop.reactor, loopback_options(), [&](int fd) {
        accepted.all.push_back(fd);
        listener->pause();
    });
    for (int i = 0; i < 3; ++i) clients.all.push_back(connect_to(listener->port()));
    for (std::size_t taken = 1; taken <= 2; ++taken) {
        while (accepted.all.size() < taken) turn(loop.reactor);
        settle(loop.reactor);
        EXPECT_EQ(accepted.all.size(), taken);
        listener->resume();
    }
    while (accepted.all.size() < 3) turn(loop.reactor);
    listener->stop();
    EXPECT_EQ(connect_to(listener->port()), -1) << "it stops in a pause too";
    settle(loop.reactor);
}

TEST(Listener, MayBeStoppedByWhatItAccepts) {
    NetLoop loop;
    Fds accepted;
    std::optional<Listener> listener;
    listener.emplace(loop.reactor, loopback_options(), [&](int fd) {
        accepted.all.push_back(fd);
        listener->stop();
    });
    const std::uint16_t port = listener->port();
    Fds clients;
    for (int i = 0; i < 3; ++i) clients.all.push_back(connect_to(port));
    while (accepted.all.empty()) turn(loop.reactor);
    settle(loop.reactor);
    EXPECT_EQ(accepted.all.size(), 1U);
    EXPECT_EQ(connect_to(port), -1);
}

// Lowers the limit so that exactly `spare` more descriptors can be had.
class FewDescriptors {
public:
    explicit FewDescriptors(rlim_t spare) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        rlimit lowered = before_;
        lowered.rlim_cur = static_cast<rlim_t>(next) + spare;
        ::setrlimit(RLIMIT_NOFILE, &lowered);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST(Listener, OutOfDescriptorsItRefusesWithoutSpinningAndRecovers) {
    NetLoop loop;
    Fds accepted;
    Fds clients;
    Listener::Options options = loopback_options();
    options.backoff = 400ms;
    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t told = 0;
    options.on_refused = [&] { ++told; };
    Listener listener(loop.reactor, options, [&](int fd) { accepted.all.push_back(fd); });
    for (int i = 0; i < 10; ++i) clients.all.push_back(connect_to(listener.port()));
    {
        const FewDescriptors few(4);
        const std::uint64_t turns = loop.reactor.rounds();
        while (accepted.all.size() + listener.refused() < 10) turn(loop.reactor);
        EXPECT_EQ(accepted.all.size(), 4U);
        EXPECT_EQ(listener.refused(), 6U);
        EXPECT_EQ(told, 6U);
        // Who was turned away knows it by now.
        char byte = 0;
        const ssize_t got = ::recv(clients.all.back(), &byte, 1, MSG_DONTWAIT);
        EXPECT_TRUE(got == 0 || (got < 0 && errno == ECONNRESET)) << got << ' ' << errno;
        turn_for(loop.reactor, 150ms);
        EXPECT_LE(loop.reactor.rounds() - turns, 5U);
    }
    const std::uint64_t refused = listener.refused();
    clients.all.push_back(connect_to(listener.port()));
    while (accepted.all.size() < 5) turn(loop.reactor);
    EXPECT_EQ(listener.refused(), refused);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, options.backoff);
}

}  // namespace
