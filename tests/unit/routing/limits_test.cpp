// What limits and subscriptions of the configuration become.
#include <rotary/routing/snapshot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

using namespace std::chrono_literals;

const std::string kResources = R"(
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: chat}
spec:
  apiName: Chat
  apiType: REST
  apiVersion: "1.0"
  basePath: /chat/1.0
  production: [{routeRefs: [live]}]
  sandbox: [{routeRefs: [test]}]
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: live}
spec:
  hostnames: [live.example.com]
  rules:
    - matches: [{path: {type: Exact, value: /a}, method: GET}]
      filters: [{type: ExtensionRef, extensionRef: {group: g, kind: RateLimitPolicy, name: slow}}]
      backendRefs: [{kind: Backend, name: quill}]
    - matches: [{path: {type: Exact, value: /b}, method: GET}]
      backendRefs: [{kind: Backend, name: pen}]
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: test}
spec:
  hostnames: [test.example.com]
  rules:
    - matches: [{path: {type: Exact, value: /a}, method: GET}]
      backendRefs: [{kind: Backend, name: quill}]
---
kind: Backend
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: quill}
spec: {services: [{host: quill.example, port: 443}], protocol: https}
---
kind: Backend
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: pen}
spec: {services: [{host: pen.example, port: 443}], protocol: https}
---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: members}
spec:
  default: {subscriptionValidation: true}
  targetRef: {group: g, kind: API, name: chat}
---
kind: AIRateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: budget}
spec:
  default:
    organization: default
    requestCount: {requestsPerUnit: 9, unit: Hour}
    tokenCount: {requestTokenCount: 1, responseTokenCount: 2, totalTokenCount: 3, unit: Day}
  targetRef: {group: g, kind: Backend, name: quill}
---
kind: AIRateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: tier}
spec:
  default:
    organization: default
    tokenCount:
      {requestTokenCount: 100, responseTokenCount: 200, totalTokenCount: 300, unit: Minute}
  targetRef: {group: g, kind: Subscription, name: any}
---
kind: RateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: slow}
spec:
  default: {api: {requestsPerUnit: 5, unit: Minute}}
  targetRef: {group: g, kind: Resource, name: live}
---
kind: RateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: whole}
spec:
  default: {api: {requestsPerUnit: 50, unit: Minute}}
  targetRef: {group: g, kind: API, name: chat}
---
kind: Subscription
apiVersion: cp.wso2.com/v1alpha3
metadata: {name: gold}
spec:
  organization: default
  subscriptionStatus: ACTIVE
  api: {name: Chat, version: "1\\..*"}
  ratelimitRef: {level: Application, name: tier}
---
kind: Subscription
apiVersion: cp.wso2.com/v1alpha3
metadata: {name: old}
spec:
  organization: default
  subscriptionStatus: ACTIVE
  api: {name: Chat, version: "0.9"}
  ratelimitRef: {level: Application, name: tier}
---
kind: Application
apiVersion: cp.wso2.com/v1alpha2
metadata: {name: team}
spec:
  name: team
  owner: me
  organization: default
  securitySchemes:
    oauth2:
      environments:
        - {envId: Default, appId: live-id, keyType: PRODUCTION}
        - {envId: Default, appId: test-id, keyType: SANDBOX}
        - {envId: Other, appId: other-id, keyType: PRODUCTION}
---
kind: Application
apiVersion: cp.wso2.com/v1alpha2
metadata: {name: former}
spec:
  name: former
  owner: me
  organization: default
  securitySchemes:
    oauth2: {environments: [{envId: Default, appId: former-id, keyType: PRODUCTION}]}
---
kind: ApplicationMapping
apiVersion: cp.wso2.com/v1alpha2
metadata: {name: one}
spec: {applicationRef: team, subscriptionRef: gold}
---
kind: ApplicationMapping
apiVersion: cp.wso2.com/v1alpha2
metadata: {name: two}
spec: {applicationRef: former, subscriptionRef: old}
)";

