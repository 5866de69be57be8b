#include <rotary/auth/api_key.hpp>
#include <support/alloc_counter.hpp>
#include <support/gateway.hpp>
#include <support/redis_server.hpp>
#include <support/temp_dir.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

pid_t worker_thread() {
    for (const ThreadAllocations& thread : allocations_by_thread()) {
        if (thread.name == "worker-0") return thread.thread;
    }
    return 0;
}

struct Case {
    const char* name;
    bool plaintext;
    std::string body;
    std::uint64_t allowed;  // in all 500 requests together: the tick's work, not the requests'
    bool by_key = false;    // of a consumer with models and a limit on requests in flight
    bool has_ledger = false;
    bool has_fleet = false;  // whose limits are shared by way of a Redis
};

// What no test reaches, so that each request asks five limits.
constexpr const char* kLimits = R"(---
kind: RateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: whole}
spec:
  default: {api: {requestsPerUnit: 1000000, unit: Minute}}
  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}
---
kind: AIRateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: budget}
spec:
  default:
    requestCount: {requestsPerUnit: 1000000, unit: Day}
    tokenCount:
      requestTokenCount: 2000000000
      responseTokenCount: 2000000000
      totalTokenCount: 2000000000
      unit: Minute
  targetRef: {group: dp.wso2.com, kind: Backend, name: backend-0}
)";

constexpr const char* kBudget = R"(---
kind: Budget
apiVersion: rotary.dev/v1alpha1
metadata: {name: all}
spec: {target: {kind: Consumer, name: tester}, amount: "1000", period: Month}
)";

class Allocation : public testing::TestWithParam<Case> {};

TEST_P(Allocation, WarmRequestsAllocateNothing) {
    mock::MockOptions mock_options;
    mock_options.kept_requests = 0;
    const auto mock = start_mock(mock_options);
    GatewayOptions options;
    options.workers = 1;
    options.plaintext = GetParam().plaintext;
    options.backends = {{.port = mock->port(), .key = "Bearer one"}};
    options.production = {{"a", 0, 3}, {"b", 0, 1}};
    options.sandbox = options.production;
    const std::string key = auth::make_api_key();
    options.resources =
        std::string(kLimits) +
        "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: k}\nspec: "
        "{consumer: k, models: [a], maxConcurrent: 9, keys: [{hash: \"" +
        auth::hash_text(auth::digest_of(key)) + "\"}]}\n";
    const TempDir dir;
    if (GetParam().has_ledger) {
        const std::string prices =
            dir.write("p.yaml", "- {provider: \"*\", model: \"*\", input: 1, output: 2}\n");
        options.process =
            "prices: [" + prices + "]\nbudgets: {ledger: " + (dir / "ledger.db") + "}\n";
        options.resources += kBudget;
    }
    std::unique_ptr<RedisServer> redis;
    if (GetParam().has_fleet) {
        redis = std::make_unique<RedisServer>();
        options.process += "state: {redis: {url: " + redis->url() + "}}\n";
    }
    Gateway gateway(options);

    ClientOptions client_options = gateway.client();
    client_options.tls = !GetParam().plaintext;
    TestClient client(client_options);
    Request request = chat(GetParam().body);
    if (GetParam().by_key) request.headers[1] = {"Authorization", "Bearer " + key};
    for (int i = 0; i < 200; ++i) ASSERT_EQ(client.exchange(request).status, 200u);

    // The sums that are handed over come back, and every one of them is warm then.
    while (GetParam().has_ledger && gateway.metric("rotary_ledger_writes_total") < 6) {
        ASSERT_EQ(client.exchange(request).status, 200u);
    }

    const pid_t worker = worker_thread();
    ASSERT_NE(worker, 0);
    const AllocationScope scope(worker);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(client.exchange(request).status, 200u);
    EXPECT_LE(scope.count(), GetParam().allowed);
}

std::string long_body() {
    return R"({"model":"x","messages":[{"role":"user","content":")" + std::string(100'000, 'y') +
           R"("}]})";
}

INSTANTIATE_TEST_SUITE_P(
    Path, Allocation,
    testing::Values(
        Case{"PlainText", true, R"({"model":"x"})", 10}, Case{"Tls", false, R"({"model":"x"})", 10},
        Case{"LongBody", true, long_body(), 10}, Case{"ApiKey", true, R"({"model":"x"})", 10, true},
        Case{"Stream", true, R"({"model":"x","stream":true})", 10},
        Case{"Ledger", true, R"({"model":"x"})", 10, true, true},
        Case{"LedgerOfStreams", true, R"({"model":"x","stream":true})", 10, false, true},
        Case{"Fleet", true, R"({"model":"x"})", 10, true, false, true}),
    [](const testing::TestParamInfo<Case>& row) { return std::string(row.param.name); });

// Connections that have had an answer and wait for their next request. What OpenSSL 3.0 takes for
// each is 13.5 KB of it.
TEST(Allocation, AnIdleConnectionHoldsLittle) {
    const auto mock = start_mock({});
    GatewayOptions options;
    options.workers = 1;
    options.backends = {{.port = mock->port(), .key = "Bearer one"}};
    options.production = {{"a", 0, 1}};
    options.sandbox = options.production;
    Gateway gateway(options);
    const Request request = chat(R"({"model":"x"})");
    std::vector<std::unique_ptr<TestClient>> clients;
    const auto ask = [&](std::size_t connections) {
        for (std::size_t i = 0; i < connections; ++i) {
            clients.push_back(std::make_unique<TestClient>(gateway.client()));
            ASSERT_EQ(clients.back()->exchange(request).status, 200u);
        }
    };
    ask(50);
    const pid_t worker = worker_thread();
    ASSERT_NE(worker, 0);
    const std::int64_t before = bytes_held_by(worker);
    constexpr std::size_t kConnections = 200;
    ask(kConnections);
    const std::int64_t each = (bytes_held_by(worker) - before) / std::int64_t{kConnections};
    EXPECT_LE(each, 15'900);  // 15,600 when this was written
    EXPECT_GE(each, 10'000) << "is it counted?";
}

}  // namespace
}  // namespace rotary::test
