#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

// complete.yaml, which has something in every field.
class CompleteKinds : public testing::Test {
protected:
    const Loaded loaded = load_resources(read_text(data_file("complete.yaml")));
    const Resources& resources = loaded.resources;
};

TEST_F(CompleteKinds, HaveNothingWrong) {
    EXPECT_EQ(loaded.findings.size(), 1U) << "a field without effect, and nothing else";
    for (const Finding& finding : loaded.findings) {
        EXPECT_TRUE(finding.message.starts_with("is not served: ")) << to_text(loaded.findings);
    }
    EXPECT_TRUE(loaded.ok());
    EXPECT_FALSE(resources.incomplete);
}

TEST_F(CompleteKinds, Api) {
    const Api* api = resources.find_api("story-api");
    ASSERT_NE(api, nullptr);
    EXPECT_EQ(api->metadata.name_space, "default");
    EXPECT_EQ(api->metadata.mark.line, 5);
    EXPECT_EQ(api->metadata.mark.column, 9);
    EXPECT_EQ(api->name, "story-api");
    EXPECT_EQ(api->version, "2.0");
    EXPECT_EQ(api->base_path, "/stories/2.0");
    EXPECT_EQ(api->base_path_mark.path, "spec.basePath");
    EXPECT_EQ(api->organization, "default");
    EXPECT_TRUE(api->is_default_version);
    ASSERT_EQ(api->production.size(), 1U);
    EXPECT_EQ(api->production[0].name, "story-route");
    EXPECT_EQ(api->production[0].mark.path, "spec.production[0].routeRefs[0]");
    EXPECT_EQ(api->sandbox.at(0).name, "story-route-sandbox");
}

TEST_F(CompleteKinds, HttpRoute) {
    const HttpRoute* route = resources.find_route("story-route");
    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->hostnames,
              (std::vector<std::string>{"stories.example.com", "*.stories.example.com"}));
    ASSERT_EQ(route->rules.size(), 2U);
    const HttpRouteRule& rule = route->rules[0];
    ASSERT_EQ(rule.matches.size(), 1U);
    EXPECT_EQ(rule.matches[0].path.type, PathType::prefix);
    EXPECT_EQ(rule.matches[0].path.value, "/v1");
    EXPECT_EQ(rule.matches[0].method, "POST");
    ASSERT_TRUE(rule.rewrite);
    EXPECT_EQ(rule.rewrite->kind, PathRewrite::Kind::prefix);
    EXPECT_EQ(rule.rewrite->value, "/");
    ASSERT_EQ(rule.request_headers.set.size(), 1U);
    EXPECT_EQ(rule.request_headers.set[0].name, "x-team");
    EXPECT_EQ(rule.request_headers.set[0].value, "writers");
    EXPECT_EQ(rule.request_headers.add.at(0).name, "x-tag");
    EXPECT_EQ(rule.request_headers.remove, std::vector<std::string>{"x-debug"});
    EXPECT_TRUE(rule.response_headers.set.empty());
    EXPECT_EQ(rule.response_headers.remove, std::vector<std::string>{"x-powered-by"});
    ASSERT_EQ(rule.extensions.size(), 2U);
    EXPECT_EQ(rule.extensions[0].kind, "Scope");
    EXPECT_EQ(rule.extensions[1].name, "story-rule-auth");
    ASSERT_EQ(rule.backends.size(), 2U);
    EXPECT_EQ(rule.backends[0].weight, 1U);
    EXPECT_EQ(rule.backends[1].name, "quill");
    EXPECT_EQ(rule.backends[1].weight, 3U);
    EXPECT_EQ(route->rules[1].matches[0].path.type, PathType::regex);
    EXPECT_EQ(route->rules[1].matches[0].path.value, "/books/[0-9]+$");
}

TEST_F(CompleteKinds, RuleWithoutMatchesMatchesAll) {
    const HttpRouteRule& rule = resources.find_route("story-route-sandbox")->rules.at(0);
    ASSERT_EQ(rule.matches.size(), 1U);
    EXPECT_EQ(rule.matches[0].path.type, PathType::prefix);
    EXPECT_EQ(rule.matches[0].path.value, "/");
    EXPECT_EQ(rule.matches[0].method, "");
}

