#include <rotary/admin/consumers.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/json.hpp>
#include <support/sampled.hpp>

#include <memory>
#include <string>

namespace rotary::admin {
namespace {

using namespace std::chrono_literals;
using test::json_at;
using test::json_size;

const WallTime kNow{1'767'323'045s};  // 2026-01-02T03:04:05Z

// A consumer "one" with a budget by name, a budget that each has, a limit of requests that each
// has, one of "one" alone, and a subscription.
class Consumers : public testing::Test {
protected:
    Consumers() {
        snapshot_->counters = &counters_;
        snapshot_->consumer_use = &uses_;
        snapshot_->in_flight = std::make_shared<routing::InFlight>();
        uses_.set_most(3);
        wiring_->snapshot = snapshot_;
        snapshot_->consumer_budgets[0].add("one", add("named", false));
        snapshot_->consumer_budgets[0].add_for_each(add("each", true));
        snapshot_->routes.resize(2);
        using By = config::CustomRate::By;
        const std::size_t keyed = add("keyed", true);
        snapshot_->routes[0].quotas.keyed.push_back({keyed, By::consumer, "", ""});
        snapshot_->routes[1].quotas.keyed.push_back({keyed, By::consumer, "", ""});
        snapshot_->routes[1].quotas.keyed.push_back({add("alone", false), By::consumer, "", "one"});
        snapshot_->routes[1].quotas.keyed.push_back({add("header", true), By::header, "x", ""});
        routing::Subscriber subscriber;
        subscriber.limits.tokens.push_back(add("tier", false));
        snapshot_->subscribers.emplace_back().add("one", subscriber);
    }
    std::size_t add(const std::string& policy, bool is_each) {
        quota::Limit& limit = snapshot_->limits.emplace_back();
        limit.policy = policy;
        limit.amount = 10;
        limit.is_each = is_each;
        limit.family = counters_.family(policy);
        return snapshot_->limits.size() - 1;
    }
    // "policy:used ", of each of its limits.
    std::string limits(const std::string& page, const std::string& row = "consumers.0.") const {
        std::string all;
        for (std::size_t i = 0; i < json_size(page, row + "limits"); ++i) {
            const std::string place = row + "limits." + std::to_string(i);
            all += json_at(page, place + ".policy") + ":" + json_at(page, place + ".used") + " ";
        }
        return all;
    }
    std::string page(const ConsumersAsked& asked = {}) const {
        return consumers_json(*wiring_, kNow, asked, today_);
    }

    quota::CounterTable counters_;
    quota::ConsumerUse uses_;
    CostOfToday today_;
    std::shared_ptr<routing::Snapshot> snapshot_ = std::make_shared<routing::Snapshot>();
    std::shared_ptr<proxy::Wiring> wiring_ = std::make_shared<proxy::Wiring>();
};

TEST_F(Consumers, AreShownWithWhatTheyUsed) {
    uses_.add("one", {2, 1, 300, 40, 5});
    uses_.add("two", {9});
    uses_.add("three", {1});
    uses_.add("four", {7, 0, 1, 1, 1});
    const std::string all = page();
    EXPECT_EQ(json_at(all, "counted"), "true");
    EXPECT_EQ(json_at(all, "consumers.0.consumer"), "two") << "the busiest first";
    EXPECT_EQ(json_at(all, "consumers.1.consumer"), "one");
    EXPECT_EQ(json_at(all, "consumers.1.requests"), "2");
    EXPECT_EQ(json_at(all, "consumers.1.refused"), "1");
    EXPECT_EQ(json_at(all, "consumers.1.input_tokens"), "300");
    EXPECT_EQ(json_at(all, "consumers.1.output_tokens"), "40");
    EXPECT_EQ(json_at(all, "consumers.1.cost_nd"), "5");
    EXPECT_EQ(json_size(all, "consumers"), 3U);
    EXPECT_EQ(json_at(all, "others.requests"), "7");
    const std::string some = page({1});
    EXPECT_EQ(json_size(some, "consumers"), 1U);
    EXPECT_EQ(json_at(some, "not_shown"), "2");
}

TEST_F(Consumers, AreShownWithTheirLimits) {
    uses_.add("one", {2});
    const quota::Limit& each = snapshot_->limits[1];
    counters_.hold(each.family, "one", each.window(kNow))->add(each.terms(kNow), 4);
    counters_.hold(each.family, "two", each.window(kNow))->add(each.terms(kNow), 5);
    snapshot_->limits[5].family->common().add(each.terms(kNow), 12);
    const std::string own = page({1, "one"});
    EXPECT_EQ(limits(own), "named:0 alone:0 tier:12 each:4 keyed:0 ");
    EXPECT_EQ(json_at(own, "consumers.0.limits.2.remaining"), "0");
    EXPECT_EQ(json_at(own, "consumers.0.limits.3.remaining"), "6");
    EXPECT_EQ(json_at(own, "consumers.0.limits.3.reset"), "2026-01-02T03:05:00.000Z");
    EXPECT_EQ(limits(page({1, "two"})), "each:5 keyed:0 ") << "known to its limits alone";
    EXPECT_EQ(counters_.size(), 2U) << "a look makes no counter";
}

TEST_F(Consumers, AreShownWithTheirRequestsInFlight) {
    uses_.add("one", {1});
    EXPECT_EQ(json_at(page(), "consumers.0.in_flight"), "<missing>")
        << "without a limit none is counted";
    const std::uint64_t key = routing::InFlight::key_of("consumer", "one");
    snapshot_->consumer_limits.set(key, 8);
    const auto place = snapshot_->in_flight->enter(key, 8);
    EXPECT_EQ(json_at(page(), "consumers.0.in_flight"), "1");
    EXPECT_EQ(json_at(page(), "consumers.0.max_concurrent"), "8");
}

TEST_F(Consumers, AreNotShownWhereNoneIsCounted) {
    snapshot_->consumer_use = nullptr;
    EXPECT_EQ(json_at(page(), "counted"), "false");
    EXPECT_EQ(json_size(page(), "consumers"), 0U);
    EXPECT_EQ(limits(page({1, "one"})), "named:0 alone:0 tier:0 each:0 keyed:0 ");
    test::Sampled out;
    sample_consumers(*wiring_, out);
    EXPECT_TRUE(out.all().empty());
}

TEST_F(Consumers, HaveSeriesOfTheirOwn) {
    uses_.add("one", {2, 1, 300, 40, 5});
    uses_.add("(others)", {3});
    test::Sampled out;
    sample_consumers(*wiring_, out);
    EXPECT_EQ(out.value("rotary_consumer_requests_total{consumer=one}"), 2);
    EXPECT_EQ(out.value("rotary_consumer_refused_total{consumer=one}"), 1);
    EXPECT_EQ(out.value("rotary_consumer_tokens_total{consumer=one,type=input}"), 300);
    EXPECT_EQ(out.value("rotary_consumer_tokens_total{consumer=one,type=output}"), 40);
    EXPECT_EQ(out.value("rotary_consumer_cost_nanodollars_total{consumer=one}"), 5);
    EXPECT_EQ(out.value("rotary_consumer_requests_total{consumer=(others)}"), 3);
    EXPECT_EQ(out.all().size(), 10U);
}

TEST_F(Consumers, AreShownWithWhatTodayCosts) {
    uses_.add("one", {2, 0, 300, 40, 500});
    const auto of_before = [](WallTime) { return CostOfToday::Sums{{"one", 7000}, {"gone", 20}}; };
    today_.note(&uses_, kNow, of_before);
    uses_.add("two", {1, 0, 1, 1, 3});
    const std::string all = page();
    EXPECT_EQ(json_at(all, "consumers.0.cost_nd"), "500");
    EXPECT_EQ(json_at(all, "consumers.0.cost_today_nd"), "7500");
    EXPECT_EQ(json_at(all, "consumers.1.cost_today_nd"), "3");
    EXPECT_EQ(json_at(all, "cost_today_nd"), "7523");
    EXPECT_EQ(json_at(all, "of_whole_day"), "true");
    EXPECT_EQ(json_at(all, "today_since"), "2026-01-02T00:00:00.000Z");
}

}  // namespace
}  // namespace rotary::admin
