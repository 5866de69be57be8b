// What the mock remembers between requests: faults, quotas, failure rates, what came.
#include "mock/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace rotary::mock {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Kind = MockFault::Kind;

constexpr Clock::time_point kStart{1000s};

std::shared_ptr<const Captured> request(const std::string& target, std::size_t body = 0) {
    auto captured = std::make_shared<Captured>();
    captured->target = target;
    captured->body.assign(body, 'x');
    return captured;
}

std::vector<std::string> targets(const State& state) {
    std::vector<std::string> out;
    for (const auto& kept : state.requests()) out.push_back(kept->target);
    return out;
}

TEST(MockFaults, NoneUnlessSet) {
    State state{MockOptions()};
    EXPECT_EQ(state.take_fault("m").kind, Kind::none);
    EXPECT_EQ(state.take_fault("").kind, Kind::none);
}

TEST(MockFaults, OneForTheModelGoesBeforeTheOneForAny) {
    State state{MockOptions()};
    state.set_fault("*", MockFault::stall(), 2);
    state.set_fault("m", MockFault::reset(), 1);
    EXPECT_EQ(state.take_fault("m").kind, Kind::reset);
    EXPECT_EQ(state.take_fault("m").kind, Kind::stall);
    EXPECT_EQ(state.take_fault("other").kind, Kind::stall);
    EXPECT_EQ(state.take_fault("m").kind, Kind::none);
}

TEST(MockFaults, ARequestWithoutAModelMeetsTheOneForAnyAlone) {
    State state{MockOptions()};
    state.set_fault("", MockFault::reset(), MockProvider::kAlways);
    EXPECT_EQ(state.take_fault("").kind, Kind::none);
    state.set_fault("*", MockFault::garbage(), MockProvider::kAlways);
    EXPECT_EQ(state.take_fault("").kind, Kind::garbage);
}

TEST(MockFaults, HappenSoManyTimes) {
    struct Row {
        const char* name;
        std::uint64_t times;
        std::vector<bool> met;
    };
    const Row rows[] = {
        {"never", 0, {false, false, false}},
        {"once", 1, {true, false, false}},
        {"twice", 2, {true, true, false}},
        {"always", MockProvider::kAlways, {true, true, true}},
    };
    for (const Row& row : rows) {
        State state{MockOptions()};
        state.set_fault("m", MockFault::reset(), row.times);
        std::vector<bool> met;
        for (std::size_t i = 0; i < row.met.size(); ++i) {
            met.push_back(state.take_fault("m").kind == Kind::reset);
        }
        EXPECT_EQ(met, row.met) << row.name;
    }
}

TEST(MockFaults, TheNewestOfAModelReplacesTheOneBefore) {
    State state{MockOptions()};
    state.set_fault("m", MockFault::reset(), 5);
    state.set_fault("m", MockFault::answer_status(418), 1);
    EXPECT_EQ(state.take_fault("m").status, 418U);
    EXPECT_EQ(state.take_fault("m").kind, Kind::none);
}

TEST(MockFaults, StayOverAResetAndGoWhenTheyAreCleared) {
    State state{MockOptions()};
    state.set_fault("m", MockFault::reset(), MockProvider::kAlways);
    state.reset();
    EXPECT_EQ(state.take_fault("m").kind, Kind::reset);
    state.clear_faults();
    EXPECT_EQ(state.take_fault("m").kind, Kind::none);
}

MockOptions with_quota(std::uint64_t requests) {
    MockOptions options;
    options.quotas = {{"m", requests, 10s}};
    return options;
}

TEST(MockQuotas, AnswerSoManyInAWindow) {
    struct Row {
        const char* name;
        Clock::duration at;
        bool refused;
        std::uint64_t remaining;
        Clock::duration reset_in;
    };
    const Row rows[] = {
        {"the first opens the window", 0s, false, 1, 10s},
        {"the last that fits", 3s, false, 0, 7s},
        {"one too many", 4s, true, 0, 6s},
        {"just before the end", 10s - 1ns, true, 0, 1ns},
        {"the end opens the next", 10s, false, 1, 10s},
        {"a window opens with a request, not by itself", 35s, false, 1, 10s},
        {"in that one", 36s, false, 0, 9s},
        {"and one too many there", 44s, true, 0, 1s},
    };
    State state{with_quota(2)};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const QuotaVerdict verdict = state.take_quota("m", kStart + row.at);
        EXPECT_TRUE(verdict.limited);
        EXPECT_EQ(verdict.limit, 2U);
        EXPECT_EQ(verdict.refused, row.refused);
        EXPECT_EQ(verdict.remaining, row.remaining);
        EXPECT_EQ(verdict.reset_in, row.reset_in);
    }
}

TEST(MockQuotas, OfNoRequestsRefuseEach) {
    State state{with_quota(0)};
    EXPECT_TRUE(state.take_quota("m", kStart).refused);
    EXPECT_TRUE(state.take_quota("m", kStart + 20s).refused);
}