TEST_F(CompleteKinds, Backend) {
    const Backend* pen = resources.find_backend("pen");
    ASSERT_NE(pen, nullptr);
    EXPECT_EQ(pen->host, "pen.example.com");
    EXPECT_EQ(pen->port, 443);
    EXPECT_EQ(pen->protocol, Protocol::https);
    EXPECT_EQ(pen->base_path, "/v1/");
    EXPECT_NE(resources.find_pem(pen->ca)->find("MIIBUzCB+qADAgECAgEBMAoG"), std::string::npos);
    const auto& key = std::get<ApiKeySecurity>(pen->security);
    EXPECT_EQ(key.in, ApiKeySecurity::In::header);
    EXPECT_EQ(key.name, "Authorization");
    EXPECT_EQ(resources.find_value(key.value)->reveal(), "Bearer sk-main");
    EXPECT_EQ(pen->timeout->response, std::chrono::seconds(90));
    EXPECT_EQ(pen->timeout->idle, std::chrono::seconds(30));
    EXPECT_EQ(pen->retry->count, 2U);
    EXPECT_EQ(pen->retry->base_interval, std::chrono::milliseconds(50));
    EXPECT_EQ(pen->retry->status_codes, (std::vector<unsigned>{503, 504}));
    EXPECT_EQ(pen->circuit_breaker->max_connections, 10U);
    EXPECT_EQ(pen->circuit_breaker->max_pending, 20U);
    EXPECT_EQ(pen->circuit_breaker->max_requests, 30U);
    EXPECT_EQ(pen->circuit_breaker->max_retries, 1U);
    EXPECT_EQ(pen->circuit_breaker->max_connection_pools, 4U);
    EXPECT_EQ(pen->health_check->timeout, std::chrono::seconds(2));
    EXPECT_EQ(pen->health_check->interval, std::chrono::seconds(10));
    EXPECT_EQ(pen->health_check->unhealthy_threshold, 4U);
    EXPECT_EQ(pen->health_check->healthy_threshold, 3U);
}

TEST_F(CompleteKinds, BackendWithOtherSecurity) {
    const auto& basic = std::get<BasicSecurity>(resources.find_backend("quill")->security);
    EXPECT_EQ(resources.find_value(basic.username)->reveal(), "ada");
    EXPECT_EQ(resources.find_value(basic.password)->reveal(), "lovelace");
    const auto& query = std::get<ApiKeySecurity>(resources.find_backend("ink")->security);
    EXPECT_EQ(query.in, ApiKeySecurity::In::query);
    EXPECT_EQ(resources.find_value(query.value)->reveal(), "query-key");
    const Backend* sand = resources.find_backend("sand-pen");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(sand->security));
    EXPECT_EQ(sand->protocol, Protocol::http);
    EXPECT_EQ(sand->host, "::1");
    EXPECT_TRUE(sand->ca.empty());
    EXPECT_FALSE(sand->timeout || sand->retry || sand->circuit_breaker || sand->health_check);
}

TEST_F(CompleteKinds, AiProvider) {
    const AiProvider* provider = resources.find_ai_provider("story-ai");
    ASSERT_NE(provider, nullptr);
    EXPECT_EQ(provider->provider_name, "Stories");
    EXPECT_EQ(provider->provider_api_version, "v9");
    EXPECT_EQ(provider->supported_models, (std::vector<std::string>{"novel", "poem"}));
    EXPECT_EQ(provider->request_model.in, ValueLocation::In::path);
    EXPECT_EQ(provider->request_model.value, "/models/([^/]+)");
    EXPECT_EQ(provider->response_model.in, ValueLocation::In::header);
    EXPECT_EQ(provider->prompt_tokens.value, "$.usage.prompt_tokens");
    EXPECT_EQ(provider->completion_tokens.value, "usage.completion_tokens");
    EXPECT_EQ(provider->total_tokens.in, ValueLocation::In::header);
}

TEST_F(CompleteKinds, ApiPolicy) {
    const ApiPolicy* policy = resources.find_policy("story-policy");
    ASSERT_NE(policy, nullptr);
    EXPECT_EQ(policy->target.kind, TargetKind::api);
    EXPECT_EQ(policy->target.name, "story-api");
    EXPECT_EQ(policy->defaults.ai_provider->name, "story-ai");
    EXPECT_FALSE(policy->overrides.rotation);
    const ModelRotation& rotation = *policy->defaults.rotation;
    EXPECT_EQ(rotation.suspend, std::chrono::seconds(45));
    ASSERT_EQ(rotation.production.size(), 3U);
    EXPECT_EQ(rotation.production[0].model, "novel");
    EXPECT_EQ(rotation.production[0].backend->name, "pen");
    EXPECT_EQ(rotation.production[0].weight, 5U);
    EXPECT_EQ(rotation.production[1].weight, 1U);
    EXPECT_EQ(rotation.production[2].weight, 0U);
    ASSERT_EQ(rotation.sandbox.size(), 1U);
    EXPECT_FALSE(rotation.sandbox[0].backend);
}

