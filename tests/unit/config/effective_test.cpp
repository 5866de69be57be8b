#include <rotary/config/check/effective.hpp>

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

// An API with one policy for itself and one of a rule. Each of the four halves may name a
// provider: its name is the half's own.
struct Halves {
    const char* name;
    bool api_override;
    bool rule_override;
    bool rule_default;
    bool api_default;
    const char* winner;
};

void PrintTo(const Halves& halves, std::ostream* out) { *out << halves.name; }

PolicySpec naming(const char* provider, bool set) {
    PolicySpec spec;
    if (set) {
        spec.ai_provider = Reference{provider, {}};
    }
    return spec;
}

class PolicyPriority : public testing::TestWithParam<Halves> {};

TEST_P(PolicyPriority, IsThatOfApk) {
    const Halves& halves = GetParam();
    Resources resources;
    Api api;
    api.metadata.name = "a";
    ApiPolicy of_rule;
    of_rule.metadata.name = "rule-policy";
    of_rule.target = {TargetKind::resource, "r", {}};
    of_rule.overrides = naming("rule override", halves.rule_override);
    of_rule.defaults = naming("rule default", halves.rule_default);
    ApiPolicy of_api;
    of_api.metadata.name = "api-policy";
    of_api.target = {TargetKind::api, "a", {}};
    of_api.overrides = naming("api override", halves.api_override);
    of_api.defaults = naming("api default", halves.api_default);
    ApiPolicy of_another;
    of_another.metadata.name = "another";
    of_another.target = {TargetKind::api, "b", {}};
    of_another.overrides = naming("another", true);
    resources.policies = {of_another, of_rule, of_api};
    HttpRouteRule rule;
    rule.extensions = {{"Scope", "another", {}}, {"APIPolicy", "rule-policy", {}}};

    const EffectivePolicy effective = effective_policy(resources, api, rule);
    EXPECT_STREQ(effective.ai_provider == nullptr ? "" : effective.ai_provider->name.c_str(),
                 halves.winner);
}

const Halves kHalves[] = {
    {"none", false, false, false, false, ""},
    {"api_override_first", true, true, true, true, "api override"},
    {"then_rule_override", false, true, true, true, "rule override"},
    {"then_rule_default", false, false, true, true, "rule default"},
    {"then_api_default", false, false, false, true, "api default"},
    {"api_override_over_rule_default", true, false, true, false, "api override"},
};
INSTANTIATE_TEST_SUITE_P(Rows, PolicyPriority, testing::ValuesIn(kHalves),
                         [](const auto& row) { return row.param.name; });

TEST(PolicyMerge, IsFieldByField) {
    Resources resources;
    Api api;
    api.metadata.name = "a";
    ApiPolicy policy;
    policy.target = {TargetKind::api, "a", {}};
    policy.defaults.rotation.emplace().suspend = std::chrono::seconds(7);
    policy.defaults.subscription_validation = true;
    policy.overrides.ai_provider = Reference{"p", {}};
    policy.overrides.subscription_validation = false;
    resources.policies = {policy};
    const EffectivePolicy effective = effective_policy(resources, api, HttpRouteRule{});
    ASSERT_NE(effective.rotation, nullptr);
    EXPECT_EQ(effective.rotation->suspend, std::chrono::seconds(7));
    EXPECT_EQ(effective.ai_provider->name, "p");
    EXPECT_FALSE(effective.subscription_validation);
}

struct AuthRow {
    const char* name;
    const char* spec;  // of an Authentication for the API
    bool disabled;
    bool oauth2;
    bool jwt;
    bool api_key;
    bool mandatory = false;  // OAuth2
};

void PrintTo(const AuthRow& row, std::ostream* out) { *out << row.name; }

class EffectiveAuth : public testing::TestWithParam<AuthRow> {};

TEST_P(EffectiveAuth, FollowsTheTypes) {
    const AuthRow& row = GetParam();
    const Loaded loaded = load_resources(
        "apiVersion: dp.wso2.com/v1alpha2\nkind: Authentication\nmetadata: {name: x}\nspec:\n"
        "  targetRef: {group: g, kind: API, name: a}\n" +
        std::string(row.spec));
    Api api;
    api.metadata.name = "a";
    const EffectiveAuthentication effective =
        effective_authentication(loaded.resources, api, HttpRouteRule{});
    EXPECT_EQ(effective.disabled, row.disabled);
    EXPECT_EQ(!effective.oauth2.disabled, row.oauth2);
    EXPECT_EQ(!effective.jwt.disabled, row.jwt);
    EXPECT_EQ(effective.api_key != nullptr, row.api_key);
    EXPECT_EQ(effective.oauth2.required, row.mandatory);
}

