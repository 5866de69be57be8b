#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr TextRule kName{.required = true, .min = 1};

// Header lines whose names hold an underscore are dropped before they are looked at.
bool is_read_header(std::string_view name) {
    return is_token(name) && name.find('_') == std::string_view::npos;
}
constexpr const char* kHeaderShape =
    "be a header's name without '_': header lines with such names are dropped";
constexpr TextRule kHeaderName{.min = 1, .fits = is_read_header, .shape = kHeaderShape};

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

void read_api_keys(Fields& fields, const char* key, std::vector<ApiKeyLocation>& keys) {
    fields.each(key, [&](Fields& item) {
        ApiKeyLocation place;
        place.mark = item.mark_of("in");
        item.choice<ApiKeyLocation::In>(
            "in", place.in,
            {{"Header", ApiKeyLocation::In::header}, {"Query", ApiKeyLocation::In::query}}, true);
        TextRule name = kName;
        if (place.in == ApiKeyLocation::In::header) {
            name.fits = is_read_header;
            name.shape = kHeaderShape;
        }
        item.text("name", place.name, name);
        item.flag("sendTokenToUpstream", place.send_token_upstream);
        keys.push_back(std::move(place));
    });
}

ApiKeyAuth read_api_key(Fields& fields) {
    ApiKeyAuth auth;
    auth.mark = fields.mark();
    read_required(fields, auth.required);
    read_api_keys(fields, "keys", auth.keys);
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

void read_types(Fields& types, AuthTypes& out) {
    types.object("oauth2", [&](Fields& f) { out.oauth2 = read_oauth2(f); });
    types.object("jwt", [&](Fields& f) { out.jwt = read_jwt(f); });
    types.object("apiKey", [&](Fields& f) { out.api_key = read_api_key(f); });
    types.object("mtls", [&](Fields& f) { out.mtls = read_mtls(f); });
}

// v1alpha1 has no `required`: its types are alternatives, apiKey is the list itself, and what came
// to be called jwt is called testConsoleKey and is on where it is written.
void read_types_v1alpha1(Fields& types, AuthTypes& out) {
    types.object("oauth2", [&](Fields& fields) {
        out.oauth2.emplace().required = false;
        fields.flag("disabled", out.oauth2->disabled);
        fields.text("header", out.oauth2->header, kHeaderName);
        fields.flag("sendTokenToUpstream", out.oauth2->send_token_upstream);
    });
    ApiKeyAuth keys;
    keys.mark = types.mark_of("apiKey");
    read_api_keys(types, "apiKey", keys.keys);
    if (!keys.keys.empty()) out.api_key = std::move(keys);
    types.object("testConsoleKey", [&](Fields& fields) {
        out.jwt.emplace().disabled = false;
        fields.text("header", out.jwt->header, kHeaderName);
        fields.flag("sendTokenToUpstream", out.jwt->send_token_upstream);
    });
}

void read_auth_spec(Fields& fields, bool is_v1alpha1, AuthSpec& spec) {
    fields.flag("disabled", spec.disabled);
    fields.object("authTypes", [&](Fields& types) {
        spec.types_mark = types.mark();
        spec.types.emplace();
        if (is_v1alpha1) {
            read_types_v1alpha1(types, *spec.types);
        } else {
            read_types(types, *spec.types);
        }
    });
}

}  // namespace

void read_authentication(Object& object) {
    Authentication one;
    one.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            const bool old = object.version == "v1alpha1";
            spec.object("default", [&](Fields& f) { read_auth_spec(f, old, one.defaults); });
            spec.object("override", [&](Fields& f) { read_auth_spec(f, old, one.overrides); });
            one.target = read_target(spec, true);
        },
        true);
    object.resources.authentications.push_back(std::move(one));
}

}  // namespace rotary::config
