// Connecting out: addresses, TLS that must hold, time-outs, sessions taken up again.
#include "net_support.hpp"

#include <rotary/net/dialer.hpp>
#include <support/dns_server.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace rotary;
using namespace rotary::test;
using net::Dialer;
using net::Endpoint;
using net::Resolver;
using net::Stream;
using net::WaitFor;

// Accepts `connections` one after the other and hands each to `serve`, on a thread of its own.
class Upstream {
public:
    Upstream(int connections, std::function<void(Peer&)> serve) {
        const auto [fd, port] = listen_on_loopback();
        fd_ = fd;
        port_ = port;
        thread_ = std::thread([this, connections, serve = std::move(serve)] {
            for (int i = 0; i < connections; ++i) {
                const int accepted = ::accept(fd_, nullptr, nullptr);
                if (accepted < 0) return;
                Peer peer(accepted);
                serve(peer);
            }
        });
    }
    ~Upstream() {
        ::shutdown(fd_, SHUT_RDWR);
        thread_.join();
        ::close(fd_);
    }
    std::uint16_t port() const { return port_; }

private:
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

// A loop that dials, and the name server that it asks.
struct DialLoop : NetLoop {
    explicit DialLoop(std::size_t addresses = 16) : resolver(options(addresses)) {}

    Resolver::Options options(std::size_t addresses) const {
        Resolver::Options made;
        made.servers = {names.address()};
        made.lookup = 20s;
        made.addresses = addresses;
        return made;
    }

    DnsServer names;
    Resolver resolver;
    Dialer dialer{reactor, buffers, resolver, Dialer::Limits()};
};

using Dialed = Result<std::unique_ptr<Stream>>;

Task<void> dial(Dialer& dialer, const Endpoint& endpoint, WaitFor limits, Dialed& result,
                std::chrono::milliseconds patience = 10s) {
    result = co_await dialer.dial(endpoint, limits, patience);
}

Dialed dial_once(DialLoop& loop, const Endpoint& endpoint,
                 std::chrono::milliseconds patience = 10s) {
    Dialed result = Fault();
    loop.run(dial(loop.dialer, endpoint, WaitFor(), result, patience));
    return result;
}

Task<void> echo(Stream& stream, std::string& got) {
    const std::array<std::string_view, 1> pieces = {"ping"};
    const WaitFor limits;
    const Result<void> written = co_await stream.write_all(pieces, limits);
    EXPECT_TRUE(written.has_value());
    co_await read_until(stream, 4, 100, got);
}

void answer_pings(Peer& peer) {
    while (peer.read(4) == "ping") peer.write("pong");
}

struct Server {
    const char* name;
    const char* host;
    const PemFiles Certificates::*identity;  // null: no TLS at all
    FaultKind expected;
};
class DialTls : public ::testing::TestWithParam<Server> {};

TEST_P(DialTls, OnlyToWhoProvesToBeIt) {
    const Server& row = GetParam();
    std::string overheard;
    {
        Upstream upstream(1, [&](Peer& peer) {
            if (row.identity == nullptr) {
                peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
                overheard = peer.read(100000);
                return;
            }
            if (peer.accept_tls(PeerTls(certificates().*row.identity))) answer_pings(peer);
        });
        DialLoop loop;
        const Endpoint endpoint{row.host, upstream.port(), client_context()};
        Dialed result = dial_once(loop, endpoint);
        if (row.expected == FaultKind::none) {
            ASSERT_TRUE(result.has_value()) << result.error().detail;
            std::string got;
            loop.run(echo(**result, got));
            EXPECT_EQ(got, "pong");
        } else {
            ASSERT_TRUE(result.has_error());
            EXPECT_EQ(result.error().kind, row.expected) << result.error().detail;
            EXPECT_STRNE(result.error().detail, "");
        }
    }
    EXPECT_EQ(overheard.find("ping"), std::string::npos);
}

constexpr FaultKind kRefused = FaultKind::upstream_tls_failed;

INSTANTIATE_TEST_SUITE_P(
    Cases, DialTls,
    ::testing::Values(Server{"ByName", "localhost", &Certificates::server, FaultKind::none},
                      Server{"ByAddress", "127.0.0.1", &Certificates::server, FaultKind::none},
                      Server{"WrongHost", "localhost", &Certificates::wrong_host, kRefused},
                      Server{"WrongHostByAddress", "127.0.0.1", &Certificates::wrong_host,
                             kRefused},
                      Server{"Expired", "localhost", &Certificates::expired, kRefused},
                      Server{"NotYetValid", "localhost", &Certificates::not_yet, kRefused},
                      Server{"ForClientsOnly", "localhost", &Certificates::client_only, kRefused},
                      Server{"SelfSigned", "localhost", &Certificates::self_signed, kRefused},
                      Server{"UnknownCa", "localhost", &Certificates::unknown_ca, kRefused},
                      Server{"NoTls", "localhost", nullptr, kRefused}),
    [](const auto& row) { return row.param.name; });

TEST(Dialer, SystemsAuthoritiesDoNotVouchForOurs) {
    Upstream upstream(1, [](Peer& peer) { peer.accept_tls(PeerTls(certificates().server)); });
    DialLoop loop;
    const auto context = net::TlsContext::client(net::TlsContext::ClientOptions());
    const Dialed result = dial_once(loop, Endpoint{"localhost", upstream.port(), context});
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, kRefused);
}

