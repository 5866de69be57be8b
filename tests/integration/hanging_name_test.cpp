// A provider whose name hangs in the name servers: what it does to the others, which is nothing.
#include "gateway_fixture.hpp"

#include <support/dns_server.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

// Production goes to ok.test, where the mock listens; the sandbox to hanging.test. Nothing is kept
// of names and connections, so that each request must look its name up.
GatewayOptions over_names(const mock::MockProvider& mock, const DnsServer& names) {
    GatewayOptions options;
    GatewayBackend there = backend_of(mock, "Bearer key-0");
    there.host = "ok.test";
    GatewayBackend hanging = there;
    hanging.host = "hanging.test";
    options.backends = {there, hanging};
    options.production = {{"a", 0}};
    options.sandbox = {{"b", 1}};
    options.workers = 1;
    options.process =
        "resolvers: [\"" + names.address() +
        "\"]\nlimits: {upstream_idle_connections: 0}\n"
        "timeouts: {dns: 1h, dns_cache: 0, dns_stale: 0, dns_negative: 0, drain: 0.1, "
        "total: 1h}\n";
    return options;
}

// So many requests for the sandbox, which get no answer as long as the name hangs.
class Waiting {
public:
    Waiting(const Gateway& gateway, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            clients_.push_back(std::make_unique<TestClient>(gateway.client()));
            clients_.back()->send(sandbox_chat());
        }
    }
    std::vector<std::unique_ptr<TestClient>>& clients() { return clients_; }

private:
    std::vector<std::unique_ptr<TestClient>> clients_;
};

// The times of so many requests, one after the other on one connection; a failure is reported.
std::vector<Clock::duration> times_of(const Gateway& gateway, std::size_t count) {
    std::vector<Clock::duration> times;
    TestClient client(gateway.client());
    for (std::size_t i = 0; i < count; ++i) {
        const auto begun = Clock::now();
        const Response response = client.exchange(chat());
        times.push_back(Clock::now() - begun);
        EXPECT_EQ(response.status, 200U) << response.body;
    }
    std::sort(times.begin(), times.end());
    return times;
}

TEST(HangingNameTest, OthersAreServedAsIfItWereNotThere) {
    const auto mock = start_mock();
    DnsServer names;
    names.has("ok.test", {"127.0.0.1"});
    names.hold("hanging.test");
    const Gateway gateway(over_names(*mock, names));
    const auto before = times_of(gateway, 100);
    Waiting waiting(gateway, 20);
    ASSERT_TRUE(names.wait_for("hanging.test"));
    const auto during = times_of(gateway, 100);
    EXPECT_EQ(names.lookups("hanging.test"), 1U) << "once for all that wait";
    EXPECT_EQ(names.lookups("ok.test"), 200U) << "nothing was known of it";
    const auto ms = [](Clock::duration time) {
        return std::chrono::duration<double, std::milli>(time).count();
    };
    std::cout << "median " << ms(before[50]) << " ms, beside the name " << ms(during[50])
              << " ms; p99 " << ms(before[98]) << " and " << ms(during[98]) << " ms\n";
    // A wait for the other name would last an hour; the rest is for machines that are busy.
    EXPECT_LT(during[98], before[98] * 10 + 200ms);
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    EXPECT_EQ(gateway.metric(series("rotary_upstream_failures_total", "a", "reason=\"dns\"")), 0);

    names.has("hanging.test", {"127.0.0.1"});
    names.release("hanging.test");
    for (const auto& client : waiting.clients()) EXPECT_EQ(client->read_response().status, 200U);
}

TEST(HangingNameTest, FailureCountsAgainstItsEntriesAlone) {
    const auto mock = start_mock();
    DnsServer names;
    names.has("ok.test", {"127.0.0.1"});
    names.hold("hanging.test");
    GatewayOptions options = over_names(*mock, names);
    options.production = {{"a", 0}, {"b", 1}};
    options.process = "resolvers: [\"" + names.address() +
                      "\"]\ntimeouts: {dns: 0.2, dns_negative: 1h}\n"
                      "routing: {failures_to_suspend: 5}\n";
    const Gateway gateway(options);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_EQ(entry_field(gateway, "b", "state", "production", "backend-1"), "suspended");
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    EXPECT_EQ(names.lookups("hanging.test"), 1U) << "the failure is remembered";
}

TEST(HangingNameTest, TooManyLookupsBlameNobody) {
    const auto mock = start_mock();
    DnsServer names;
    names.has("ok.test", {"127.0.0.1"});
    names.hold("hanging.test");
    GatewayOptions options = over_names(*mock, names);
    options.process += "routing: {failures_to_suspend: 1}\n";
    const std::string limits = "limits: {";
    options.process.insert(options.process.find(limits) + limits.size(), "dns_lookups: 1, ");
    const Gateway gateway(options);
    Waiting waiting(gateway, 1);
    ASSERT_TRUE(names.wait_for("hanging.test"));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(gateway).status, 502U);
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
    EXPECT_EQ(names.queries("ok.test"), 0U);
    names.release("hanging.test");
    waiting.clients().front()->read_response();
    EXPECT_EQ(ask(gateway).status, 200U);
}

TEST(HangingNameTest, StopWaitsForNoName) {
    const auto mock = start_mock();
    DnsServer names;
    names.hold("hanging.test");
    Gateway gateway(over_names(*mock, names));
    Waiting waiting(gateway, 5);
    ASSERT_TRUE(names.wait_for("hanging.test"));
    const auto begun = Clock::now();
    EXPECT_EQ(gateway.stop(), 0);
    EXPECT_LT(Clock::now() - begun, 10min) << "the name has an hour";
}

TEST(HangingNameTest, ReloadChangesWhoIsAsked) {
    const auto mock = start_mock();
    DnsServer first;
    DnsServer second;
    second.has("ok.test", {"127.0.0.1"});
    Gateway gateway(over_names(*mock, first));
    EXPECT_EQ(ask(gateway).status, 502U) << "no such name";
    gateway.files().write(over_names(*mock, second));
    ASSERT_TRUE(gateway.server().reload().ok);
    EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_GE(second.lookups("ok.test"), 1U);
}

}  // namespace
}  // namespace rotary::test
