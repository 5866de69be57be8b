#include <algorithm>

#include <rotary/base/hop_by_hop.hpp>
#include <rotary/base/text.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

bool is_route_host(std::string_view text) {
    return is_host_name(text.starts_with("*.") ? text.substr(2) : text);
}

bool is_absolute_path(std::string_view text) {
    return text.starts_with('/') && text.find_first_of(" ?#\t\r\n") == std::string_view::npos;
}

constexpr TextRule kRewriteRule{.required = true,
                                .min = 1,
                                .max = 1024,
                                .fits = is_absolute_path,
                                .shape = "begin with '/' and hold neither '?', '#' nor spaces"};

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
    static const std::vector<std::string> kServed{"APIPolicy", "Authentication", "RateLimitPolicy",
                                                  "Scope"};
    fields.tolerate({"group"});
    ExtensionRef extension;
    extension.mark = fields.mark_of("name");
    fields.text("kind", extension.kind, {.required = true, .min = 1});
    fields.knows("kind", kServed);
    read_local_name(fields, extension.name);
    if (std::find(kServed.begin(), kServed.end(), extension.kind) != kServed.end()) {
        rule.extensions.push_back(std::move(extension));
    } else if (!extension.kind.empty()) {
        fields.error("kind",
                     "must be one of APIPolicy, Authentication, RateLimitPolicy, Scope, found " +
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
