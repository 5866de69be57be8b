#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using testing::HasSubstr;

const std::string kBackend = R"(
apiVersion: dp.wso2.com/v1alpha2
kind: Backend
metadata: {name: quill}
spec: {services: [{host: quill.example, port: 443}], protocol: https}
---
)";

std::string ai_policy(const std::string& spec, const std::string& target = "Backend",
                      const std::string& annotations = "") {
    return kBackend + "apiVersion: dp.wso2.com/v1alpha3\nkind: AIRateLimitPolicy\n" +
           "metadata: {name: budget" + annotations + "}\nspec:\n" + spec +
           "  targetRef: {group: dp.wso2.com, kind: " + target + ", name: quill}\n";
}

std::string rate_policy(const std::string& spec) {
    return "apiVersion: dp.wso2.com/v1alpha3\nkind: RateLimitPolicy\nmetadata: {name: gold}\n"
           "spec:\n" +
           spec;
}

std::string custom(const std::string& key) {
    return rate_policy("  default: {custom: {key: " + key +
                       ", requestsPerUnit: 3, unit: Day, organization: acme}}\n");
}

std::string of_models(const std::string& name, const std::string& models) {
    return kBackend +
           "apiVersion: dp.wso2.com/v1alpha3\nkind: AIRateLimitPolicy\nmetadata: {name: " + name +
           ", annotations: {rotary/models: \"" + models +
           "\"}}\nspec:\n  default: {requestCount: {requestsPerUnit: 1, unit: Minute}}\n"
           "  targetRef: {group: g, kind: Backend, name: quill}\n";
}

std::string findings_of(const std::string& text) { return to_text(load_resources(text).findings); }

