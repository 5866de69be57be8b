// Requests for whom the fleet has to be asked: what they hold meanwhile, how they go on, and for
// how long they wait.
#include "proxy/lease_wait.hpp"

#include "proxy/caller_places.hpp"
#include "proxy/limits.hpp"
#include "proxy/select.hpp"

#include <rotary/quota/lease.hpp>
#include <rotary/quota/lease_desk.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

class LeaseWait : public testing::Test {
protected:
    LeaseWait() {
        table_.share([this] { ++rings_; });
        request_.snapshot->by_backend.resize(1);
        request_.snapshot->config.state.redis.emplace();
    }
    ~LeaseWait() override {
        request_.exchange.quotas.clear();
        static_cast<void>(table_.leases().take_due());
        for (const auto& limit : request_.snapshot->limits) {
            const auto hold = limit.family->common().lease()->let_go();
        }
    }
    std::size_t add(std::int64_t amount, const std::string& name) {
        quota::Limit limit;
        limit.policy = name;
        limit.subject = "all";
        limit.amount = amount;
        limit.unit = quota::Unit::day;
        limit.family = table_.family(name);
        request_.snapshot->limits.push_back(std::move(limit));
        return request_.snapshot->limits.size() - 1;
    }
    const quota::Limit& limit(std::size_t index) const { return request_.snapshot->limits[index]; }
    void ask() { request_.ask("POST /chat/1.0/x", "", "{}"); }
    // As the control thread does it.
    void grant(std::size_t index, std::int64_t granted, std::int64_t rest) {
        const WallTime now = request_.exchange.request.started_wall;
        quota::Lease& lease = *limit(index).family->common().lease();
        const quota::Window window = limit(index).window(now);
        lease.grant(window.begin, {granted, rest, 0, window.end, window.end});
        static_cast<void>(table_.leases().take_due());
        lease.answered();
    }
    std::int64_t used(std::size_t index) const {
        return limit(index).family->common().latest().used;
    }
    std::uint64_t count(metrics::SeriesId series) const { return request_.registry.value(series); }
    const LimitSeries& series(std::size_t index) const {
        return request_.context.wiring->limits[index];
    }
    // Of the waits so far: how many there were, and of them those of up to `most`.
    std::pair<std::uint64_t, std::uint64_t> waits(std::chrono::nanoseconds most) const {
        const metrics::HistogramId id = request_.context.wiring->process.lease_wait;
        const std::vector<std::uint64_t> counts = request_.registry.buckets(id);
        std::pair<std::uint64_t, std::uint64_t> all;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            all.first += counts[i];
            const auto& bounds = id.buckets->nanoseconds;
            const auto bound = i < bounds.size() ? bounds[i] : UINT64_MAX;
            if (bound <= static_cast<std::uint64_t>(most.count())) all.second += counts[i];
        }
        return all;
    }
    void begin_waiting(LimitStep step) {
        spawn(keep(ask_fleet(request_.context, client_, request_.exchange, step), result_));
    }
    static Task<void> keep(Task<Result<void>> task, std::optional<Result<void>>& result) {
        result = co_await std::move(task);
    }

    OneRequest request_;
    quota::CounterTable& table_ = request_.counters;
    HandMadeClient client_{request_};
    std::optional<Result<void>> result_;
    int rings_ = 0;
};

