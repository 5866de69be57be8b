#include "config/schema/shapes.hpp"

namespace rotary::config {
namespace {

struct Row {
    std::string_view kind;  // empty: of every kind that has the field
    std::string_view path;
    std::string_view words;
};

constexpr Row kRows[] = {
    {"", "metadata.name", "Its name, by which others refer to it."},
    {"", "metadata.namespace", "Where it is; names without one are of the same namespace."},
    {"", "metadata.annotations", "Those that begin with rotary/ are read."},
    {"", "spec.targetRef", "What it is for."},
    {"", "spec.targetRef.name", "The name of that object."},
    {"", "spec.targetRef.kind", "API, Resource or Gateway."},
    {"", "spec.override", "Goes before what is said for one API or rule."},
    {"", "spec.default", "What holds where nothing else is said."},
    {kShortForm, "providers",
     "Accounts at providers, by names of yours: with apis the short form, which stands for "
     "resources."},
    {kShortForm, "providers.NAME.format", "How requests are written and where the key stands."},
    {kShortForm, "providers.NAME.url", "Its address, with what every path there begins with."},
    {kShortForm, "providers.NAME.key",
     "The key alone, best as a variable: \"${OPENAI_API_KEY}\"; none where the provider asks for "
     "none."},
    {kShortForm, "providers.NAME.key_file",
     "In place of key: the file that holds it, read again when it changes."},
    {kShortForm, "kubernetes",
     "In place of resources: the objects of a Kubernetes cluster, as they change."},
    {kShortForm, "kubernetes.namespace",
     "Whose objects are served; none: the pod's, or the context's, own."},
    {kShortForm, "kubernetes.namespaces", "Several in place of one, or \"*\" alone: all of them."},
    {kShortForm, "kubernetes.label_selector",
     "Only objects with these labels are served; Secrets and ConfigMaps need none."},
    {kShortForm, "kubernetes.kubeconfig",
     "A file that says where the API server is; none: in a cluster, by the service account."},
    {kShortForm, "kubernetes.context", "Of the kubeconfig; none: its current one."},
    {kShortForm, "kubernetes.service_account",
     "The folder with the service account's token, ca.crt and namespace."},
    {kShortForm, "apis", "What is served to clients."},
    {kShortForm, "apis.path",
     "What all its paths begin with, the version at its end: clients' base URL is "
     "https://HOST:9095 and it."},
    {kShortForm, "apis.name", "What it is called in logs and metrics; made of the path."},
    {kShortForm, "apis.issuer",
     "The issuer whose tokens pass; where its keys are is found by discovery."},
    {kShortForm, "apis.jwks", "Where the issuer's keys are, a URL or file:PATH."},
    {kShortForm, "apis.keys",
     "Consumers with API keys: of each the hash that `rotary key new` prints, or several."},
    {kShortForm, "apis.suspend_seconds",
     "How long a model rests whose quota is used up, in seconds; the longer of this and what the "
     "provider says."},
    {kShortForm, "apis.endpoints", "What it has; left out: what its models have."},
    {kShortForm, "apis.production", "The models that take turns."},
    {kShortForm, "apis.production.hosts", "The hosts of the environment; none: any host."},
    {kShortForm, "apis.production.models", "The models that take turns."},
    {kShortForm, "apis.production.model", "Its name at the provider."},
    {kShortForm, "apis.production.provider",
     "The provider that has it; may be left out where there is one."},
    {kShortForm, "apis.production.weight",
     "Its share of the requests against the other weights; 1 when it is left out."},
    {kShortForm, "apis.production.endpoints",
     "What it can do; chat, completions and responses when it is left out."},
    {kShortForm, "apis.sandbox", "The same on other hosts: nothing of it is production's."},
    {kShortForm, "apis.sandbox.hosts", "The hosts that tell its requests from production's."},
    {kShortForm, "apis.sandbox.models", "The models that take turns there."},
    {"API", "spec.apiName", "What it is called in logs and metrics."},
    {"API", "spec.apiType", "REST is served."},
    {"API", "spec.apiVersion", "Its version, which basePath holds."},
    {"API", "spec.basePath", "What all its paths begin with, the version included."},
    {"API", "spec.isDefaultVersion", "true: it is served without the version too."},
    {"API", "spec.organization", "Whose token issuers it trusts."},
    {"API", "spec.environment", "The environment for which tokens must be issued."},
    {"API", "spec.production", "The HTTPRoutes of its production environment."},
    {"API", "spec.sandbox", "The HTTPRoutes of its sandbox environment."},
    {"HTTPRoute", "spec.hostnames",
     "Hosts that it serves, \"*.\" for all names below; none: any host."},
    {"HTTPRoute", "spec.rules",
     "What is served there: the rule whose path fits best serves a request."},
    {"HTTPRoute", "spec.rules.matches", "Which requests the rule is for."},
    {"HTTPRoute", "spec.rules.matches.path", "Compared with the path behind the API's basePath."},
    {"HTTPRoute", "spec.rules.matches.method", "Only this method; none: each."},
    {"HTTPRoute", "spec.rules.filters", "What is changed in requests and answers."},
    {"HTTPRoute", "spec.rules.filters.type", "Which of the filters this is."},
    {"HTTPRoute", "spec.rules.backendRefs",
     "The Backends of requests without a rotation, by their weights."},
    {"HTTPRoute", "spec.rules.backendRefs.weight", "Its share; 1 when it is left out, 0 for none."},
    {"Backend", "spec.services", "Where the provider is: one host and port."},
    {"Backend", "spec.services.host", "Its name or address."},
    {"Backend", "spec.services.port", "Its port."},
    {"Backend", "spec.basePath", "What every path there begins with."},
    {"Backend", "spec.protocol", "http or https."},
    {"Backend", "spec.tls", "Whom to trust for https; without it the system's authorities."},
    {"Backend", "spec.security", "The gateway's own credential there."},
    {"Backend", "spec.security.apiKey", "A key, in a header or a parameter."},
    {"Backend", "spec.security.apiKey.in", "Header or Query."},
    {"Backend", "spec.security.apiKey.name", "Of the header or parameter."},
    {"Backend", "spec.security.apiKey.valueFrom",
     "The Secret and its key that hold it, sent as it is."},
    {"Backend", "spec.security.basic", "User and password out of a Secret."},
    {"Backend", "spec.timeout", "How long it may take."},
    {"Backend", "spec.timeout.upstreamResponseTimeout",
     "Seconds until the first byte of an answer."},
    {"Backend", "spec.timeout.downstreamRequestIdleTimeout",
     "Seconds of silence within an answer."},
    {"Backend", "spec.retry", "Further tries here."},
    {"Backend", "spec.retry.count", "How many of them."},
    {"Backend", "spec.retry.baseIntervalMillis",
     "The wait before the first one, doubled each time."},
    {"Backend", "spec.retry.statusCodes", "Answers that are tried again."},
    {"Backend", "spec.circuitBreaker", "How much may go there at once."},
    {"Backend", "spec.healthCheck", "Whether the host is there, asked at intervals."},
    {"AIProvider", "spec.providerName", "What the provider is called."},
    {"AIProvider", "spec.requestModel", "Where the model stands in a request."},
    {"AIProvider", "spec.responseModel", "Where the model stands in an answer."},
    {"AIProvider", "spec.rateLimitFields", "Where an answer tells what it used."},
    {"APIPolicy", "spec.default.aiProvider", "The AIProvider whose format the API speaks."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin", "The models that serve the API in turn."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.onQuotaExceedSuspendDuration",
     "Seconds an entry is out after its quota is used up."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.productionModels", "The list of production."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.productionModels.model",
     "The model's name at its provider."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.productionModels.weight",
     "Its share of the requests; 0 for none."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.productionModels.backendRef",
     "The Backend that has it."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.sandboxModels", "The list of the sandbox."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.sandboxModels.model",
     "The model's name at its provider."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.sandboxModels.weight",
     "Its share of the requests; 0 for none."},
    {"APIPolicy", "spec.default.modelBasedRoundRobin.sandboxModels.backendRef",
     "The Backend that has it."},
    {"APIPolicy", "spec.default.subscriptionValidation",
     "true: only applications with a Subscription may call."},
    {"TokenIssuer", "spec.issuer", "The `iss` of its tokens, compared exactly."},
    {"TokenIssuer", "spec.organization", "Whose APIs take its tokens."},
    {"TokenIssuer", "spec.environments", "Of which environments; none: of all."},
    {"TokenIssuer", "spec.consumerKeyClaim", "The claim that names the application."},
    {"TokenIssuer", "spec.scopesClaim", "The claim with the scopes."},
    {"TokenIssuer", "spec.signatureValidation", "The keys of its signatures."},
    {"TokenIssuer", "spec.signatureValidation.jwks", "A key set that is fetched."},
    {"TokenIssuer", "spec.signatureValidation.jwks.url", "https://..., or file:PATH."},
    {"TokenIssuer", "spec.signatureValidation.certificate", "A certificate with its key."},
    {"Authentication", "spec.default.disabled", "true: the API asks for no credential."},
    {"Authentication", "spec.default.authTypes", "The kinds of credentials that let a caller in."},
    {"Authentication", "spec.default.authTypes.oauth2", "A token as Bearer in a header."},
    {"Authentication", "spec.default.authTypes.jwt", "A token in a header of its own."},
    {"Authentication", "spec.default.authTypes.apiKey", "An API key in a header or parameter."},
    {"Scope", "spec.names", "The scopes of which a token needs one."},
    {"Secret", "data", "Values in base64."},
    {"Secret", "stringData", "Values as they are."},
    {"ConfigMap", "data", "Texts by their keys."},
    {"ConsumerKey", "spec.consumer", "Who the key's owner is, in limits, logs and sums."},
    {"ConsumerKey", "spec.keys",
     "The keys, of which only hashes are known: `rotary key new` makes one."},
    {"ConsumerKey", "spec.keys.hash", "sha256: and the hash."},
    {"ConsumerKey", "spec.keys.notBefore", "When it begins to be valid."},
    {"ConsumerKey", "spec.keys.notAfter", "From when on it is not valid."},
    {"ConsumerKey", "spec.models", "The models that it is for; none: all."},
    {"ConsumerKey", "spec.apis", "The APIs that it is for; none: all."},
    {"ConsumerKey", "spec.scopes", "The scopes that it has."},
    {"ConsumerKey", "spec.disabled", "true: it lets nothing in."},
};

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> fields_with_words() {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    for (const Row& row : kRows) all.emplace_back(row.kind, row.path);
    return all;
}

std::string_view field_words(std::string_view kind, std::string_view path) {
    std::string plain;  // without the [] of lists
    for (const char c : path) {
        if (c != '[' && c != ']') {
            plain += c;
        }
    }
    if (kind == kShortForm) {
        for (const std::string_view list : {"apis.production.models.", "apis.sandbox.models."}) {
            if (plain.starts_with(list)) {
                plain = "apis.production." + plain.substr(list.size());
            }
        }
    }
    for (const Row& row : kRows) {
        if ((row.kind.empty() || row.kind == kind) && row.path == plain) {
            return row.words;
        }
    }
    return {};
}

}  // namespace rotary::config
