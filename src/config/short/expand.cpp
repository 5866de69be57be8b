#include <algorithm>
#include <set>

#include "config/short/build.hpp"
#include "config/short/form.hpp"

namespace rotary::config {
namespace {

constexpr const char* kDataPlane = "dp.wso2.com";
constexpr const char* kFormat = "format-openai";  // of the AIProvider
constexpr const char* kKey = "apiKey";            // in a provider's Secret
constexpr const char* kOrganization = "default";

std::string secret_of(const ShortProvider& provider) { return provider.name + "-key"; }

Node object(const NodeAt& at, const char* version, const char* kind, std::string_view name) {
    return at.map({{"apiVersion", at.text(version)},
                   {"kind", at.text(kind)},
                   {"metadata", at.map({{"name", at.text(name)}})}});
}

void add(Node& map, const char* key, Node value) {
    map.members.push_back({key, value.line, value.column, std::move(value)});
}

void add_secret(const ShortProvider& provider, std::vector<Node>& out) {
    const NodeAt at(provider.key ? *provider.key : *provider.key_file);
    Node secret = object(at, "v1", "Secret", secret_of(provider));
    add(secret, "type", at.text("Opaque"));
    if (provider.key) {
        add(secret, "stringData", at.map({{kKey, at.raw("Bearer " + provider.key->text)}}));
    } else {
        add(secret, "file",
            at.map({{kKey, at.map({{"path", at.text(provider.key_path)},
                                   {"prefix", at.text("Bearer ")}})}}));
    }
    out.push_back(std::move(secret));
}

void add_backend(const ShortProvider& provider, std::vector<Node>& out) {
    const NodeAt at(provider.place);
    const NodeAt url(provider.url);
    Node spec = at.map(
        {{"services", at.list({url.map({{"host", url.text(provider.host)},
                                        {"port", url.text(std::to_string(provider.port))}})})},
         {"protocol", url.text(provider.protocol)}});
    if (!provider.base_path.empty()) {
        add(spec, "basePath", url.text(provider.base_path));
    }
    if (provider.key || provider.key_file) {
        const NodeAt key(provider.key ? *provider.key : *provider.key_file);
        add(spec, "security",
            key.map(
                {{"apiKey", key.map({{"in", key.text("Header")},
                                     {"name", key.text("Authorization")},
                                     {"valueFrom", key.map({{"name", key.text(secret_of(provider))},
                                                            {"valueKey", key.text(kKey)}})}})}}));
        add_secret(provider, out);
    }
    Node backend = object(at, "dp.wso2.com/v1alpha2", "Backend", provider.name);
    add(backend, "spec", std::move(spec));
    out.push_back(std::move(backend));
}

Node body(const NodeAt& at, const char* value) {
    return at.map({{"in", at.text("Body")}, {"value", at.text(value)}});
}

void add_ai_provider(const Node& place, std::vector<Node>& out) {
    const NodeAt at(place);
    Node provider = object(at, "dp.wso2.com/v1alpha4", "AIProvider", kFormat);
    add(provider, "spec",
        at.map(
            {{"providerName", at.text("OpenAI")},
             {"providerAPIVersion", at.text("v1")},
             {"organization", at.text(kOrganization)},
             {"requestModel", body(at, "model")},
             {"responseModel", body(at, "model")},
             {"rateLimitFields", at.map({{"promptTokens", body(at, "$.usage.prompt_tokens")},
                                         {"completionToken", body(at, "$.usage.completion_tokens")},
                                         {"totalToken", body(at, "$.usage.total_tokens")}})}}));
    out.push_back(std::move(provider));
}

// Endpoints of an API that have the same entries, in both environments: they share a rotation.
struct Group {
    std::string policy;
    std::vector<const Endpoint*> endpoints;
    std::vector<const ShortEntry*> production;
    std::vector<const ShortEntry*> sandbox;
};

std::vector<const ShortEntry*> entries_of(const ShortSide& side, const std::string& endpoint) {
    std::vector<const ShortEntry*> entries;
    for (const ShortEntry& entry : side.entries) {
        if (std::find(entry.endpoints.begin(), entry.endpoints.end(), endpoint) !=
            entry.endpoints.end()) {
            entries.push_back(&entry);
        }
    }
    return entries;
}

std::vector<Group> groups_of(const ShortApi& api) {
    std::vector<Group> groups;
    for (const Endpoint& endpoint : known_endpoints()) {
        if (!endpoint.takes_model || std::find(api.endpoints.begin(), api.endpoints.end(),
                                               endpoint.name) == api.endpoints.end()) {
            continue;
        }
        Group group{"", {&endpoint}, entries_of(api.production, endpoint.name), {}};
        if (api.sandbox) {
            group.sandbox = entries_of(*api.sandbox, endpoint.name);
        }
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
            return other.production == group.production && other.sandbox == group.sandbox;
        });
        if (same != groups.end()) {
            same->endpoints.push_back(&endpoint);
        } else {
            group.policy = api.name + '-' + endpoint.name;
            groups.push_back(std::move(group));
        }
    }
    return groups;
}

