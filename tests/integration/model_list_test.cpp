// What a policy with the annotation rotary/endpoints serves, and the list of models that Rotary
// answers itself.
#include "edge_support.hpp"

#include <rotary/auth/api_key.hpp>

namespace rotary::test {
namespace {

// Chats and the list of models by one policy, embeddings by another, below /listed/1.0.
constexpr const char* kListed = R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: listed}
spec: {apiName: listed, apiType: REST, apiVersion: "1.0", basePath: /listed/1.0,
       organization: default, production: [{routeRefs: [listed]}],
       sandbox: [{routeRefs: [listed-sandbox]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: listed}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches: [{path: {type: Exact, value: /embeddings}, method: POST}]
      filters:
        - {type: ExtensionRef, extensionRef: {group: dp.wso2.com, kind: APIPolicy, name: vectors}}
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: listed-sandbox}
spec:
  hostnames: [default.sandbox.gw.wso2.com]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: listed, annotations: {rotary/endpoints: "chat, models"}}
spec:
  targetRef: {group: dp.wso2.com, kind: API, name: listed}
  default:
    modelBasedRoundRobin:
      onQuotaExceedSuspendDuration: 3600
      productionModels:
        - {model: a, backendRef: {kind: Backend, name: backend-0}, weight: 3}
        - {model: b, backendRef: {kind: Backend, name: backend-0}}
        - {model: never, backendRef: {kind: Backend, name: backend-0}, weight: 0}
      sandboxModels: [{model: s, backendRef: {kind: Backend, name: backend-0}}]
---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: vectors, annotations: {rotary/endpoints: embeddings}}
spec:
  targetRef: {group: dp.wso2.com, kind: Resource, name: listed}
  default:
    modelBasedRoundRobin:
      productionModels:
        - {model: v, backendRef: {kind: Backend, name: backend-0}}
        - {model: "b", backendRef: {kind: Backend, name: backend-0}}
      sandboxModels: []
)";

std::string key_for(const std::string& name, const std::string& key, const std::string& models) {
    return "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: " + name +
           "}\nspec:\n  consumer: " + name + "\n  keys: [{hash: \"" +
           auth::hash_text(auth::digest_of(key)) + "\"}]\n  models: " + models + "\n";
}

Request models_request(const std::string& host = "default.gw.wso2.com") {
    Request request = request_for("GET", "/listed/1.0/models");
    set_header(request, "Host", host);
    return request;
}

Request with_key(const std::string& key, Request request = models_request()) {
    set_header(request, "Authorization", "Bearer " + key);
    return request;
}

// The ids, in their order, with commas.
std::string ids_of(const Response& response) {
    std::string ids;
    for (std::size_t i = 0; i < json_size(response.body, "data"); ++i) {
        const std::string at = "data." + std::to_string(i);
        EXPECT_EQ(json_at(response.body, at + ".object"), "model");
        EXPECT_EQ(json_at(response.body, at + ".created"), "0");
        EXPECT_EQ(json_at(response.body, at + ".owned_by"), "rotary");
        ids += (ids.empty() ? "" : ",") + json_at(response.body, at + ".id");
    }
    return ids;
}

TEST(ModelList, HoldsTheModelsOfTheApiInTheEnvironmentThatWasAsked) {
    mock::MockOptions limited;
    limited.quotas = {{"a", 1, std::chrono::hours(1)}};
    Edge edge(with_resources(kListed), limited);
    for (const bool is_suspended : {false, true}) {
        const Response answer = fetch(edge.gateway.client(), models_request());
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.header("content-type"), "application/json");
        EXPECT_NE(answer.header("x-rotary-request-id"), "");
        EXPECT_EQ(json_at(answer.body, "object"), "list");
        EXPECT_EQ(ids_of(answer), "v,b,a") << answer.body;
        EXPECT_EQ(
            ids_of(fetch(edge.gateway.client(), models_request("default.sandbox.gw.wso2.com"))),
            "s");
        if (is_suspended) break;
        EXPECT_EQ(edge.mock->request_count(), 0U) << "a provider was asked";
        Request chats = chat();
        chats.target = "/listed/1.0/chat/completions";
        for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(edge.gateway.client(), chats).status, 200U);
    }
    const Response head = fetch(edge.gateway.client(), request_for("HEAD", "/listed/1.0/models"));
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.body, "");
    ASSERT_EQ(edge.gateway.stop(), 0);
}

TEST(ModelList, IsForWhoMayUseTheModels) {
    const std::string some = auth::make_api_key();
    const std::string none = auth::make_api_key();
    Edge edge(
        with_resources(kListed + key_for("some", some, "[v, a]") + key_for("none", none, "[x]")));
    EXPECT_EQ(ids_of(fetch(edge.gateway.client(), with_key(some))), "v,a");
    const Response nothing = fetch(edge.gateway.client(), with_key(none));
    EXPECT_EQ(nothing.status, 200U);
    EXPECT_EQ(nothing.body, R"({"object":"list","data":[]})");
    EXPECT_EQ(fetch(edge.gateway.client(), with_key(auth::make_api_key())).status, 401U);
    Request stranger = models_request();
    set_header(stranger, "Authorization", "");
    EXPECT_EQ(fetch(edge.gateway.client(), stranger).status, 401U);
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

TEST(ModelList, APolicyServesItsEndpointsAlone) {
    Edge edge(with_resources(kListed));
    struct Row {
        const char* method;
        const char* path;
        unsigned status;
        const char* model;  // that the provider is asked for
    };
    const Row rows[] = {
        {"POST", "/chat/completions", 200, "a"},
        {"POST", "/embeddings", 200, "v"},
        {"POST", "/embeddings/", 200, "b"},
        {"POST", "/embeddings/x", 404, ""},
        {"POST", "/responses", 404, ""},
        {"POST", "/completions", 404, ""},
        {"POST", "/images/generations", 404, ""},
        {"GET", "/files", 404, ""},
        {"POST", "/models", 404, ""},
        {"DELETE", "/models", 404, ""},
        {"GET", "/models/a", 404, ""},
    };
    std::size_t asked = 0;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.path);
        const Request request = request_for(row.method, std::string("/listed/1.0") + row.path,
                                            R"({"model":"any","input":"x","messages":[]})");
        const Response answer = fetch(edge.gateway.client(), request);
        // The path goes on as it came: what the mock says of a slash at its end is not looked at.
        if (row.status == 404) {
            EXPECT_EQ(json_at(answer.body, "error.code"), "route_not_found");
            continue;
        }
        ASSERT_EQ(edge.mock->request_count(), ++asked);
        EXPECT_EQ(json_at(edge.mock->requests().back().body, "model"), row.model);
    }
    EXPECT_EQ(edge.mock->request_count(), asked);
}

}  // namespace
}  // namespace rotary::test
