#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

ModelEntry read_entry(Fields& fields) {
    constexpr long long most = 1'000'000'000;
    ModelEntry entry;
    entry.mark = fields.mark_of("model");
    entry.weight_mark = fields.mark_of("weight");
    fields.text("model", entry.model,
                {.required = true,
                 .min = 1,
                 .fits = is_field_value,
                 .shape = "hold no control characters"});
    fields.number("weight", entry.weight, {.min = 0, .max = most});
    fields.empty_is("weight", "1 is taken");
    fields.object("backendRef", [&](Fields& backend) {
        backend.not_served("filters", "filters stand on rules");
        if (backend.has("weight")) {
            backend.warning("weight",
                            "is not served here: an entry's weight stands beside its "
                            "backendRef, not inside");
        }
        backend.tolerate({"weight"});
        entry.backend.emplace().mark = backend.mark_of("name");
        read_backend_name(backend, entry.backend->name);
    });
    return entry;
}

ModelRotation read_rotation(Fields& fields) {
    constexpr long long longest = 366LL * 24 * 3600;
    ModelRotation rotation;
    rotation.mark = fields.mark();
    rotation.production_mark = fields.mark_of("productionModels");
    rotation.sandbox_mark = fields.mark_of("sandboxModels");
    fields.number("onQuotaExceedSuspendDuration", rotation.suspend, {.min = 0, .max = longest});
    const auto read_list = [&](const char* key, std::vector<ModelEntry>& list) {
        fields.each(key, [&](Fields& entry) { list.push_back(read_entry(entry)); },
                    {.required = true});
    };
    read_list("productionModels", rotation.production);
    read_list("sandboxModels", rotation.sandbox);
    return rotation;
}

CorsPolicy read_cors(Fields& fields) {
    constexpr long long longest = 366LL * 24 * 3600;
    constexpr TextRule value{
        .min = 1, .fits = is_field_value, .shape = "hold no control characters"};
    constexpr TextRule token{.min = 1, .fits = is_token, .shape = "be a single word"};
    CorsPolicy cors;
    cors.mark = fields.mark();
    fields.flag("enabled", cors.enabled);
    fields.flag("accessControlAllowCredentials", cors.allow_credentials);
    fields.texts("accessControlAllowOrigins", cors.allow_origins, {}, value);
    fields.texts("accessControlAllowMethods", cors.allow_methods, {}, token);
    fields.texts("accessControlAllowHeaders", cors.allow_headers, {}, token);
    fields.texts("accessControlExposeHeaders", cors.expose_headers, {}, token);
    std::chrono::seconds max_age{0};
    if (fields.number("accessControlMaxAge", max_age, {.min = 0, .max = longest})) {
        cors.max_age = max_age;
    }
    return cors;
}

void read_policy_spec(Fields& fields, PolicySpec& spec) {
    fields.object("aiProvider", [&](Fields& provider) {
        spec.ai_provider.emplace().mark = provider.mark_of("name");
        read_local_name(provider, spec.ai_provider->name);
    });
    fields.object("modelBasedRoundRobin", [&](Fields& f) { spec.rotation = read_rotation(f); });
    fields.object("cORSPolicy", [&](Fields& f) { spec.cors = read_cors(f); });
    fields.flag("subscriptionValidation", spec.subscription_validation);
    for (const char* key : {"backendJwtPolicy", "requestInterceptors", "responseInterceptors"}) {
        fields.unserved(key);
    }
}

// Of the annotations that begin with rotary/.
void read_annotations(Object& object, ApiPolicy& policy) {
    const auto found = policy.metadata.annotations.find("rotary/endpoints");
    if (found == policy.metadata.annotations.end()) {
        return;
    }
    std::string wrong;
    const auto endpoints = read_endpoint_set(found->second, wrong);
    if (!endpoints) {
        object.fields.error("metadata",
                            "the annotation rotary/endpoints must be names of "
                            "endpoints, with commas between them: " +
                                wrong);
        return;
    }
    bool is_used = false;
    for (PolicySpec* spec : {&policy.defaults, &policy.overrides}) {
        if (spec->rotation) {
            spec->rotation->endpoints = *endpoints;
            is_used = true;
        }
    }
    if (!is_used) {
        object.fields.error("metadata",
                            "the annotation rotary/endpoints is for policies with "
                            "modelBasedRoundRobin: it says what that serves");
    }
}

}  // namespace

void read_api_policy(Object& object) {
    ApiPolicy policy;
    policy.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            spec.object("default", [&](Fields& f) { read_policy_spec(f, policy.defaults); });
            spec.object("override", [&](Fields& f) { read_policy_spec(f, policy.overrides); });
            policy.target = read_target(spec, true);
        },
        true);
    read_annotations(object, policy);
    object.resources.policies.push_back(std::move(policy));
}

}  // namespace rotary::config
