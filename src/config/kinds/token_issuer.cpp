#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kName{.required = true, .min = 1};

JwksSource read_jwks(Fields& fields) {
    JwksSource jwks;
    jwks.mark = fields.mark_of("url");
    fields.text("url", jwks.url, {.min = 1});  // without one: by discovery
    constexpr std::string_view scheme = "file:";
    if (jwks.url.starts_with(scheme)) {
        std::string path = jwks.url.substr(scheme.size());
        if (path.starts_with("///")) {
            path.erase(0, 2);  // file:///etc/keys.json, RFC 8089
        }
        jwks.file = resolve_path(fields.reading().folder, path);
        jwks.url.clear();
        if (path.empty()) {
            fields.error("url", "file: needs a path");
        } else if (!fields.reading().is_local) {
            fields.error("url",
                         "an object may not name a file of the gateway's machine: give the "
                         "keys' https:// URL");
            jwks.file.clear();
        }
    }
    fields.object("tls", [&](Fields& tls) { jwks.ca = read_pem_source(tls); });
    return jwks;
}

void read_issuer_spec(Fields& spec, TokenIssuer& issuer) {
    issuer.issuer_mark = spec.mark_of("issuer");
    issuer.validation_mark = spec.mark_of("signatureValidation");
    spec.text("name", issuer.name, kName);
    spec.text("issuer", issuer.issuer, kName);
    spec.text("organization", issuer.organization, kName);
    spec.text("consumerKeyClaim", issuer.consumer_key_claim, kName);
    spec.text("scopesClaim", issuer.scopes_claim, kName);
    spec.texts("environments", issuer.environments, {}, {.min = 1});
    spec.not_served("claimMappings", "backends get no JWT about the caller to rename claims in");
    bool has_certificate = false;
    spec.object("signatureValidation", [&](Fields& fields) {
        fields.object("jwks", [&](Fields& jwks) { issuer.jwks = read_jwks(jwks); });
        has_certificate = fields.object("certificate", [&](Fields& certificate) {
            issuer.certificate = read_pem_source(certificate);
        });
    });
    if (!issuer.jwks && !has_certificate) {
        issuer.jwks.emplace();
    }
    if (issuer.jwks && issuer.jwks->url.empty() && issuer.jwks->file.empty()) {
        issuer.jwks->mark = issuer.issuer_mark;  // by discovery
    }
    issuer.target = read_target(spec, false);
}

void read_issuer_annotations(Object& object, TokenIssuer& issuer) {
    constexpr std::string_view allow_http = "rotary/allow-http-jwks";
    for (const auto& [key, value] : issuer.metadata.annotations) {
        if (key != allow_http) {
            object.fields.warning("metadata", "the annotation " + key + " is not known; known is " +
                                                  std::string(allow_http));
        } else if (value != "true" && value != "false") {
            object.fields.error("metadata",
                                "the annotation " + key + " must be \"true\" or \"false\"");
        } else if (issuer.jwks) {
            issuer.jwks->allow_http = value == "true";
        }
    }
}

}  // namespace

void read_token_issuer(Object& object) {
    TokenIssuer issuer;
    issuer.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_issuer_spec(spec, issuer); }, true);
    read_issuer_annotations(object, issuer);
    object.resources.issuers.push_back(std::move(issuer));
}

}  // namespace rotary::config
