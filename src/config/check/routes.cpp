#include <set>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

void check_extension(Checker& checker, const ExtensionRef& extension) {
    const Resources& resources = checker.resources;
    const char* kind = extension.kind.c_str();
    if (extension.kind == "APIPolicy") {
        checker.must_exist(kind, extension.name, extension.mark, resources.policies);
    } else if (extension.kind == "Authentication") {
        checker.must_exist(kind, extension.name, extension.mark, resources.authentications);
    } else if (extension.kind == "RateLimitPolicy") {
        checker.must_exist(kind, extension.name, extension.mark, resources.rate_limits);
    } else {
        checker.must_exist(kind, extension.name, extension.mark, resources.scopes);
    }
}

void check_rule(Checker& checker, const HttpRouteRule& rule) {
    for (const ExtensionRef& extension : rule.extensions) {
        check_extension(checker, extension);
    }
    bool any_weight = rule.backends.empty();
    for (const BackendRef& backend : rule.backends) {
        checker.must_exist("Backend", backend.name, backend.mark, checker.resources.backends);
        any_weight = any_weight || backend.weight > 0;
    }
    if (!any_weight) {
        checker.warning(rule.backends.front().mark,
                        "every backendRef of this rule has the weight 0: without a rotation it "
                        "can't be served");
    }
    if (rule.rewrite && rule.rewrite->kind == PathRewrite::Kind::prefix) {
        for (const RouteMatch& match : rule.matches) {
            if (match.path.type != PathType::prefix) {
                checker.error(rule.rewrite->mark,
                              "ReplacePrefixMatch needs matches of the type PathPrefix");
            }
        }
    }
}

void check_api(Checker& checker, const Api& api) {
    if (!api.base_path.empty() && !api.version.empty() &&
        !api.base_path.ends_with('/' + api.version) &&
        !api.base_path.ends_with("/v" + api.version)) {
        checker.error(api.base_path_mark, "must end with the API's version: \"/" + api.version +
                                              "\" or \"/v" + api.version + '"');
    }
    std::set<std::string_view> production;
    for (const Reference& route : api.production) {
        checker.must_exist("HTTPRoute", route.name, route.mark, checker.resources.routes);
        if (!production.insert(route.name).second) {
            checker.error(route.mark, shown(route.name) + " is named twice");
        }
    }
    std::set<std::string_view> sandbox;
    for (const Reference& route : api.sandbox) {
        checker.must_exist("HTTPRoute", route.name, route.mark, checker.resources.routes);
        if (production.contains(route.name)) {
            checker.error(route.mark, shown(route.name) +
                                          " is a production route already; the "
                                          "route decides the environment");
        } else if (!sandbox.insert(route.name).second) {
            checker.error(route.mark, shown(route.name) + " is named twice");
        }
    }
}

}  // namespace

void check_apis(Checker& checker) {
    std::set<std::string_view> named;
    for (const Api& api : checker.resources.apis) {
        check_api(checker, api);
        for (const auto* list : {&api.production, &api.sandbox}) {
            for (const Reference& route : *list) {
                named.insert(route.name);
            }
        }
    }
    for (const HttpRoute& route : checker.resources.routes) {
        for (const HttpRouteRule& rule : route.rules) {
            check_rule(checker, rule);
        }
        if (!named.contains(route.metadata.name) && !checker.anything_unread()) {
            checker.warning(route.metadata.mark, "no API names this route: it is not served");
        }
    }
}

}  // namespace rotary::config
