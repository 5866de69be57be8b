#include "unit/config/mistakes.hpp"

namespace rotary::config {
namespace {

// Mistakes between objects: what one names and another lacks, and what two of them contradict.
class ReferenceMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(ReferenceMistakes, AreFoundAtTheReference) {
    const Mistake& mistake = GetParam();
    std::string text =
        with_change(read_text(data_file("complete.yaml")), mistake.replace, mistake.with);
    const std::pair<int, int> place = take_marker(text, mistake);
    expect_only(load_resources(text), mistake, place);
}

constexpr Severity kWarning = Severity::warning;

const Mistake kMissing[] = {
    {"route", "routeRefs: [story-route]", "routeRefs: [story-route, @@story-ruote]",
     "spec.production[0].routeRefs[1]",
     "there is no HTTPRoute \"story-ruote\"; did you mean \"story-route\"?"},
    {"backend_of_route", "{kind: Backend, name: ink}", "{kind: Backend, name: @@paper}",
     "spec.rules[1].backendRefs[0].name",
     "there is no Backend \"paper\"; there is \"pen\", \"quill\", \"ink\", \"sand-pen\""},
    {"backend_of_entry", "kind: Backend, name: pen}\n          weight: 5",
     "kind: Backend, name: @@penn}\n          weight: 5",
     "spec.default.modelBasedRoundRobin.productionModels[0].backendRef.name",
     "there is no Backend \"penn\"; did you mean \"pen\"?"},
    {"provider", "aiProvider: {name: story-ai}", "aiProvider: {name: @@stroy-ai}",
     "spec.default.aiProvider.name", "did you mean \"story-ai\"?"},
    {"api_of_policy", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: API, name: @@story}\n  default:\n    aiProvider", "spec.targetRef.name",
     "there is no API \"story\"; there is \"story-api\""},
    {"secret", "valueFrom: {name: pen-keys, valueKey: main}",
     "valueFrom: {name: @@pen-key, valueKey: main}", "spec.security.apiKey.valueFrom.name",
     "there is no Secret \"pen-key\"; did you mean \"pen-keys\"?"},
    {"key_of_secret", "valueFrom: {name: pen-keys, valueKey: main}",
     "valueFrom: {name: pen-keys, valueKey: @@mian}", "spec.security.apiKey.valueFrom.valueKey",
     "the Secret \"pen-keys\" has no key \"mian\"; did you mean \"main\"?"},
    {"user_key", "usernameKey: user", "usernameKey: @@login",
     "spec.security.basic.secretRef.usernameKey", "has no key \"login\"; there is"},
    {"password_key", "passwordKey: pass", "passwordKey: @@pas",
     "spec.security.basic.secretRef.passwordKey", "did you mean \"pass\"?"},
    {"config_map", "  tls:\n    configMapRef: {name: pen-ca",
     "  tls:\n    configMapRef: {name: @@pan-ca", "spec.tls.configMapRef.name",
     "there is no ConfigMap \"pan-ca\""},
    {"key_of_config_map", "configMapRef: {name: pen-ca, key: ca.crt}",
     "configMapRef: {name: pen-ca, key: @@ca.pem}", "spec.tls.configMapRef.key",
     "the ConfigMap \"pen-ca\" has no key \"ca.pem\""},
    {"scope", "kind: Scope, name: story-scope}", "kind: Scope, name: @@story-skope}",
     "spec.rules[0].filters[3].extensionRef.name", "there is no Scope \"story-skope\""},
    {"authority_of_mtls", "configMapRefs: [{name: pen-ca", "configMapRefs: [{name: @@pen-cb",
     "spec.default.authTypes.mtls.configMapRefs[0].name", "there is no ConfigMap \"pen-cb\""},
    {"certificate_of_issuer", "secretRef: {name: issuer-cert, key: tls.crt}",
     "secretRef: {name: issuer-cert, key: @@tls.pem}",
     "spec.signatureValidation.certificate.secretRef.key", "has no key \"tls.pem\""},
    {"validation_of_issuer",
     "issuer: https://issuer2.stories.example.com\n  organization: default\n"
     "  consumerKeyClaim: azp\n  scopesClaim: scope\n  signatureValidation:\n"
     "    jwks: {url: \"https://issuer2.stories.example.com/jwks\"}",
     "issuer: @@story\n  organization: default\n  consumerKeyClaim: azp\n"
     "  scopesClaim: scope\n  signatureValidation: {}",
     "spec.issuer", "neither jwks nor certificate is there: no token could be verified"},
    {"discovery_in_the_clear",
     "issuer: https://issuer2.stories.example.com\n  organization: default\n"
     "  consumerKeyClaim: azp\n  scopesClaim: scope\n  signatureValidation:\n"
     "    jwks: {url: \"https://issuer2.stories.example.com/jwks\"}",
     "issuer: @@http://issuer2.stories.example.com\n  organization: default\n"
     "  consumerKeyClaim: azp\n  scopesClaim: scope",
     "spec.issuer", "must begin with https://"},
};

const Mistake kContradictions[] = {
    {"name_twice", "names: [read, write]",
     "names: [read, write]\n---\napiVersion: dp.wso2.com/v1alpha1\nkind: Scope\n"
     "metadata: {name: @@story-scope}\nspec: {names: [a]}",
     "metadata.name", "there is another Scope \"story-scope\" at r.yaml:205"},
    {"name_twice_in_namespaces", "names: [read, write]",
     "names: [read, write]\n---\napiVersion: dp.wso2.com/v1alpha1\nkind: Scope\n"
     "metadata: {name: @@story-scope, namespace: default}\nspec: {names: [a]}",
     "metadata.name", "there is another Scope \"story-scope\" at r.yaml:205"},
    {"version_in_path", "basePath: /stories/2.0", "basePath: @@/stories/v2", "spec.basePath",
     "must end with the API's version: \"/2.0\""},
    {"route_in_both", "routeRefs: [story-route]", "routeRefs: [story-route, story-route-sandbox]",
     "spec.sandbox[0].routeRefs[0]", "is a production route already", Severity::error,
     "    - routeRefs: [@@story-route-sandbox]"},
    {"route_named_twice", "routeRefs: [story-route-sandbox]",
     "routeRefs: [story-route-sandbox, @@story-route-sandbox]", "spec.sandbox[0].routeRefs[1]",
     "is named twice"},
    {"same_match", "value: \"/books/[0-9]+$\"}\n          method: GET",
     "value: \"/books/[0-9]+$\"}\n          method: GET\n        - path: {type: PathPrefix, value: "
     "@@/v1}\n          method: POST",
     "spec.rules[1].matches[1].path.value",
     "POST /stories/2.0/v1 on stories.example.com is matched already at r.yaml:32"},
    {"same_match_any_method", "value: \"/books/[0-9]+$\"}\n          method: GET",
     "value: \"/books/[0-9]+$\"}\n          method: GET\n        - path: {type: PathPrefix, value: "
     "@@/v1}",
     "spec.rules[1].matches[1].path.value", "/stories/2.0/v1 on stories.example.com is matched"},
    {"prefix_rewrite", "path: {type: PathPrefix, value: /v1}", "path: {type: Exact, value: /v1}",
     "spec.rules[0].filters[0].urlRewrite.path.replacePrefixMatch", "needs matches of the type",
     Severity::error, "replacePrefixMatch: @@/}"},
    {"listed_twice", "          weight: 0",
     "          weight: 0\n        - model: @@poem\n"
     "          backendRef: {name: quill}",
     "spec.default.modelBasedRoundRobin.productionModels[3].model",
     "\"poem\" is listed twice with \"quill\""},
    {"all_weights_zero", "      sandboxModels:\n        - model: poem",
     "      sandboxModels:\n        @@- {model: poem, weight: 0}",
     "spec.default.modelBasedRoundRobin.sandboxModels", "every weight is 0", kWarning},
    {"entry_without_backend", "kind: Backend, name: quill}\n        - model: novel",
     "kind: Backend, name: quill}\n        - model: @@saga\n        - model: novel",
     "spec.default.modelBasedRoundRobin.productionModels[2].model",
     "has no backendRef, and the HTTPRoute \"story-route\" has 2 Backends"},
    {"policy_for_gateway", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: Gateway, name: @@story-api}\n  default:\n    aiProvider", "spec.targetRef.name",
     "is not served", kWarning},
    {"policy_of_no_rule", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: Resource, name: @@story-api}\n  default:\n    aiProvider", "spec.targetRef.name",
     "no HTTPRoute refers to this policy", kWarning},
    {"two_policies", "---\napiVersion: dp.wso2.com/v1alpha1\nkind: Scope",
     "---\napiVersion: dp.wso2.com/v1alpha3\nkind: APIPolicy\nmetadata: {name: rival}\nspec: "
     "{targetRef: {group: g, kind: API, name: @@story-api}, default: {aiProvider: {name: "
     "story-ai}}}\n---\napiVersion: dp.wso2.com/v1alpha1\nkind: Scope",
     "spec.targetRef.name", "\"story-policy\" sets aiProvider for this API on the same level"},
    {"issuer_twice", "issuer: https://issuer2.stories.example.com",
     "issuer: @@https://issuer.stories.example.com", "spec.issuer",
     "the TokenIssuer \"story-issuer\" is for this issuer already, in the same organization"},
    {"route_of_no_api", "routeRefs: [story-route-sandbox]", "routeRefs: []", "metadata.name",
     "no API names this route", kWarning,
     "kind: HTTPRoute\nmetadata:\n  name: @@story-route-sandbox"},
};

