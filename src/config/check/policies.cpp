#include <algorithm>
#include <map>
#include <set>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

void check_weights(Checker& checker, const std::vector<ModelEntry>& entries, const Mark& mark) {
    const bool any_weight = std::any_of(entries.begin(), entries.end(),
                                        [](const ModelEntry& entry) { return entry.weight > 0; });
    if (!entries.empty() && !any_weight) {
        checker.warning(mark, "every weight is 0: no model is ever picked");
    }
}

void check_list(Checker& checker, const std::vector<ModelEntry>& entries, const Mark& mark) {
    const std::size_t most = checker.config.limits.rotation_entries;
    if (entries.size() > most) {
        checker.error(mark, "has " + std::to_string(entries.size()) + " entries, at most " +
                                std::to_string(most) + " may be (limits.rotation_entries)");
    }
    std::set<std::pair<std::string, std::string>> seen;
    for (const ModelEntry& entry : entries) {
        const std::string backend = entry.backend ? entry.backend->name : "";
        if (entry.backend) {
            checker.must_exist("Backend", backend, entry.backend->mark, checker.resources.backends);
        }
        if (!entry.model.empty() && !seen.emplace(entry.model, backend).second) {
            checker.error(entry.mark, shown(entry.model) + " is listed twice" +
                                          (backend.empty() ? "" : " with " + shown(backend)) +
                                          "; add the weights up in one entry");
        }
    }
    check_weights(checker, entries, mark);
}

void check_spec(Checker& checker, const PolicySpec& spec) {
    if (spec.ai_provider) {
        checker.must_exist("AIProvider", spec.ai_provider->name, spec.ai_provider->mark,
                           checker.resources.ai_providers);
    }
    if (spec.rotation) {
        check_list(checker, spec.rotation->production, spec.rotation->production_mark);
        check_list(checker, spec.rotation->sandbox, spec.rotation->sandbox_mark);
    }
}

// The first field that both halves set, or nullptr.
const char* both_set(const PolicySpec& a, const PolicySpec& b) {
    if (a.rotation && b.rotation) {
        return "modelBasedRoundRobin";
    }
    if (a.ai_provider && b.ai_provider) {
        return "aiProvider";
    }
    return a.subscription_validation && b.subscription_validation ? "subscriptionValidation"
                                                                  : nullptr;
}

// APK picks one of them at random.
void check_rivals(Checker& checker, const ApiPolicy& policy, const ApiPolicy& earlier) {
    const bool same_target = policy.target.kind == TargetKind::api &&
                             earlier.target.kind == TargetKind::api &&
                             policy.target.name == earlier.target.name;
    const char* field = both_set(policy.defaults, earlier.defaults);
    field = field != nullptr ? field : both_set(policy.overrides, earlier.overrides);
    if (same_target && field != nullptr) {
        checker.error(policy.target.mark, std::string("the APIPolicy ") +
                                              shown(earlier.metadata.name) + " sets " + field +
                                              " for this API on the same level");
    }
}

bool may_have_body(const HttpRouteRule& rule) {
    for (const RouteMatch& match : rule.matches) {
        if (match.method != "GET" && match.method != "HEAD") {
            return true;
        }
    }
    return false;
}

// An entry without a backendRef stands for its route's only Backend.
void check_entries_of(Checker& checker, const Api& api, const std::vector<Reference>& routes,
                      std::vector<ModelEntry> ModelRotation::*list) {
    for (const Reference& reference : routes) {
        const HttpRoute* route = checker.resources.find_route(reference.name);
        if (route == nullptr) {
            continue;
        }
        for (const HttpRouteRule& rule : route->rules) {
            const EffectivePolicy policy = effective_policy(checker.resources, api, rule);
            if (policy.rotation == nullptr || rule.backends.size() == 1 || !may_have_body(rule)) {
                continue;
            }
            for (const ModelEntry& entry : policy.rotation->*list) {
                if (!entry.backend) {
                    checker.error(entry.mark, "has no backendRef, and the HTTPRoute " +
                                                  shown(reference.name) + " has " +
                                                  std::to_string(rule.backends.size()) +
                                                  " Backends; name one");
                }
            }
        }
    }
}