Node reference(const NodeAt& at, const char* kind, std::string_view name) {
    return at.map(
        {{"group", at.text(kDataPlane)}, {"kind", at.text(kind)}, {"name", at.text(name)}});
}

Node models_of(const NodeAt& api, const std::vector<const ShortEntry*>& entries) {
    std::vector<Node> models;
    for (const ShortEntry* entry : entries) {
        const NodeAt at(entry->model);
        Node one = at.map(
            {{"model", entry->model},
             {"backendRef", reference(NodeAt(entry->provider_place), "Backend", entry->provider)}});
        if (entry->weight) {
            add(one, "weight", *entry->weight);
        }
        models.push_back(std::move(one));
    }
    return api.list(std::move(models));
}

// Those of the group, and the list of models, which whichever rule comes first has.
std::string endpoint_names(const Group& group) {
    std::string names;
    for (const Endpoint* endpoint : group.endpoints) {
        names.append(endpoint->name).append(", ");
    }
    return names + kModelsName;
}

void add_policy(const ShortApi& api, const Group& group, std::vector<Node>& out) {
    const NodeAt at(api.place);
    Node rotation = at.map({});
    if (api.suspend_seconds) {
        add(rotation, "onQuotaExceedSuspendDuration", *api.suspend_seconds);
    }
    add(rotation, "productionModels", models_of(at, group.production));
    add(rotation, "sandboxModels", models_of(at, group.sandbox));
    Node policy = object(at, "dp.wso2.com/v1alpha4", "APIPolicy", group.policy);
    add(policy.members.back().value, "annotations",  // of its metadata
        at.map({{"rotary/endpoints", at.text(endpoint_names(group))}}));
    add(policy, "spec",
        at.map({{"targetRef", reference(at, "Resource", api.name)},
                {"default", at.map({{"aiProvider", at.map({{"name", at.text(kFormat)}})},
                                    {"modelBasedRoundRobin", std::move(rotation)}})}}));
    out.push_back(std::move(policy));
}

Node match_of(const NodeAt& at, const Endpoint& endpoint) {
    Node match =
        at.map({{"path", at.map({{"type", at.text(endpoint.is_prefix ? "PathPrefix" : "Exact")},
                                 {"value", at.text(endpoint.path)}})}});
    if (*endpoint.method != '\0') {
        add(match, "method", at.text(endpoint.method));
    }
    return match;
}

Node backends_of(const NodeAt& at, const std::vector<const ShortEntry*>& entries) {
    std::set<std::string_view> known;
    std::vector<Node> backends;
    for (const ShortEntry* entry : entries) {
        if (known.insert(entry->provider).second) {
            backends.push_back(
                reference(NodeAt(entry->provider_place), "Backend", entry->provider));
        }
    }
    return at.list(std::move(backends));
}