// Names are looked for in the namespace of the object that refers to them.
const Mistake kNamespaces[] = {
    {"provider_elsewhere", "metadata: {name: story-ai}", "metadata: {name: story-ai, namespace: a}",
     "spec.default.aiProvider.name",
     "there is no AIProvider \"story-ai\"; there is one in the namespace \"a\", and this reference "
     "stays in its object's own: give both objects the same metadata.namespace",
     Severity::error, "aiProvider: {name: @@story-ai}"},
    {"backend_elsewhere", "metadata: {name: sand-pen}", "metadata: {name: sand-pen, namespace: a}",
     "spec.rules[0].backendRefs[0].name",
     "there is no Backend \"sand-pen\"; there is one in the namespace \"a\", which a backendRef "
     "may "
     "name by its own field `namespace`",
     Severity::error, "{kind: Backend, name: @@sand-pen}"},
    {"backend_of_another_namespace", "{kind: Backend, name: sand-pen}",
     "{kind: Backend, name: @@sand-pen, namespace: b}", "spec.rules[0].backendRefs[0].name",
     "there is no Backend \"b/sand-pen\"; there is one in the namespace \"default\""},
    {"entry_of_another_namespace", "kind: Backend, name: pen}\n          weight: 5",
     "kind: Backend, name: @@pen, namespace: b}\n          weight: 5",
     "spec.default.modelBasedRoundRobin.productionModels[0].backendRef.name",
     "there is no Backend \"b/pen\""},
    {"secret_elsewhere", "metadata: {name: issuer-cert}",
     "metadata: {name: issuer-cert, namespace: a}",
     "spec.signatureValidation.certificate.secretRef.name", "there is no Secret \"issuer-cert\"",
     Severity::error, "secretRef: {name: @@issuer-cert"},
    {"scope_elsewhere", "metadata: {name: story-scope}",
     "metadata: {name: story-scope, namespace: a}", "spec.rules[0].filters[3].extensionRef.name",
     "there is no Scope \"story-scope\"", Severity::error, "kind: Scope, name: @@story-scope}"},
    {"policy_for_another_namespace", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: API, name: story-api, namespace: @@b}\n  default:\n    aiProvider",
     "spec.targetRef.namespace", "is not the namespace of the policy, \"default\""},
    {"policy_says_its_namespace", "kind: API, name: story-api}\n  default:\n    aiProvider",
     "kind: API, name: story-api, namespace: @@default}\n  default:\n    aiProvider",
     "spec.targetRef.namespace", "APK refuses an APIPolicy that says this", kWarning},
    {"authentication_for_another_namespace",
     "kind: API, name: story-api}\n  default:\n    authTypes",
     "kind: API, name: story-api, namespace: @@b}\n  default:\n    authTypes",
     "spec.targetRef.namespace", "is not the namespace of the policy"},
    {"name_of_a_namespace", "namespace: default", "namespace: @@a/b", "metadata.namespace",
     "must be made of lower case letters"},
    {"name_with_namespace", "aiProvider: {name: story-ai}", "aiProvider: {name: @@a/story-ai}",
     "spec.default.aiProvider.name", "must be a name alone, without '/'"},
};