TEST(Dialer, TlsWithoutANameIsRefused) {
    NetLoop loop;
    const SocketPair pair = tcp_pair();
    Peer peer(pair.theirs);
    const auto context = client_context();
    Stream::Role role;
    role.tls = context.get();
    Stream stream(loop.reactor, loop.buffers, pair.ours, role);
    char byte = 0;
    EXPECT_EQ(stream.read_some(&byte, 1).status, net::IoStatus::error);
    const std::array<std::string_view, 1> pieces = {"secret"};
    EXPECT_EQ(stream.write_some(pieces).status, net::IoStatus::error);
}

TEST(Dialer, TakesTheSessionUpAgain) {
    Upstream upstream(3, [tls = std::make_shared<PeerTls>(certificates().server)](Peer& peer) {
        if (peer.accept_tls(*tls)) answer_pings(peer);
    });
    DialLoop loop;
    Endpoint endpoint{"localhost", upstream.port(), client_context()};
    const auto resumed = [&] {
        Dialed result = dial_once(loop, endpoint);
        EXPECT_TRUE(result.has_value());
        if (!result) return false;
        std::string got;
        loop.run(echo(**result, got));
        EXPECT_EQ(got, "pong");
        (*result)->shutdown();
        return SSL_session_reused((*result)->native_tls()) == 1;
    };
    EXPECT_FALSE(resumed());
    EXPECT_TRUE(resumed());
    endpoint.tls = client_context();
    EXPECT_FALSE(resumed()) << "what another context verified counts for nothing";
}

TEST(Dialer, ConnectionRefused) {
    const auto [fd, port] = listen_on_loopback();
    ::close(fd);
    DialLoop loop;
    for (const char* host : {"127.0.0.1", "localhost", "[::1]"}) {
        SCOPED_TRACE(host);
        const Dialed result = dial_once(loop, Endpoint{host, port, nullptr});
        ASSERT_TRUE(result.has_error());
        EXPECT_EQ(result.error().kind, FaultKind::upstream_connect_failed);
        EXPECT_EQ(result.error().origin, Origin::upstream);
    }
}

TEST(Dialer, GoesOnToTheNextAddress) {
    Upstream upstream(1, answer_pings);
    DialLoop loop;
    loop.names.has("several.test", {"::1", "127.0.0.2", "127.0.0.1"});  // two where nobody listens
    Dialed result = dial_once(loop, Endpoint{"several.test", upstream.port(), nullptr});
    ASSERT_TRUE(result.has_value()) << result.error().detail;
    std::string got;
    loop.run(echo(**result, got));
    EXPECT_EQ(got, "pong");
}