TEST_F(CompleteKinds, TokenIssuer) {
    ASSERT_EQ(resources.issuers.size(), 2U);
    const TokenIssuer& first = resources.issuers[0];
    EXPECT_EQ(first.issuer, "https://issuer.stories.example.com");
    EXPECT_EQ(first.consumer_key_claim, "client");
    EXPECT_EQ(first.scopes_claim, "rights");
    EXPECT_EQ(first.environments, (std::vector<std::string>{"Default", "Staging"}));
    EXPECT_EQ(first.target.kind, TargetKind::gateway);
    EXPECT_FALSE(first.jwks);
    EXPECT_NE(resources.find_pem(first.certificate)->find("MIIBUzCB+qADAgECAgEBMAoG"),
              std::string::npos);
    EXPECT_EQ(resources.issuers[1].jwks->url, "https://issuer2.stories.example.com/jwks");
    EXPECT_EQ(resources.issuers[1].jwks->file, "");
    EXPECT_EQ(resources.issuers[1].target.kind, TargetKind::none);
}

// The first version: no `required`, a bare list of keys, and jwt by its older name.
TEST(Kinds, AuthenticationOfV1alpha1) {
    const Loaded loaded = load_resources(
        "apiVersion: dp.wso2.com/v1alpha1\nkind: Authentication\nmetadata: {name: x}\nspec:\n"
        "  targetRef: {group: g, kind: API, name: a}\n"
        "  default:\n"
        "    authTypes:\n"
        "      oauth2: {header: X-Token, sendTokenToUpstream: true}\n"
        "      apiKey:\n"
        "        - {in: Header, name: X-Key}\n"
        "        - {in: Query, name: key, sendTokenToUpstream: true}\n"
        "      testConsoleKey: {header: internal-key}\n"
        "  override:\n"
        "    authTypes: {oauth2: {disabled: true}, apiKey: null}\n");
    const Authentication* one = loaded.resources.find_authentication("x");
    ASSERT_NE(one, nullptr) << to_text(loaded.findings);
    const AuthTypes& types = *one->defaults.types;
    EXPECT_FALSE(types.oauth2->required) << "an alternative to the others";
    EXPECT_EQ(types.oauth2->header, "X-Token");
    ASSERT_EQ(types.api_key->keys.size(), 2U);
    EXPECT_FALSE(types.api_key->required);
    EXPECT_EQ(types.api_key->keys[0].name, "X-Key");
    EXPECT_EQ(types.api_key->keys[1].in, ApiKeyLocation::In::query);
    EXPECT_TRUE(types.api_key->keys[1].send_token_upstream);
    EXPECT_FALSE(types.jwt->disabled);
    EXPECT_EQ(types.jwt->header, "internal-key");
    EXPECT_TRUE(one->overrides.types->oauth2->disabled);
    EXPECT_FALSE(one->overrides.types->api_key);
    EXPECT_EQ(to_text(loaded.findings).find("error: spec.default.authTypes"), std::string::npos)
        << to_text(loaded.findings);
}

struct HttpJwksRow {
    const char* name;
    const char* annotations;
    const char* finding;
};

