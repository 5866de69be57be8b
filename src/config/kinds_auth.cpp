#include "config/object.hpp"
#include "config/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kName{.required = true, .min = 1};
constexpr TextRule kHeaderName{.min = 1, .fits = is_token, .shape = "be a header's name"};

JwksSource read_jwks(Fields& fields) {
    JwksSource jwks;
    jwks.mark = fields.mark_of("url");
    fields.text("url", jwks.url, kName);
    constexpr std::string_view scheme = "file:";
    if (jwks.url.starts_with(scheme)) {
        std::string path = jwks.url.substr(scheme.size());
        if (path.starts_with("///")) {
            path.erase(0, 2);  // file:///etc/keys.json, RFC 8089
        }
        jwks.file = resolve_path(fields.context().folder, path);
        jwks.url.clear();
        if (path.empty()) {
            fields.error("url", "file: needs a path");
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
    spec.object(
        "signatureValidation",
        [&](Fields& fields) {
            fields.object("jwks", [&](Fields& jwks) { issuer.jwks = read_jwks(jwks); });
            fields.object("certificate", [&](Fields& certificate) {
                issuer.certificate = read_pem_source(certificate);
            });
        },
        true);
    issuer.target = read_target(spec, false);
}

void read_required(Fields& fields, bool& required) {
    fields.choice<bool>("required", required, {{"mandatory", true}, {"optional", false}});
}

OAuth2 read_oauth2(Fields& fields) {
    OAuth2 oauth2;
    read_required(fields, oauth2.required);
    fields.flag("disabled", oauth2.disabled);
    fields.text("header", oauth2.header, kHeaderName);
    fields.flag("sendTokenToUpstream", oauth2.send_token_upstream);
    return oauth2;
}

JwtAuth read_jwt(Fields& fields) {
    JwtAuth jwt;
    fields.flag("disabled", jwt.disabled);
    fields.text("header", jwt.header, kHeaderName);
    fields.texts("audience", jwt.audience, {}, {.min = 1});
    fields.flag("sendTokenToUpstream", jwt.send_token_upstream);
    return jwt;
}

ApiKeyAuth read_api_key(Fields& fields) {
    ApiKeyAuth auth;
    auth.mark = fields.mark();
    read_required(fields, auth.required);
    fields.each("keys", [&](Fields& item) {
        ApiKeyLocation key;
        item.choice<ApiKeyLocation::In>(
            "in", key.in,
            {{"Header", ApiKeyLocation::In::header}, {"Query", ApiKeyLocation::In::query}}, true);
        item.text("name", key.name, kName);
        item.flag("sendTokenToUpstream", key.send_token_upstream);
        auth.keys.push_back(std::move(key));
    });
    return auth;
}

MtlsAuth read_mtls(Fields& fields) {
    MtlsAuth mtls;
    mtls.mark = fields.mark();
    read_required(fields, mtls.required);
    fields.flag("disabled", mtls.disabled);
    fields.each_text("certificatesInline", [&](const std::string& pem, const Mark& mark) {
        PemSource source;
        source.text = pem;
        source.mark = mark;
        mtls.certificates.push_back(std::move(source));
    });
    const auto read_refs = [&](const char* key, std::optional<KeyReference> PemSource::*place) {
        fields.each(key, [&](Fields& item) {
            PemSource source;
            source.mark = item.mark();
            source.*place = read_key_reference(item, "key");
            mtls.certificates.push_back(std::move(source));
        });
    };
    read_refs("configMapRefs", &PemSource::config_map);
    read_refs("secretRefs", &PemSource::secret);
    return mtls;
}

void read_auth_spec(Fields& fields, AuthSpec& spec) {
    fields.flag("disabled", spec.disabled);
    fields.object("authTypes", [&](Fields& types) {
        spec.types.emplace();
        types.object("oauth2", [&](Fields& f) { spec.types->oauth2 = read_oauth2(f); });
        types.object("jwt", [&](Fields& f) { spec.types->jwt = read_jwt(f); });
        types.object("apiKey", [&](Fields& f) { spec.types->api_key = read_api_key(f); });
        types.object("mtls", [&](Fields& f) { spec.types->mtls = read_mtls(f); });
    });
}

}  // namespace

void read_token_issuer(Object& object) {
    TokenIssuer issuer;
    issuer.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_issuer_spec(spec, issuer); }, true);
    object.resources.issuers.push_back(std::move(issuer));
}

void read_authentication(Object& object) {
    Authentication one;
    one.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            spec.object("default", [&](Fields& f) { read_auth_spec(f, one.defaults); });
            spec.object("override", [&](Fields& f) { read_auth_spec(f, one.overrides); });
            one.target = read_target(spec, true);
        },
        true);
    object.resources.authentications.push_back(std::move(one));
}

}  // namespace rotary::config