class CompiledLimits : public testing::Test {
protected:
    std::shared_ptr<const Snapshot> compiled(const std::string& process = "",
                                             const std::string& resources = kResources) {
        const std::string yaml = "listeners: [{plaintext: true}]\n" + process;
        loaded_ =
            config::load_text({"rotary.yaml", yaml}, {{"r.yaml", resources}}, config::variables());
        EXPECT_TRUE(loaded_.ok()) << config::to_text(loaded_.findings);
        auto snapshot = compile(loaded_, shared_, loaded_.findings);
        EXPECT_NE(snapshot, nullptr) << config::to_text(loaded_.findings);
        return snapshot;
    }
    // "subject: amount what a unit", of each.
    static std::vector<std::string> texts(const Snapshot& snapshot,
                                          const std::vector<std::size_t>& set) {
        std::vector<std::string> all;
        for (const std::size_t index : set) {
            const quota::Limit& limit = snapshot.limits[index];
            std::string text = limit.subject + ": " + std::to_string(limit.amount);
            text.append(" ").append(quota::to_string(limit.what));
            text.append(" a ").append(limit.unit_name());
            all.push_back(std::move(text));
        }
        return all;
    }

    SharedState shared_;
    config::Loaded loaded_;
};

TEST_F(CompiledLimits, StandWhereTheyApply) {
    const auto snapshot = compiled();
    using testing::ElementsAre;
    EXPECT_THAT(
        texts(*snapshot, snapshot->routes[0].quotas.requests),
        ElementsAre("this resource: 5 requests a minute", "API Chat: 50 requests a minute"));
    EXPECT_THAT(texts(*snapshot, snapshot->routes[1].quotas.requests),
                ElementsAre("API Chat: 50 requests a minute"));
    EXPECT_EQ(snapshot->routes[0].quotas.requests[1], snapshot->routes[1].quotas.requests[0])
        << "the rules of one API count together";
    EXPECT_NE(snapshot->routes[2].quotas.requests[0], snapshot->routes[1].quotas.requests[0])
        << "and its sandbox for itself";
    const Backend& quill = snapshot->backends[0];
    EXPECT_THAT(texts(*snapshot, quill.quotas.requests),
                ElementsAre("Backend quill: 9 requests a hour"));
    EXPECT_THAT(
        texts(*snapshot, quill.quotas.tokens),
        ElementsAre("Backend quill: 1 prompt tokens a day",
                    "Backend quill: 2 completion tokens a day", "Backend quill: 3 tokens a day"));
    EXPECT_TRUE(snapshot->backends[1].quotas.tokens.empty());
}

TEST_F(CompiledLimits, KnowWhoIsSubscribed) {
    const auto snapshot = compiled();
    const Route& live = snapshot->routes[0];
    ASSERT_TRUE(live.subscribers);
    const Subscribers& in_production = snapshot->subscribers[*live.subscribers];
    EXPECT_EQ(in_production.size(), 1U);
    const Subscriber* team = in_production.find("live-id");
    ASSERT_NE(team, nullptr);
    EXPECT_EQ(team->application, "team");
    EXPECT_EQ(team->subscription, "gold");
    EXPECT_THAT(texts(*snapshot, team->limits.tokens),
                testing::ElementsAre("subscription gold: 100 prompt tokens a minute",
                                     "subscription gold: 200 completion tokens a minute",
                                     "subscription gold: 300 tokens a minute"));
    EXPECT_EQ(in_production.find("test-id"), nullptr);
    EXPECT_EQ(in_production.find("former-id"), nullptr) << "of another version";
    EXPECT_EQ(in_production.find(""), nullptr);
    const Subscribers& in_sandbox = snapshot->subscribers[*snapshot->routes[2].subscribers];
    ASSERT_NE(in_sandbox.find("test-id"), nullptr);
    EXPECT_NE(in_sandbox.find("test-id")->limits.tokens, team->limits.tokens);
    EXPECT_TRUE(live.counts_tokens);
}

