// How an entry comes back, what the operator can read of it all, and connections that grow stale.
#include "gateway_fixture.hpp"
#include "scripted_provider.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace rotary::test {
namespace {

using mock::Captured;
using mock::MockFault;
using mock::MockOptions;
using mock::MockProvider;
using namespace std::chrono_literals;

constexpr const char* kRateLimited =
    R"({"error":{"message":"Rate limit reached","type":"requests","param":null,)"
    R"("code":"rate_limit_exceeded"}})";

std::vector<Captured> asked_for(const MockProvider& mock, const std::string& model) {
    std::vector<Captured> requests = mock.requests();
    std::erase_if(requests, [&](const Captured& request) { return model_of(request) != model; });
    return requests;
}

// A rotation of a and b whose a refuses with this header; then asks once, so that a is suspended.
GatewayOptions with_a_refusing(MockProvider& mock, const char* header, const char* value) {
    mock.respond_with("a", 429, {{header, value}, {"content-type", "application/json"}},
                      kRateLimited);
    GatewayOptions options = rotating(mock, {{"a"}, {"b"}});
    options.suspend_seconds = 0;
    return options;
}

// Refuses "a" with a short rest until it has recovered; then holds its first answer to "a" back
// until it has answered so many for "b".
class Recovering {
public:
    explicit Recovering(std::size_t others)
        : others_(others), provider_([this](ScriptedProvider::Link& link) { serve(link); }) {}