TEST(Kinds, HttpForKeysNeedsAnAnnotation) {
    const HttpJwksRow rows[] = {
        {"none", "", "error: spec.signatureValidation.jwks.url: must begin with https://"},
        {"true", "rotary/allow-http-jwks: \"true\", other/x: \"${NOT SET\"",
         "warning: spec.signatureValidation.jwks.url: these keys travel in the clear"},
        {"false", "rotary/allow-http-jwks: \"false\"",
         "error: spec.signatureValidation.jwks.url: must begin with https://"},
        {"another word", "rotary/allow-http-jwks: yes", "must be \"true\" or \"false\""},
        {"a slip", "rotary/allow-http-jwk: \"true\"", "warning: metadata: the annotation"},
    };
    for (const HttpJwksRow& row : rows) {
        const Loaded loaded = load_resources(
            "apiVersion: dp.wso2.com/v1alpha2\nkind: TokenIssuer\n"
            "metadata: {name: x, annotations: {" +
            std::string(row.annotations) +
            "}}\n"
            "spec: {name: x, issuer: https://i, organization: o, consumerKeyClaim: azp,\n"
            "       scopesClaim: scope, signatureValidation: {jwks: {url: "
            "\"http://idp/keys\"}}}\n");
        EXPECT_NE(to_text(loaded.findings).find(row.finding), std::string::npos)
            << row.name << ": " << to_text(loaded.findings);
    }
}

TEST_F(CompleteKinds, AuthenticationAndScope) {
    const AuthTypes& types = *resources.find_authentication("story-auth")->defaults.types;
    EXPECT_TRUE(types.oauth2->required);
    EXPECT_EQ(types.oauth2->header, "X-Token");
    EXPECT_TRUE(types.oauth2->send_token_upstream);
    EXPECT_FALSE(types.jwt->disabled);
    EXPECT_EQ(types.jwt->header, "x-inner");
    EXPECT_EQ(types.jwt->audience, std::vector<std::string>{"stories"});
    EXPECT_EQ(types.api_key->keys.at(0).name, "x-key");
    EXPECT_FALSE(types.mtls->required);
    EXPECT_EQ(types.mtls->certificates.size(), 1U);
    const Authentication* rule = resources.find_authentication("story-rule-auth");
    EXPECT_EQ(rule->target.kind, TargetKind::resource);
    EXPECT_EQ(rule->overrides.disabled, false);
    EXPECT_FALSE(rule->defaults.disabled);
    EXPECT_EQ(resources.find_scope("story-scope")->names,
              (std::vector<std::string>{"read", "write"}));
}

TEST_F(CompleteKinds, LookupsOfWhatIsMissing) {
    EXPECT_EQ(resources.find_api("x"), nullptr);
    EXPECT_EQ(resources.find_secret("x"), nullptr);
    EXPECT_EQ(resources.find_value({"pen-keys", "x", {}, {}}), nullptr);
    EXPECT_EQ(resources.find_value({"x", "main", {}, {}}), nullptr);
    PemSource source;
    EXPECT_FALSE(resources.find_pem(source));
    source.config_map = KeyReference{"pen-ca", "x", {}, {}};
    EXPECT_FALSE(resources.find_pem(source));
}

TEST(Versions, OfApiHaveTwoNamesForTheirRoutes) {
    const Loaded loaded = load_resources(R"(apiVersion: dp.wso2.com/v1alpha1
kind: API
metadata: {name: a}
spec:
  {apiName: a, apiType: REST, apiVersion: v1, basePath: /a/v1, production: [{httpRouteRefs: [r]}]}
)");
    EXPECT_EQ(loaded.resources.apis.at(0).production.at(0).name, "r");
}

TEST(Versions, OfAiProviderWithOneModelField) {
    const Loaded loaded = load_resources(R"(apiVersion: dp.wso2.com/v1alpha3
kind: AIProvider
metadata: {name: a}
spec:
  providerName: A
  providerAPIVersion: v1
  organization: o
  model: {in: Body, value: engine}
  rateLimitFields:
    promptTokens: {in: Body, value: p}
    completionToken: {in: Body, value: c}
    totalToken: {in: Body, value: t}
)");
    EXPECT_EQ(to_text(loaded.findings), "");
    EXPECT_EQ(loaded.resources.ai_providers.at(0).request_model.value, "engine");
    EXPECT_EQ(loaded.resources.ai_providers.at(0).response_model.value, "engine");
}

struct VersionRow {
    const char* kind;
    const char* version;
};