TEST_F(LeaseWait, TakesNothingAndCountsNothingUntilTheFleetHasSaidIt) {
    const std::size_t known = add(10, "known");
    const std::size_t open = add(10, "open");
    request_.route().quotas.requests = {known, open};
    ask();
    request_.shard.ensure(request_.context.wiring->cells);
    grant(known, 5, 5);
    EXPECT_FALSE(admit_request(request_.context, request_.exchange));
    EXPECT_TRUE(request_.exchange.quotas.waits);
    EXPECT_EQ(request_.exchange.quotas.held.size(), 0u);
    EXPECT_EQ(used(known), 0);
    EXPECT_EQ(count(series(known).admitted), 0u);
    EXPECT_EQ(rings_, 1);

    begin_waiting(admit_request);
    EXPECT_FALSE(result_);
    EXPECT_TRUE(table_.leases().is_waited_for());
    grant(open, 1, 9);
    request_.context.lease_waits.wake_all();
    ASSERT_TRUE(request_.reactor.run_once(1s));
    ASSERT_TRUE(result_);
    EXPECT_TRUE(*result_);
    EXPECT_FALSE(table_.leases().is_waited_for());
    EXPECT_EQ(used(known), 1);
    EXPECT_EQ(used(open), 1);
    EXPECT_EQ(count(series(known).admitted), 1u);
    EXPECT_EQ(count(series(open).admitted), 1u);
    EXPECT_EQ(waits(0ns).first, 1u);
}

TEST_F(LeaseWait, WhatWasAnsweredBeforeItWaitsIsNotMissed) {
    const std::size_t open = add(10, "open");
    request_.route().quotas.requests = {open};
    ask();
    EXPECT_FALSE(admit_request(request_.context, request_.exchange));
    grant(open, 1, 9);
    begin_waiting(admit_request);
    ASSERT_TRUE(result_);
    EXPECT_TRUE(*result_);
}

TEST_F(LeaseWait, EndsWithAPartOfTheLimitWhenNoAnswerComes) {
    const std::size_t open = add(10, "open");
    request_.route().quotas.requests = {open};
    table_.leases().set_patience(20ms);
    ask();
    EXPECT_FALSE(admit_request(request_.context, request_.exchange));
    const SteadyTime begun = request_.reactor.exact_now();
    begin_waiting(admit_request);
    while (!result_) request_.reactor.run_once(1s);
    EXPECT_TRUE(*result_);
    EXPECT_GE(request_.reactor.exact_now() - begun, 20ms);
    EXPECT_EQ(waits(10ms), std::pair(std::uint64_t{1}, std::uint64_t{0})) << "all of it is told";
    EXPECT_EQ(used(open), 1);
    EXPECT_FALSE(request_.exchange.quotas.is_patient) << "it waits once";
}

TEST_F(LeaseWait, ARefusalOfTheFleetIsOneOfTheLimit) {
    const std::size_t open = add(10, "open");
    request_.route().quotas.requests = {open};
    ask();
    EXPECT_FALSE(admit_request(request_.context, request_.exchange));
    begin_waiting(admit_request);
    grant(open, 0, 0);
    request_.context.lease_waits.wake_all();
    ASSERT_TRUE(request_.reactor.run_once(1s));
    ASSERT_TRUE(result_);
    ASSERT_FALSE(*result_);
    EXPECT_EQ(result_->error().kind, FaultKind::rate_limit_exceeded);
    ASSERT_TRUE(request_.exchange.quotas.refusal);
    EXPECT_EQ(request_.exchange.quotas.refusal->used, 10);
}

class PlaceWait : public LeaseWait {
protected:
    PlaceWait() {
        request_.snapshot->in_flight = table_of_places_;
        shares().open([this] { ++place_rings_; });
        request_.route().max_concurrent = 7;
        request_.route().in_flight_key = kKey;
    }
    routing::PlaceShares& shares() { return table_of_places_->share(); }
    bool take() { return take_places(request_.context, request_.exchange).has_value(); }
    bool waits() const { return request_.exchange.quotas.waits; }
    // As the control thread does it.
    void grant_places(std::uint32_t granted, bool refuses = false) {
        routing::PlaceShare* const share = shares().take_due();
        ASSERT_NE(share, nullptr);
        EXPECT_EQ(share->key(), kKey);
        EXPECT_EQ(share->most(), 7u);
        share->grant(kKey, {granted, 0});
        if (refuses) share->refuse_until(SteadyTime::max());
        share->answered();
        request_.context.lease_waits.wake_all();
    }

