// circuitBreaker: what a Backend may be given at a time, over all workers.
#include "gateway_fixture.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <stdexcept>

namespace rotary::test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

std::string breaker(const std::string& limits) { return "  circuitBreaker: {" + limits + "}\n"; }

// A keep-alive provider that answers each request after `latency`, and tells whether it ever had a
// connection while another one was there: with a request under way, or not closed within seconds.
class OneAtATime {
public:
    explicit OneAtATime(std::chrono::milliseconds latency) : latency_(latency) {
        listener_.listen(16);
        backend_.port = listener_.number();
        backend_.more = breaker("maxConnections: 1, maxPendingRequests: 100");
        thread_ = std::thread([this] { run(); });
    }
    ~OneAtATime() {
        stop_ = true;
        thread_.join();
        for (Connection& connection : connections_) {
            connection.thread.join();
            ::close(connection.fd);
        }
    }
    OneAtATime(const OneAtATime&) = delete;
    OneAtATime& operator=(const OneAtATime&) = delete;

    const GatewayBackend& backend() const { return backend_; }
    unsigned accepted() const { return accepted_; }
    unsigned answered() const { return answered_; }
    bool ever_two() const { return ever_two_; }

private:
    struct Connection {
        int fd = -1;
        std::atomic<bool> busy{false};
        std::thread thread;
    };

