// Several gateways with one Redis: what one learns of an entry all of them know.
#include "fleet_of_gateways.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Seen = FleetOfGateways::Seen;

constexpr const char* kMoody = "chat-api/production/moody@backend-0";

std::chrono::microseconds since(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

class FleetOf : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Gateways, FleetOf, testing::Values(2, 5),
                         [](const auto& row) { return std::to_string(row.param); });

// How long after the first refusal a gateway that had not read it still sent a request there.
std::chrono::microseconds latest_of_others(const FleetOfGateways& fleet, Clock::time_point begun) {
    const std::vector<Seen> seen = fleet.asked_since(begun);
    std::chrono::microseconds latest{0};
    for (const Seen& one : seen) latest = std::max(latest, since(seen.front().at, one.at));
    return latest;
}

// A hundred rounds, or as many as five seconds allow: of a hundred one may be slower. What else the
// machine does spoils a try now and then, so two of three have to be good.
template <class Round>
void expect_p99(const char* what, std::chrono::milliseconds most, const Round& round) {
    constexpr std::size_t kRounds = 100;
    int good = 0;
    for (int tried = 0; tried < 3 && good < 2; ++tried) {
        std::vector<std::chrono::microseconds> times;
        const auto end = Clock::now() + 5s;
        while (times.size() < kRounds && (times.empty() || Clock::now() < end)) {
            ASSERT_NO_FATAL_FAILURE(times.push_back(round()));
            if (testing::Test::HasFailure()) return;
        }
        std::sort(times.begin(), times.end());
        const std::chrono::microseconds p99 = times[(times.size() * 99 + 99) / 100 - 1];
        std::printf("%s: median %lld us, p99 %lld us, most %lld us, of %zu\n", what,
                    static_cast<long long>(times[times.size() / 2].count()),
                    static_cast<long long>(p99.count()),
                    static_cast<long long>(times.back().count()), times.size());
        if (p99 <= most) ++good;
    }
    EXPECT_EQ(good, 2) << what;
}

TEST_P(FleetOf, A429ThatOneReadsHoldsForAll) {
    FleetOfGateways fleet(GetParam());
    const SteadyClients clients(fleet);
    expect_p99("the last request of any gateway behind the first 429", 50ms, [&] {
        const auto begun = Clock::now();
        fleet.refuses = true;
        EXPECT_TRUE(fleet.wait_until_all(true));
        EXPECT_TRUE(clients.wait_for_answers());
        const std::chrono::microseconds latest = latest_of_others(fleet, begun);
        fleet.refuses = false;
        change_entry(*fleet.gateways.front(), kMoody, "resume");
        EXPECT_TRUE(fleet.wait_until_all(false));
        return latest;
    });
    EXPECT_EQ(clients.failed(), 0u);
}

TEST_P(FleetOf, OneRequestOfAllProbes) {
    FleetOfGateways fleet(GetParam(), 1);
    const SteadyClients clients(fleet);
    const auto begun = Clock::now();
    fleet.refuses = true;
    ASSERT_TRUE(fleet.wait_until_all(true));
    ASSERT_TRUE(eventually([&] {  // refused again: out for twice as long
        return !fleet.asked_since(begun + 900ms).empty();
    }));
    ASSERT_TRUE(eventually([&] { return Clock::now() > begun + 2500ms; }));
    EXPECT_EQ(fleet.asked_since(begun + 900ms).size(), 1u);
    ASSERT_TRUE(eventually([&] { return Clock::now() > begun + 4500ms; }));
    EXPECT_EQ(fleet.asked_since(begun + 900ms).size(), 2u) << "the next one";
    fleet.refuses = false;
    ASSERT_TRUE(fleet.wait_until_all(false));
    EXPECT_EQ(clients.failed(), 0u);
}

TEST_P(FleetOf, AnOperatorsWordHoldsForAll) {
    FleetOfGateways fleet(GetParam());
    std::size_t word = 0;
    expect_p99("an operator's word on every page", 100ms, [&] {
        const bool out = word % 2 == 0;
        Gateway& one = *fleet.gateways[word++ / 2 % GetParam()];
        const auto begun = Clock::now();
        change_entry(one, kMoody, out ? "suspend" : "resume");
        EXPECT_TRUE(fleet.wait_until_all(out));
        return since(begun, Clock::now());
    });
}

TEST(Fleet, ClientsOfAllAreToldTheSameTimeToComeBack) {
    FleetOfGateways fleet(3);
    fleet.refuses_all = true;
    const auto begun = Clock::now();
    const auto is_well_out = [](const Front& gateway) {
        return entry_field(gateway, "well", "state") != "active";
    };
    for (int i = 0; i < 2; ++i) fetch(fleet.gateways[0]->client(), chat());
    ASSERT_TRUE(fleet.wait_until_all(true));
    for (const auto& gateway : fleet.gateways) {
        ASSERT_TRUE(eventually([&] { return is_well_out(*gateway); }));
    }
    const std::size_t asked = fleet.provider.request_count();
    for (const auto& gateway : fleet.gateways) {
        const Response response = fetch(gateway->client(), chat());
        EXPECT_EQ(response.status, 429u);
        const std::chrono::duration<double> passed = Clock::now() - begun;
        const double at = std::stod(std::string(response.header("retry-after"))) + passed.count();
        EXPECT_NEAR(at, 60, 1.5) << "a whole second, rounded up, of a minute";
    }
    EXPECT_EQ(fleet.provider.request_count(), asked);
}