TEST(Versions, AllThatAreKnownLoad) {
    const VersionRow rows[] = {
        {"API", "dp.wso2.com/v1alpha1"},
        {"API", "dp.wso2.com/v1alpha2"},
        {"API", "dp.wso2.com/v1alpha3"},
        {"Backend", "dp.wso2.com/v1alpha1"},
        {"Backend", "dp.wso2.com/v1alpha2"},
        {"AIProvider", "dp.wso2.com/v1alpha3"},
        {"AIProvider", "dp.wso2.com/v1alpha4"},
        {"APIPolicy", "dp.wso2.com/v1alpha1"},
        {"APIPolicy", "dp.wso2.com/v1alpha2"},
        {"APIPolicy", "dp.wso2.com/v1alpha3"},
        {"APIPolicy", "dp.wso2.com/v1alpha4"},
        {"TokenIssuer", "dp.wso2.com/v1alpha1"},
        {"TokenIssuer", "dp.wso2.com/v1alpha2"},
        {"Authentication", "dp.wso2.com/v1alpha1"},
        {"Authentication", "dp.wso2.com/v1alpha2"},
        {"Scope", "dp.wso2.com/v1alpha1"},
        {"Secret", "v1"},
        {"ConfigMap", "v1"},
        {"HTTPRoute", "gateway.networking.k8s.io/v1beta1"},
        {"HTTPRoute", "gateway.networking.k8s.io/v1"},
    };
    for (const VersionRow& row : rows) {
        const std::string text = std::string("apiVersion: ") + row.version + "\nkind: " + row.kind +
                                 "\nmetadata: {name: a}\n";
        const std::string findings = to_text(load_resources(text).findings);
        EXPECT_EQ(findings.find("apiVersion: "), std::string::npos) << findings;
        EXPECT_EQ(findings.find("kind: "), std::string::npos) << findings;
    }
}

struct SkippedRow {
    const char* name;
    const char* version;
    const char* kind;
    const char* message;
    Severity severity = Severity::warning;
};

class SkippedKinds : public testing::TestWithParam<SkippedRow> {};

TEST_P(SkippedKinds, GetOneFindingAndNothingElse) {
    const SkippedRow& row = GetParam();
    const Loaded loaded = load_resources(std::string("apiVersion: ") + row.version +
                                         "\nkind: " + row.kind + "\nspec: [what, ever]\n");
    ASSERT_EQ(loaded.findings.size(), 1U) << to_text(loaded.findings);
    EXPECT_EQ(loaded.findings[0].severity, row.severity);
    EXPECT_NE(loaded.findings[0].message.find(row.message), std::string::npos)
        << loaded.findings[0].message;
}

const SkippedRow kSkipped[] = {
    {"backend_jwt", "dp.wso2.com/v1alpha1", "BackendJWT", "--accept-unserved BackendJWT",
     Severity::error},
    {"interceptor", "dp.wso2.com/v1alpha1", "InterceptorService",
     "--accept-unserved InterceptorService", Severity::error},
    {"gateway", "gateway.networking.k8s.io/v1", "Gateway", "\"Gateway\" is not known"},
    {"deployment", "apps/v1", "Deployment", "is not known and is skipped"},
    {"misspelt", "dp.wso2.com/v1alpha2", "Backnd", "did you mean \"Backend\"?"},
    {"other_group", "gateway.envoyproxy.io/v1alpha1", "Backend",
     "the group of Backend is \"dp.wso2.com\""},
};
INSTANTIATE_TEST_SUITE_P(Rows, SkippedKinds, testing::ValuesIn(kSkipped),
                         [](const auto& row) { return row.param.name; });

TEST(Secrets, StringDataWins) {
    const Loaded loaded = load_resources(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: Zm9v}\nstringData: {a: "
        "bar}\n");
    EXPECT_EQ(loaded.resources.find_value({"s", "a", {}, {}})->reveal(), "bar");
}

TEST(Secrets, NeverStandInFindings) {
    const Loaded loaded = load_resources(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: sk-canary-1, b: "
        "[sk-canary-2]}\nstringData: {c: {d: sk-canary-3}}\n");
    EXPECT_EQ(loaded.findings.size(), 3U);
    EXPECT_EQ(to_text(loaded.findings).find("canary"), std::string::npos)
        << to_text(loaded.findings);
}

TEST(Documents, MustBeObjects) {
    const Loaded loaded = load_resources("- a\n---\nplain\n---\nkind: API\n");
    EXPECT_EQ(to_text(loaded.findings),
              "r.yaml:1:1: error: expected an object with apiVersion, kind and metadata\n"
              "r.yaml:3:1: error: expected an object with apiVersion, kind and metadata\n"
              "r.yaml:5:1: error: apiVersion: is required\n");
    EXPECT_TRUE(loaded.resources.incomplete);
}

}  // namespace
}  // namespace rotary::config