    bool ready(int fd, short what, std::chrono::milliseconds patience) const {
        const auto end = Clock::now() + patience;
        while (!stop_ && Clock::now() < end) {
            pollfd entry{fd, what, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    bool gone(const Connection& connection) const {
        if (connection.busy) return false;
        char byte = 0;
        if (!ready(connection.fd, POLLRDHUP, 5s)) return stop_;
        return ::recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
    }
    void run() {
        while (!stop_) {
            if (!ready(listener_.fd(), POLLIN, 1s)) continue;
            const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            for (const Connection& other : connections_) {
                if (!gone(other)) ever_two_ = true;
            }
            ++accepted_;
            Connection& connection = connections_.emplace_back();
            connection.fd = fd;
            connection.thread = std::thread([this, &connection] { serve(connection); });
        }
    }
    void serve(Connection& connection) {
        std::string in;
        while (ready(connection.fd, POLLIN, 60s)) {
            std::string piece(65536, '\0');
            const ssize_t got = ::recv(connection.fd, piece.data(), piece.size(), 0);
            if (got <= 0) break;
            connection.busy = true;
            in.append(piece, 0, static_cast<std::size_t>(got));
            if (!in.ends_with("}")) continue;  // no request here has one before its end
            in.clear();
            std::this_thread::sleep_for(latency_);
            const std::string answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
            connection.busy = false;
            if (::send(connection.fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
            ++answered_;
        }
        connection.busy = false;
    }

    std::chrono::milliseconds latency_;
    LoopbackPort listener_;
    GatewayBackend backend_;
    std::atomic<unsigned> accepted_{0};
    std::atomic<unsigned> answered_{0};
    std::atomic<bool> ever_two_{false};
    std::atomic<bool> stop_{false};
    std::list<Connection> connections_;  // of thread_, and of the destructor after it
    std::thread thread_;
};

GatewayOptions one_entry(const GatewayBackend& backend) {
    GatewayOptions options;
    options.backends = {backend};
    options.production = {{"a"}};
    return options;
}

GatewayOptions limited(const mock::MockProvider& mock, const std::string& limits) {
    GatewayBackend backend = backend_of(mock, "Bearer key-0");
    backend.more = breaker(limits);
    return one_entry(backend);
}

// A request that the provider has and does not answer: it keeps its connection.
class Busy {
public:
    Busy(const Gateway& gateway, mock::MockProvider& mock, const std::string& model)
        : client_(gateway.connect()) {
        const std::uint64_t before = mock.request_count();
        mock.set_fault(model, mock::MockFault::stall(), 1);
        client_.send(chat());
        EXPECT_TRUE(mock.wait_for_requests(before + 1, 10s));
    }
    TestClient& client() { return client_; }

private:
    TestClient client_;
};

double overflows(const Gateway& gateway, const std::string& backend = "backend-0") {
    return gateway.metric("rotary_upstream_overflow_total{backend=\"" + backend + "\"}");
}

double open_connections(const Gateway& gateway, const std::string& state) {
    return gateway.metric("rotary_upstream_connections{backend=\"backend-0\",state=\"" + state +
                          "\"}");
}

double in_flight(const Gateway& gateway) { return gateway.metric("rotary_requests_in_flight"); }

void expect_overloaded(const Response& response) {
    EXPECT_EQ(response.status, 503U) << response.body;
    EXPECT_EQ(json_at(response.body, "error.code"), "overloaded");
}

// --- connections --------------------------------------------------------------------------------

TEST(BackendLimitsTest, OneConnectionServesAllWorkersRequests) {
    OneAtATime provider(3ms);
    const Gateway gateway(one_entry(provider.backend()));
    for (int round = 0; round < 2; ++round) {
        in_parallel(20, [&](std::size_t) {
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 200U) << response.body;
        });
    }
    EXPECT_EQ(provider.answered(), 40U);
    EXPECT_FALSE(provider.ever_two());
    EXPECT_EQ(overflows(gateway), 0.0);
    // It is kept from one request to the next of the same worker: not one a request.
    EXPECT_LT(provider.accepted(), 20U);
}

// While a worker's clients never cease, the other's must have their turn before they give up.
TEST(BackendLimitsTest, NoWorkerKeepsTheOnlyConnectionForItself) {
    OneAtATime provider(3ms);
    GatewayOptions options = one_entry(provider.backend());
    options.process = "timeouts: {connect: 2s}\n";
    const Gateway gateway(options);
    const auto end = Clock::now() + 3s;
    in_parallel(16, [&](std::size_t) {
        TestClient client = gateway.connect();
        while (Clock::now() < end) {
            const Response response = client.exchange(chat());
            ASSERT_EQ(response.status, 200U) << response.body;
        }
    });
    EXPECT_FALSE(provider.ever_two());
}

TEST(BackendLimitsTest, IdleConnectionOfAnotherWorkerMakesRoom) {
    OneAtATime provider(0ms);
    GatewayOptions options = one_entry(provider.backend());
    options.process = "timeouts: {upstream_idle: 60s}\n";
    const Gateway gateway(options);
    const auto start = Clock::now();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_FALSE(provider.ever_two());
    EXPECT_GT(provider.accepted(), 1U) << "all clients met the same worker: nothing was tested";
    EXPECT_LT(Clock::now() - start, 20s) << "about a tick each time, not the sweep's second";
}

TEST(BackendLimitsTest, ConnectionsTheProviderClosedGiveTheirPlaceBack) {
    mock::MockOptions mock_options;
    mock_options.requests_per_connection = 1;
    const auto mock = start_mock(mock_options);
    const Gateway gateway(limited(*mock, "maxConnections: 1"));
    in_parallel(4, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (int i = 0; i < 5; ++i) EXPECT_EQ(client.exchange(chat()).status, 200U);
    });
    EXPECT_EQ(mock->connections_accepted(), 20U);

    mock->set_fault("*", mock::MockFault::reset(), 3);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(gateway).status, 502U);
    EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_TRUE(eventually([&] { return open_connections(gateway, "active") == 0.0; }));
}

TEST(BackendLimitsTest, StaleConnectionIsReplacedOnItsOwnPlace) {
    const auto mock = start_mock();
    const Gateway gateway(limited(*mock, "maxConnections: 1, maxPendingRequests: 0"));
    TestClient client = gateway.connect();
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(client.exchange(chat()).status, 200U);
        mock->close_connections();  // the gateway may learn of it before or after it asks again
    }
    EXPECT_EQ(overflows(gateway), 0.0);
}

TEST(BackendLimitsTest, IdleConnectionsCountAndAreShown) {
    const auto mock = start_mock();
    GatewayOptions options = limited(*mock, "maxConnections: 8");
    options.workers = 1;
    options.process = "timeouts: {upstream_idle: 60s}\n";
    const Gateway gateway(options);
    {
        const Busy busy(gateway, *mock, "a");
        EXPECT_TRUE(eventually([&] { return open_connections(gateway, "active") == 1.0; }));
        EXPECT_EQ(open_connections(gateway, "idle"), 0.0);
        EXPECT_EQ(ask(gateway).status, 200U);
        EXPECT_TRUE(eventually([&] { return open_connections(gateway, "idle") == 1.0; }));
        EXPECT_EQ(open_connections(gateway, "active"), 1.0);
    }
    EXPECT_TRUE(eventually([&] { return open_connections(gateway, "active") == 0.0; }));
    EXPECT_EQ(open_connections(gateway, "idle"), 1.0);
    mock->close_connections();
    EXPECT_TRUE(eventually([&] { return open_connections(gateway, "idle") == 0.0; }));
}

// --- waiting ------------------------------------------------------------------------------------

TEST(BackendLimitsTest, WithoutPendingTheBusyConnectionIsTheNextEntrysChance) {
    const auto mock = start_mock();
    GatewayOptions options = limited(*mock, "maxConnections: 1, maxPendingRequests: 0");
    const auto other = start_mock();
    options.backends.push_back(backend_of(*other, "Bearer key-1"));
    options.production = {{"a", 0, 100}, {"b", 1, 1}};
    const Gateway gateway(options);
    const Busy busy(gateway, *mock, "a");
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.header("x-rotary-model"), "b");
    EXPECT_EQ(response.header("x-rotary-attempts"), "2");
    EXPECT_EQ(overflows(gateway), 1.0);
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active") << "nobody is to blame";
}