const Mistake kUnsafe[] = {
    {"host_with_scheme", "host: ink.example.com", "host: @@\"https://ink.example.com\"",
     "spec.services[0].host", "the scheme stands in `protocol`"},
    {"host_with_user", "host: ink.example.com", "host: @@me@ink.example.com",
     "spec.services[0].host", "without user or password"},
    {"host_with_path", "host: ink.example.com", "host: @@ink.example.com/v1",
     "spec.services[0].host", "the path stands in `basePath`"},
    {"host_with_port", "host: ink.example.com", "host: @@ink.example.com:443",
     "spec.services[0].host", "the port stands in `port`"},
    {"host_link_local", "host: ink.example.com", "host: @@169.254.169.254", "spec.services[0].host",
     "link-local"},
    {"host_link_local_v6", "host: ink.example.com", "host: @@\"fe80::1\"", "spec.services[0].host",
     "link-local"},
    {"host_link_local_mapped", "host: ink.example.com", "host: @@\"::ffff:169.254.1.1\"",
     "spec.services[0].host", "link-local"},
    {"host_as_number", "host: ink.example.com", "host: @@2852039166", "spec.services[0].host",
     "must be a host name or an IP address"},
    {"host_as_short_number", "host: ink.example.com", "host: @@169.254.43518",
     "spec.services[0].host", "must be a host name or an IP address"},
    {"host_as_hex", "host: ink.example.com", "host: @@0xa9fea9fe", "spec.services[0].host",
     "must be a host name or an IP address"},
    {"websocket", "{host: ink.example.com, port: 443}]\n  protocol: https",
     "{host: ink.example.com, port: 443}]\n  protocol: @@wss", "spec.protocol",
     "WebSockets are not served"},
    {"key_unencrypted", "{host: ink.example.com, port: 443}]\n  protocol: https\n  security:\n    ",
     "{host: ink.example.com, port: 80}]\n  protocol: http\n  security:\n    @@", "spec.security",
     "travels unencrypted", kWarning},
    {"tls_unused", "services: [{host: \"::1\", port: 8080}]",
     "services: [{host: \"::1\", port: 8080}]\n  tls: @@{certificateInline: x}", "spec.tls",
     "is not used: the protocol is http", kWarning},
    {"key_without_scheme",
     "main: QmVhcmVyIHNrLW1haW4=", "main: c2stbWFpbg==", "spec.security.apiKey.valueFrom.valueKey",
     "has no scheme such as \"Bearer \"", kWarning, "valueKey: @@main}"},
    {"key_with_shell_variable", "main: QmVhcmVyIHNrLW1haW4=", "main: QmVhcmVyICRLRVk=",
     "spec.security.apiKey.valueFrom.valueKey", "holds a `$` before a name", kWarning,
     "valueKey: @@main}"},
    {"port_of_https", "services: [{host: \"::1\", port: 8080}]",
     "services: [{host: \"::1\", port: @@443}]", "spec.services[0].port",
     "`protocol: https` is missing", kWarning},
    {"key_with_line_feed", "main: QmVhcmVyIHNrLW1haW4=", "main: QmVhcmVyIHNrLW1haW4K",
     "spec.security.apiKey.valueFrom.valueKey", "ends with a line feed; encode it with `echo -n`",
     Severity::error, "valueKey: @@main}"},
    {"key_empty", "main: QmVhcmVyIHNrLW1haW4=", "main: ''",
     "spec.security.apiKey.valueFrom.valueKey", "is empty", Severity::error, "valueKey: @@main}"},
    {"user_with_colon", "{user: ada", "{user: \"ada:b\"",
     "spec.security.basic.secretRef.usernameKey", "can't hold a colon", Severity::error,
     "usernameKey: @@user"},
    {"jwks_unencrypted", "\"https://issuer2.stories.example.com/jwks\"",
     "@@http://issuer2.stories.example.com/jwks", "spec.signatureValidation.jwks.url",
     "must begin with https://"},
    {"jwks_loopback_look_alike", "\"https://issuer2.stories.example.com/jwks\"",
     "@@http://127.0.0.1.example.com/jwks", "spec.signatureValidation.jwks.url",
     "must begin with https://"},
    {"jwks_user", "\"https://issuer2.stories.example.com/jwks\"",
     "@@https://a:b@c.example.com/jwks", "spec.signatureValidation.jwks.url",
     "neither a user nor a fragment"},
    {"jwks_scheme", "\"https://issuer2.stories.example.com/jwks\"", "@@ftp://c.example.com/jwks",
     "spec.signatureValidation.jwks.url", "must begin with https:// or file:"},
};

INSTANTIATE_TEST_SUITE_P(Missing, ReferenceMistakes, testing::ValuesIn(kMissing), mistake_name);
INSTANTIATE_TEST_SUITE_P(Contradictions, ReferenceMistakes, testing::ValuesIn(kContradictions),
                         mistake_name);
INSTANTIATE_TEST_SUITE_P(Namespaces, ReferenceMistakes, testing::ValuesIn(kNamespaces),
                         mistake_name);
INSTANTIATE_TEST_SUITE_P(Unsafe, ReferenceMistakes, testing::ValuesIn(kUnsafe), mistake_name);

}  // namespace
}  // namespace rotary::config
