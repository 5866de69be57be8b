#include "quick_client.hpp"
#include "served.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <optional>

// More clients than there are descriptors for.
namespace rotary::test {
namespace {

const std::string kByLimit = "rotary_connections_refused_total{reason=\"limit\"}";
const std::string kByDescriptors = "rotary_connections_refused_total{reason=\"descriptors\"}";
const std::string kEvicted = "rotary_connections_evicted_total";

GatewayOptions impatient() {
    return with_process("timeouts: {upstream_idle: 2s, log_flush: 100ms}\n");
}

// Many clients at once, who say nothing and come back when they are turned away.
class Crowd {
public:
    Crowd(std::uint16_t port, std::size_t count) : port_(port), clients_(count) {
        for (QuickClient& client : clients_) connected_ += client.connect(port_) ? 1U : 0U;
    }
    std::size_t connected() const { return connected_; }
    std::size_t inside() const {
        return static_cast<std::size_t>(
            std::count_if(clients_.begin(), clients_.end(),
                          [](const QuickClient& client) { return !client.ended(); }));
    }
    void come_back() {
        for (QuickClient& client : clients_) {
            if (client.ended()) client.connect(port_);
        }
    }
    // Of those inside, up to `count` finish their handshake and ask: how many were answered 200.
    std::size_t ask(std::size_t count) {
        const std::string request = chat().bytes();
        std::size_t answered = 0;
        for (QuickClient& client : clients_) {
            if (count == 0) break;
            if (client.ended()) continue;
            --count;
            answered += client.handshake() && client.status_of(request) == 200 ? 1U : 0U;
        }
        return answered;
    }

private:
    std::uint16_t port_;
    std::vector<QuickClient> clients_;
    std::size_t connected_ = 0;
};

// The share of one core that the process takes while the crowd pushes, again and again: beside each
// push a client has a request under way that its provider answers late. `lasting` is that client;
// without one there is another each time.
double busy_under(Crowd& crowd, const Served& served, mock::MockProvider& mock,
                  TestClient* lasting = nullptr) {
    constexpr std::uint64_t kPushes = 12;
    mock.set_fault("gpt", mock::MockFault::slow_head(250ms), kPushes);
    const auto begun = std::chrono::steady_clock::now();
    const double before = served.cpu_seconds();
    for (std::uint64_t i = 0; i < kPushes; ++i) {
        std::optional<TestClient> own;
        TestClient& client = lasting != nullptr ? *lasting : own.emplace(served.client());
        EXPECT_TRUE(client.send(chat()));
        crowd.come_back();
        EXPECT_EQ(client.read_response().status, 200U) << "it is not idle";
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const double busy = served.cpu_seconds() - before;
    crowd.come_back();
    return busy / took.count();
}

TEST(Descriptors, TheLimitOfConnectionsLeavesRoomForUpstreams) {
    const auto mock = start_mock();
    Served::Options options;
    options.gateway = impatient();
    options.descriptors = 200;
    Served served(*mock, options);
    const std::string said = served.process().errors();
    EXPECT_THAT(said, testing::HasSubstr("\"limits.connections\":10000,\"effective\":68"));

    ASSERT_EQ(fetch(served.client(), chat()).status, 200U);
    ASSERT_TRUE(eventually([&] { return served.metric("rotary_client_connections") == 0; }));
    const std::size_t before = served.open_descriptors();
    {
        Crowd crowd(served.port(), 1000);
        EXPECT_EQ(crowd.connected(), 1000U);
        ASSERT_TRUE(eventually([&] { return crowd.inside() == 68; })) << crowd.inside();
        const double busy = busy_under(crowd, served, *mock);
        std::cout << "busy " << busy << "; evicted " << served.metric(kEvicted) << '\n';
        EXPECT_LT(busy, 0.5);
        EXPECT_GE(served.metric(kEvicted) + served.metric(kByLimit), 1000 - 68);
        ASSERT_TRUE(eventually([&] { return crowd.inside() == 68; })) << crowd.inside();
        EXPECT_EQ(fetch(served.client(), chat()).status, 200U) << "they keep no other client out";
        EXPECT_EQ(served.metric(kByDescriptors), 0) << "one limit guards the other";
        EXPECT_LE(served.open_descriptors(), 200U);
        EXPECT_EQ(crowd.ask(68), 67U) << "one made room, all others are served";
    }
    EXPECT_TRUE(eventually([&] { return served.metric("rotary_client_connections") == 0; }));
    EXPECT_EQ(fetch(served.client(), chat()).status, 200U);
    EXPECT_TRUE(eventually([&] { return served.open_descriptors() <= before; }))
        << served.open_descriptors() << " and there were " << before;
}

// The same when descriptors are scarcer than the process was told.
TEST(Descriptors, RunningOutOfThemNeitherSpinsNorSticks) {
    const auto mock = start_mock();
    Served::Options options;
    options.gateway = impatient();
    Served served(*mock, options);
    ASSERT_EQ(fetch(served.client(), chat()).status, 200U);
    ASSERT_TRUE(eventually([&] { return served.metric("rotary_client_connections") == 0; }));
    const std::size_t before = served.open_descriptors();
    const pid_t pid = served.process().pid();
    rlimit normal{};
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &normal), 0);
    rlimit few = normal;
    few.rlim_cur = before + 30;
    {
        TestClient client(served.client());
        ASSERT_EQ(client.exchange(chat()).status, 200U) << "with a connection to its provider";
        ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
        Crowd crowd(served.port(), 1000);
        const double busy = busy_under(crowd, served, *mock, &client);
        std::cout << "busy " << busy << '\n';
        EXPECT_LT(busy, 0.25);
        EXPECT_GT(crowd.inside(), 0U);
        ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &normal, nullptr), 0);
        EXPECT_GT(served.metric(kByDescriptors), 0);
        EXPECT_EQ(crowd.ask(20), 20U);
    }
    EXPECT_EQ(fetch(served.client(), chat()).status, 200U);
    EXPECT_TRUE(eventually([&] { return served.metric("rotary_client_connections") == 0; }));
    EXPECT_TRUE(eventually([&] { return served.open_descriptors() <= before; }))
        << served.open_descriptors() << " and there were " << before;
}

}  // namespace
}  // namespace rotary::test
