#include <rotary/routing/cors.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::routing {

namespace {

bool holds_any(const std::vector<std::string>& values) {
    return std::find(values.begin(), values.end(), "*") != values.end();
}

// "name: a, b" as one line, or nothing without values.
std::string line(std::string_view name, const std::vector<std::string>& values) {
    std::string joined;
    for (const std::string& value : values) {
        joined.append(joined.empty() ? std::string_view{} : ", ").append(value);
    }
    return joined.empty() ? joined : std::string(name) + ": " + joined + "\r\n";
}

}  // namespace

Cors::Cors(const config::CorsPolicy& policy)
    : any_origin(holds_any(policy.allow_origins)),
      any_method(holds_any(policy.allow_methods)),
      any_header(holds_any(policy.allow_headers)),
      credentials(policy.allow_credentials),
      origins(policy.allow_origins) {
    if (credentials) answer_lines = "access-control-allow-credentials: true\r\n";
    answer_lines += line("access-control-expose-headers", policy.expose_headers);
    if (!any_method) preflight_lines += line("access-control-allow-methods", policy.allow_methods);
    if (!any_header) preflight_lines += line("access-control-allow-headers", policy.allow_headers);
    if (policy.max_age) {
        preflight_lines +=
            "access-control-max-age: " + std::to_string(policy.max_age->count()) + "\r\n";
    }
}

bool Cors::allows(std::string_view origin) const noexcept {
    if (origin.empty()) return false;
    return any_origin ||
           std::any_of(origins.begin(), origins.end(), [origin](const std::string& allowed) {
               return text::iequals(allowed, origin);
           });
}

}  // namespace rotary::routing
