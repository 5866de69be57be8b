#include <algorithm>
#include <cctype>

#include <rotary/base/hop_by_hop.hpp>
#include <rotary/base/text.hpp>
#include <rotary/config/yaml/suggest.hpp>
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

bool is_route_host(std::string_view text) {
    return is_host_name(text.starts_with("*.") ? text.substr(2) : text);
}

bool is_absolute_path(std::string_view text) {
    return text.starts_with('/') && has_none_of(text, " ?#\t\r\n");
}

constexpr TextRule kRewriteRule{.required = true,
                                .min = 1,
                                .max = 1024,
                                .fits = is_absolute_path,
                                .shape = "begin with '/' and hold neither '?', '#' nor spaces"};

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

RouteMatch read_match(Fields& fields) {
    RouteMatch match;
    match.mark = fields.mark();
    match.path.mark = fields.mark_of("path");
    fields.object("path", [&](Fields& path) {
        match.path.mark = path.mark_of("value");
        path.choice<PathType>("type", match.path.type,
                              {{"Exact", PathType::exact},
                               {"PathPrefix", PathType::prefix},
                               {"RegularExpression", PathType::regex}});
        TextRule rule{.min = 1, .max = 1024};
        if (match.path.type != PathType::regex) {
            rule.fits = is_absolute_path;
            rule.shape = kRewriteRule.shape;
        }
        path.text("value", match.path.value, rule);
    });
    const char* method = "";
    fields.choice<const char*>("method", method,
                               {{"GET", "GET"},
                                {"HEAD", "HEAD"},
                                {"POST", "POST"},
                                {"PUT", "PUT"},
                                {"DELETE", "DELETE"},
                                {"OPTIONS", "OPTIONS"},
                                {"PATCH", "PATCH"},
                                {"TRACE", "TRACE"},
                                {"CONNECT", "CONNECT"}});
    match.method = method;
    if (match.method == "CONNECT" || match.method == "TRACE") {
        fields.warning("method", "is not served: " + match.method + " is always refused");
    }
    fields.not_served("headers", "requests match whatever their headers are");
    fields.not_served("queryParams", "requests match whatever their query is");
    return match;
}

// What frames a message, belongs to one connection, or says what Rotary did: written by Rotary, and
// a second line of that name would have a provider or a client read the message otherwise.
bool is_written_by_rotary(std::string_view name) {
    static constexpr std::string_view kNames[] = {"content-length", "host", "x-client-request-id",
                                                  "x-request-id"};
    return text::is_hop_by_hop(name) || text::istarts_with(name, "x-rotary-") ||
           std::any_of(std::begin(kNames), std::end(kNames),
                       [name](std::string_view one) { return text::iequals(name, one); });
}

bool is_free_name(std::string_view name) { return is_token(name) && !is_written_by_rotary(name); }

void read_header_modifier(Fields& fields, HeaderModifier& modifier) {
    constexpr TextRule name{.required = true,
                            .min = 1,
                            .max = 256,
                            .fits = is_free_name,
                            .shape =
                                "be a header's name, none that Rotary writes itself (Host, "
                                "Content-Length, Transfer-Encoding, Connection and what "
                                "belongs to one, request ids, x-rotary-*)"};
    const auto read_edits = [&](const char* key, std::vector<HeaderEdit>& edits) {
        fields.each(key,
                    [&](Fields& item) {
                        HeaderEdit edit;
                        item.text("name", edit.name, name);
                        item.text("value", edit.value,
                                  {.required = true,
                                   .max = 4096,
                                   .fits = is_field_value,
                                   .shape = "hold no control characters"});
                        edits.push_back(std::move(edit));
                    },
                    {.max = 16});
    };
    read_edits("set", modifier.set);
    read_edits("add", modifier.add);
    fields.texts("remove", modifier.remove, {.max = 16}, name);
}

Fields::Visit read_modifier(HeaderModifier& modifier) {
    return [&modifier](Fields& fields) { read_header_modifier(fields, modifier); };
}

void read_path_rewrite(Fields& fields, std::optional<PathRewrite>& out) {
    fields.object("path", [&](Fields& path) {
        PathRewrite rewrite;
        path.choice<PathRewrite::Kind>("type", rewrite.kind,
                                       {{"ReplaceFullPath", PathRewrite::Kind::full},
                                        {"ReplacePrefixMatch", PathRewrite::Kind::prefix}},
                                       true);
        const bool full = rewrite.kind == PathRewrite::Kind::full;
        const char* key = full ? "replaceFullPath" : "replacePrefixMatch";
        rewrite.mark = path.mark_of(key);
        path.text(key, rewrite.value, kRewriteRule);
        out = std::move(rewrite);
    });
}

void read_rewrite(Fields& fields, HttpRouteRule& rule) {
    fields.not_served("hostname", "a backend is always asked by its own host");
    read_path_rewrite(fields, rule.rewrite);
}

Redirect read_redirect(Fields& fields) {
    Redirect redirect;
    redirect.mark = fields.mark();
    const char* scheme = "";
    fields.choice<const char*>("scheme", scheme, {{"http", "http"}, {"https", "https"}});
    redirect.scheme = scheme;
    fields.text("hostname", redirect.hostname,
                {.min = 1, .max = 253, .fits = is_host_name, .shape = "be a host name"});
    fields.number("port", redirect.port, {.min = 1, .max = 65535});
    read_path_rewrite(fields, redirect.path);
    fields.choice<unsigned>("statusCode", redirect.status,
                            {{"301", 301}, {"302", 302}, {"303", 303}, {"307", 307}, {"308", 308}});
    return redirect;
}