TEST(Dialer, ResolvesNames) {
    Upstream upstream(1, answer_pings);
    DialLoop loop;
    Dialed result = dial_once(loop, Endpoint{"localhost", upstream.port(), nullptr});
    EXPECT_TRUE(result.has_value());
}

TEST(Dialer, NameThatIsNone) {
    DialLoop loop;
    const Dialed result = dial_once(loop, Endpoint{"nowhere.test", 80, nullptr});
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::upstream_dns_failed);
    EXPECT_EQ(result.error().origin, Origin::upstream);
    EXPECT_EQ(result.error().retry, Retry::next_entry);
}

// A listener on this address whose backlog is full: SYNs get no answer.
class Silence {
public:
    Silence(const char* address, std::uint16_t port) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_port = htons(port);
        ::inet_pton(AF_INET, address, &place.sin_addr);
        auto* const generic = reinterpret_cast<sockaddr*>(&place);
        for (int& fd : fds_) {
            fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (&fd == &fds_.front()) {
                const bool listens = ::bind(fd, generic, sizeof place) == 0 && ::listen(fd, 0) == 0;
                EXPECT_TRUE(listens);
            } else {
                ::connect(fd, generic, sizeof place);
            }
        }
    }
    ~Silence() {
        for (const int fd : fds_) ::close(fd);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    std::array<int, 5> fds_{};
};

TEST(Dialer, SilentAddressLeavesTimeForTheNext) {
    Upstream upstream(1, answer_pings);
    const Silence silence("127.0.0.3", upstream.port());
    DialLoop loop;
    loop.names.has("several.test", {"127.0.0.3", "127.0.0.1"});
    WaitFor limits;
    const auto start = std::chrono::steady_clock::now();
    limits.deadline = start + 2s;  // its share is half, and no less than a second
    Dialed result = Fault();
    const Endpoint endpoint{"several.test", upstream.port(), nullptr};
    loop.run(dial(loop.dialer, endpoint, limits, result));
    ASSERT_TRUE(result.has_value()) << result.error().detail;
    EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
    std::string got;
    loop.run(echo(**result, got));
    EXPECT_EQ(got, "pong");
}

TEST(Dialer, SilenceOfTheOnlyAddressTimesOut) {
    Upstream upstream(1, answer_pings);
    const Silence silence("127.0.0.3", upstream.port());
    DialLoop loop;
    const Dialed result = dial_once(loop, Endpoint{"127.0.0.3", upstream.port(), nullptr}, 60ms);
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::upstream_timeout);
    EXPECT_EQ(result.error().origin, Origin::upstream);
}

TEST(Dialer, TriesOnlySoManyAddresses) {
    for (const std::size_t most : {std::size_t{1}, std::size_t{2}}) {
        SCOPED_TRACE(most);
        Upstream upstream(1, answer_pings);
        DialLoop loop(most);
        loop.names.has("several.test", {"127.0.0.2", "127.0.0.1"});
        const Endpoint endpoint{"several.test", upstream.port(), nullptr};
        EXPECT_EQ(dial_once(loop, endpoint).has_value(), most == 2);
    }
}

// While it lives no descriptor can be opened.
class NoDescriptors {
public:
    NoDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        rlimit none = before_;
        none.rlim_cur = 0;  // those that are open stay so
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
    rlimit before_{};
};

TEST(Dialer, WantOfDescriptorsIsNotTheProvidersFault) {
    Upstream upstream(2, answer_pings);
    DialLoop loop;
    loop.names.has("several.test", {"127.0.0.1", "127.0.0.2"});
    const Endpoint by_name{"several.test", upstream.port(), nullptr};
    ASSERT_TRUE(dial_once(loop, by_name).has_value()) << "so that the name is known";
    for (const char* host : {"127.0.0.1", "several.test"}) {
        SCOPED_TRACE(host);
        const NoDescriptors none;
        const Dialed result = dial_once(loop, Endpoint{host, upstream.port(), nullptr});
        ASSERT_TRUE(result.has_error());
        EXPECT_EQ(result.error().kind, FaultKind::overloaded);
        EXPECT_EQ(result.error().origin, Origin::internal);
        EXPECT_EQ(result.error().retry, Retry::next_entry);
        EXPECT_STREQ(result.error().detail, "out of file descriptors");
    }
    const Endpoint endpoint{"127.0.0.1", upstream.port(), nullptr};
    EXPECT_TRUE(dial_once(loop, endpoint).has_value()) << "and goes on when there are some";
}