    static constexpr std::uint64_t kKey = 0x0123456789abcdefu;
    const std::shared_ptr<routing::InFlight> table_of_places_ =
        std::make_shared<routing::InFlight>();
    int place_rings_ = 0;
};

TEST_F(PlaceWait, ARequestWaitsForThePlaceThatTheFleetGrants) {
    ask();
    EXPECT_FALSE(take());
    EXPECT_TRUE(waits());
    EXPECT_STREQ(request_.exchange.outcome.reason, "") << "it is no refusal";
    EXPECT_EQ(place_rings_, 1);
    begin_waiting(take_places);
    EXPECT_FALSE(result_);
    grant_places(1);
    ASSERT_TRUE(request_.reactor.run_once(1s));
    ASSERT_TRUE(result_);
    EXPECT_TRUE(*result_);
    EXPECT_EQ(table_of_places_->count(kKey), 1u);
    request_.exchange.quotas.places.leave();
    EXPECT_EQ(table_of_places_->count(kKey), 0u);
}

TEST_F(PlaceWait, ARefusalOfTheFleetIsOneOfTheLimit) {
    ask();
    EXPECT_FALSE(take());
    begin_waiting(take_places);
    grant_places(0, true);
    ASSERT_TRUE(request_.reactor.run_once(1s));
    ASSERT_TRUE(result_);
    ASSERT_FALSE(*result_);
    EXPECT_EQ(result_->error().kind, FaultKind::rate_limit_exceeded);
    EXPECT_EQ(request_.exchange.outcome.retry_after, 1s);
    EXPECT_STREQ(request_.exchange.outcome.reason, "the API's requests in flight");
    EXPECT_FALSE(take());
    EXPECT_FALSE(waits()) << "none is asked again at once";
    EXPECT_EQ(place_rings_, 1);
}

TEST_F(PlaceWait, EndsWithItsPartWhenNoAnswerComes) {
    shares().set_replicas(3);
    table_.leases().set_patience(20ms);
    ask();
    EXPECT_FALSE(take());
    begin_waiting(take_places);
    while (!result_) request_.reactor.run_once(1s);
    EXPECT_TRUE(*result_);
    EXPECT_TRUE(take()) << "its own is left first";
    EXPECT_EQ(table_of_places_->count(kKey), 1u);
}

// A request that has a place of its consumer, and has to wait for one of the API.
TEST_F(PlaceWait, HoldsNoOtherPlaceMeanwhile) {
    ask();
    request_.exchange.match.consumer = "team";
    const std::uint64_t consumer = routing::InFlight::key_of("consumer", "team");
    request_.snapshot->consumer_limits.set(consumer, 2);
    EXPECT_FALSE(take());
    shares().take_due()->grant(consumer, {2, 0});
    EXPECT_FALSE(take());
    EXPECT_TRUE(waits());
    EXPECT_EQ(table_of_places_->count(consumer), 0u);
}

TEST_F(PlaceWait, AloneItIsTheWholeLimitAgain) {
    shares().close();
    ask();
    EXPECT_TRUE(take());
    EXPECT_EQ(place_rings_, 0);
}

// The choice was made, its turn is taken: it is not made again.
TEST_F(LeaseWait, ABackendsLimitIsAskedForTheSameChoice) {
    const std::size_t open = add(10, "open");
    request_.backend().quotas.requests = {open};
    ask();
    EXPECT_FALSE(select(request_.context, request_.exchange, Next::nowhere));
    EXPECT_TRUE(request_.exchange.quotas.waits);
    EXPECT_EQ(request_.exchange.tries.attempts, 0u);
    begin_waiting(select_again);
    grant(open, 1, 9);
    request_.context.lease_waits.wake_all();
    ASSERT_TRUE(request_.reactor.run_once(1s));
    ASSERT_TRUE(result_);
    EXPECT_TRUE(*result_);
    EXPECT_EQ(request_.exchange.tries.attempts, 1u);
    EXPECT_EQ(used(open), 1);
}

}  // namespace
}  // namespace rotary::proxy
