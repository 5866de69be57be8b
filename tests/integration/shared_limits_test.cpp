// Several gateways with one Redis: a limit is one limit.
#include "gateway_fixture.hpp"

#include <gtest/gtest.h>

#include <support/in_parallel.hpp>
#include <support/json.hpp>
#include <support/redis_server.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

// Of a day, so that no test is in two windows.
std::string limit_of(int requests) {
    return R"(---
kind: RateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: whole}
spec:
  default: {api: {requestsPerUnit: )" +
           std::to_string(requests) + R"(, unit: Day}}
  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}
)";
}

// What each answer of many requests was.
struct Counted {
    std::atomic<int> admitted{0};
    std::atomic<int> refused{0};
    std::atomic<int> failed{0};
    std::atomic<std::int64_t> slowest{0};  // ms

    void ask(TestClient& client) {
        const auto begun = Clock::now();
        const Response response = client.exchange(chat());
        const auto took = std::chrono::round<std::chrono::milliseconds>(Clock::now() - begun);
        if (took.count() > slowest) slowest = took.count();
        if (response.status == 200) {
            ++admitted;
        } else {
            ++(response.status == 429 ? refused : failed);
        }
    }
};

class SharedLimits : public testing::Test {
protected:
    void start(std::size_t size, const std::string& resources) {
        for (std::size_t i = 0; i < size; ++i) {
            GatewayOptions options;
            options.backends = {{.port = mock_->port(), .key = "Bearer one"}};
            options.production = {{"a"}};
            options.process = "state: {redis: {url: " + redis_.url() + ", namespace: test}}\n";
            options.resources = resources;
            gateways_.push_back(std::make_unique<Gateway>(options));
        }
        for (const auto& gateway : gateways_) {
            ASSERT_TRUE(eventually([&] {
                return gateway->metric("rotary_fleet_replicas") == static_cast<double>(size);
            }));
        }
    }
    // So many requests at each gateway, all at once.
    void drive(const std::vector<int>& requests) {
        in_parallel(requests.size(), [&](std::size_t index) {
            TestClient client = gateways_[index]->connect();
            for (int i = 0; i < requests[index]; ++i) counted_.ask(client);
        });
    }
    double questions() const {
        double all = 0;
        for (const auto& gateway : gateways_) {
            all += gateway->metric(R"(rotary_lease_questions_total{outcome="asked"})");
        }
        return all;
    }

    RedisServer redis_;
    std::unique_ptr<mock::MockProvider> mock_ = start_mock();
    std::vector<std::unique_ptr<Gateway>> gateways_;
    Counted counted_;
};

TEST_F(SharedLimits, AdmitWhatOneGatewayWouldWhereverTheRequestsCome) {
    start(3, limit_of(1000));
    drive({1350, 75, 75});  // nine of ten at one
    EXPECT_NE(json_at(gateways_[0]->admin("/api/v1/status"), "fleet.leases"), "0");
    std::printf("1,500 requests at three gateways: %d admitted, %.0f questions, slowest %lld ms\n",
                counted_.admitted.load(), questions(),
                static_cast<long long>(counted_.slowest.load()));
    EXPECT_EQ(counted_.failed, 0);
    EXPECT_LE(counted_.admitted, 1000);
    // What the two others still held when their clients had all they wanted.
    EXPECT_GE(counted_.admitted, 1000 - 2 * 1000 / 6);
    EXPECT_LT(questions(), 300);
    ASSERT_TRUE(eventually([&] {  // it lies idle, and is given back
        drive({10, 0, 0});
        return counted_.admitted == 1000;
    }));
    drive({50, 50, 50});
    EXPECT_EQ(counted_.admitted, 1000);
}

TEST_F(SharedLimits, SayTheSameToClientsOfAll) {
    start(3, limit_of(20));
    drive({40, 0, 0});
    std::vector<double> ends;
    const auto begun = Clock::now();
    for (const auto& gateway : gateways_) {
        const Response response = fetch(gateway->client(), chat());
        EXPECT_EQ(response.status, 429u);
        EXPECT_EQ(response.header("x-ratelimit-remaining-requests"), "0");
        const std::chrono::duration<double> passed = Clock::now() - begun;
        ends.push_back(std::stod(std::string(response.header("retry-after"))) + passed.count());
    }
    EXPECT_NEAR(ends[0], ends[1], 1);
    EXPECT_NEAR(ends[0], ends[2], 1);
    EXPECT_EQ(counted_.admitted, 20);
}

