// What budgets of the configuration become.
#include <rotary/config/check/effective.hpp>
#include <rotary/routing/snapshot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

using config::BudgetPeriod;
using testing::ElementsAre;

config::Budget budget(const std::string& name, config::Budget::Target kind,
                      const std::string& target) {
    config::Budget made;
    made.metadata.name = name;
    made.target_kind = kind;
    made.target = target;
    made.nanos = 5'000;
    return made;
}

config::PriceEntry price(const std::string& model, config::Picos rate) {
    config::PriceEntry made;
    made.provider = "*";
    made.model = model;
    made.rates.front() = rate;
    return made;
}

class Budgets : public testing::Test {
protected:
    // The configuration that is shipped, with these budgets.
    std::shared_ptr<const Snapshot> compiled(std::vector<config::Budget> budgets) {
        config::Loaded loaded = config::load(std::string(ROTARY_SOURCE_DIR) + "/config/rotary.yaml",
                                             config::variables());
        loaded.prices = {price("gpt-4o", 1'000), price("gpt-4o-mini", 9'000)};
        loaded.resources.budgets = std::move(budgets);
        std::vector<config::Finding> findings;
        auto made = compile(loaded, shared_, findings);
        findings_ = config::to_text(findings);
        return made;
    }

    SharedState shared_;
    std::string findings_;
};

TEST_F(Budgets, OfAConsumerHoldInEachEnvironmentByItself) {
    const auto made = compiled({budget("one", config::Budget::Target::consumer, "team-a"),
                                budget("two", config::Budget::Target::consumer, "team-a")});
    ASSERT_TRUE(made) << findings_;
    ASSERT_EQ(made->limits.size(), 4U);
    EXPECT_THAT(made->consumer_budgets[0].of("team-a"), ElementsAre(0, 2));
    EXPECT_THAT(made->consumer_budgets[1].of("team-a"), ElementsAre(1, 3));
    EXPECT_TRUE(made->consumer_budgets[0].of("team-b").empty());
    EXPECT_NE(made->limits[0].family, made->limits[1].family);
    EXPECT_EQ(made->limits[0].what, quota::What::cost);
    EXPECT_EQ(made->limits[0].amount, 5'000);
    EXPECT_EQ(made->limits[0].currency, "USD");
    EXPECT_EQ(made->limits[0].unit_name(), "month");
    EXPECT_EQ(made->limits[0].subject, "consumer team-a");
    for (const Route& route : made->routes) EXPECT_TRUE(route.counts_tokens);
}

TEST_F(Budgets, OfAnApiApplyToItsRoutes) {
    config::Loaded loaded =
        config::load(std::string(ROTARY_SOURCE_DIR) + "/config/rotary.yaml", config::variables());
    const std::string api = loaded.resources.apis.front().metadata.name;
    const auto made = compiled({budget("one", config::Budget::Target::api, api)});
    ASSERT_TRUE(made) << findings_;
    ASSERT_EQ(made->budgets.size(), made->limits.size());
    for (const Route& route : made->routes) {
        const bool is_its = route.api == api;
        ASSERT_EQ(route.quotas.costs.size(), is_its ? 1U : 0U);
        if (!is_its) continue;
        const BudgetPlace& place = made->budgets[route.quotas.costs.front()];
        EXPECT_EQ(place.api, api);
        EXPECT_EQ(place.environment, to_string(route.environment));
    }
}

// A subscription's clients are found where a route's callers are looked up.
TEST_F(Budgets, OfASubscriptionApplyToItsClients) {
    config::Loaded loaded =
        config::load(std::string(ROTARY_SOURCE_DIR) + "/config/rotary.yaml", config::variables());
    loaded.prices = {price("gpt-4o", 1'000)};
    const config::Api& api = loaded.resources.apis.front();
    for (config::ApiPolicy& policy : loaded.resources.policies) {
        policy.defaults.subscription_validation = true;
    }
    config::Subscription subscription;
    subscription.metadata.name = "gold";
    subscription.api = api.name;
    subscription.organization = config::organization_of(api);
    subscription.api_version = ".*";
    config::Application application;
    application.metadata.name = "app";
    const std::string environment = config::environment_of(api);
    application.clients = {{environment, "one", false, {}},
                           {environment, "two", false, {}},
                           {environment, "in-sandbox", true, {}}};
    config::ApplicationMapping mapping;
    mapping.application.name = "app";
    mapping.subscription.name = "gold";
    loaded.resources.subscriptions = {subscription};
    loaded.resources.applications = {application};
    loaded.resources.application_mappings = {mapping};
    loaded.resources.budgets = {budget("b", config::Budget::Target::subscription, "gold")};
    loaded.resources.budgets.front().soft_nanos = 4'000;
    std::vector<config::Finding> findings;
    const auto made = compile(loaded, shared_, findings);
    ASSERT_TRUE(made) << config::to_text(findings);
    ASSERT_EQ(made->limits.size(), 2U) << "one an environment";
    EXPECT_EQ(made->limits[0].scope, quota::Scope::subscription);
    EXPECT_EQ(made->limits[0].subject, "subscription gold");
    EXPECT_EQ(made->limits[0].soft, 4'000);
    ASSERT_EQ(made->budgets.size(), 3U);
    for (const BudgetPlace& place : made->budgets) {
        EXPECT_EQ(place.api, api.metadata.name);
        EXPECT_EQ(place.limit, place.consumer == "in-sandbox" ? 1U : 0U) << place.consumer;
    }
    for (const Route& route : made->routes) {
        if (!route.subscribers || route.api != api.metadata.name) continue;
        const Subscribers& subscribers = made->subscribers[*route.subscribers];
        const bool is_sandbox = route.environment == Environment::sandbox;
        const Subscriber* known = subscribers.find(is_sandbox ? "in-sandbox" : "two");
        ASSERT_NE(known, nullptr);
        EXPECT_THAT(known->limits.costs, ElementsAre(is_sandbox ? 1 : 0));
    }
}

TEST_F(Budgets, KnowTheDearestEntryOfAList) {
    const auto made = compiled({budget("one", config::Budget::Target::consumer, "team-a")});
    ASSERT_TRUE(made) << findings_;
    for (const EntryList& list : made->lists) {
        for (const Entry& entry : list.entries) {
            if (entry.model == "gpt-4o-mini") {
                EXPECT_EQ(list.entries[list.dearest].model, "gpt-4o-mini");
            }
        }
    }
}

TEST_F(Budgets, KeepTheirCountersWhileTheyAreTheSame) {
    const auto one = budget("one", config::Budget::Target::consumer, "team-a");
    const auto first = compiled({one});
    auto other = one;
    other.nanos = 7'000;
    EXPECT_EQ(compiled({other})->limits[0].family, first->limits[0].family);
    other.period = BudgetPeriod::day;
    EXPECT_NE(compiled({other})->limits[0].family, first->limits[0].family);
}

TEST_F(Budgets, AZoneThatIsNotThereIsAnError) {
    auto one = budget("one", config::Budget::Target::consumer, "team-a");
    one.time_zone = "Europe/Atlantis";
    EXPECT_FALSE(compiled({one}));
    EXPECT_NE(findings_.find("spec.timezone"), std::string::npos) << findings_;
    EXPECT_NE(findings_.find("Europe/Atlantis"), std::string::npos) << findings_;
}

}  // namespace
}  // namespace rotary::routing
