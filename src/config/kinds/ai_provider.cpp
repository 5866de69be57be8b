#include "config/kinds/kinds.hpp"

namespace rotary::config {
namespace {

// {in, value}
void read_location(Fields& parent, const char* key, ValueLocation& location) {
    parent.object(
        key,
        [&](Fields& fields) {
            location.mark = fields.mark_of("value");
            fields.choice<ValueLocation::In>("in", location.in,
                                             {{"Body", ValueLocation::In::body},
                                              {"Header", ValueLocation::In::header},
                                              {"Query", ValueLocation::In::query},
                                              {"Path", ValueLocation::In::path}},
                                             true);
            fields.text("value", location.value, {.required = true, .min = 1});
        },
        true);
}

void read_provider_spec(Fields& spec, std::string_view version, AiProvider& provider) {
    spec.text("providerName", provider.provider_name, {.required = true, .min = 1});
    spec.text("providerAPIVersion", provider.provider_api_version, {.required = true});
    spec.text("organization", provider.organization, {.required = true});
    if (version == "v1alpha3") {
        // One field for both ways; where no answer has such a place, the usual one stays.
        using In = ValueLocation::In;
        read_location(spec, "model", provider.request_model);
        const In in = provider.request_model.in;
        if (in == In::body || in == In::header) {
            provider.response_model = provider.request_model;
        }
    } else {
        spec.texts("supportedModels", provider.supported_models);
        spec.not_served("supportedModels", "models that it leaves out are asked for all the same");
        read_location(spec, "requestModel", provider.request_model);
        read_location(spec, "responseModel", provider.response_model);
    }
    spec.object(
        "rateLimitFields",
        [&](Fields& fields) {
            read_location(fields, "promptTokens", provider.prompt_tokens);
            read_location(fields, "completionToken", provider.completion_tokens);
            read_location(fields, "totalToken", provider.total_tokens);
        },
        true);
}

}  // namespace

void read_ai_provider(Object& object) {
    AiProvider provider;
    provider.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_provider_spec(spec, object.version, provider); }, true);
    object.resources.ai_providers.push_back(std::move(provider));
}

}  // namespace rotary::config