TEST_F(CompiledLimits, KeepTheirCountsThroughAReload) {
    const auto before = compiled();
    const quota::Limit& limit = before->limits[before->routes[1].quotas.requests[0]];
    const WallTime now{std::chrono::hours(500'000) + 5s};
    limit.family->common().take(limit.terms(now), 7);
    std::string changed = kResources;
    const std::string old = "api: {requestsPerUnit: 50, unit: Minute}";
    changed.replace(changed.find(old), old.size(), "api: {requestsPerUnit: 70, unit: Minute}");
    const auto after = compiled("", changed);
    const quota::Limit& kept = after->limits[after->routes[1].quotas.requests[0]];
    EXPECT_EQ(kept.amount, 70);
    EXPECT_EQ(kept.family->common().look(kept.terms(now)).used, 7);
    std::string hourly = kResources;
    hourly.replace(hourly.find(old), old.size(), "api: {requestsPerUnit: 50, unit: Hour}");
    const auto other = compiled("", hourly);
    const quota::Limit& fresh = other->limits[other->routes[1].quotas.requests[0]];
    EXPECT_EQ(fresh.family->common().look(fresh.terms(now)).used, 0);
}

TEST_F(CompiledLimits, TakeTheProcessesWayOfCounting) {
    const auto plain = compiled();
    EXPECT_FALSE(plain->limits[0].strict || plain->limits[0].sliding ||
                 plain->limits[0].carry_debt);
    const auto strict = compiled("quotas: {admission: strict, window: sliding}\n");
    EXPECT_TRUE(strict->limits[0].strict);
    EXPECT_TRUE(strict->limits[0].sliding);
    EXPECT_TRUE(compiled("quotas: {carry_debt: true}\n")->limits[0].carry_debt);
}

TEST_F(CompiledLimits, OfAnotherOrganizationLimitNothing) {
    std::string changed = kResources;
    const std::string old = "organization: default\n    requestCount";
    changed.replace(changed.find(old), old.size(), "organization: other\n    requestCount");
    const auto snapshot = compiled("", changed);
    EXPECT_EQ(snapshot->limits.size(), 3U + 6U);
}

TEST_F(CompiledLimits, NeedAVersionThatIsAnExpression) {
    std::string changed = kResources;
    const std::string old = "version: \"0.9\"";
    changed.replace(changed.find(old), old.size(), "version: \"(\"");
    loaded_ = config::load_text({"rotary.yaml", "listeners: [{plaintext: true}]\n"},
                                {{"r.yaml", changed}}, config::variables());
    EXPECT_EQ(compile(loaded_, shared_, loaded_.findings), nullptr);
    EXPECT_THAT(config::to_text(loaded_.findings),
                testing::HasSubstr("error: spec.api.version: is not a regular expression"));
}

std::string custom(const std::string& name, const std::string& key, const std::string& target) {
    return "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\nmetadata: {name: " +
           name + "}\nspec:\n  default: {custom: {key: " + key +
           ", requestsPerUnit: 4, unit: Hour}}\n" + target;
}

TEST_F(CompiledLimits, OfCallersStandWhereTheyApply) {
    const std::string of_chat = "  targetRef: {group: g, kind: API, name: chat}\n";
    const std::string of_other = "  targetRef: {group: g, kind: API, name: other}\n";
    const std::string of_rule = "  targetRef: {group: g, kind: Resource, name: live}\n";
    std::string resources = kResources + custom("team", "claim:team", "") +
                            custom("app", "header:X-App, value: red", of_chat) +
                            custom("each", "consumer", of_rule);
    const std::string filter = "name: slow}}]";
    resources.insert(resources.find(filter) + filter.size() - 1,
                     ", {type: ExtensionRef, extensionRef: {group: g, kind: RateLimitPolicy, "
                     "name: each}}");
    const auto snapshot = compiled("", resources);
    const auto subjects = [&](std::size_t route) {
        std::vector<std::string> all;
        for (const KeyedLimit& keyed : snapshot->routes[route].quotas.keyed) {
            all.push_back(snapshot->limits[keyed.limit].subject);
        }
        return all;
    };
    using testing::ElementsAre;
    EXPECT_THAT(subjects(0), ElementsAre("each claim team", "header x-app red", "each consumer"));
    EXPECT_THAT(subjects(1), ElementsAre("each claim team", "header x-app red"));
    const auto& live = snapshot->routes[0].quotas.keyed;
    const auto& test = snapshot->routes[2].quotas.keyed;
    EXPECT_EQ(live[0].limit, snapshot->routes[1].quotas.keyed[0].limit) << "the rules' together";
    EXPECT_NE(live[0].limit, test[0].limit) << "and the sandbox's for itself";
    EXPECT_TRUE(snapshot->limits[live[0].limit].is_each);
    EXPECT_FALSE(snapshot->limits[live[1].limit].is_each);
    EXPECT_EQ(snapshot->limits[live[2].limit].scope, quota::Scope::consumer);
    EXPECT_THAT(snapshot->limit_claims, ElementsAre("team"));
    EXPECT_EQ(snapshot->counters, &shared_.counters());
}

TEST_F(CompiledLimits, AreNotByHeadersThatHoldCredentials) {
    loaded_ = config::load_text({"rotary.yaml", "listeners: [{plaintext: true}]\n"},
                                {{"r.yaml", kResources + custom("k", "header:X-Api-Key", "")}},
                                config::variables());
    EXPECT_EQ(compile(loaded_, shared_, loaded_.findings), nullptr);
    EXPECT_THAT(config::to_text(loaded_.findings),
                testing::HasSubstr("custom.key: names a header that holds a credential"));
}

const std::string kOfBig = R"(
---
kind: AIRateLimitPolicy
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: of-big, annotations: {rotary/models: big}}
spec:
  default:
    organization: default
    tokenCount: {requestTokenCount: 1, responseTokenCount: 2, totalTokenCount: 30, unit: Day}
  targetRef: {group: g, kind: Backend, name: quill}
)";

