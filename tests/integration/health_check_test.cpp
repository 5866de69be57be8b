// healthCheck: a Backend where nobody answers is left alone until somebody does.
#include "gateway_fixture.hpp"

#include <rotary/base/log.hpp>
#include <rotary/control/health_check.hpp>
#include <support/dns_server.hpp>

#include <boost/asio/io_context.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace rotary::test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""s;
using control::HealthChecker;
using control::HealthTarget;
using rotation::BackendState;
using rotation::EntryState;
using rotation::Standing;

// A port of 127.0.0.1 that is ours, whether somebody listens there or not.
class Port {
public:
    std::uint16_t number() const { return port_->number(); }
    void listen(int backlog = 64) { port_->listen(backlog); }
    void close() {
        const std::uint16_t number = port_->number();
        port_.reset();
        port_.emplace(number);
    }
    // Connections that came since the last time.
    unsigned accepted() {
        unsigned count = 0;
        for (;;) {
            const int fd = ::accept4(port_->fd(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return count;
            ::close(fd);
            ++count;
        }
    }

private:
    std::optional<LoopbackPort> port_{std::in_place};
};

// More connections to a port than wait for being accepted.
class Crowd {
public:
    explicit Crowd(std::uint16_t port) {
        for (int& fd : fds_) {
            fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
        }
    }
    ~Crowd() {
        for (const int fd : fds_) ::close(fd);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

private:
    std::array<int, 4> fds_{};
};

// A checker on the test's own thread.
struct Bench {
    HealthTarget target(const std::string& host = "127.0.0.1") {
        HealthTarget made;
        made.backend = "backend";
        made.host = host;
        made.port = port.number();
        made.interval = 20ms;
        made.timeout = 5s;
        made.unhealthy_threshold = 3;
        made.healthy_threshold = 2;
        made.state = state;
        made.entries = {first, second};
        return made;
    }
    bool run_until(const std::function<bool()>& condition,
                   std::chrono::milliseconds patience = 10s) {
        const auto end = Clock::now() + patience;
        while (!condition()) {
            if (Clock::now() > end) return false;
            context.run_one_for(10ms);
        }
        return true;
    }
    bool is_out(const std::shared_ptr<EntryState>& entry) const {
        return entry->standing(Clock::now()) == Standing::out;
    }
    bool all_out() const { return is_out(first) && is_out(second); }
    bool all_in() const { return !is_out(first) && !is_out(second); }

    Port port;
    std::shared_ptr<BackendState> state = std::make_shared<BackendState>();
    std::shared_ptr<EntryState> first = std::make_shared<EntryState>();
    std::shared_ptr<EntryState> second = std::make_shared<EntryState>();
    net::Resolver::Options asking() const {
        net::Resolver::Options options;
        options.lookup = 1h;
        options.servers = {names.address()};
        return options;
    }

    DnsServer names;
    net::Resolver resolver{asking()};
    boost::asio::io_context context{1};
    Logger log{LogLevel::error};
    HealthChecker checker{context, log, resolver};
};

TEST(HealthCheckerTest, GoesDownAndUpWithTheBackend) {
    Bench bench;
    const auto start = Clock::now();
    bench.checker.set_targets({bench.target()});
    EXPECT_TRUE(bench.state->healthy()) << "until it is known better";
    EXPECT_TRUE(bench.all_in());
    ASSERT_TRUE(bench.run_until([&] { return !bench.state->healthy(); }));
    EXPECT_GE(Clock::now() - start, 40ms) << "the third failure, the second pause behind it";
    EXPECT_TRUE(bench.all_out());

    bench.port.listen();
    ASSERT_TRUE(bench.run_until([&] { return bench.state->healthy(); }));
    EXPECT_TRUE(bench.all_in());
    EXPECT_EQ(bench.port.accepted(), 2U) << "two successes were asked for";

    bench.port.close();
    ASSERT_TRUE(bench.run_until([&] { return bench.all_out(); }));
    EXPECT_FALSE(bench.state->healthy());
}

TEST(HealthCheckerTest, FailuresMustBeInARow) {
    Bench bench;
    HealthTarget target = bench.target();
    target.unhealthy_threshold = 2;
    target.interval = 300ms;  // between two rounds the test opens or closes the port
    bench.port.listen();
    bench.checker.set_targets({target});
    ASSERT_TRUE(bench.run_until([&] { return bench.port.accepted() == 1; }));
    for (int i = 0; i < 2; ++i) {
        bench.port.close();
        const auto refused = Clock::now() + 400ms;  // one round, not two
        bench.run_until([&] { return Clock::now() > refused; });
        bench.port.listen();
        ASSERT_TRUE(bench.run_until([&] { return bench.port.accepted() > 0; }));
    }
    EXPECT_TRUE(bench.state->healthy());
}

TEST(HealthCheckerTest, SilenceIsAFailureAfterTheTimeout) {
    Bench bench;
    // A listener whose backlog is full says nothing: these take what room there is.
    bench.port.listen(0);
    const Crowd crowd(bench.port.number());
    HealthTarget target = bench.target();
    target.timeout = 150ms;
    target.unhealthy_threshold = 1;
    const auto start = Clock::now();
    bench.checker.set_targets({target});
    ASSERT_TRUE(bench.run_until([&] { return !bench.state->healthy(); }));
    EXPECT_GE(Clock::now() - start, 150ms);
}

TEST(HealthCheckerTest, ReloadKeepsCountsAndTellsNewEntries) {
    Bench bench;
    bench.checker.set_targets({bench.target()});
    ASSERT_TRUE(bench.run_until([&] { return bench.all_out(); }));

    HealthTarget more = bench.target();
    const auto third = std::make_shared<EntryState>();
    more.entries = {bench.first, third};
    bench.checker.set_targets({more});
    EXPECT_TRUE(bench.is_out(third)) << "from its beginning";
    EXPECT_FALSE(bench.state->healthy());
    bench.port.listen();
    ASSERT_TRUE(bench.run_until([&] { return !bench.is_out(third); }));
    EXPECT_FALSE(bench.is_out(bench.first));
}

TEST(HealthCheckerTest, WithoutACheckEverythingIsUp) {
    Bench bench;
    bench.checker.set_targets({bench.target()});
    ASSERT_TRUE(bench.run_until([&] { return bench.all_out(); }));
    HealthTarget unchecked = bench.target();
    unchecked.interval = 0ms;
    bench.checker.set_targets({unchecked});
    EXPECT_TRUE(bench.all_in());
    EXPECT_TRUE(bench.state->healthy());
    bench.context.restart();
    bench.context.run_for(100ms);
    EXPECT_TRUE(bench.state->healthy()) << "and no check is left";
}

TEST(HealthCheckerTest, StoppedItChecksNoMore) {
    Bench bench;
    bench.port.listen();
    bench.checker.set_targets({bench.target()});
    ASSERT_TRUE(bench.run_until([&] { return bench.port.accepted() > 0; }));
    bench.checker.stop();
    bench.context.run();  // nothing keeps it
    bench.port.accepted();
    bench.checker.set_targets({bench.target()});
    bench.context.restart();
    bench.context.run();
    EXPECT_EQ(bench.port.accepted(), 0U);
    EXPECT_TRUE(bench.state->healthy());
}

TEST(HealthCheckerTest, NamesAreResolvedAndOneThatIsNoneFails) {
    Bench bench;
    bench.port.listen();
    bench.checker.set_targets({bench.target("localhost")});
    ASSERT_TRUE(bench.run_until([&] { return bench.port.accepted() > 0; }));
    EXPECT_TRUE(bench.state->healthy());
    bench.checker.set_targets({bench.target("nowhere.test")});
    EXPECT_TRUE(bench.run_until([&] { return bench.all_out(); }));
}

TEST(HealthCheckerTest, NameThatHangsKeepsNoOtherCheckWaiting) {
    Bench bench;
    bench.port.listen();
    bench.names.hold("hanging.test");
    bench.names.has("here.test", {"127.0.0.1"});
    HealthTarget hanging = bench.target("hanging.test");
    hanging.state = std::make_shared<BackendState>();
    hanging.entries.clear();
    hanging.timeout = 20ms;
    HealthTarget there = bench.target("here.test");
    bench.checker.set_targets({hanging, there});
    unsigned accepted = 0;
    EXPECT_TRUE(bench.run_until([&] { return (accepted += bench.port.accepted()) >= 5; }));
    EXPECT_TRUE(bench.run_until([&] { return !hanging.state->healthy(); }));
    EXPECT_TRUE(bench.state->healthy()) << "the other one's silence is its own";
    EXPECT_EQ(bench.names.lookups("hanging.test"), 1U) << "one look-up for all its rounds";
}

// --- the whole gateway --------------------------------------------------------------------------

GatewayOptions two_backends(const mock::MockProvider& there, std::uint16_t checked) {
    GatewayOptions options;
    options.backends = {backend_of(there, "Bearer key-0")};
    GatewayBackend other;
    other.port = checked;
    other.more =
        "  healthCheck: {interval: 1, timeout: 1, unhealthyThreshold: 2, "
        "healthyThreshold: 1}\n";
    options.backends.push_back(other);
    options.production = {{"a", 0}, {"b", 1}};
    return options;
}

double healthy(const Gateway& gateway) {
    return gateway.metric("rotary_backend_healthy{backend=\"backend-1\"}");
}

std::string state_of_b(const Gateway& gateway) {
    return entry_field(gateway, "b", "state", "production", "backend-1");
}

TEST(HealthCheckTest, UnreachableBackendLeavesTheRotationBeforeAnyRequestMetIt) {
    const auto there = start_mock();
    const Port reserved;
    const Gateway gateway(two_backends(*there, reserved.number()));
    EXPECT_EQ(healthy(gateway), 1.0);
    ASSERT_TRUE(eventually([&] { return healthy(gateway) == 0.0; }, 20s));
    EXPECT_NE(state_of_b(gateway), "active");
    TestClient client = gateway.connect();
    for (int i = 0; i < 10; ++i) {
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-model"), "a");
        EXPECT_EQ(response.header("x-rotary-attempts"), "1") << "b was not even tried";
    }
    EXPECT_EQ(gateway.metric("rotary_upstream_failures_total"), 0.0);
}

TEST(HealthCheckTest, NoClientNoticesThatABackendComesAndGoes) {
    const auto there = start_mock();
    auto flapping = start_mock();
    mock::MockOptions same_port;
    same_port.port = flapping->port();
    GatewayOptions options = two_backends(*there, same_port.port);
    // Clients may meet it before the check does: what suspends it then must end before the test.
    options.process = "timeouts: {failure_suspension: 100ms, failure_suspension_max: 100ms}\n";
    const Gateway gateway(options);
    std::atomic<bool> done{false};
    std::atomic<unsigned> served{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 2; ++i) {
        clients.emplace_back([&] {
            TestClient client = gateway.connect();
            while (!done) {
                const Response response = client.exchange(chat());
                EXPECT_EQ(response.status, 200U) << response.body;
                ++served;
            }
        });
    }
    EXPECT_TRUE(flapping->wait_for_requests(5, 10s));
    flapping->stop();
    EXPECT_TRUE(eventually([&] { return healthy(gateway) == 0.0; }, 20s));
    flapping = start_mock(same_port);
    EXPECT_TRUE(eventually([&] { return healthy(gateway) == 1.0; }, 20s));
    EXPECT_TRUE(flapping->wait_for_requests(5, 60s)) << "it gets its share again";
    done = true;
    for (std::thread& client : clients) client.join();
    EXPECT_GT(served.load(), 0U);
}

TEST(HealthCheckTest, ReloadKeepsAnUnhealthyBackendOutAndItsNewModelsToo) {
    const auto there = start_mock();
    const Port reserved;
    GatewayOptions options = two_backends(*there, reserved.number());
    Gateway gateway(options);
    ASSERT_TRUE(eventually([&] { return healthy(gateway) == 0.0; }, 20s));
    options.production = {{"a", 0}, {"b", 1}, {"c", 1}};
    gateway.files().write(options);
    const auto outcome = gateway.server().reload();
    ASSERT_TRUE(outcome.ok) << outcome.findings;
    EXPECT_EQ(healthy(gateway), 0.0);
    EXPECT_NE(entry_field(gateway, "c", "state", "production", "backend-1"), "active");
    for (int i = 0; i < 6; ++i) EXPECT_EQ(ask(gateway).header("x-rotary-attempts"), "1");

    options.backends[1].more.clear();
    gateway.files().write(options);
    ASSERT_TRUE(gateway.server().reload().ok);
    EXPECT_EQ(state_of_b(gateway), "active") << "nobody checks it any more";
}

}  // namespace
}  // namespace rotary::test