Node route_of(const ShortApi& api, const ShortSide& side, const std::string& name,
              const std::vector<Group>& groups) {
    static constexpr Endpoint kList{kModelsName, kModelsPath, false, "GET", false, false};
    const NodeAt at(api.place);
    std::vector<Node> rules;
    for (const Group& group : groups) {
        const auto& entries = &side == &api.production ? group.production : group.sandbox;
        if (entries.empty()) {
            continue;  // the endpoint is not there in this environment
        }
        std::vector<Node> matches;
        for (const Endpoint* endpoint : group.endpoints) {
            matches.push_back(match_of(at, *endpoint));
        }
        if (rules.empty()) {
            matches.push_back(match_of(at, kList));
        }
        const Node filter = at.map({{"type", at.text("ExtensionRef")},
                                    {"extensionRef", reference(at, "APIPolicy", group.policy)}});
        rules.push_back(at.map({{"matches", at.list(std::move(matches))},
                                {"filters", at.list({filter})},
                                {"backendRefs", backends_of(at, entries)}}));
    }
    for (const Endpoint& endpoint : known_endpoints()) {
        if (!endpoint.takes_model && std::find(api.endpoints.begin(), api.endpoints.end(),
                                               endpoint.name) != api.endpoints.end()) {
            rules.push_back(at.map({{"matches", at.list({match_of(at, endpoint)})},
                                    {"backendRefs", backends_of(at, {&side.entries.front()})}}));
        }
    }
    Node spec = at.map({});
    if (!side.hosts.empty()) {
        add(spec, "hostnames", at.list(side.hosts));
    }
    add(spec, "rules", at.list(std::move(rules)));
    Node route = object(at, "gateway.networking.k8s.io/v1", "HTTPRoute", name);
    add(route, "spec", std::move(spec));
    return route;
}

Node routes_ref(const NodeAt& at, const std::string& name) {
    return at.list({at.map({{"routeRefs", at.list({at.text(name)})}})});
}

// The environment of an API is its own, so that its issuer's tokens are good for no other.
void add_api(const ShortApi& api, std::vector<Node>& out) {
    const NodeAt at(api.place);
    const NodeAt path(api.path_place);
    Node spec = at.map({{"apiName", at.text(api.name)},
                        {"apiType", at.text("REST")},
                        {"apiVersion", path.text(api.version)},
                        {"basePath", path.text(api.path)},
                        {"organization", at.text(kOrganization)},
                        {"environment", at.text(api.name)},
                        {"production", routes_ref(at, api.name)}});
    const std::string sandbox = api.name + "-sandbox";
    if (api.sandbox) {
        add(spec, "sandbox", routes_ref(at, sandbox));
    }
    Node made = object(at, "dp.wso2.com/v1alpha3", "API", api.name);
    add(made, "spec", std::move(spec));
    out.push_back(std::move(made));
    const std::vector<Group> groups = groups_of(api);
    out.push_back(route_of(api, api.production, api.name, groups));
    if (api.sandbox) {
        out.push_back(route_of(api, *api.sandbox, sandbox, groups));
    }
    for (const Group& group : groups) {
        add_policy(api, group, out);
    }
}

// One object for the APIs that have the same issuer and keys.
void add_issuers(const ShortForm& form, std::vector<Node>& out) {
    std::vector<const ShortApi*> done;
    for (const ShortApi& api : form.apis) {
        const auto is_same = [&](const ShortApi* other) {
            return other->issuer == api.issuer && other->jwks == api.jwks;
        };
        if (api.issuer.empty() || std::any_of(done.begin(), done.end(), is_same)) {
            continue;
        }
        done.push_back(&api);
        const NodeAt at(api.issuer_place);
        std::vector<Node> environments;
        for (const ShortApi& other : form.apis) {
            if (is_same(&other)) {
                environments.push_back(NodeAt(other.place).text(other.name));
            }
        }
        Node validation = at.map({});
        if (!api.jwks.empty()) {
            const NodeAt jwks(api.jwks_place);
            add(validation, "jwks", jwks.map({{"url", jwks.text(api.jwks)}}));
        }
        const std::string name = api.name + "-issuer";
        Node issuer = object(at, "dp.wso2.com/v1alpha2", "TokenIssuer", name);
        add(issuer, "spec",
            at.map({{"name", at.text(name)},
                    {"issuer", at.text(api.issuer)},
                    {"organization", at.text(kOrganization)},
                    {"consumerKeyClaim", at.text("azp")},
                    {"scopesClaim", at.text("scope")},
                    {"environments", at.list(std::move(environments))},
                    {"signatureValidation", std::move(validation)}}));
        out.push_back(std::move(issuer));
    }
}