TEST_F(CompiledLimits, OfAModelAreOfItsEntriesAlone) {
    std::string resources = kResources + kOfBig;
    const std::string old = "default: {subscriptionValidation: true}";
    resources.replace(resources.find(old), old.size(),
                      "default: {modelBasedRoundRobin: {sandboxModels: [], productionModels: "
                      "[{model: big, backendRef: "
                      "{kind: Backend, name: quill}}, {model: small, backendRef: {kind: Backend, "
                      "name: quill}}]}}");
    const auto snapshot = compiled("", resources);
    ASSERT_EQ(snapshot->lists.size(), 1U);
    const auto& entries = snapshot->lists[0].entries;
    EXPECT_THAT(texts(*snapshot, entries[0].quotas.tokens),
                testing::ElementsAre("Backend quill, model big: 1 prompt tokens a day",
                                     "Backend quill, model big: 2 completion tokens a day",
                                     "Backend quill, model big: 30 tokens a day"));
    EXPECT_EQ(snapshot->limits[entries[0].quotas.tokens[0]].model, "big");
    EXPECT_TRUE(entries[1].quotas.tokens.empty());
    EXPECT_EQ(snapshot->backends[entries[0].backend].quotas.tokens.size(), 3U)
        << "the whole Backend's are another policy's";
}

TEST_F(CompiledLimits, OfAModelDoNotCountWhatNoListChooses) {
    compiled("", kResources + kOfBig);
    EXPECT_THAT(config::to_text(loaded_.findings),
                testing::AllOf(testing::HasSubstr("warning: spec.targetRef.name: API \""),
                               testing::HasSubstr("are not counted, whatever model they ask for")));
    compiled("", kResources);
    EXPECT_THAT(config::to_text(loaded_.findings),
                testing::Not(testing::HasSubstr("whatever model they ask for")));
}

TEST_F(CompiledLimits, SumWhatConsumersUseWhereThatIsAsked) {
    EXPECT_EQ(compiled()->consumer_use, nullptr);
    const auto counted = compiled("quotas: {metric_consumers: 5}\n");
    ASSERT_NE(counted->consumer_use, nullptr);
    counted->consumer_use->add("one", {1});
    EXPECT_EQ(compiled("quotas: {metric_consumers: 9}\n")->consumer_use, counted->consumer_use)
        << "through a reload";
    EXPECT_EQ(compiled()->consumer_use, nullptr);
}

}  // namespace
}  // namespace rotary::routing