const AuthRow kAuth[] = {
    {"nothing_said", "", false, true, false, false, true},
    {"disabled", "  default: {disabled: true}\n", true, true, false, false, true},
    {"override_enables", "  default: {disabled: true}\n  override: {disabled: false}\n", false,
     true, false, false, true},
    {"oauth_written", "  default: {authTypes: {oauth2: {header: x}}}\n", false, true, false, false,
     true},
    {"oauth_not_written_is_an_alternative",
     "  default: {authTypes: {apiKey: {keys: [{in: Header, name: k}]}}}\n", false, true, false,
     true},
    {"oauth_off", "  default: {authTypes: {oauth2: {disabled: true}}}\n", true, false, false, false,
     true},
    {"oauth_off_jwt_on",
     "  default: {authTypes: {oauth2: {disabled: true}, jwt: {disabled: false}}}\n", false, false,
     true, false, true},
    {"jwt_is_off_unless_said", "  default: {authTypes: {jwt: {header: x}}}\n", false, true, false,
     false},
    {"api_key",
     "  default: {authTypes: {oauth2: {disabled: true}, apiKey: {keys: [{in: Header, "
     "name: k}]}}}\n",
     false, false, false, true, true},
    {"override_types",
     "  default: {authTypes: {oauth2: {disabled: true}}}\n  override: {authTypes: {jwt: {disabled: "
     "false}}}\n",
     false, true, true, false},
};
INSTANTIATE_TEST_SUITE_P(Rows, EffectiveAuth, testing::ValuesIn(kAuth),
                         [](const auto& row) { return row.param.name; });

TEST(Authentication, WithoutAnyIsMandatoryOAuth2) {
    const EffectiveAuthentication effective =
        effective_authentication(Resources{}, Api{}, HttpRouteRule{});
    EXPECT_FALSE(effective.disabled);
    EXPECT_TRUE(effective.oauth2.required);
    EXPECT_EQ(effective.oauth2.header, "authorization");
    EXPECT_TRUE(effective.jwt.disabled);
    EXPECT_EQ(effective.mtls, nullptr);
}

TEST(Scopes, OfARuleAreAllOfThem) {
    Resources resources;
    resources.scopes.push_back({{"s1", "", {}}, {"a", "b"}});
    resources.scopes.push_back({{"s2", "", {}}, {"c"}});
    HttpRouteRule rule;
    rule.extensions = {{"Scope", "s2", {}}, {"Scope", "missing", {}}, {"Scope", "s1", {}}};
    const std::vector<const Scope*> scopes = required_scopes(resources, rule);
    ASSERT_EQ(scopes.size(), 2U);
    EXPECT_EQ(scopes[0]->metadata.name, "s2");
    EXPECT_EQ(scopes[1]->names.size(), 2U);
}

TEST(Issuers, AreForTheirEnvironments) {
    TokenIssuer issuer;
    issuer.organization = "default";
    Api api;
    EXPECT_TRUE(is_for(issuer, api));
    api.organization = "acme";
    EXPECT_FALSE(is_for(issuer, api));
    api.organization = "default";
    issuer.environments = {"Default"};
    EXPECT_TRUE(is_for(issuer, api));
    api.environment = "Staging";
    EXPECT_FALSE(is_for(issuer, api));
    issuer.environments = {"Default", "Staging"};
    EXPECT_TRUE(is_for(issuer, api));
    issuer.environments = {"*"};
    EXPECT_TRUE(is_for(issuer, api));
}

TEST(Entries, WithoutABackendTakeTheRulesOnly) {
    Resources resources;
    Backend first;
    first.metadata.name = "b1";
    Backend second;
    second.metadata.name = "b2";
    resources.backends = {first, second};
    HttpRouteRule rule;
    rule.backends = {{"b1", 1, {}}};
    ModelEntry entry;
    EXPECT_EQ(entry_backend(resources, rule, entry), &resources.backends[0]);
    entry.backend = Reference{"b2", {}};
    EXPECT_EQ(entry_backend(resources, rule, entry), &resources.backends[1]);
    entry.backend.reset();
    rule.backends.push_back({"b2", 1, {}});
    EXPECT_EQ(entry_backend(resources, rule, entry), nullptr);
}

TEST(BasePaths, LeaveTheVersionOutWhereItIsTheDefault) {
    Api api;
    api.version = "1.0.0";
    api.base_path = "/x/v1.0.0";
    EXPECT_EQ(base_paths(api), (std::vector<std::string>{"/x/v1.0.0"}));
    api.is_default_version = true;
    EXPECT_EQ(base_paths(api), (std::vector<std::string>{"/x/v1.0.0", "/x"}));
    api.base_path = "/x/1.0.0";
    EXPECT_EQ(base_paths(api), (std::vector<std::string>{"/x/1.0.0", "/x"}));
}

}  // namespace
}  // namespace rotary::config