TEST(AiRateLimitPolicy, IsReadWhole) {
    const Loaded loaded = load_resources(ai_policy(R"(  default:
    organization: acme
    requestCount: {requestsPerUnit: 10, unit: HOUR}
    tokenCount: {requestTokenCount: 1, responseTokenCount: 2, totalTokenCount: 3, unit: Day}
)"));
    EXPECT_EQ(to_text(loaded.findings), "");
    ASSERT_EQ(loaded.resources.ai_rate_limits.size(), 1U);
    const AiRateLimitPolicy& policy = loaded.resources.ai_rate_limits[0];
    EXPECT_EQ(policy.target, "quill");
    EXPECT_EQ(policy.target_kind, AiRateLimitPolicy::Target::backend);
    EXPECT_EQ(policy.organization, "acme");
    EXPECT_EQ(policy.requests->count, 10);
    EXPECT_EQ(policy.requests->unit, RateUnit::hour);
    EXPECT_EQ(policy.prompt->count, 1);
    EXPECT_EQ(policy.completion->count, 2);
    EXPECT_EQ(policy.total->count, 3);
    EXPECT_EQ(policy.total->unit, RateUnit::day);
    EXPECT_FALSE(policy.shadow);
}

TEST(AiRateLimitPolicy, MergesFieldByField) {
    const Loaded loaded = load_resources(ai_policy(R"(  default:
    requestCount: {requestsPerUnit: 10, unit: Minute}
    tokenCount: {requestTokenCount: 5, responseTokenCount: 5, totalTokenCount: 5, unit: Minute}
  override:
    requestCount: {requestsPerUnit: 7, unit: Second}
)"));
    EXPECT_EQ(to_text(loaded.findings), "");
    const AiRateLimitPolicy& policy = loaded.resources.ai_rate_limits[0];
    EXPECT_EQ(policy.requests->count, 7);
    EXPECT_EQ(policy.requests->unit, RateUnit::second);
    EXPECT_EQ(policy.total->count, 5);
}

TEST(AiRateLimitPolicy, OfASubscriptionIsSoInAnyCase) {
    const Loaded loaded =
        load_resources(ai_policy("  default: {requestCount: {requestsPerUnit: 1, unit: Day}}\n",
                                 "subscription", ", annotations: {rotary/shadow: \"true\"}"));
    EXPECT_EQ(to_text(loaded.findings), "");
    const AiRateLimitPolicy& policy = loaded.resources.ai_rate_limits[0];
    EXPECT_EQ(policy.target_kind, AiRateLimitPolicy::Target::subscription);
    EXPECT_TRUE(policy.shadow);
}

struct FindingRow {
    const char* name;
    std::string text;
    const char* finding;
};

class LimitFindings : public testing::TestWithParam<FindingRow> {};

TEST_P(LimitFindings, NameWhatIsWrong) {
    EXPECT_THAT(findings_of(GetParam().text), HasSubstr(GetParam().finding));
}

const std::string kOnce = "  default: {requestCount: {requestsPerUnit: 1, unit: Minute}}\n";

INSTANTIATE_TEST_SUITE_P(
    Of, LimitFindings,
    testing::Values(
        FindingRow{"MissingSubLimit",
                   ai_policy("  default: {tokenCount: {totalTokenCount: 3, unit: Day}}\n"),
                   "warning: spec.default.tokenCount: what is left out is not limited; APK takes "
                   "it for 0"},
        FindingRow{"UnknownUnit",
                   ai_policy("  default: {requestCount: {requestsPerUnit: 1, unit: Week}}\n"),
                   "error: spec.default.requestCount.unit: must be one of Second, Minute, Hour, "
                   "Day, found \"Week\""},
        FindingRow{"NegativeCount",
                   ai_policy("  default: {requestCount: {requestsPerUnit: -1, unit: Day}}\n"),
                   "error: spec.default.requestCount.requestsPerUnit: must be"},
        FindingRow{"CountBeyondInt32",
                   ai_policy("  default: {requestCount: {requestsPerUnit: 2147483648, unit: "
                             "Day}}\n"),
                   "error: spec.default.requestCount.requestsPerUnit: must be"},
        FindingRow{"NoTokensAtAll",
                   ai_policy("  default: {tokenCount: {requestTokenCount: 0, unit: Day}}\n"),
                   "error: spec.default.tokenCount.requestTokenCount: must be"},
        FindingRow{"NothingLimited", ai_policy("  default: {}\n"),
                   "warning: metadata.name: limits neither tokens nor requests: no effect"},
        FindingRow{"NoHalf", ai_policy(""), "error: spec: needs default or override"},
        FindingRow{"OtherKind", ai_policy(kOnce, "API"),
                   "error: spec.targetRef.kind: must be Backend or Subscription, found \"API\""},
        FindingRow{"KindInAnotherCase", ai_policy(kOnce, "backend"),
                   "must be Backend or Subscription"},
        FindingRow{"UnknownBackend",
                   ai_policy(kOnce).replace(ai_policy(kOnce).rfind("quill"), 5, "quiil"),
                   "error: spec.targetRef.name: there is no Backend \"quiil\""},
        FindingRow{"ModelThatNoneLists",
                   ai_policy(kOnce, "Backend", ", annotations: {rotary/models: gpt-4o}"),
                   "warning: metadata.name: no APIPolicy lists the model \"gpt-4o\" of "
                   "rotary/models: it limits nothing"},
        FindingRow{"ModelsOfASubscription",
                   ai_policy(kOnce, "Subscription", ", annotations: {rotary/models: gpt-4o}"),
                   "the annotation rotary/models is for policies of Backends"},
        FindingRow{"NoModels", ai_policy(kOnce, "Backend", ", annotations: {rotary/models: \"\"}"),
                   "the annotation rotary/models must be names of models, each once"},
        FindingRow{"OneModelTwice",
                   ai_policy(kOnce, "Backend", ", annotations: {rotary/models: \"a, b ,a\"}"),
                   "the annotation rotary/models must be names of models, each once"},
        FindingRow{
            "TwoOfOneModel",
            of_models("one", "a, b") + "---\n" + of_models("two", "b").substr(kBackend.size()),
            "error: spec.targetRef.name: the AIRateLimitPolicy \"one\" limits this Backend "
            "already for the model \"b\""},
        FindingRow{
            "TwoOfOneBackend",
            ai_policy(kOnce) + "---\n" +
                ai_policy(kOnce)
                    .substr(kBackend.size())
                    .replace(ai_policy(kOnce).substr(kBackend.size()).find("budget"), 6, "other"),
            "error: spec.targetRef.name: the AIRateLimitPolicy \"budget\" limits this "
            "Backend already"},
        FindingRow{"CustomKeyOfNoKind", custom("team"),
                   "error: spec.default.custom.key: must be consumer, claim:NAME (of the caller's "
                   "token) or header:NAME (of the request), found \"team\""},
        FindingRow{"CustomKeyWithoutName", custom("\"claim:\""),
                   "spec.default.custom.key: must be"},
        FindingRow{"CustomHeaderThatIsNone", custom("\"header:x team\""),
                   "spec.default.custom.key: must be"},
        FindingRow{"CustomKeyWithoutEnd", custom("claim:" + std::string(129, 'x')),
                   "spec.default.custom.key: must be"},
        FindingRow{"CustomWithoutCount",
                   rate_policy("  default: {custom: {key: consumer, unit: Day}}\n"),
                   "error: spec.default.custom.requestsPerUnit: is required"},
        FindingRow{"CustomOfAnUnknownApi",
                   custom("consumer") + "  targetRef: {group: g, kind: API, name: none}\n",
                   "error: spec.targetRef.name: there is no API \"none\""},
        FindingRow{"ApiWithoutTarget",
                   rate_policy("  default: {api: {requestsPerUnit: 1, unit: Day}}\n"),
                   "error: spec.targetRef: is required"},
        FindingRow{"UnknownApi",
                   rate_policy("  default: {api: {requestsPerUnit: 1, unit: Day}}\n"
                               "  targetRef: {group: g, kind: API, name: none}\n"),
                   "error: spec.targetRef.name: there is no API \"none\""},
        FindingRow{"NoRuleRefersToIt",
                   rate_policy("  default: {api: {requestsPerUnit: 1, unit: Day}}\n"
                               "  targetRef: {group: g, kind: Resource, name: none}\n"),
                   "no HTTPRoute refers to this policy by an ExtensionRef"},
        FindingRow{"UnknownTier", R"(
apiVersion: cp.wso2.com/v1alpha3
kind: Subscription
metadata: {name: s}
spec: {organization: o, api: {name: a, version: "1.0"}, ratelimitRef: {level: x, name: bronze}}
)",
                   "error: spec.ratelimitRef.name: there is neither an AIRateLimitPolicy nor a "
                   "RateLimitPolicy \"bronze\""},
        FindingRow{"WithoutValidation", R"(
apiVersion: cp.wso2.com/v1alpha3
kind: Subscription
metadata: {name: s}
spec: {organization: o, api: {name: a, version: "1.0"}, ratelimitRef: {level: x, name: Unlimited}}
)",
                   "warning: metadata.name: Subscription has no effect: no APIPolicy says "
                   "subscriptionValidation: true"},
        FindingRow{"MappingOfNothing", R"(
apiVersion: cp.wso2.com/v1alpha2
kind: ApplicationMapping
metadata: {name: m}
spec: {applicationRef: app, subscriptionRef: sub}
)",
                   "error: spec.applicationRef: there is no Application \"app\""},
        FindingRow{"KeyType", R"(
apiVersion: cp.wso2.com/v1alpha2
kind: Application
metadata: {name: m}
spec:
  name: m
  owner: me
  organization: o
  securitySchemes: {oauth2: {environments: [{envId: Default, appId: id, keyType: PROD}]}}
)",
                   "keyType: must be one of"}),
    [](const auto& row) { return row.param.name; });