TEST_F(SharedLimits, ShowTheSameOnThePagesOfAll) {
    start(2, limit_of(1000));
    drive({60, 0});
    const auto shown = [&](std::size_t gateway, const char* what) {
        const std::string page = gateways_[gateway]->admin("/api/v1/limits");
        return std::stoi(json_at(page, std::string("limits.0.") + what));
    };
    const auto begun = Clock::now();
    // The page that is looked at asks; a look behind that knows. What the first one was lent and
    // has not used counts there until it is given back.
    EXPECT_TRUE(eventually([&] { return shown(1, "used") >= 60; }, 1s));
    const auto took = std::chrono::round<std::chrono::milliseconds>(Clock::now() - begun);
    std::printf("used at the other gateway after %lld ms: %d of 60\n",
                static_cast<long long>(took.count()), shown(1, "used"));
    EXPECT_LE(shown(1, "used"), 60 + 2 * 1000 / 32);
    EXPECT_EQ(shown(0, "used"), 60);
    EXPECT_EQ(shown(0, "used_here"), 60);
    EXPECT_EQ(shown(1, "used_here"), 0);
    EXPECT_TRUE(eventually([&] { return shown(1, "used") == 60; }));
    EXPECT_EQ(shown(1, "remaining"), 940);
    EXPECT_EQ(gateways_[1]->metric(R"(rotary_limit_used_ratio{policy="whole"})"), 0.06);
    drive({0, 1});
    EXPECT_EQ(shown(1, "used_here"), 1) << "a look takes nothing of what is left";
}

TEST_F(SharedLimits, OutliveAFlush) {
    start(3, limit_of(900));
    drive({200, 150, 100});
    redis_.command({"FLUSHALL"});
    redis_.command({"SCRIPT", "FLUSH"});
    drive({400, 400, 400});
    EXPECT_EQ(counted_.failed, 0);
    std::printf("a flush in the middle: %d of 900 admitted\n", counted_.admitted.load());
    EXPECT_LE(counted_.admitted, 900 + 900 / 16);  // what others got since the first one heard
    EXPECT_GE(counted_.admitted, 850);
}

TEST_F(SharedLimits, WithoutRedisEachGatewayHasItsPart) {
    start(3, limit_of(900));
    drive({100, 100, 100});
    redis_.kill();
    drive({600, 600, 600});
    std::printf("Redis killed: %d of 900 admitted, slowest %lld ms\n", counted_.admitted.load(),
                static_cast<long long>(counted_.slowest.load()));
    EXPECT_EQ(counted_.failed, 0);
    // What was granted to others since each has heard of the rest.
    EXPECT_LE(counted_.admitted, 900 + 2 * 300);
    EXPECT_GE(counted_.admitted, 800);
    redis_.start();
    for (const auto& gateway : gateways_) {
        ASSERT_TRUE(eventually([&] { return gateway->metric("rotary_redis_up") == 1; }));
    }
    const int before = counted_.admitted;
    drive({20, 20, 20});
    EXPECT_LE(counted_.admitted, std::max(before, 900));
}

TEST_F(SharedLimits, AFrozenRedisHoldsNoRequestLongerThanItsDeadline) {
    start(2, limit_of(100'000));
    drive({50, 50});
    redis_.signal(SIGSTOP);
    counted_.slowest = 0;
    drive({500, 500});
    redis_.signal(SIGCONT);
    std::printf("Redis stopped: slowest %lld ms\n",
                static_cast<long long>(counted_.slowest.load()));
    EXPECT_EQ(counted_.failed, 0);
    EXPECT_EQ(counted_.admitted, 1100);
    EXPECT_LT(counted_.slowest, 500) << "a loaded machine; 20 ms of it is the wait";
}

}  // namespace
}  // namespace rotary::test
