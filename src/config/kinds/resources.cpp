#include <rotary/config/kinds/resources.hpp>

namespace rotary::config {
namespace {

template <class Object>
const Object* find(const std::vector<Object>& objects, Places& places, std::string_view name) {
    const auto name_of = [](const Object& object) -> const std::string& {
        return object.metadata.name;
    };
    const std::vector<std::size_t>& found = places.of(objects, name, name_of);
    return found.empty() ? nullptr : &objects[found.front()];
}

template <class Policy>
std::vector<const Policy*> of_api(const std::vector<Policy>& policies, Places& places,
                                  const Api& api) {
    const auto target_of = [](const Policy& policy) {
        return policy.target.kind == TargetKind::api ? policy.target.name : std::string();
    };
    std::vector<const Policy*> found;
    if (api.metadata.name.empty()) {
        return found;
    }
    for (const std::size_t place : places.of(policies, api.metadata.name, target_of)) {
        found.push_back(&policies[place]);
    }
    return found;
}

}  // namespace

const Api* Resources::find_api(std::string_view name) const {
    return find(apis, index_.apis, name);
}

const HttpRoute* Resources::find_route(std::string_view name) const {
    return find(routes, index_.routes, name);
}

const Backend* Resources::find_backend(std::string_view name) const {
    return find(backends, index_.backends, name);
}

const AiProvider* Resources::find_ai_provider(std::string_view name) const {
    return find(ai_providers, index_.ai_providers, name);
}

const ApiPolicy* Resources::find_policy(std::string_view name) const {
    return find(policies, index_.policies, name);
}

const Authentication* Resources::find_authentication(std::string_view name) const {
    return find(authentications, index_.authentications, name);
}

const Scope* Resources::find_scope(std::string_view name) const {
    return find(scopes, index_.scopes, name);
}

const SecretObject* Resources::find_secret(std::string_view name) const {
    return find(secrets, index_.secrets, name);
}

const ConfigMap* Resources::find_config_map(std::string_view name) const {
    return find(config_maps, index_.config_maps, name);
}

const AiRateLimitPolicy* Resources::find_ai_rate_limit(std::string_view name) const {
    return find(ai_rate_limits, index_.ai_rate_limits, name);
}

const RateLimitPolicy* Resources::find_rate_limit(std::string_view name) const {
    return find(rate_limits, index_.rate_limits, name);
}

const Subscription* Resources::find_subscription(std::string_view name) const {
    return find(subscriptions, index_.subscriptions, name);
}

std::vector<const ApiPolicy*> Resources::policies_of(const Api& api) const {
    return of_api(policies, index_.policy_targets, api);
}

std::vector<const Authentication*> Resources::authentications_of(const Api& api) const {
    return of_api(authentications, index_.authentication_targets, api);
}

const Secret* Resources::find_value(const KeyReference& reference) const {
    const SecretObject* secret = find_secret(reference.name);
    if (secret == nullptr) {
        return nullptr;
    }
    const auto found = secret->values.find(reference.key);
    return found == secret->values.end() ? nullptr : &found->second.value;
}

std::optional<std::string> Resources::find_pem(const PemSource& source) const {
    if (source.secret) {
        const Secret* value = find_value(*source.secret);
        return value == nullptr ? std::nullopt : std::optional(std::string(value->reveal()));
    }
    if (source.config_map) {
        const ConfigMap* map = find_config_map(source.config_map->name);
        if (map == nullptr) {
            return std::nullopt;
        }
        const auto found = map->data.find(source.config_map->key);
        return found == map->data.end() ? std::nullopt : std::optional(found->second);
    }
    return source.text.empty() ? std::nullopt : std::optional(source.text);
}

}  // namespace rotary::config