TEST(Dialer, ServerThatNeverShakesHandsTimesOut) {
    Upstream upstream(1, [](Peer& peer) { peer.read(100000); });
    DialLoop loop;
    const auto start = std::chrono::steady_clock::now();
    const Endpoint endpoint{"127.0.0.1", upstream.port(), client_context()};
    const Dialed result = dial_once(loop, endpoint, 60ms);
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::upstream_timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 60ms);
}

TEST(Dialer, ClientThatHangsUpEndsIt) {
    Upstream upstream(1, [](Peer& peer) { peer.read(100000); });
    DialLoop loop;
    const SocketPair pair = tcp_pair();
    auto client_peer = std::make_unique<Peer>(pair.theirs);
    Stream client(loop.reactor, loop.buffers, pair.ours, Stream::Role());
    const Endpoint endpoint{"127.0.0.1", upstream.port(), client_context()};
    Dialed result = Fault();
    WaitFor limits;
    limits.client = &client.descriptor();
    spawn(dial(loop.dialer, endpoint, limits, result));
    settle(loop.reactor);
    EXPECT_EQ(result.error().kind, FaultKind::none) << "still at it";
    client_peer.reset();
    while (result.has_error() && result.error().kind == FaultKind::none) turn(loop.reactor);
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::client_gone);
    EXPECT_EQ(result.error().origin, Origin::client);
}

// Connecting has its own time, which begins when the addresses are there.
TEST(Dialer, NamesTimeIsNotConnectings) {
    Upstream upstream(1, answer_pings);
    DialLoop loop;
    loop.names.has("slow.test", {"127.0.0.1"});
    loop.names.hold("slow.test");
    const Endpoint endpoint{"slow.test", upstream.port(), nullptr};
    Dialed result = Fault();
    constexpr auto kPatience = 5s;
    spawn(dial(loop.dialer, endpoint, WaitFor(), result, kPatience));
    const auto waited_for = std::chrono::steady_clock::now() + kPatience + 100ms;
    while (std::chrono::steady_clock::now() < waited_for) loop.reactor.run_once(20ms);
    EXPECT_EQ(result.error().kind, FaultKind::none) << "still at it";
    loop.names.release("slow.test");
    while (result.has_error() && result.error().kind == FaultKind::none) turn(loop.reactor);
    EXPECT_TRUE(result.has_value()) << result.error().detail;
}

TEST(Dialer, ClientThatHangsUpEndsTheWaitForAName) {
    DialLoop loop;
    loop.names.hold("hanging.test");
    const SocketPair pair = tcp_pair();
    auto client_peer = std::make_unique<Peer>(pair.theirs);
    Stream client(loop.reactor, loop.buffers, pair.ours, Stream::Role());
    Dialed result = Fault();
    WaitFor limits;
    limits.client = &client.descriptor();
    const Endpoint endpoint{"hanging.test", 80, nullptr};
    spawn(dial(loop.dialer, endpoint, limits, result));
    ASSERT_TRUE(loop.names.wait_for("hanging.test"));
    client_peer.reset();
    while (result.has_error() && result.error().kind == FaultKind::none) turn(loop.reactor);
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::client_gone);
}

TEST(Dialer, RequestThatEndsBlamesNoName) {
    DialLoop loop;
    loop.names.hold("hanging.test");
    Dialed result = Fault();
    WaitFor limits;
    limits.deadline = std::chrono::steady_clock::now() + 50ms;
    const Endpoint endpoint{"hanging.test", 80, nullptr};
    loop.run(dial(loop.dialer, endpoint, limits, result));
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::upstream_timeout);
}

}  // namespace
