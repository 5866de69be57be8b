#include <rotary/config/check/check.hpp>

#include <algorithm>
#include <map>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

template <class Object>
void must_differ(Checker& checker, const char* kind, const std::vector<Object>& objects) {
    std::map<std::string_view, const Metadata*> seen;
    for (const Object& object : objects) {
        const Metadata& metadata = object.metadata;
        if (metadata.name.empty()) {
            continue;
        }
        const auto [first, is_new] = seen.emplace(metadata.name, &metadata);
        if (is_new) {
            continue;
        }
        const Mark& other = first->second->mark;
        checker.error(metadata.mark, std::string("there is another ") + kind + " " +
                                         shown(metadata.name) + " at " + other.file + ':' +
                                         std::to_string(other.line));
    }
}

void names_must_differ(Checker& checker) {
    const Resources& resources = checker.resources;
    must_differ(checker, "API", resources.apis);
    must_differ(checker, "HTTPRoute", resources.routes);
    must_differ(checker, "Backend", resources.backends);
    must_differ(checker, "AIProvider", resources.ai_providers);
    must_differ(checker, "APIPolicy", resources.policies);
    must_differ(checker, "TokenIssuer", resources.issuers);
    must_differ(checker, "Authentication", resources.authentications);
    must_differ(checker, "Scope", resources.scopes);
    must_differ(checker, "ConsumerKey", resources.consumer_keys);
    must_differ(checker, "Budget", resources.budgets);
    must_differ(checker, "Secret", resources.secrets);
    must_differ(checker, "ConfigMap", resources.config_maps);
    must_differ(checker, "AIRateLimitPolicy", resources.ai_rate_limits);
    must_differ(checker, "RateLimitPolicy", resources.rate_limits);
    must_differ(checker, "Subscription", resources.subscriptions);
    must_differ(checker, "Application", resources.applications);
    must_differ(checker, "ApplicationMapping", resources.application_mappings);
}

// Reports a key that is not among the values of the named object.
template <class Values>
void key_must_exist(Checker& checker, const char* kind, const KeyReference& reference,
                    const Values& values) {
    if (reference.key.empty() || values.find(reference.key) != values.end()) {
        return;
    }
    std::vector<std::string> keys;
    for (const auto& [key, value] : values) {
        keys.push_back(key);
    }
    checker.error(reference.key_mark, std::string("the ") + kind + " " + shown(reference.name) +
                                          " has no key " + shown(reference.key) +
                                          what_is_there(reference.key, keys));
}

}  // namespace

const Secret* Checker::value_of(const KeyReference& reference) {
    must_exist("Secret", reference.name, reference.mark, resources.secrets);
    const SecretObject* secret = resources.find_secret(reference.name);
    if (secret == nullptr) {
        return nullptr;
    }
    key_must_exist(*this, "Secret", reference, secret->values);
    const auto found = secret->values.find(reference.key);
    return found == secret->values.end() || !found->second.valid ? nullptr : &found->second.value;
}

void Checker::pem_must_exist(const PemSource& source) {
    if (source.secret) {
        value_of(*source.secret);
    }
    if (source.config_map) {
        const KeyReference& reference = *source.config_map;
        must_exist("ConfigMap", reference.name, reference.mark, resources.config_maps);
        if (const ConfigMap* map = resources.find_config_map(reference.name)) {
            key_must_exist(*this, "ConfigMap", reference, map->data);
        }
    }
}

std::string where_else(std::string_view kind, const std::string& identity,
                       const std::vector<std::string>& known) {
    const auto name_of = [](std::string_view one) { return one.substr(one.rfind('/') + 1); };
    const auto same_name = std::find_if(known.begin(), known.end(), [&](const std::string& other) {
        return name_of(other) == name_of(identity);
    });
    if (same_name == known.end()) {
        return what_is_there(identity, known);
    }
    const std::size_t slash = same_name->find('/');
    const std::string home =
        slash == std::string::npos ? kDefaultNamespace : same_name->substr(0, slash);
    return "; there is one in the namespace " + shown(home) +
           (kind == "Backend" ? ", which a backendRef may name by its own field `namespace`"
                              : ", and this reference stays in its object's own: give both "
                                "objects the same metadata.namespace");
}

void check_target(Checker& checker, const Metadata& policy, const TargetRef& target,
                  bool is_attached) {
    if (!target.name_space.empty() && target.name_space != policy.name_space) {
        checker.error(target.name_space_mark,
                      "is not the namespace of the policy, " + shown(policy.name_space) +
                          ": as in APK, a policy is for objects of its own namespace");
        return;
    }
    if (target.kind == TargetKind::api) {
        checker.must_exist("API", target.name, target.mark, checker.resources.apis);
    } else if (target.kind == TargetKind::gateway) {
        checker.warning(target.mark,
                        "is not served: a policy for a whole gateway has no effect; "
                        "name an API");
    } else if (target.kind == TargetKind::resource && !is_attached && !checker.anything_unread()) {
        checker.warning(target.mark,
                        "no HTTPRoute refers to this policy by an ExtensionRef: it has no effect");
    }
}

std::set<std::string_view> attached_to_rules(const Resources& resources, const char* kind) {
    std::set<std::string_view> names;
    for (const HttpRoute& route : resources.routes) {
        for (const HttpRouteRule& rule : route.rules) {
            for (const ExtensionRef& extension : rule.extensions) {
                if (extension.kind == kind) {
                    names.insert(extension.name);
                }
            }
        }
    }
    return names;
}

void check(const Config& config, const Resources& resources, const NamedFiles& files,
           std::vector<Finding>& findings) {
    Checker checker{config, resources, files, findings};
    check_settings(checker);
    names_must_differ(checker);
    check_apis(checker);
    check_overlaps(checker);
    check_hosts(checker);
    check_backends(checker);
    check_policies(checker);
    check_providers(checker);
    check_issuers(checker);
    check_authentications(checker);
    check_consumer_keys(checker);
    check_budgets(checker);
    check_rotations(checker);
    check_quotas(checker);
    check_unserved(checker);
}

}  // namespace rotary::config