TEST(BackendLimitsTest, WithoutPendingAndAnotherEntryItIsOverloaded) {
    const auto mock = start_mock();
    const Gateway gateway(limited(*mock, "maxConnections: 1, maxPendingRequests: 0"));
    const Busy busy(gateway, *mock, "a");
    const auto start = Clock::now();
    expect_overloaded(ask(gateway));
    EXPECT_LT(Clock::now() - start, 4s) << "at once, not after timeouts.connect";
    EXPECT_EQ(overflows(gateway), 1.0);
    EXPECT_EQ(mock->request_count(), 1U);
}

TEST(BackendLimitsTest, OneMoreThanMayWaitIsTurnedAway) {
    const auto mock = start_mock();
    GatewayOptions options = limited(*mock, "maxConnections: 1, maxPendingRequests: 2");
    options.process = "timeouts: {connect: 60s}\n";
    const Gateway gateway(options);
    Busy busy(gateway, *mock, "a");
    std::vector<TestClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(gateway.connect());
        ASSERT_TRUE(clients.back().send(chat()));
    }
    // Which of the three was the last one is not said.
    ASSERT_TRUE(eventually([&] { return overflows(gateway) == 1.0; }));
    busy.client().reset();
    unsigned served = 0;
    for (TestClient& client : clients) {
        const Response response = client.read_response();
        if (response.status == 200) {
            ++served;
        } else {
            expect_overloaded(response);
        }
    }
    EXPECT_EQ(served, 2U);
    EXPECT_EQ(overflows(gateway), 1.0);
}

TEST(BackendLimitsTest, WaitingTooLongIsOverloaded) {
    const auto mock = start_mock();
    GatewayOptions options = limited(*mock, "maxConnections: 1");
    options.process = "timeouts: {connect: 300ms}\n";
    const Gateway gateway(options);
    const Busy busy(gateway, *mock, "a");
    const auto start = Clock::now();
    expect_overloaded(ask(gateway));
    EXPECT_GE(Clock::now() - start, 300ms);
    EXPECT_EQ(overflows(gateway), 1.0);
}

