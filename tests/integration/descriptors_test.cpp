#include "quick_client.hpp"
#include "served.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <iostream>

// More clients than there is room for: the limit's edge, and the end of the descriptors.
namespace rotary::test {
namespace {

const std::string kRefused = "rotary_connections_refused_total";
const std::string kByLimit = kRefused + "{reason=\"limit\"}";
const std::string kByDescriptors = kRefused + "{reason=\"descriptors\"}";

// Both series are there from the start, so that an alert on them can be tried.
TEST(Connections, the_limit_is_exact_over_all_workers) {
    GatewayOptions options = with_process("limits: {connections: 5}\n");
    options.workers = 3;
    Edge edge(options);
    EXPECT_THAT(edge.gateway.admin("/metrics"),
                testing::AllOf(testing::HasSubstr(kByLimit + " 0\n"),
                               testing::HasSubstr(kByDescriptors + " 0\n")));
    for (int round = 0; round < 3; ++round) {
        std::vector<TestClient> served;
        for (int i = 0; i < 5; ++i) {
            served.push_back(edge.gateway.connect());
            EXPECT_EQ(served.back().exchange(chat()).status, 200U) << round << ' ' << i;
        }
        const double before = edge.gateway.metric(kByLimit);
        for (int i = 0; i < 3; ++i) EXPECT_THROW(edge.gateway.connect(), ClientError) << i;
        EXPECT_EQ(edge.gateway.metric(kByLimit), before + 3);

        served.erase(served.begin() + round);
        ASSERT_TRUE(
            eventually([&] { return edge.gateway.metric("rotary_client_connections") == 4; }));
        served.push_back(edge.gateway.connect());
        for (TestClient& client : served) EXPECT_EQ(client.exchange(chat()).status, 200U);
        EXPECT_THROW(edge.gateway.connect(), ClientError);
        served.clear();
        ASSERT_TRUE(
            eventually([&] { return edge.gateway.metric("rotary_client_connections") == 0; }));
    }
    EXPECT_EQ(edge.gateway.metric(kByDescriptors), 0);
}

TEST(Connections, the_limit_changes_with_a_reload_and_ends_nobody) {
    Edge edge(with_process("watch: false\nlimits: {connections: 2}\n"));
    TestClient first = edge.gateway.connect();
    TestClient second = edge.gateway.connect();
    EXPECT_THROW(edge.gateway.connect(), ClientError);
    GatewayOptions one = with_process("watch: false\nlimits: {connections: 1}\n");
    edge.gateway.files().write(in_front_of(*edge.mock, one));
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(first.exchange(chat()).status, 200U);
    EXPECT_EQ(second.exchange(chat()).status, 200U);
    first.close();
    ASSERT_TRUE(eventually([&] { return edge.gateway.metric("rotary_client_connections") == 1; }));
    EXPECT_THROW(edge.gateway.connect(), ClientError);
    GatewayOptions three = with_process("watch: false\nlimits: {connections: 3}\n");
    edge.gateway.files().write(in_front_of(*edge.mock, three));
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(edge.gateway.connect().exchange(chat()).status, 200U);
}

GatewayOptions impatient() {
    return with_process("timeouts: {upstream_idle: 200ms, log_flush: 100ms}\n");
}

// Many clients at once, who come back when they are turned away.
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

// The share of one core that the process takes while the crowd pushes for about 3 s.
double busy_under(Crowd& crowd, const Served& served) {
    const auto begun = std::chrono::steady_clock::now();
    const double before = served.cpu_seconds();
    while (std::chrono::steady_clock::now() - begun < 3s) {
        crowd.come_back();
        std::this_thread::sleep_for(250ms);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    return (served.cpu_seconds() - before) / took.count();
}

TEST(Descriptors, the_limit_of_connections_leaves_room_for_upstreams) {
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
        const double busy = busy_under(crowd, served);
        std::cout << "busy " << busy << "; refused " << served.metric(kByLimit) << '\n';
        EXPECT_LT(busy, 0.5);
        EXPECT_GE(served.metric(kByLimit), 1000 - 68);
        EXPECT_EQ(served.metric(kByDescriptors), 0) << "one limit guards the other";
        EXPECT_LE(served.open_descriptors(), 200U);
        EXPECT_EQ(crowd.ask(68), 68U);
    }
    EXPECT_TRUE(eventually([&] { return served.metric("rotary_client_connections") == 0; }));
    EXPECT_EQ(fetch(served.client(), chat()).status, 200U);
    EXPECT_TRUE(eventually([&] { return served.open_descriptors() <= before; }))
        << served.open_descriptors() << " and there were " << before;
}

// The same when descriptors are scarcer than the process was told.
TEST(Descriptors, running_out_of_them_neither_spins_nor_sticks) {
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
        ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &few, nullptr), 0);
        Crowd crowd(served.port(), 1000);
        const double busy = busy_under(crowd, served);
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
