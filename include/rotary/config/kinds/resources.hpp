#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/config/kinds/auth.hpp>
#include <rotary/config/kinds/backend.hpp>
#include <rotary/config/kinds/budget.hpp>
#include <rotary/config/kinds/common.hpp>
#include <rotary/config/kinds/consumer_key.hpp>
#include <rotary/config/kinds/policy.hpp>
#include <rotary/config/kinds/quota.hpp>
#include <rotary/config/kinds/route.hpp>

namespace rotary::config {

// The texts of files that settings name (certificates, keys, key sets), by path.
using NamedFiles = std::map<std::string, Secret, std::less<>>;

// What stands in the files and is not served. Inert: it has no effect, and does no harm by that.
struct Unserved {
    std::string name;  // of the kind or field
    Mark mark;
    std::string consequence;
    bool is_inert = false;
};

// Where the objects of one kind stand, by a name of theirs. Made up for what has been added when it
// is asked; one thread.
class Places {
public:
    // The places of the objects that `name_of` gives this name, ascending.
    template <class Object, class NameOf>
    const std::vector<std::size_t>& of(const std::vector<Object>& objects, std::string_view name,
                                       const NameOf& name_of) {
        for (; known_ < objects.size(); ++known_) {
            by_name_[std::string(name_of(objects[known_]))].push_back(known_);
        }
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? none_ : found->second;
    }

private:
    std::map<std::string, std::vector<std::size_t>, std::less<>> by_name_;
    std::vector<std::size_t> none_;
    std::size_t known_ = 0;
};

// The Kubernetes-shaped resources, every version brought to one shape, defaults in place, in the
// order of files and documents. Plain values: built once by load(), read-only from then on.
// References are identities, looked up here, by one thread at a time. Of two objects of one kind
// and identity (which is a finding) the lookups return the first.
struct Resources {
    std::vector<Api> apis;
    std::vector<HttpRoute> routes;
    std::vector<Backend> backends;
    std::vector<AiProvider> ai_providers;
    std::vector<ApiPolicy> policies;
    std::vector<TokenIssuer> issuers;
    std::vector<Authentication> authentications;
    std::vector<Scope> scopes;
    std::vector<ConsumerKey> consumer_keys;
    std::vector<Budget> budgets;
    std::vector<SecretObject> secrets;
    std::vector<ConfigMap> config_maps;
    std::vector<AiRateLimitPolicy> ai_rate_limits;
    std::vector<RateLimitPolicy> rate_limits;
    std::vector<Subscription> subscriptions;
    std::vector<Application> applications;
    std::vector<ApplicationMapping> application_mappings;
    std::vector<Unserved> unserved;

    // What could not be read, while loading: its text, or true when not even that is known. What
    // seems to be missing may stand in it.
    std::string unread;
    bool incomplete = false;

    const Api* find_api(std::string_view name) const;
    const HttpRoute* find_route(std::string_view name) const;
    const Backend* find_backend(std::string_view name) const;
    const AiProvider* find_ai_provider(std::string_view name) const;
    const ApiPolicy* find_policy(std::string_view name) const;
    const Authentication* find_authentication(std::string_view name) const;
    const Scope* find_scope(std::string_view name) const;
    const SecretObject* find_secret(std::string_view name) const;
    const ConfigMap* find_config_map(std::string_view name) const;
    const AiRateLimitPolicy* find_ai_rate_limit(std::string_view name) const;
    const RateLimitPolicy* find_rate_limit(std::string_view name) const;
    const Subscription* find_subscription(std::string_view name) const;

    // Those that are for an API as a whole, in their order.
    std::vector<const ApiPolicy*> policies_of(const Api& api) const;
    std::vector<const Authentication*> authentications_of(const Api& api) const;

    // nullptr when the Secret or its key is missing.
    const Secret* find_value(const KeyReference& reference) const;
    // The PEM text of the place that the source names; nothing when it is missing.
    std::optional<std::string> find_pem(const PemSource& source) const;

private:
    struct Index {
        Places apis, routes, backends, ai_providers, policies, authentications, scopes, secrets,
            config_maps, ai_rate_limits, rate_limits, subscriptions;
        Places policy_targets, authentication_targets;
    };
    mutable Index index_;
};

// The Secrets and ConfigMaps that these refer to, each once, whether or not they are there.
std::vector<NamedObject> referred_objects(const Resources& resources);

}  // namespace rotary::config
