#include <rotary/config/kinds/resources.hpp>

#include <algorithm>

namespace rotary::config {
namespace {

template <class Object>
const Object* find(const std::vector<Object>& objects, std::string_view name) {
    const auto found = std::find_if(objects.begin(), objects.end(), [name](const Object& object) {
        return object.metadata.name == name;
    });
    return found == objects.end() ? nullptr : &*found;
}

}  // namespace

const Api* Resources::find_api(std::string_view name) const { return find(apis, name); }

const HttpRoute* Resources::find_route(std::string_view name) const { return find(routes, name); }

const Backend* Resources::find_backend(std::string_view name) const { return find(backends, name); }

const AiProvider* Resources::find_ai_provider(std::string_view name) const {
    return find(ai_providers, name);
}

const ApiPolicy* Resources::find_policy(std::string_view name) const {
    return find(policies, name);
}

const Authentication* Resources::find_authentication(std::string_view name) const {
    return find(authentications, name);
}

const Scope* Resources::find_scope(std::string_view name) const { return find(scopes, name); }

const SecretObject* Resources::find_secret(std::string_view name) const {
    return find(secrets, name);
}

const ConfigMap* Resources::find_config_map(std::string_view name) const {
    return find(config_maps, name);
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