    GatewayBackend backend() const { return provider_.backend(); }
    void recover() {
        const std::lock_guard lock(mutex_);
        refusing_ = false;
        answered_ = 0;
    }
    // Requests for "a" that had come when its first answer was given.
    std::size_t tried_meanwhile() const {
        const std::lock_guard lock(mutex_);
        return tried_meanwhile_;
    }

private:
    void serve(ScriptedProvider::Link& link) {
        for (std::string asked = link.read_request(); !asked.empty(); asked = link.read_request()) {
            const bool is_a = asked.find("\"model\":\"a\"") != std::string::npos;
            const bool refused = is_a && !answer_to_a();
            const std::string rest = refused ? "429 No\r\nretry-after-ms: 300\r\n" : "200 OK\r\n";
            link.write("HTTP/1.1 " + rest +
                       "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
            if (is_a) continue;
            const std::lock_guard lock(mutex_);
            ++answered_;
            changed_.notify_all();
        }
    }
    bool answer_to_a() {
        std::unique_lock lock(mutex_);
        if (refusing_) return false;
        ++tries_;
        changed_.wait_for(lock, kPatience, [this] { return answered_ >= others_; });
        if (tried_meanwhile_ == 0) tried_meanwhile_ = tries_;
        return true;
    }

    const std::size_t others_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool refusing_ = true;
    std::size_t answered_ = 0;
    std::size_t tries_ = 0;
    std::size_t tried_meanwhile_ = 0;
    ScriptedProvider provider_;  // the last: its threads use the others
};

// All others ask the other entry for as long as the probe takes, however long that is.
TEST(SuspensionTest, OneRequestTriesAReturningEntryBeforeTheOthersFollow) {
    constexpr std::size_t kClients = 20;
    constexpr std::size_t kEach = 2;
    Recovering provider((kClients - 1) * kEach);
    GatewayOptions options;
    options.backends = {provider.backend()};
    options.production = {{"a"}, {"b"}};
    options.suspend_seconds = 0;
    options.process = "timeouts: {probe_verdict: 1h}\n";
    const Gateway gateway(options);
    ASSERT_EQ(ask(gateway).header("x-rotary-attempts"), "2");
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", kPatience));
    provider.recover();
    in_parallel(kClients, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (std::size_t i = 0; i < kEach; ++i) EXPECT_EQ(client.exchange(chat()).status, 200U);
    });
    EXPECT_EQ(provider.tried_meanwhile(), 1U);
    EXPECT_TRUE(eventually([&] { return entry_field(gateway, "a", "state") == "active"; }));
}

// A provider that answers its probe late is slow, not refusing: the others don't wait for ever.
TEST(SuspensionTest, OthersFollowWhenAProbeBringsNoVerdictInTime) {
    const auto mock = start_mock();
    GatewayOptions options = with_a_refusing(*mock, "retry-after-ms", "200");
    options.process = "timeouts: {probe_verdict: 600ms}\n";
    const Gateway gateway(options);
    ASSERT_EQ(ask(gateway).status, 200U);
    mock->set_fault("a", MockFault::slow_head(3s), 1);
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", 5s));
    mock->reset();
    in_parallel(2, [&](std::size_t i) {
        if (i == 0) {
            EXPECT_EQ(ask(gateway).header("x-rotary-model"), "a");
            return;
        }
        ASSERT_TRUE(mock->wait_for_requests(1, 5s));
        EXPECT_EQ(ask(gateway).header("x-rotary-model"), "b");
        ASSERT_TRUE(eventually([&] { return ask(gateway).header("x-rotary-model") == "a"; }));
        const std::vector<Captured> tries = asked_for(*mock, "a");
        EXPECT_GE(tries.at(1).received_at - tries.at(0).received_at, 590ms);
        EXPECT_LT(tries.at(1).received_at - tries.at(0).received_at, 3s);
    });
}

TEST(SuspensionTest, RefusedAgainIsTwiceAsLongUntilItIsServed) {
    const auto mock = start_mock();
    const Gateway gateway(with_a_refusing(*mock, "retry-after-ms", "500"));
    const std::chrono::milliseconds expected[] = {500ms, 1000ms, 2000ms};
    for (const auto duration : expected) {
        mock->reset();
        ASSERT_TRUE(eventually([&] { return ask(gateway).header("x-rotary-attempts") == "2"; }));
        const auto refused = asked_for(*mock, "a").at(0).received_at;
        // Twice, and a tenth at most by chance.
        EXPECT_LE(std::stoi(entry_field(gateway, "a", "seconds_left")),
                  std::chrono::ceil<std::chrono::seconds>(duration * 11 / 10).count());
        ASSERT_TRUE(gateway.wait_for_state("a", "returning", 5s));
        EXPECT_GE(Clock::now() - refused, duration);
    }
    mock->clear_faults();
    EXPECT_EQ(ask(gateway).header("x-rotary-model"), "a");
    // Served once: the next refusal begins anew.
    mock->respond_with("a", 429, {{"retry-after-ms", "500"}}, kRateLimited);
    ASSERT_TRUE(eventually([&] { return ask(gateway).header("x-rotary-attempts") == "2"; }));
    EXPECT_LE(std::stoi(entry_field(gateway, "a", "seconds_left")), 1);
}

TEST(SuspensionTest, NumbersAgreeWithWhatHappened) {
    const auto mock = start_mock();
    GatewayOptions options = with_a_refusing(*mock, "retry-after", "60");
    options.production = {{"a"}, {"b"}, {"c"}};
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    for (int i = 0; i < 10; ++i) ASSERT_EQ(client.exchange(chat()).status, 200U);

    EXPECT_EQ(
        gateway.metric(series("rotary_model_suspensions_total", "a", "reason=\"rate_limited\"")),
        1.0);
    EXPECT_EQ(gateway.metric(series("rotary_model_suspended", "a", "")), 1.0);
    EXPECT_EQ(gateway.metric(series("rotary_model_suspended", "b", "")), 0.0);
    EXPECT_NE(gateway.admin("/metrics").find(series("rotary_model_suspended", "b", "") + " 0"),
              std::string::npos);
    EXPECT_EQ(gateway.metric("rotary_failovers_total"), 1.0);
    EXPECT_EQ(gateway.metric(series("rotary_upstream_requests_total", "a", "code=\"429\"")), 1.0);
    const Counts asked = models_asked(*mock);
    double served = 0;
    for (const char* model : {"b", "c"}) {
        const double counted =
            gateway.metric(series("rotary_upstream_requests_total", model, "code=\"200\""));
        EXPECT_EQ(counted, static_cast<double>(asked.at(model)));
        served += counted;
    }
    EXPECT_EQ(served, 10.0);
    EXPECT_EQ(entry_field(gateway, "a", "reason"), "rate_limited");
    EXPECT_EQ(entry_field(gateway, "a", "requests"), "1");
}

TEST(SuspensionTest, PassthroughGoesToTheFirstBackendWithTheClientsModel) {
    const auto first = start_mock();
    const auto second = start_mock();
    GatewayOptions options = rotating(*first, {{"a", 1}});
    options.backends.push_back(backend_of(*second, "Bearer key-1"));
    options.process = "routing: {on_all_suspended: passthrough}\n";
    const Gateway gateway(options);
    change_entry(gateway, entry_field(gateway, "a", "id", "production", "backend-1"), "suspend");
    const Response response = ask(gateway, chat(R"({ "model":"mine" })"));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.count("x-rotary-model"), 0U);
    EXPECT_EQ(response.header("x-rotary-backend"), "backend-0");
    ASSERT_EQ(first->request_count(), 1U);
    EXPECT_EQ(first->requests()[0].body, R"({ "model":"mine" })");
    EXPECT_EQ(first->requests()[0].header("authorization"), "Bearer key-0");
    EXPECT_EQ(second->request_count(), 0U);