// A name that objects may have, of a consumer's.
std::string object_name(std::string_view consumer) {
    std::string name;
    for (const char c : consumer) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool fits = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
        name += fits ? lower : '-';
    }
    name.erase(0, name.find_first_not_of('-'));
    name.erase(name.find_last_not_of('-') + 1);
    return name.substr(0, 100);
}

struct KeysOf {
    std::string consumer;
    std::vector<Node> hashes;
    std::vector<const ShortApi*> apis;
};

// A key of a consumer that several APIs name is one key.
std::vector<KeysOf> keys_of(const ShortForm& form) {
    std::vector<KeysOf> all;
    for (const ShortApi& api : form.apis) {
        std::set<std::string> seen;
        for (const auto& key : api.keys) {
            const std::string& consumer = key.first;
            const Node& hash = key.second;
            const auto same = std::find_if(all.begin(), all.end(), [&](const KeysOf& one) {
                return one.consumer == consumer && one.hashes[0].text == hash.text;
            });
            const bool is_new = seen.insert(consumer + '\n' + hash.text).second;
            if (same != all.end() && is_new) {
                same->apis.push_back(&api);
            } else {
                all.push_back({consumer, {hash}, {&api}});  // one that is there twice is refused
            }
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = all.size() - 1; j > i; --j) {
            if (all[j].consumer == all[i].consumer && all[j].apis == all[i].apis) {
                all[i].hashes.insert(all[i].hashes.begin() + 1, all[j].hashes[0]);
                all.erase(all.begin() + static_cast<std::ptrdiff_t>(j));
            }
        }
    }
    return all;
}

void add_keys(const ShortForm& form, std::vector<Node>& out) {
    std::set<std::string> names;
    for (const KeysOf& one : keys_of(form)) {
        const NodeAt at(one.hashes[0]);
        const std::string wanted = object_name(one.consumer);
        std::string name = wanted.empty() ? "consumer" : wanted;
        for (int number = 2; !names.insert(name).second; ++number) {
            name = (wanted.empty() ? "consumer" : wanted) + '-' + std::to_string(number);
        }
        std::vector<Node> keys;
        for (const Node& hash : one.hashes) {
            keys.push_back(NodeAt(hash).map({{"hash", hash}}));
        }
        std::vector<Node> apis;
        for (const ShortApi* api : one.apis) {
            apis.push_back(at.text(api->name));
        }
        Node key = object(at, "rotary.dev/v1alpha1", "ConsumerKey", name);
        add(key, "spec",
            at.map({{"consumer", at.text(one.consumer)},
                    {"keys", at.list(std::move(keys))},
                    {"apis", at.list(std::move(apis))}}));
        out.push_back(std::move(key));
    }
}

}  // namespace

std::vector<Node> expand_short_form(const ShortForm& form) {
    std::vector<Node> out;
    for (const ShortProvider& provider : form.providers) {
        add_backend(provider, out);
    }
    if (!form.apis.empty()) {
        add_ai_provider(form.apis[0].place, out);
    }
    for (const ShortApi& api : form.apis) {
        add_api(api, out);
    }
    add_issuers(form, out);
    add_keys(form, out);
    return out;
}

}  // namespace rotary::config
