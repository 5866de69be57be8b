#include <rotary/config/check/effective.hpp>

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

// What one team has, with the names that every team has.
std::string team(const std::string& name_space, const std::string& path) {
    const std::string space = name_space.empty() ? "" : ", namespace: " + name_space;
    const auto head = [&](const std::string& version, const std::string& kind) {
        return "---\napiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: one" +
               space + "}\n";
    };
    const std::string data_plane = "dp.wso2.com/";
    return head(data_plane + "v1alpha3", "API") +
           "spec: {apiName: one, apiType: REST, apiVersion: '1', basePath: /" + path +
           "/1, organization: default, production: [{routeRefs: [one]}]}\n" +
           head("gateway.networking.k8s.io/v1", "HTTPRoute") +
           "spec: {rules: [{filters: [{type: ExtensionRef, extensionRef: "
           "{group: dp.wso2.com, kind: Scope, name: one}}], "
           "backendRefs: [{kind: Backend, name: one}]}]}\n" +
           head(data_plane + "v1alpha2", "Backend") + "spec: {services: [{host: " + path +
           ".example.com, port: 443}], protocol: https, "
           "security: {apiKey: {in: Header, name: Authorization, "
           "valueFrom: {name: one, valueKey: key}}}}\n" +
           head("v1", "Secret") + "stringData: {key: Bearer " + path + "}\n" +
           head(data_plane + "v1alpha1", "Scope") + "spec: {names: [" + path + "]}\n" +
           head(data_plane + "v1alpha2", "Authentication") +
           "spec: {targetRef: {group: dp.wso2.com, kind: API, name: one" + space +
           "}, default: {authTypes: {oauth2: {header: x-" + path + "}}}}\n" +
           head(data_plane + "v1alpha4", "APIPolicy") +
           "spec: {targetRef: {group: dp.wso2.com, kind: API, name: one}, default: "
           "{modelBasedRoundRobin: {sandboxModels: [], productionModels: [{model: " +
           path + ", backendRef: {kind: Backend, name: one}}]}}}\n";
}

const std::string kIssuer =
    "---\napiVersion: dp.wso2.com/v1alpha2\nkind: TokenIssuer\nmetadata: {name: one}\n"
    "spec: {name: one, issuer: 'https://i', organization: default, consumerKeyClaim: azp, "
    "scopesClaim: scope, signatureValidation: {jwks: {url: 'https://i.example.com'}}}\n";

TEST(Namespaces, SetObjectsOfOneNameApart) {
    const Loaded loaded = load_resources(kIssuer + team("", "tales") + team("team-b", "poems"));
    EXPECT_EQ(to_text(loaded.findings), "");
    const Resources& all = loaded.resources;
    ASSERT_EQ(all.apis.size(), 2U);
    const char* const paths[] = {"tales", "poems"};
    const char* const identities[] = {"one", "team-b/one"};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string path = paths[i];
        const Api& api = all.apis[i];
        EXPECT_EQ(api.metadata.name, identities[i]);
        const HttpRoute* route = all.find_route(api.production.at(0).name);
        ASSERT_EQ(route, &all.routes[i]);
        const HttpRouteRule& rule = route->rules.at(0);
        EXPECT_EQ(all.find_backend(rule.backends.at(0).name), &all.backends[i]);
        ASSERT_EQ(required_scopes(all, rule).size(), 1U);
        EXPECT_EQ(required_scopes(all, rule)[0]->names.at(0), path);
        EXPECT_EQ(effective_authentication(all, api, rule).oauth2.header, "x-" + path);
        const EffectivePolicy policy = effective_policy(all, api, rule);
        ASSERT_NE(policy.rotation, nullptr);
        const ModelEntry& entry = policy.rotation->production.at(0);
        EXPECT_EQ(entry.model, path);
        EXPECT_EQ(entry_backend(all, rule, entry), &all.backends[i]);
        const auto& key = std::get<ApiKeySecurity>(all.backends[i].security);
        ASSERT_NE(all.find_value(key.value), nullptr);
        EXPECT_EQ(all.find_value(key.value)->reveal(), "Bearer " + path);
    }
}

// kubectl puts what names no namespace into `default`: saying so changes nothing.
TEST(Namespaces, AreDefaultWhereNoneIsNamed) {
    const Loaded loaded = load_resources(kIssuer + team("default", "tales"));
    EXPECT_EQ(to_text(loaded.findings), "");
    EXPECT_NE(loaded.resources.find_backend("one"), nullptr);
    const Loaded twice = load_resources(kIssuer + team("", "tales") + team("default", "poems"));
    EXPECT_NE(to_text(twice.findings).find("there is another Backend \"one\" at r.yaml:"),
              std::string::npos)
        << to_text(twice.findings);
}

TEST(Namespaces, AreCrossedByABackendRefThatSaysSo) {
    std::string text = team("team-b", "poems");
    const std::string reference = "{kind: Backend, name: one}";
    for (std::size_t at = 0; (at = text.find(reference, at)) != std::string::npos; ++at) {
        text.replace(at, reference.size(), "{kind: Backend, name: one, namespace: default}");
    }
    const Loaded loaded = load_resources(kIssuer + team("", "tales") + text);
    EXPECT_EQ(to_text(loaded.findings), "");
    const Resources& all = loaded.resources;
    const HttpRouteRule& rule = all.find_route("team-b/one")->rules.at(0);
    EXPECT_EQ(rule.backends.at(0).name, "one");
    const ModelEntry& entry =
        effective_policy(all, *all.find_api("team-b/one"), rule).rotation->production.at(0);
    EXPECT_EQ(entry_backend(all, rule, entry)->host, "tales.example.com");
}

}  // namespace
}  // namespace rotary::config