// Files have no model to choose.
bool has_no_model(const HttpRouteRule& rule) {
    return std::all_of(rule.matches.begin(), rule.matches.end(), [](const RouteMatch& match) {
        return match.path.type != PathType::regex && names_no_model(endpoint_of(match.path.value));
    });
}

// Whether the rule's requests take no turn: their clients say which model answers.
bool lets_clients_choose(const Checker& checker, const Api& api, const HttpRouteRule& rule,
                         std::vector<ModelEntry> ModelRotation::*list) {
    const EffectivePolicy policy = effective_policy(checker.resources, api, rule);
    const bool has_rotation = policy.rotation != nullptr && !(policy.rotation->*list).empty();
    return !has_rotation && !rule.redirect && may_have_body(rule) && !has_no_model(rule);
}

struct Environment {
    const char* name;
    std::vector<Reference> Api::*routes;
    std::vector<ModelEntry> ModelRotation::*list;
};

constexpr Environment kEnvironments[] = {
    {"production", &Api::production, &ModelRotation::production},
    {"sandbox", &Api::sandbox, &ModelRotation::sandbox},
};

void check_rotation_of(Checker& checker, const Api& api, const Environment& environment) {
    for (const Reference& reference : api.*environment.routes) {
        const HttpRoute* route = checker.resources.find_route(reference.name);
        const auto chooses = [&](const HttpRouteRule& rule) {
            return lets_clients_choose(checker, api, rule, environment.list);
        };
        if (route == nullptr || std::none_of(route->rules.begin(), route->rules.end(), chooses)) {
            continue;
        }
        const bool refused = checker.config.routing.without_rotation == WithoutRotation::refuse;
        const std::string consequence = refused ? "routing.without_rotation refuses such requests"
                                                : "its clients choose the model themselves";
        checker.warning(api.metadata.mark,
                        "no APIPolicy gives the API a rotation (modelBasedRoundRobin) in " +
                            std::string(environment.name) + " for the HTTPRoute " +
                            shown(reference.name) + ": " + consequence);
        return;
    }
}

}  // namespace

void check_rotations(Checker& checker) {
    // What an API seems to lack may stand in a policy that has mistakes.
    if (checker.anything_unread() || has_errors(checker.findings)) {
        return;
    }
    for (const Api& api : checker.resources.apis) {
        for (const Environment& environment : kEnvironments) {
            check_rotation_of(checker, api, environment);
        }
    }
}

void check_policies(Checker& checker) {
    const Resources& resources = checker.resources;
    const std::set<std::string_view> attached = attached_to_rules(resources, "APIPolicy");
    std::map<std::string_view, std::vector<const ApiPolicy*>> of_target;
    for (const ApiPolicy& policy : resources.policies) {
        check_spec(checker, policy.defaults);
        check_spec(checker, policy.overrides);
        for (const ApiPolicy* earlier : of_target[policy.target.name]) {
            check_rivals(checker, policy, *earlier);
        }
        of_target[policy.target.name].push_back(&policy);
        if (policy.target.name_space == policy.metadata.name_space) {
            checker.warning(policy.target.name_space_mark,
                            "APK refuses an APIPolicy that says this, even where it is the "
                            "policy's own namespace: leave it out");
        }
        check_target(checker, policy.metadata, policy.target,
                     attached.contains(policy.metadata.name));
    }
    for (const Api& api : resources.apis) {
        check_entries_of(checker, api, api.production, &ModelRotation::production);
        check_entries_of(checker, api, api.sandbox, &ModelRotation::sandbox);
    }
}

}  // namespace rotary::config