void read_extension(Fields& fields, HttpRouteRule& rule) {
    static const std::vector<std::string> kServed{"APIPolicy", "Authentication", "Scope"};
    fields.tolerate({"group"});
    ExtensionRef extension;
    extension.mark = fields.mark_of("name");
    fields.text("kind", extension.kind, {.required = true});
    read_local_name(fields, extension.name);
    if (std::find(kServed.begin(), kServed.end(), extension.kind) != kServed.end()) {
        rule.extensions.push_back(std::move(extension));
    } else if (extension.kind == "RateLimitPolicy" || extension.kind == "AIRateLimitPolicy") {
        fields.reading().unserved->push_back(
            {extension.kind, fields.mark_of("kind"), "requests are not limited"});
    } else if (!extension.kind.empty()) {
        fields.error("kind", "must be one of APIPolicy, Authentication, Scope, found " +
                                 shown(extension.kind) + did_you_mean(extension.kind, kServed));
    }
}

enum class FilterType {
    rewrite,
    request_headers,
    response_headers,
    extension,
    redirect,
    mirror,
    unknown
};

void read_filter(Fields& fields, HttpRouteRule& rule) {
    FilterType type = FilterType::unknown;
    const Choices<FilterType> types{{"URLRewrite", FilterType::rewrite},
                                    {"RequestHeaderModifier", FilterType::request_headers},
                                    {"ResponseHeaderModifier", FilterType::response_headers},
                                    {"ExtensionRef", FilterType::extension},
                                    {"RequestRedirect", FilterType::redirect},
                                    {"RequestMirror", FilterType::mirror}};
    fields.choice("type", type, types, true);
    fields.tolerate({"urlRewrite", "requestHeaderModifier", "responseHeaderModifier",
                     "extensionRef", "requestRedirect", "requestMirror"});
    switch (type) {
        case FilterType::rewrite:
            if (rule.rewrite) {
                fields.error("type", "this rule has an URLRewrite already");
            }
            fields.object(
                "urlRewrite", [&](Fields& f) { read_rewrite(f, rule); }, true);
            break;
        case FilterType::request_headers:
            fields.object("requestHeaderModifier", read_modifier(rule.request_headers), true);
            break;
        case FilterType::response_headers:
            fields.object("responseHeaderModifier", read_modifier(rule.response_headers), true);
            break;
        case FilterType::extension:
            fields.object(
                "extensionRef", [&](Fields& f) { read_extension(f, rule); }, true);
            break;
        case FilterType::redirect:
            if (rule.redirect) {
                fields.error("type", "this rule has a RequestRedirect already");
            }
            fields.object(
                "requestRedirect", [&](Fields& f) { rule.redirect = read_redirect(f); }, true);
            break;
        case FilterType::mirror:
            fields.warning("type", "is not served: requests go to the backends of the rule alone");
            break;
        case FilterType::unknown:
            break;
    }
}

HttpRouteRule read_rule(Fields& fields) {
    HttpRouteRule rule;
    rule.mark = fields.mark();
    fields.each("matches", [&](Fields& f) { rule.matches.push_back(read_match(f)); }, {.max = 64});
    if (rule.matches.empty()) {
        rule.matches.push_back({{}, "", rule.mark});
        rule.matches.back().path.mark = rule.mark;
    }
    fields.each("filters", [&](Fields& f) { read_filter(f, rule); }, {.max = 16});
    if (rule.redirect && rule.rewrite) {
        fields.error("filters", "has both RequestRedirect and URLRewrite; a rule does one of them");
    }
    const std::size_t least = rule.redirect ? 0 : 1;
    fields.each("backendRefs",
                [&](Fields& f) {
                    BackendRef backend;
                    backend.mark = f.mark_of("name");
                    read_backend_name(f, backend.name);
                    f.number("weight", backend.weight, {.min = 0, .max = 1'000'000});
                    f.empty_is("weight", "1 is taken");
                    f.not_served("filters", "filters stand on rules");
                    rule.backends.push_back(std::move(backend));
                },
                {.required = !rule.redirect, .min = least, .max = 64});
    fields.tolerate({"name"});
    fields.not_served("timeouts", "timeouts are set on Backends and in rotary.yaml");
    fields.not_served("retry", "retries are set on Backends and in rotary.yaml");
    fields.not_served("sessionPersistence", "requests are not bound to a backend");
    return rule;
}

}  // namespace

void read_api(Object& object) {
    Api api;
    api.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_api_spec(spec, api); }, true);
    object.resources.apis.push_back(std::move(api));
}

void read_http_route(Object& object) {
    HttpRoute route;
    route.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            route.hostnames_mark = spec.mark_of("hostnames");
            spec.tolerate({"parentRefs"});
            spec.texts("hostnames", route.hostnames, {.max = 64},
                       {.min = 1,
                        .max = 253,
                        .fits = is_route_host,
                        .shape = "be a host name, without port; it may begin with \"*.\""});
            for (std::string& host : route.hostnames) {
                std::transform(host.begin(), host.end(), host.begin(), text::lower);
            }
            spec.each("rules", [&](Fields& f) { route.rules.push_back(read_rule(f)); },
                      {.required = true, .min = 1});
        },
        true);
    object.resources.routes.push_back(std::move(route));
}

}  // namespace rotary::config