TEST(MockQuotas, AreTheirModelsAlone) {
    State state{with_quota(1)};
    EXPECT_FALSE(state.take_quota("m", kStart).refused);
    const QuotaVerdict other = state.take_quota("other", kStart);
    EXPECT_FALSE(other.limited);
    EXPECT_FALSE(other.refused);
    EXPECT_TRUE(state.take_quota("m", kStart).refused);
    State none{MockOptions()};
    EXPECT_FALSE(none.take_quota("m", kStart).limited);
}

TEST(MockQuotas, BeginAnewWithAReset) {
    State state{with_quota(1)};
    EXPECT_FALSE(state.take_quota("m", kStart).refused);
    EXPECT_TRUE(state.take_quota("m", kStart + 1s).refused);
    state.reset();
    const QuotaVerdict verdict = state.take_quota("m", kStart + 2s);
    EXPECT_FALSE(verdict.refused);
    EXPECT_EQ(verdict.reset_in, 10s);
}

// The statuses of the first requests, 0 for those that did not fail.
std::vector<unsigned> failures(std::vector<MockFailRate> rates, std::size_t requests) {
    MockOptions options;
    options.fail_rates = std::move(rates);
    State state{options};
    std::vector<unsigned> out;
    for (std::size_t i = 0; i < requests; ++i) out.push_back(state.take_failure());
    return out;
}

TEST(MockFailures, AreSpreadEvenly) {
    EXPECT_THAT(failures({}, 3), ElementsAre(0U, 0U, 0U));
    EXPECT_THAT(failures({{503, 0}}, 3), ElementsAre(0U, 0U, 0U));
    EXPECT_THAT(failures({{503, 1}}, 3), ElementsAre(503U, 503U, 503U));
    EXPECT_THAT(failures({{503, 0.5}}, 5), ElementsAre(503U, 0U, 503U, 0U, 503U));
    EXPECT_THAT(failures({{503, 0.25}}, 8), ElementsAre(0U, 503U, 0U, 0U, 0U, 503U, 0U, 0U));
}

TEST(MockFailures, OfTwoRatesThatFallDueTogetherTheSecondComesNext) {
    EXPECT_THAT(failures({{500, 0.5}, {503, 0.5}}, 4), ElementsAre(500U, 503U, 500U, 503U));
}

TEST(MockFailures, AreExactOverAnyRun) {
    const std::vector<unsigned> all = failures({{500, 0.1}}, 1000);
    for (std::size_t from = 0; from + 10 <= all.size(); ++from) {
        const auto at = all.begin() + static_cast<std::ptrdiff_t>(from);
        ASSERT_EQ(std::count(at, at + 10, 500U), 1) << "from request " << from;
    }
}

TEST(MockFailures, BeginAnewWithAReset) {
    MockOptions options;
    options.fail_rates = {{503, 0.25}};
    State state{options};
    EXPECT_EQ(state.take_failure(), 0U);
    state.reset();
    EXPECT_EQ(state.take_failure(), 0U);
    EXPECT_EQ(state.take_failure(), 503U);
}

TEST(MockRecord, KeepsTheLastOnesAndCountsAll) {
    MockOptions options;
    options.kept_requests = 2;
    State state{options};
    for (const char* target : {"/1", "/2", "/3"}) state.record(request(target));
    EXPECT_THAT(targets(state), ElementsAre("/2", "/3"));
    EXPECT_EQ(state.request_count(), 3U);
    state.reset();
    EXPECT_TRUE(state.requests().empty());
    EXPECT_EQ(state.request_count(), 0U);
}

TEST(MockRecord, LetsOlderBodiesGoBeforeTheyFillTheMachine) {
    constexpr std::size_t kNearlyAll = (std::size_t{256} << 20) - 10;
    State state{MockOptions()};
    state.record(request("/large", kNearlyAll));
    state.record(request("/ten", 10));
    EXPECT_THAT(targets(state), ElementsAre("/large", "/ten"));
    state.record(request("/one", 1));
    EXPECT_THAT(targets(state), ElementsAre("/ten", "/one"));
}

TEST(MockRecord, WaitsForWhatIsThereWithoutWaiting) {
    State state{MockOptions()};
    EXPECT_TRUE(state.wait_for_requests(0, 0s));
    EXPECT_FALSE(state.wait_for_requests(1, 0s));
    state.record(request("/1"));
    EXPECT_TRUE(state.wait_for_requests(1, 0s));
    EXPECT_FALSE(state.wait_for_requests(2, 0s));
}

TEST(MockRecord, CountsConnections) {
    State state{MockOptions()};
    state.connection_opened();
    state.connection_opened();
    state.connection_closed();
    EXPECT_EQ(state.connections_accepted(), 2U);
    EXPECT_EQ(state.open_connections(), 1U);
    EXPECT_TRUE(state.wait_for_open_connections(1, 0s));
    EXPECT_FALSE(state.wait_for_open_connections(2, 0s));
}

}  // namespace
}  // namespace rotary::mock
