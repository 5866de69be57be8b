#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

struct Api {
    Metadata metadata;
    std::string name;       // spec.apiName
    std::string type;       // REST, GraphQL, GRPC
    std::string version;    // spec.apiVersion
    std::string base_path;  // holds the version: /chat/1.0
    std::string organization;
    std::string environment;
    std::uint32_t max_concurrent = 0;   // requests in flight: rotary/max-concurrent; 0: any
    bool is_default_version = false;    // served without the version as well
    std::vector<Reference> production;  // HTTPRoutes
    std::vector<Reference> sandbox;
    Mark base_path_mark;
};

enum class PathType { exact, prefix, regex };

struct PathMatch {
    PathType type = PathType::prefix;
    std::string value = "/";
    Mark mark;  // of value
};

struct RouteMatch {
    PathMatch path;
    std::string method;  // upper case; empty: every method
    Mark mark;
};

struct HeaderEdit {
    std::string name;
    std::string value;
};

struct HeaderModifier {
    std::vector<HeaderEdit> set;
    std::vector<HeaderEdit> add;
    std::vector<std::string> remove;
    bool empty() const { return set.empty() && add.empty() && remove.empty(); }
};

struct PathRewrite {
    enum class Kind { full, prefix };  // ReplaceFullPath, ReplacePrefixMatch
    Kind kind = Kind::full;
    std::string value;
    Mark mark;
};

// RequestRedirect: the client is sent elsewhere and no backend is asked. What is empty or 0 is as
// it was asked for.
struct Redirect {
    std::string scheme;  // http, https
    std::string hostname;
    std::uint16_t port = 0;  // with a scheme and no port: the scheme's own
    std::optional<PathRewrite> path;
    unsigned status = 302;  // 301, 302, 303, 307, 308
    Mark mark;
};

// A policy of one rule. Kinds that are served: APIPolicy, Authentication, Scope.
struct ExtensionRef {
    std::string kind;
    std::string name;
    Mark mark;  // of name
};

struct BackendRef {
    std::string name;
    std::uint32_t weight = 1;
    Mark mark;  // of name
};

struct HttpRouteRule {
    std::vector<RouteMatch> matches;  // never empty: no match means PathPrefix "/"
    std::optional<PathRewrite> rewrite;
    std::optional<Redirect> redirect;  // then there is no rewrite, and backends are not asked
    HeaderModifier request_headers;
    HeaderModifier response_headers;
    std::vector<ExtensionRef> extensions;
    std::vector<BackendRef> backends;
    Mark mark;
};

struct HttpRoute {
    Metadata metadata;
    std::vector<std::string> hostnames;  // lower case; "*.example.com" allowed; empty: any host
    std::vector<HttpRouteRule> rules;
    Mark hostnames_mark;
};

}  // namespace rotary::config
