// Several gateways with one Redis: a limit on requests in flight is one limit.
#include "served.hpp"

#include <gtest/gtest.h>

#include <support/in_parallel.hpp>
#include <support/redis_server.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMost = 30;

class SharedPlaces : public testing::Test {
protected:
    SharedPlaces() {
        mock::MockOptions options;
        options.chunk_interval = std::chrono::hours(1);
        mock_ = start_mock(options);
    }
    // Patient, for a machine that has other things to do.
    GatewayOptions options() const {
        return with_process("state: {redis: {url: " + redis_.url() +
                            ", namespace: test, deadline_ms: 1000}}\nquotas: "
                            "{max_concurrent_per_consumer: " +
                            std::to_string(kMost) + "}\n");
    }
    void start(std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            gateways_.push_back(std::make_unique<Gateway>(in_front_of(*mock_, options())));
        }
        streams_.resize(size);
        wait_for_replicas(size);
    }
    void wait_for_replicas(std::size_t size) const {
        for (const auto& gateway : gateways_) {
            ASSERT_TRUE(eventually([&] {
                return gateway->metric("rotary_fleet_replicas") == static_cast<double>(size);
            }));
        }
    }
    // One that lasts until it is closed; false: it was refused.
    bool open(std::size_t index) { return open(*gateways_[index], streams_[index]); }
    bool open(const Front& gateway, std::vector<TestClient>& into) {
        TestClient client = gateway.connect();
        EXPECT_TRUE(client.send(chat(R"({"stream":true,"messages":[]})")));
        const unsigned status = client.read_head().status;
        if (status == 200) {
            into.push_back(std::move(client));
            return true;
        }
        EXPECT_EQ(status, 429U);
        return false;
    }
    // Until all have their streams, and none more.
    bool fill(std::size_t index, std::size_t streams) {
        return eventually(
            [&] {
                while (streams_[index].size() < streams && open(index)) {
                }
                return streams_[index].size() == streams;
            },
            3 * kPatience);
    }
    void keep(std::size_t index, std::size_t streams) {
        auto& all = streams_[index];
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(streams), all.end());
    }
    std::size_t in_flight() const {
        double all = 0;
        for (const auto& gateway : gateways_) all += gateway->metric("rotary_requests_in_flight");
        return static_cast<std::size_t>(all);
    }
    // Once those have ended that were refused, or whose client left: they are counted until then.
    bool are_in_flight(std::size_t requests) const {
        return eventually([&] { return in_flight() == requests; });
    }
    double questions() const {
        double all = 0;
        for (const auto& gateway : gateways_) {
            all += gateway->metric(R"(rotary_place_questions_total{outcome="asked"})");
        }
        return all;
    }

    RedisServer redis_;
    std::unique_ptr<mock::MockProvider> mock_;
    std::vector<std::unique_ptr<Gateway>> gateways_;
    std::vector<std::vector<TestClient>> streams_;
};

TEST_F(SharedPlaces, AreWhereTheRequestsAre) {
    start(3);
    ASSERT_TRUE(fill(0, kMost)) << "one that is asked alone has them all";
    EXPECT_EQ(gateways_[0]->metric("rotary_places"), static_cast<double>(kMost));
    EXPECT_EQ(json_at(gateways_[0]->admin("/api/v1/status"), "fleet.places"),
              std::to_string(kMost));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(open(i)) << i;
    EXPECT_TRUE(are_in_flight(kMost)) << in_flight();

    streams_[0].clear();
    ASSERT_TRUE(fill(1, kMost)) << "they have moved";
    for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(open(i)) << i;
    EXPECT_TRUE(are_in_flight(kMost)) << in_flight();

    keep(1, 10);
    ASSERT_TRUE(fill(0, 10));
    ASSERT_TRUE(fill(2, 10));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(open(i)) << i;
    EXPECT_TRUE(are_in_flight(kMost)) << in_flight();
    std::printf("80 streams at three gateways: %.0f questions\n", questions());
}

// All three are asked for more than there is, all the time.
TEST_F(SharedPlaces, AreNeverMoreThanTheLimit) {
    start(3);
    ASSERT_TRUE(fill(0, kMost));
    streams_[0].clear();
    std::atomic<int> refused{0};
    in_parallel(3, [&](std::size_t index) {
        for (int round = 0; round < 20; ++round) {
            for (std::size_t i = 0; i < 15; ++i) refused += open(index) ? 0 : 1;
            keep(index, streams_[index].size() / 2);
        }
    });
    EXPECT_GT(refused, 0);
    std::size_t open_streams = 0;
    for (const auto& streams : streams_) {
        EXPECT_GT(streams.size(), 0u) << "none is left without";
        open_streams += streams.size();
    }
    EXPECT_LE(open_streams, kMost);
    ASSERT_TRUE(are_in_flight(open_streams));
}

TEST_F(SharedPlaces, OfAGatewayThatIsKilledAreFreeSoonAfter) {
    start(1);
    Served killed(*mock_, {.gateway = options()});
    wait_for_replicas(2);
    std::vector<TestClient> lost;
    ASSERT_TRUE(eventually(
        [&] {
            while (lost.size() < 25 && open(killed, lost)) {
            }
            return lost.size() == 25;
        },
        3 * kPatience));
    ASSERT_TRUE(fill(0, 5));
    EXPECT_FALSE(open(0));
    killed.process().signal(SIGKILL);
    const auto begun = Clock::now();
    ASSERT_TRUE(fill(0, kMost));
    const std::chrono::duration<double> took = Clock::now() - begun;
    std::printf("places of a gateway that was killed are free after %.1f s\n", took.count());
    EXPECT_GT(took, 5s) << "it might live";
}

TEST_F(SharedPlaces, OfAGatewayThatEndsAreFreeAtOnce) {
    start(2);
    ASSERT_TRUE(fill(0, kMost));
    streams_[0].clear();
    ASSERT_TRUE(are_in_flight(0));
    gateways_[0].reset();
    gateways_.erase(gateways_.begin());
    const auto begun = Clock::now();
    streams_.erase(streams_.begin());
    ASSERT_TRUE(fill(0, kMost));
    EXPECT_LT(Clock::now() - begun, 10s) << "sooner than one that was killed";
}

TEST_F(SharedPlaces, WithoutRedisEachHasItsPart) {
    start(3);
    redis_.kill();
    for (const auto& gateway : gateways_) {
        ASSERT_TRUE(eventually([&] { return gateway->metric("rotary_redis_up") == 0; }));
    }
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(fill(i, kMost / 3)) << i;
        EXPECT_FALSE(open(i)) << i;
    }
    EXPECT_TRUE(are_in_flight(kMost)) << in_flight();
    redis_.start();
    for (const auto& gateway : gateways_) {
        ASSERT_TRUE(eventually([&] { return gateway->metric("rotary_redis_up") == 1; }));
    }
    for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(open(i)) << i;
    streams_[0].clear();
    EXPECT_TRUE(fill(1, 2 * kMost / 3)) << "what was in flight meanwhile is known";
    EXPECT_FALSE(open(2));
}

}  // namespace
}  // namespace rotary::test
