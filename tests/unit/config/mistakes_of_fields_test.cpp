#include "unit/config/mistakes.hpp"

namespace rotary::config {
namespace {

// Mistakes inside one object: types, limits, names, versions.
class FieldMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(FieldMistakes, AreFoundAtTheirPlace) {
    const Mistake& mistake = GetParam();
    std::string text =
        with_change(read_text(data_file("complete.yaml")), mistake.replace, mistake.with);
    const std::pair<int, int> place = take_marker(text, mistake);
    expect_only(load_resources(text), mistake, place);
}

constexpr Severity kWarning = Severity::warning;

const Mistake kObjects[] = {
    {"kind_missing", "v1alpha1\nkind: Scope\n", "v1alpha1\n", "kind", "is required",
     Severity::error, "@@apiVersion: dp.wso2.com/v1alpha1\nmetadata: {name: story-scope}"},
    {"version_missing", "apiVersion: v1\nkind: ConfigMap", "@@kind: ConfigMap", "apiVersion",
     "is required"},
    {"version_unknown", "dp.wso2.com/v1alpha3\nkind: API", "@@dp.wso2.com/v1alpha9\nkind: API",
     "apiVersion", "known are dp.wso2.com/v1alpha1, dp.wso2.com/v1alpha2, dp.wso2.com/v1alpha3"},
    {"name_missing", "metadata: {name: story-scope}", "metadata: @@{namespace: story-scope}",
     "metadata.name", "is required"},
    {"name_in_capitals", "{name: story-issuer-2}", "{name: @@Story_Issuer}", "metadata.name",
     "lower case"},
    {"metadata_is_text", "metadata: {name: ink}", "metadata: @@ink", "metadata",
     "expected a mapping, found plain text"},
    {"spec_is_a_list", "spec:\n  names: [read, write]", "spec:\n  @@[read, write]", "spec",
     "expected a mapping, found a list"},
    {"unknown_field", "apiName: story-api", "apiName: story-api\n  @@apiTyp: REST", "spec.apiTyp",
     "unknown field \"apiTyp\"; did you mean \"apiType\"?"},
    {"unknown_top_field", "status: null", "status: null\n@@sepc: {}", "sepc",
     "did you mean \"spec\"?"},
    {"variable_unset", "apiName: story-api", "apiName: @@${STORY_NAME}", "spec.apiName",
     "STORY_NAME is not set"},
    {"variable_demanded", "apiName: story-api", "apiName: @@${STORY_NAME:?name the story}",
     "spec.apiName", "name the story"},
};

const Mistake kRoutes[] = {
    {"api_name_long", "apiName: story-api",
     "apiName: @@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "spec.apiName",
     "at most 60 characters"},
    {"api_name_marks", "apiName: story-api", "apiName: @@story[api]", "spec.apiName",
     "must hold none of"},
    {"api_type", "apiType: REST", "apiType: @@Rest", "spec.apiType", "did you mean \"REST\"?"},
    {"api_type_not_served", "apiType: REST", "apiType: @@GRPC", "spec.apiType", "is not served",
     kWarning},
    {"base_path_relative", "basePath: /stories/2.0", "basePath: @@stories/2.0", "spec.basePath",
     "begin with '/'"},
    {"flag_yes", "isDefaultVersion: true", "isDefaultVersion: @@yes", "spec.isDefaultVersion",
     "must be true or false, found \"yes\""},
    {"two_productions", "    - routeRefs: [story-route]\n",
     "    @@- routeRefs: [story-route]\n    - routeRefs: []\n", "spec.production",
     "at most 1 item, found 2"},
    {"api_property", "apiProperties: []", "apiProperties: @@[{name: a, value: b}]",
     "spec.apiProperties", "is not served", kWarning},
    {"host_with_port", "sandbox.stories.example.com]", "@@sandbox.stories.example.com:9095]",
     "spec.hostnames[0]", "without port"},
    {"path_type", "type: PathPrefix, value", "type: @@Prefix, value",
     "spec.rules[0].matches[0].path.type", "must be one of Exact, PathPrefix, RegularExpression"},
    {"path_relative", "value: /v1}", "value: @@v1}", "spec.rules[0].matches[0].path.value",
     "begin with '/'"},
    {"method_lower", "method: POST", "method: @@post", "spec.rules[0].matches[0].method",
     "did you mean \"POST\"?"},
    {"match_by_header", "          method: POST",
     "          method: POST\n          headers: @@[{name: a, value: b}]",
     "spec.rules[0].matches[0].headers", "is not served", kWarning},
    {"filter_unknown", "- type: ResponseHeaderModifier", "- type: @@ResponseHeaderMod",
     "spec.rules[0].filters[2].type", "must be one of"},
    {"filter_not_served", "- type: ResponseHeaderModifier", "- type: @@RequestMirror",
     "spec.rules[0].filters[2].type", "is not served", kWarning},
    {"second_rewrite", "- type: ResponseHeaderModifier",
     "- type: @@URLRewrite\n          urlRewrite: {}", "spec.rules[0].filters[2].type",
     "has an URLRewrite already"},
    {"redirect_beside_rewrite",
     "- type: ResponseHeaderModifier\n          responseHeaderModifier: {remove: [x-powered-by]}",
     "- type: RequestRedirect\n          requestRedirect: {statusCode: 301}",
     "spec.rules[0].filters", "a rule does one of them", Severity::error, "@@- type: URLRewrite"},
    {"redirect_status",
     "- type: URLRewrite\n          urlRewrite:\n            path: {type: ReplacePrefixMatch, "
     "replacePrefixMatch: /}",
     "- type: RequestRedirect\n          requestRedirect: {statusCode: @@200}",
     "spec.rules[0].filters[0].requestRedirect.statusCode", "must be one of 301"},
    {"header_value", "value: writers}]", "value: @@\"a\\nb: c\"}]",
     "spec.rules[0].filters[1].requestHeaderModifier.set[0].value", "no control characters"},
    {"header_name", "remove: [x-debug]", "remove: [@@x debug]",
     "spec.rules[0].filters[1].requestHeaderModifier.remove[0]", "a header's name"},
    {"extension_kind", "kind: Scope, name: story-scope", "kind: @@Scop, name: story-scope",
     "spec.rules[0].filters[3].extensionRef.kind", "did you mean \"Scope\"?"},
    {"extension_later", "kind: Scope, name: story-scope",
     "kind: @@RateLimitPolicy, name: story-scope", "spec.rules[0].filters[3].extensionRef.kind",
     "is not served yet", kWarning},
    {"backend_weight_negative", "name: quill, weight: 3", "name: quill, weight: @@-3",
     "spec.rules[0].backendRefs[1].weight", "between 0 and 1000000, found \"-3\""},
    {"backend_kind_service", "{kind: Backend, name: ink}", "{kind: @@Service, name: ink}",
     "spec.rules[1].backendRefs[0].kind", "must be Backend"},
    {"no_backends", "      backendRefs:\n        - {kind: Backend, name: ink}",
     "      backendRefs: @@[]", "spec.rules[1].backendRefs", "must not be empty"},
};

const Mistake kBackends[] = {
    {"two_services", "[{host: ink.example.com, port: 443}]",
     "@@[{host: ink.example.com, port: 443}, {host: b, port: 1}]", "spec.services",
     "at most 1 item"},
    {"port_zero", "ink.example.com, port: 443", "ink.example.com, port: @@0",
     "spec.services[0].port", "between 1 and 65535"},
    {"port_octal", "ink.example.com, port: 443", "ink.example.com, port: @@0443",
     "spec.services[0].port", "plain decimal digits, found \"0443\""},
    {"port_hex", "ink.example.com, port: 443", "ink.example.com, port: @@0x1BB",
     "spec.services[0].port", "plain decimal digits"},
    {"port_missing", "{host: ink.example.com, port: 443}", "@@{host: ink.example.com}",
     "spec.services[0].port", "is required"},
    {"protocol", "{host: ink.example.com, port: 443}]\n  protocol: https",
     "{host: ink.example.com, port: 443}]\n  protocol: @@htpps", "spec.protocol",
     "did you mean \"https\"?"},
    {"key_place", "in: Query", "in: @@Cookie", "spec.security.apiKey.in",
     "must be one of Header, Query"},
    {"key_header", "      name: Authorization", "      name: @@\"Author ization\"",
     "spec.security.apiKey.name", "a header's name"},
    {"two_credentials", "  security:\n    basic:",
     "  security:\n    @@apiKey: {in: Query, name: k, valueFrom: {name: pen-keys, valueKey: "
     "query}}\n    basic:",
     "spec.security", "has both apiKey and basic"},
    {"two_authorities", "    configMapRef: {name: pen-ca, key: ca.crt}",
     "    @@configMapRef: {name: pen-ca, key: ca.crt}\n    certificateInline: x", "spec.tls",
     "more than one of"},
    {"sans", "    configMapRef: {name: pen-ca, key: ca.crt}",
     "    configMapRef: {name: pen-ca, key: ca.crt}\n    allowedSANs: @@[a]",
     "spec.tls.allowedSANs", "is not served", kWarning},
    {"retry_status", "statusCodes: [503, 504]", "statusCodes: [503, @@200]",
     "spec.retry.statusCodes[1]", "between 400 and 599"},
    {"retry_interval", "baseIntervalMillis: 50", "baseIntervalMillis: @@0",
     "spec.retry.baseIntervalMillis", "between 1 and"},
    {"timeout_fraction", "upstreamResponseTimeout: 90", "upstreamResponseTimeout: @@1.5",
     "spec.timeout.upstreamResponseTimeout", "whole number"},
    {"breaker", "maxConnectionPools: 4", "maxConnectionPools: @@0",
     "spec.circuitBreaker.maxConnectionPools", "between 1 and"},
};

const Mistake kPolicies[] = {
    {"model_place", "requestModel: {in: Path", "requestModel: {in: @@path", "spec.requestModel.in",
     "did you mean \"Path\"?"},
    {"provider_name", "providerName: Stories", "providerName: @@\"\"", "spec.providerName",
     "must not be empty"},
    {"usage_missing",
     "    promptTokens: {in: Body, value: $.usage.prompt_tokens}\n    completionToken",
     "    @@completionToken", "spec.rateLimitFields.promptTokens", "is required"},
    {"sandbox_missing", "      sandboxModels:\n        - model: poem\n", "      @@sandboxModels:\n",
     "spec.default.modelBasedRoundRobin.sandboxModels", "is required"},
    {"model_empty",
     "        - model: novel\n          backendRef: {group: dp.wso2.com, kind: "
     "Backend, name: pen}",
     "        - model: @@\"\"\n          backendRef: {kind: Backend, name: pen}",
     "spec.default.modelBasedRoundRobin.productionModels[0].model", "must not be empty"},
    {"model_missing", "      sandboxModels:\n        - model: poem",
     "      sandboxModels:\n        - @@weight: 1",
     "spec.default.modelBasedRoundRobin.sandboxModels[0].model", "is required"},
    {"weight_fraction", "weight: 5", "weight: @@0.5",
     "spec.default.modelBasedRoundRobin.productionModels[0].weight", "whole number"},
    {"weight_negative", "weight: 5", "weight: @@-1",
     "spec.default.modelBasedRoundRobin.productionModels[0].weight", "between 0 and"},
    {"weight_inside", "kind: Backend, name: pen}\n          weight: 5",
     "kind: Backend, name: pen, weight: @@2}\n          weight: 5",
     "spec.default.modelBasedRoundRobin.productionModels[0].backendRef.weight",
     "is not served here", kWarning},
    {"suspend_negative", "onQuotaExceedSuspendDuration: 45", "onQuotaExceedSuspendDuration: @@-1",
     "spec.default.modelBasedRoundRobin.onQuotaExceedSuspendDuration", "between 0 and"},
    {"subscriptions", "    aiProvider: {name: story-ai}",
     "    aiProvider: {name: story-ai}\n    subscriptionValidation: @@true",
     "spec.default.subscriptionValidation", "is not served yet", kWarning},
    {"cors", "    aiProvider: {name: story-ai}",
     "    aiProvider: {name: story-ai}\n    cORSPolicy: {enabled: @@yes}",
     "spec.default.cORSPolicy.enabled", "must be true or false"},
    {"cors_method", "    aiProvider: {name: story-ai}",
     "    aiProvider: {name: story-ai}\n    cORSPolicy: {accessControlAllowMethods: [@@a b]}",
     "spec.default.cORSPolicy.accessControlAllowMethods[0]", "must be a single word"},
    {"target_kind", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: @@Api, name: story-api}\n  default:\n    aiProvider", "spec.targetRef.kind",
     "did you mean \"API\"?"},
    {"target_missing",
     "  targetRef: {group: gateway.networking.k8s.io, kind: API, name: "
     "story-api}\n  default:",
     "  @@default:", "spec.targetRef", "is required"},
};

const Mistake kAuthentication[] = {
    {"scopes_claim", "scopesClaim: rights", "scopesClaim: @@''", "spec.scopesClaim",
     "must not be empty"},
    {"oauth_required", "oauth2: {required: mandatory", "oauth2: {required: @@always",
     "spec.default.authTypes.oauth2.required", "must be one of mandatory, optional"},
    {"oauth_header", "header: X-Token", "header: @@\"X Token\"",
     "spec.default.authTypes.oauth2.header", "a header's name"},
    {"auth_type", "      mtls:\n", "      @@mtlss:\n", "spec.default.authTypes.mtlss",
     "did you mean \"mtls\"?"},
    {"claim_mappings", "  scopesClaim: rights",
     "  scopesClaim: rights\n  claimMappings: @@[{remoteClaim: a, localClaim: b}]",
     "spec.claimMappings", "is not served", kWarning},
    {"jwks_file_missing", "\"https://issuer2.stories.example.com/jwks\"", "@@file:no-such.json",
     "spec.signatureValidation.jwks.url", "no file no-such.json"},
    {"scope_empty", "names: [read, write]", "names: @@[]", "spec.names", "must not be empty"},
    {"secret_placeholder", "main: QmVhcmVyIHNrLW1haW4=", "main: @@base64_encoded_api_key",
     "data.main", "not valid base64; replace the placeholder: echo -n 'Bearer sk-…' | base64"},
    {"secret_not_encoded", "main: QmVhcmVyIHNrLW1haW4=", "main: @@Bearer sk-main", "data.main",
     "not valid base64"},
    {"secret_list", "main: QmVhcmVyIHNrLW1haW4=", "main: @@[QQ==]", "data.main",
     "expected plain text, found a list"},
    {"binary_data", "metadata: {name: pen-ca}", "metadata: {name: pen-ca}\nbinaryData: @@{a: QQ==}",
     "binaryData", "is not served", kWarning},
};

INSTANTIATE_TEST_SUITE_P(Objects, FieldMistakes, testing::ValuesIn(kObjects), mistake_name);
INSTANTIATE_TEST_SUITE_P(Routes, FieldMistakes, testing::ValuesIn(kRoutes), mistake_name);
INSTANTIATE_TEST_SUITE_P(Backends, FieldMistakes, testing::ValuesIn(kBackends), mistake_name);
INSTANTIATE_TEST_SUITE_P(Policies, FieldMistakes, testing::ValuesIn(kPolicies), mistake_name);
INSTANTIATE_TEST_SUITE_P(Authentication, FieldMistakes, testing::ValuesIn(kAuthentication),
                         mistake_name);

}  // namespace
}  // namespace rotary::config