TEST(RateLimitPolicy, OfASubscriptionIsReadWhole) {
    const Loaded loaded = load_resources(rate_policy(R"(  default:
    subscription:
      organization: acme
      stopOnQuotaReach: false
      requestCount: {requestsPerUnit: 100, unit: Minute}
      burstControl: {requestsPerUnit: 5, unit: Second}
  targetRef: {group: g, kind: Subscription, name: any}
)"));
    EXPECT_EQ(to_text(loaded.findings), "");
    const RateLimitPolicy& policy = loaded.resources.rate_limits[0];
    EXPECT_EQ(policy.subscription->count, 100);
    EXPECT_EQ(policy.burst->count, 5);
    EXPECT_EQ(policy.burst->unit, RateUnit::second);
    EXPECT_TRUE(policy.shadow);
    EXPECT_FALSE(policy.api);
}

TEST(RateLimitPolicy, OfCallersIsReadWhole) {
    const Loaded loaded = load_resources(
        custom("\"header:X-Team\", value: red") +
        "  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: default}\n");
    EXPECT_EQ(to_text(loaded.findings), "");
    const RateLimitPolicy& policy = loaded.resources.rate_limits[0];
    EXPECT_EQ(policy.organization, "acme");
    ASSERT_TRUE(policy.custom);
    EXPECT_EQ(policy.custom->by, CustomRate::By::header);
    EXPECT_EQ(policy.custom->name, "x-team");
    EXPECT_EQ(policy.custom->value, "red");
    EXPECT_EQ(policy.custom->rate.count, 3);
    EXPECT_EQ(policy.custom->rate.unit, RateUnit::day);
    const Loaded claim = load_resources(custom("claim:org:Team"));
    EXPECT_EQ(to_text(claim.findings), "") << "without a target: for all of its organization";
    EXPECT_EQ(claim.resources.rate_limits[0].custom->by, CustomRate::By::claim);
    EXPECT_EQ(claim.resources.rate_limits[0].custom->name, "org:Team");
}

TEST(AiRateLimitPolicy, MayBeForSomeModels) {
    const Loaded loaded = load_resources(of_models("one", "a, b") + "---\n" +
                                         of_models("two", "c").substr(kBackend.size()));
    EXPECT_EQ(to_text(loaded.findings).find("error"), std::string::npos);
    EXPECT_EQ(loaded.resources.ai_rate_limits[0].models, (std::vector<std::string>{"a", "b"}));
}

TEST(RateLimitPolicy, StopsWhereTheOverrideSaysSo) {
    const Loaded loaded = load_resources(rate_policy(R"(  default:
    subscription: {organization: a, stopOnQuotaReach: false}
  override:
    subscription: {organization: a, stopOnQuotaReach: true}
)"));
    EXPECT_FALSE(loaded.resources.rate_limits[0].shadow);
}

TEST(Subscriptions, AreReadWhole) {
    const Loaded loaded = load_resources(R"(
apiVersion: cp.wso2.com/v1alpha3
kind: Subscription
metadata: {name: sub, namespace: apk}
spec:
  organization: acme
  subscriptionStatus: ACTIVE
  api: {name: Chat, version: "1.0"}
  ratelimitRef: {level: Application, name: Unlimited}
---
apiVersion: cp.wso2.com/v1alpha2
kind: Application
metadata: {name: app, namespace: apk}
spec:
  name: Team A
  owner: admin
  organization: acme
  attributes: {a: b}
  securitySchemes:
    oauth2:
      environments:
        - {envId: Default, appId: id-1, keyType: PRODUCTION}
        - {envId: Default, appId: id-2, keyType: SANDBOX}
---
apiVersion: cp.wso2.com/v1alpha2
kind: ApplicationMapping
metadata: {name: map, namespace: apk}
spec: {applicationRef: app, subscriptionRef: sub}
)");
    EXPECT_TRUE(loaded.ok()) << to_text(loaded.findings);
    const Resources& resources = loaded.resources;
    ASSERT_EQ(resources.subscriptions.size(), 1U);
    EXPECT_EQ(resources.subscriptions[0].api, "Chat");
    EXPECT_EQ(resources.subscriptions[0].tier, "");
    ASSERT_EQ(resources.applications.size(), 1U);
    ASSERT_EQ(resources.applications[0].clients.size(), 2U);
    EXPECT_EQ(resources.applications[0].clients[0].id, "id-1");
    EXPECT_TRUE(resources.applications[0].clients[1].is_sandbox);
    ASSERT_EQ(resources.application_mappings.size(), 1U);
    EXPECT_EQ(resources.application_mappings[0].application.name, "apk/app");
    EXPECT_NE(resources.find_subscription(resources.application_mappings[0].subscription.name),
              nullptr);
}

}  // namespace
}  // namespace rotary::config
