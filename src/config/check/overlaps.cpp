#include <map>
#include <set>
#include <tuple>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

// Where each host, path and method was first taken; the key ends with the method, which is empty
// for all methods.
class Overlaps {
public:
    explicit Overlaps(Checker& checker) : checker_(checker) {}

    void add(const std::string& host, const std::string& base, const RouteMatch& match) {
        static const std::string kAnyMethod;
        const Place place{host, match.path.type, base + match.path.value};
        std::map<std::string, const Mark*>& methods = places_[place];
        const Mark* first = nullptr;
        if (match.method.empty() && !methods.empty()) {
            first = methods.begin()->second;
        } else if (const auto same = methods.find(match.method); same != methods.end()) {
            first = same->second;
        } else if (const auto any = methods.find(kAnyMethod); any != methods.end()) {
            first = any->second;
        }
        if (first == nullptr) {
            methods.emplace(match.method, &match.path.mark);
            return;
        }
        if (!reported_.insert(&match).second) {
            return;  // with another host or base path
        }
        checker_.error(match.path.mark,
                       (match.method.empty() ? "" : match.method + " ") + base + match.path.value +
                           " on " + (host.empty() ? "any host" : host) + " is matched already at " +
                           first->file + ':' + std::to_string(first->line));
    }

private:
    using Place = std::tuple<std::string, PathType, std::string>;

    Checker& checker_;
    std::map<Place, std::map<std::string, const Mark*>> places_;
    std::set<const RouteMatch*> reported_;
};

void add_route(Overlaps& overlaps, const HttpRoute& route, const std::string& base) {
    std::vector<std::string> hosts = route.hostnames;
    if (hosts.empty()) {
        hosts.emplace_back();
    }
    for (const std::string& host : hosts) {
        for (const HttpRouteRule& rule : route.rules) {
            for (const RouteMatch& match : rule.matches) {
                overlaps.add(host, base, match);
            }
        }
    }
}

}  // namespace

void check_overlaps(Checker& checker) {
    Overlaps overlaps(checker);
    for (const Api& api : checker.resources.apis) {
        const std::vector<std::string> bases = base_paths(api);
        std::set<const HttpRoute*> seen;  // an API that names a route twice was told so
        for (const auto* list : {&api.production, &api.sandbox}) {
            for (const Reference& reference : *list) {
                const HttpRoute* route = checker.resources.find_route(reference.name);
                const bool is_new = route != nullptr && seen.insert(route).second;
                for (const std::string& base : bases) {
                    if (is_new) {
                        add_route(overlaps, *route, base);
                    }
                }
            }
        }
    }
}

}  // namespace rotary::config