TEST(Fleet, OneThatStartsKnowsFromItsFirstRequestOn) {
    FleetOfGateways fleet(1);
    change_entry(*fleet.gateways[0], kMoody, "suspend");
    ASSERT_TRUE(eventually([&] {
        return fleet.redis.command({"HEXISTS", "{rotary:test}:s", kMoody}) == "1";
    }));
    const auto begun = Clock::now();
    Gateway& late = fleet.start();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(fetch(late.client(), chat()).status, 200u);
    EXPECT_TRUE(fleet.asked_since(begun).empty());
    EXPECT_TRUE(FleetOfGateways::is_out(late));
}

TEST(Fleet, WhatWasFlushedIsThereAgainWithinTwoSeconds) {
    FleetOfGateways fleet(2);
    change_entry(*fleet.gateways[0], kMoody, "suspend");
    ASSERT_TRUE(fleet.wait_until_all(true));
    fleet.redis.command({"FLUSHALL"});
    fleet.redis.command({"SCRIPT", "FLUSH"});
    const auto begun = Clock::now();
    ASSERT_TRUE(eventually([&] {
        return fleet.redis.command({"HEXISTS", "{rotary:test}:s", kMoody}) == "1";
    }));
    EXPECT_LT(Clock::now() - begun, 2s);
    EXPECT_TRUE(FleetOfGateways::is_out(*fleet.gateways[1]));
}

TEST(Fleet, WhatADeadReplicaSaidIsKnownToOneThatStartsBehindAFlush) {
    FleetOfGateways fleet(2);
    change_entry(*fleet.gateways[0], kMoody, "suspend");
    ASSERT_TRUE(fleet.wait_until_all(true));
    fleet.gateways.erase(fleet.gateways.begin());
    fleet.redis.command({"FLUSHALL"});
    ASSERT_TRUE(eventually([&] {
        return fleet.redis.command({"HEXISTS", "{rotary:test}:s", kMoody}) == "1";
    }));
    fleet.start();
    ASSERT_TRUE(fleet.wait_until_all(true));
}

TEST(Fleet, WithoutRedisEachIsOnItsOwnAndJoinsAgain) {
    FleetOfGateways fleet(2);
    {
        const SteadyClients clients(fleet);
        fleet.redis.kill();
        for (const auto& gateway : fleet.gateways) {
            ASSERT_TRUE(eventually(
                [&] { return FleetOfGateways::fleet_field(*gateway, "state") == "away"; }));
            EXPECT_EQ(gateway->metric("rotary_redis_up"), 0);
        }
        change_entry(*fleet.gateways[0], kMoody, "suspend");
        const std::size_t before = clients.answered();
        ASSERT_TRUE(eventually([&] { return clients.answered() > before + 50; }));
        EXPECT_TRUE(FleetOfGateways::is_out(*fleet.gateways[0]));
        EXPECT_FALSE(FleetOfGateways::is_out(*fleet.gateways[1]));
        fleet.redis.start();
        ASSERT_TRUE(fleet.wait_until_all(true)) << "said later";
        EXPECT_EQ(clients.failed(), 0u);
    }
    for (const auto& gateway : fleet.gateways) {
        EXPECT_EQ(FleetOfGateways::fleet_field(*gateway, "state"), "connected");
        EXPECT_EQ(gateway->metric("rotary_redis_up"), 1);
    }
}

TEST(Fleet, ARedisThatStandsStillHoldsUpNoRequest) {
    FleetOfGateways fleet(2);
    SteadyClients clients(fleet);
    fleet.redis.signal(SIGSTOP);
    fleet.refuses = true;
    ASSERT_TRUE(fleet.wait_until_all(true)) << "each by its own 429";
    ASSERT_TRUE(eventually(
        [&] { return FleetOfGateways::fleet_field(*fleet.gateways[0], "state") != "connected"; }));
    fleet.redis.signal(SIGCONT);
    ASSERT_TRUE(eventually(
        [&] { return FleetOfGateways::fleet_field(*fleet.gateways[0], "state") == "connected"; }));
    change_entry(*fleet.gateways[0], kMoody, "resume");
    fleet.refuses = false;
    ASSERT_TRUE(fleet.wait_until_all(false));
    clients.stop();
    EXPECT_EQ(clients.failed(), 0u);
    std::printf("the slowest request: %lld ms\n",
                static_cast<long long>(clients.slowest().count()));
}

TEST(Fleet, SaysHowManyReplicasThereAre) {
    constexpr std::chrono::seconds kTwoWords{20};  // one each 5 s, on a loaded machine
    FleetOfGateways fleet(3);
    ASSERT_TRUE(eventually(
        [&] { return FleetOfGateways::fleet_field(*fleet.gateways[0], "replicas") == "3"; },
        kTwoWords));
    EXPECT_EQ(FleetOfGateways::fleet_field(*fleet.gateways[0], "replica").size(), 16u);
    EXPECT_EQ(FleetOfGateways::fleet_field(*fleet.gateways[0], "last_error"), "");
    EXPECT_NE(FleetOfGateways::fleet_field(*fleet.gateways[0], "replica"),
              FleetOfGateways::fleet_field(*fleet.gateways[1], "replica"));
    EXPECT_EQ(fleet.gateways[0]->metric("rotary_fleet_replicas"), 3);
    fleet.gateways.back()->stop();
    fleet.gateways.pop_back();
    ASSERT_TRUE(eventually(
        [&] { return FleetOfGateways::fleet_field(*fleet.gateways[0], "replicas") == "2"; },
        kTwoWords));
}

}  // namespace
}  // namespace rotary::test
