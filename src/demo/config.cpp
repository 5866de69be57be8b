#include <demo/config.hpp>

#include <demo/stage.hpp>

#include <string_view>

namespace rotary::demo {

namespace {

constexpr std::string_view kApi = R"(apiVersion: dp.wso2.com/v1alpha3
kind: API
metadata: {name: chat-service}
spec:
  apiName: chat-service
  apiType: REST
  apiVersion: "1.0"
  basePath: /chat-service-prod-sand/1.0
  organization: default
  isDefaultVersion: false
  production:
    - routeRefs: [chat-production]
  sandbox:
    - routeRefs: [chat-sandbox]
---
apiVersion: dp.wso2.com/v1alpha4
kind: AIProvider
metadata: {name: openai}
spec:
  providerName: OpenAI
  providerAPIVersion: v1
  organization: default
  supportedModels: [gpt-4o, o1-mini, gpt-4o-mini]
  requestModel: {in: Body, value: model}
  responseModel: {in: Body, value: model}
  rateLimitFields:
    promptTokens: {in: Body, value: $.usage.prompt_tokens}
    completionToken: {in: Body, value: $.usage.completion_tokens}
    totalToken: {in: Body, value: $.usage.total_tokens}
---
)";

std::string issuer() {
    return std::string(R"(apiVersion: dp.wso2.com/v1alpha2
kind: TokenIssuer
metadata: {name: demo-issuer}
spec:
  name: demo-issuer
  issuer: )") +
           kIssuer + R"(
  organization: default
  consumerKeyClaim: azp
  scopesClaim: scope
  signatureValidation:
    jwks: {url: "file:issuer.jwks.json"}
---
)";
}

std::string route(const std::string& name, const std::string& host) {
    return R"(apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: )" +
           name + R"(}
spec:
  hostnames: [)" +
           host + R"(]
  rules:
    - matches:
        - path: {type: Exact, value: /chat/completions}
          method: POST
      backendRefs:
        - {group: dp.wso2.com, kind: Backend, name: provider-1}
        - {group: dp.wso2.com, kind: Backend, name: provider-2}
---
)";
}

std::string backend(const std::string& name, std::uint16_t port) {
    return R"(apiVersion: dp.wso2.com/v1alpha2
kind: Backend
metadata: {name: )" +
           name + R"(}
spec:
  services:
    - {host: 127.0.0.1, port: )" +
           std::to_string(port) + R"(}
  protocol: http
  basePath: /v1
  security:
    apiKey:
      in: Header
      name: Authorization
      valueFrom: {name: provider-keys, valueKey: )" +
           name + R"(}
---
)";
}

std::string secret(const std::array<std::string, 2>& keys) {
    return R"(apiVersion: v1
kind: Secret
metadata: {name: provider-keys}
type: Opaque
stringData:
  provider-1: ")" +
           keys[0] + R"("
  provider-2: ")" +
           keys[1] + R"("
---
)";
}

// kModels in their order, at these providers.
std::string models(const std::array<int, 3>& providers) {
    std::string out;
    for (std::size_t i = 0; i < kModels.size(); ++i) {
        out += "        - model: " + std::string(kModels[i]) +
               "\n          backendRef: {group: dp.wso2.com, kind: Backend, name: provider-" +
               std::to_string(providers[i]) + "}\n          weight: 1\n";
    }
    return out;
}

std::string policy() {
    return R"(apiVersion: dp.wso2.com/v1alpha4
kind: APIPolicy
metadata: {name: chat-round-robin}
spec:
  targetRef: {group: dp.wso2.com, kind: API, name: chat-service}
  default:
    aiProvider: {name: openai}
    modelBasedRoundRobin:
      onQuotaExceedSuspendDuration: )" +
           std::to_string(kQuotaWindow.count()) + R"(
      productionModels:
)" + models({1, 2, 1}) +
           "      sandboxModels:\n" + models({2, 1, 2});
}

}  // namespace

std::string process_yaml(std::uint16_t port) {
    return "workers: " + std::to_string(kWorkers) + R"(
listeners:
  - address: 127.0.0.1
    port: )" +
           std::to_string(port) + R"(
    tls: {certificate: server.crt, key: server.key}
admin: {address: 127.0.0.1, port: 0}
resources: [resources.yaml, team.yaml]
prices: [prices.yaml]
timeouts: {drain: 2s}
log: {level: info, access: "off"}
)";
}

std::string resources_yaml(const std::array<std::uint16_t, 2>& ports,
                           const std::array<std::string, 2>& keys) {
    return std::string(kApi) + issuer() + route("chat-production", kProductionHost) +
           route("chat-sandbox", kSandboxHost) + backend("provider-1", ports[0]) +
           backend("provider-2", ports[1]) + secret(keys) + policy();
}

std::string prices_yaml() {
    return R"(- {provider: "*", model: "*", per: 1M, input: "1", output: "10"}
)";
}

std::string team_yaml(const std::string& key_hash) {
    return R"(apiVersion: rotary.dev/v1alpha1
kind: ConsumerKey
metadata: {name: team-a}
spec:
  consumer: )" +
           std::string(kTeam) + R"(
  models: [gpt-4o, o1-mini]
  keys: [{hash: ")" +
           key_hash + R"("}]
---
apiVersion: rotary.dev/v1alpha1
kind: Budget
metadata: {name: team-a}
spec: {target: {kind: Consumer, name: )" +
           kTeam + R"(}, amount: ")" + kBudget + R"(", period: Month}
)";
}

}  // namespace rotary::demo
