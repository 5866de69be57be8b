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

std::string_view field_words(std::string_view kind, std::string_view path) {
    std::string plain;  // without the [] of lists
    for (const char c : path) {
        if (c != '[' && c != ']') {
            plain += c;
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
