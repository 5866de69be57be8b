#include <rotary/config/check/effective.hpp>

#include <algorithm>

namespace rotary::config {
namespace {

const std::string kDefaultEnvironment = "Default";   // of APK's adapter
const std::string kDefaultOrganization = "default";  // of APK's chart

// The policies of one kind that a rule refers to, in the order of its filters.
template <class Policy>
std::vector<const Policy*> of_rule(const HttpRouteRule& rule, const char* kind,
                                   const Resources& resources,
                                   const Policy* (Resources::*find)(std::string_view) const) {
    std::vector<const Policy*> found;
    for (const ExtensionRef& extension : rule.extensions) {
        if (extension.kind == kind) {
            if (const Policy* policy = (resources.*find)(extension.name)) {
                found.push_back(policy);
            }
        }
    }
    return found;
}

// The halves of all policies, the one with the first say first.
template <class Spec, class Policy>
std::vector<const Spec*> by_priority(const std::vector<const Policy*>& api,
                                     const std::vector<const Policy*>& rule) {
    std::vector<const Spec*> specs;
    for (const Policy* policy : api) {
        specs.push_back(&policy->overrides);
    }
    for (const Policy* policy : rule) {
        specs.push_back(&policy->overrides);
    }
    for (const Policy* policy : rule) {
        specs.push_back(&policy->defaults);
    }
    for (const Policy* policy : api) {
        specs.push_back(&policy->defaults);
    }
    return specs;
}

// authTypes counts as one field: its types are alternatives to each other, and a mixture of two
// levels' would let in what neither wanted.
EffectiveAuthentication merge(const std::vector<const AuthSpec*>& specs) {
    EffectiveAuthentication effective;
    const bool* disabled = nullptr;
    const AuthTypes* types = nullptr;
    for (const AuthSpec* spec : specs) {
        if (disabled == nullptr && spec->disabled) {
            disabled = &*spec->disabled;
        }
        if (types == nullptr && spec->types) {
            types = &*spec->types;
        }
    }
    if (types != nullptr) {
        OAuth2 unsaid;
        unsaid.required = false;
        effective.oauth2 = types->oauth2.value_or(unsaid);
        effective.jwt = types->jwt.value_or(JwtAuth{});
        effective.api_key = types->api_key ? &*types->api_key : nullptr;
        effective.mtls = types->mtls && !types->mtls->disabled ? &*types->mtls : nullptr;
    }
    const bool any_type = !effective.oauth2.disabled || !effective.jwt.disabled ||
                          effective.api_key != nullptr || effective.mtls != nullptr;
    effective.disabled = (disabled != nullptr && *disabled) || !any_type;
    return effective;
}

}  // namespace

std::vector<std::string> base_paths(const Api& api) {
    std::vector<std::string> paths{api.base_path};
    for (const char* mark : {"/", "/v"}) {
        const std::string version = mark + api.version;
        if (api.is_default_version && api.base_path.ends_with(version)) {
            paths.push_back(api.base_path.substr(0, api.base_path.size() - version.size()));
            break;
        }
    }
    return paths;
}

EffectivePolicy effective_policy(const Resources& resources, const Api& api,
                                 const HttpRouteRule& rule) {
    EffectivePolicy effective;
    const bool* subscription_validation = nullptr;
    for (const PolicySpec* spec :
         by_priority<PolicySpec>(resources.policies_of(api),
                                 of_rule(rule, "APIPolicy", resources, &Resources::find_policy))) {
        if (effective.ai_provider == nullptr && spec->ai_provider) {
            effective.ai_provider = &*spec->ai_provider;
        }
        if (effective.rotation == nullptr && spec->rotation) {
            effective.rotation = &*spec->rotation;
        }
        if (effective.cors == nullptr && spec->cors) {
            effective.cors = &*spec->cors;
        }
        if (subscription_validation == nullptr && spec->subscription_validation) {
            subscription_validation = &*spec->subscription_validation;
        }
    }
    effective.subscription_validation =
        subscription_validation != nullptr && *subscription_validation;
    return effective;
}

EffectiveAuthentication effective_authentication(const Resources& resources, const Api& api,
                                                 const HttpRouteRule& rule) {
    return merge(by_priority<AuthSpec>(
        resources.authentications_of(api),
        of_rule(rule, "Authentication", resources, &Resources::find_authentication)));
}

std::vector<const Scope*> required_scopes(const Resources& resources, const HttpRouteRule& rule) {
    return of_rule(rule, "Scope", resources, &Resources::find_scope);
}

const std::string& organization_of(const Api& api) {
    return api.organization.empty() ? kDefaultOrganization : api.organization;
}

const std::string& environment_of(const Api& api) {
    return api.environment.empty() ? kDefaultEnvironment : api.environment;
}

bool is_for(const TokenIssuer& issuer, const Api& api) {
    const std::string& environment = environment_of(api);
    const auto fits = [&](const std::string& name) { return name == "*" || name == environment; };
    return issuer.organization == organization_of(api) &&
           (issuer.environments.empty() ||
            std::any_of(issuer.environments.begin(), issuer.environments.end(), fits));
}

const Backend* entry_backend(const Resources& resources, const HttpRouteRule& rule,
                             const ModelEntry& entry) {
    if (entry.backend) {
        return resources.find_backend(entry.backend->name);
    }
    return rule.backends.size() == 1 ? resources.find_backend(rule.backends[0].name) : nullptr;
}

}  // namespace rotary::config
