#include <algorithm>
#include <cctype>

#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

bool has_none_of(std::string_view text, std::string_view marks) {
    return text.find_first_of(marks) == std::string_view::npos;
}

bool is_api_name(std::string_view text) {
    return has_none_of(text, "~!@#;:%^*()+={}|\\<>\"',&$[]/");
}

bool is_api_version(std::string_view text) {
    return has_none_of(text, "~!@#;:%^*()+={}|\\<>\"',&/$[] \t\r\n\v\f");
}

bool is_base_path(std::string_view text) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("~/_.-").find(c) != std::string_view::npos;
    };
    return text.starts_with('/') && std::all_of(text.begin(), text.end(), fits);
}

void read_route_refs(Fields& spec, const char* environment, std::vector<Reference>& out) {
    spec.each(environment,
              [&](Fields& fields) {
                  // v1alpha1 called them httpRouteRefs.
                  const char* key = fields.has("httpRouteRefs") ? "httpRouteRefs" : "routeRefs";
                  fields.each_text(
                      key,
                      [&](const std::string& name, const Mark& mark) {
                          out.push_back({identity_of(fields, name), mark});
                      },
                      {.required = true}, kReferenceName);
              },
              {.max = 1});
}

void read_api_spec(Fields& spec, Api& api) {
    api.base_path_mark = spec.mark_of("basePath");
    spec.text("apiName", api.name,
              {.required = true,
               .min = 1,
               .max = 60,
               .fits = is_api_name,
               .shape = "hold none of ~!@#;:%^*()+={}|\\<>\"',&$[]/"});
    const char* type = "REST";
    spec.choice<const char*>("apiType", type,
                             {{"REST", "REST"}, {"GraphQL", "GraphQL"}, {"GRPC", "GRPC"}}, true);
    api.type = type;
    if (api.type != "REST") {
        spec.warning("apiType",
                     "is not served: " + api.type + " requests are treated as plain HTTP/1.1");
    }
    spec.text("apiVersion", api.version,
              {.required = true,
               .min = 1,
               .max = 30,
               .fits = is_api_version,
               .shape = "hold neither spaces nor any of ~!@#;:%^*()+={}|\\<>\"',&/$[]"});
    spec.text("basePath", api.base_path,
              {.required = true,
               .fits = is_base_path,
               .shape = "begin with '/' and be made of letters, digits and ~ / _ . -"});
    spec.text("organization", api.organization);
    spec.text("environment", api.environment);
    spec.flag("isDefaultVersion", api.is_default_version);
    read_route_refs(spec, "production", api.production);
    read_route_refs(spec, "sandbox", api.sandbox);
    spec.not_served("apiProperties", "nothing reads an API's properties");
    spec.not_served("definitionFileRef", "the API's definition is not published");
    spec.not_served("definitionPath", "the API's definition is not published");
    spec.not_served("systemAPI", "every API is treated alike");
    if (!spec.has("production") && !spec.has("sandbox")) {
        spec.error("", "needs production or sandbox with routeRefs, or nothing can reach it");
    }
}

// Of the annotations that begin with rotary/.
void read_api_annotations(Object& object, Api& api) {
    const auto limit = api.metadata.annotations.find("rotary/max-concurrent");
    if (limit == api.metadata.annotations.end()) {
        return;
    }
    const auto number = parse_integer(limit->second);
    if (!number || *number < 1 || *number > static_cast<long long>(kMostConcurrent)) {
        object.fields.error("metadata",
                            "the annotation rotary/max-concurrent must be a number "
                            "from 1 to " +
                                std::to_string(kMostConcurrent));
        return;
    }
    api.max_concurrent = static_cast<std::uint32_t>(*number);
}

}  // namespace

void read_api(Object& object) {
    Api api;
    api.metadata = object.metadata;
    read_api_annotations(object, api);
    object.fields.object(
        "spec", [&](Fields& spec) { read_api_spec(spec, api); }, true);
    object.resources.apis.push_back(std::move(api));
}

}  // namespace rotary::config