TEST(BackendLimitsTest, ClientThatLeftWhileItWaitedMakesRoom) {
    const auto mock = start_mock();
    GatewayOptions options = limited(*mock, "maxConnections: 1, maxPendingRequests: 1");
    options.process = "timeouts: {connect: 60s}\n";
    const Gateway gateway(options);
    Busy busy(gateway, *mock, "a");
    {
        TestClient waiting = gateway.connect();
        waiting.send(chat());
        ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 2.0; }));
        expect_overloaded(ask(gateway));
        waiting.reset();
    }
    // Its place in the queue is free: somebody else waits there, and is served.
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 1.0; }));
    TestClient next = gateway.connect();
    next.send(chat());
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 2.0; }));
    busy.client().reset();
    EXPECT_EQ(next.read_response().status, 200U);
    EXPECT_EQ(overflows(gateway), 1.0);
    EXPECT_EQ(mock->request_count(), 2U) << "the one that left was never sent";
}

// --- requests -----------------------------------------------------------------------------------

TEST(BackendLimitsTest, RequestsOverTheirLimitAreTurnedAwayAndCountedDownAgain) {
    const auto mock = start_mock();
    const Gateway gateway(limited(*mock, "maxConnections: 10, maxRequests: 2"));
    {
        const Busy first(gateway, *mock, "a");
        EXPECT_EQ(ask(gateway).status, 200U) << "the second of two";
        // A client may have its answer before the request is counted down.
        ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 1.0; }));
        const Busy second(gateway, *mock, "a");
        expect_overloaded(ask(gateway));
        EXPECT_EQ(overflows(gateway), 1.0);
    }
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 0.0; }));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(gateway).status, 200U);
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 0.0; }));
    const Busy first(gateway, *mock, "a");
    EXPECT_EQ(ask(gateway).status, 200U);
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 1.0; }));
    const Busy second(gateway, *mock, "a");
    expect_overloaded(ask(gateway));
}

// --- reload -------------------------------------------------------------------------------------

TEST(BackendLimitsTest, ReloadChangesTheLimitsOfConnectionsThatAreOpen) {
    const auto mock = start_mock();
    // One worker: with two, one may have the new limits before the other.
    const auto with_limits = [&](const std::string& limits) {
        GatewayOptions options = limited(*mock, limits);
        options.workers = 1;
        return options;
    };
    Gateway gateway(with_limits("maxConnections: 2, maxPendingRequests: 0"));
    Busy first(gateway, *mock, "a");
    Busy second(gateway, *mock, "a");
    expect_overloaded(ask(gateway));

    const auto reload_with = [&](const std::string& limits) {
        gateway.files().write(with_limits(limits));
        const auto outcome = gateway.server().reload();
        ASSERT_TRUE(outcome.ok) << outcome.findings;
    };
    reload_with("maxConnections: 3, maxPendingRequests: 0");
    ASSERT_TRUE(eventually([&] { return ask(gateway).status == 200U; }));

    reload_with("maxConnections: 1, maxPendingRequests: 0");
    ASSERT_TRUE(eventually([&] { return ask(gateway).status == 503U; }));
    EXPECT_TRUE(eventually([&] { return mock->open_connections() == 2U; }))
        << "no idle one is kept";
    first.client().reset();
    // Of the old two one is left: the limit is still reached.
    ASSERT_TRUE(eventually([&] { return in_flight(gateway) == 1.0; }));
    expect_overloaded(ask(gateway));
    second.client().reset();
    EXPECT_TRUE(eventually([&] { return ask(gateway).status == 200U; }));
}

}  // namespace
}  // namespace rotary::test