    // Whatever that provider says is the client's: there is nobody to suspend.
    first->respond_with("*", 429, {{"retry-after", "5"}}, kRateLimited);
    const Response refused = ask(gateway, chat());
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(refused.body, kRateLimited);
    EXPECT_EQ(refused.header("retry-after"), "5");
}

TEST(SuspensionTest, ConnectionsThatTheProviderClosesAreNobodysError) {
    MockOptions impatient;
    impatient.requests_per_connection = 3;
    const auto mock = start_mock(impatient);
    const Gateway gateway(rotating(*mock, {{"a"}}));
    in_parallel(4, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (int i = 0; i < 50; ++i) {
            const Response response = client.exchange(chat());
            ASSERT_EQ(response.status, 200U) << response.body;
            ASSERT_EQ(response.header("x-rotary-attempts"), "1");
        }
    });
    EXPECT_GE(mock->connections_accepted(), 200U / 3);
}

TEST(SuspensionTest, IdleConnectionsThatTheProviderClosesAreNobodysError) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"a"}}));
    TestClient client = gateway.connect();
    for (int i = 0; i < 100; ++i) {
        const Response response = client.exchange(chat());
        ASSERT_EQ(response.status, 200U) << response.body;
        ASSERT_EQ(client.exchange(chat()).status, 200U);
        mock->close_connections();
    }
    EXPECT_EQ(mock->connections_accepted(), 100U);
    EXPECT_EQ(gateway.metric("rotary_upstream_failures_total"), 0.0);
    EXPECT_EQ(mock->request_count(), 200U);
}

// Whether a request on a fresh connection reached the provider nobody knows: no third try.
TEST(SuspensionTest, ResetOfAFreshConnectionIsAFailureOfTheEntry) {
    const auto mock = start_mock();
    mock->set_fault("a", MockFault::reset());
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.header("x-rotary-model"), "b");
    EXPECT_EQ(asked_for(*mock, "a").size(), 1U);
    mock->set_fault("b", MockFault::garbage());
    mock->reset();
    const Response broken = ask(gateway);
    EXPECT_EQ(broken.status, 502U);
    EXPECT_EQ(json_at(broken.body, "error.code"), "upstream_protocol_error");
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 1}, {"b", 1}}));
}

}  // namespace
}  // namespace rotary::test
