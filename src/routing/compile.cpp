#include "routing/compile.hpp"

#include <rotary/base/percent.hpp>
#include <rotary/base/text.hpp>
#include <rotary/config/check/check.hpp>
#include <rotary/wire/base64url.hpp>
#include <rotary/wire/forwarded_headers.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>
#include <utility>

namespace rotary::routing {

namespace {

std::string without_trailing_slashes(std::string path) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (!path.empty() && path.front() != '/') path.insert(0, 1, '/');
    return path;
}

std::string host_header(const config::Backend& resource, bool tls) {
    const bool literal_v6 = resource.host.find(':') != std::string::npos;
    std::string header = literal_v6 ? "[" + resource.host + "]" : resource.host;
    if (resource.port != (tls ? 443 : 80)) header += ":" + std::to_string(resource.port);
    return header;
}

struct Credential {
    std::string name;   // header
    std::string value;  // as sent; empty: none
    std::string query;
    std::string parameter;  // its name
    bool sendable = true;
};

void add_lower_case(std::string_view text, std::vector<std::string>& names) {
    std::string lower(text);
    for (char& c : lower) c = text::lower(c);
    const bool known = std::find(names.begin(), names.end(), lower) != names.end();
    if (!lower.empty() && !known) names.push_back(std::move(lower));
}

Credential credential_of(const config::Resources& resources, const config::Backend& backend) {
    Credential credential;
    if (const auto* key = std::get_if<config::ApiKeySecurity>(&backend.security)) {
        const config::Secret* secret = resources.find_value(key->value);
        const std::string value(secret == nullptr ? std::string_view{} : secret->reveal());
        if (key->in == config::ApiKeySecurity::In::query) {
            credential.parameter = key->name;
            credential.query =
                text::percent_encoded(key->name) + "=" + text::percent_encoded(value);
            // It could be sent, as %0A, and no provider would know it.
            credential.sendable = wire::is_field_value(value);
        } else {
            credential.name = key->name;
            credential.value = value;
            credential.sendable = wire::is_token(key->name) && wire::is_field_value(value);
        }
    } else if (const auto* basic = std::get_if<config::BasicSecurity>(&backend.security)) {
        const config::Secret* user = resources.find_value(basic->username);
        const config::Secret* password = resources.find_value(basic->password);
        if (user != nullptr && password != nullptr) {
            credential.name = "Authorization";
            credential.sendable =
                wire::is_field_value(user->reveal()) && wire::is_field_value(password->reveal());
            credential.value = "Basic " + wire::base64_encode(std::string(user->reveal()) + ":" +
                                                              std::string(password->reveal()));
        }
    }
    return credential;
}

rotation::BackendLimits backend_limits(const config::Backend& resource,
                                       const config::Limits& process) {
    rotation::BackendLimits limits;
    limits.connections = process.upstream_connections;
    limits.pending = process.upstream_pending;
    if (resource.circuit_breaker) {
        limits.connections = resource.circuit_breaker->max_connections;
        limits.pending = resource.circuit_breaker->max_pending;
        limits.requests = resource.circuit_breaker->max_requests;
        limits.retries = resource.circuit_breaker->max_retries;
    }
    return limits;
}

std::optional<RetryRules> retry_rules(const config::Backend& resource) {
    if (!resource.retry) return std::nullopt;
    RetryRules rules{resource.retry->count, resource.retry->base_interval, {}};
    for (const unsigned code : resource.retry->status_codes) {
        rules.statuses.push_back(static_cast<std::uint16_t>(code));
    }
    if (rules.statuses.empty()) rules.statuses.push_back(504);
    return rules;
}

}  // namespace

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string key;
    for (const std::string_view part : parts) key.append(part).push_back('\n');
    return key;
}

void Compiler::error(const config::Mark& mark, std::string_view path, std::string message) {
    config::Finding finding = config::error_at(mark, std::move(message));
    if (finding.path.empty()) finding.path = path;
    failed = true;
    for (const config::Finding& known : findings) {
        if (known.file == finding.file && known.line == finding.line &&
            known.column == finding.column && known.message == finding.message) {
            return;
        }
    }
    findings.push_back(std::move(finding));
}

std::string Compiler::policy_name(const config::ModelRotation& rotation) {
    if (policy_names.empty()) {
        for (const config::ApiPolicy& policy : loaded.resources.policies) {
            for (const config::PolicySpec* spec : {&policy.defaults, &policy.overrides}) {
                if (spec->rotation) policy_names[&*spec->rotation] = policy.metadata.name;
            }
        }
    }
    return policy_names[&rotation];
}

std::size_t Compiler::backend(const config::Backend& resource) {
    const auto known = backend_index.find(resource.metadata.name);
    if (known != backend_index.end()) return known->second;
    Backend compiled;
    compiled.name = resource.metadata.name;
    compiled.host = resource.host;
    compiled.port = resource.port;
    compiled.tls =
        resource.protocol == config::Protocol::https || resource.protocol == config::Protocol::wss;
    compiled.ca_pem = loaded.resources.find_pem(resource.ca).value_or("");
    compiled.host_header = host_header(resource, compiled.tls);
    compiled.base_path = without_trailing_slashes(resource.base_path);
    if (resource.timeout) {
        compiled.first_byte = resource.timeout->response;
        compiled.event_gap = resource.timeout->idle;
    }
    compiled.limits = backend_limits(resource, loaded.config.limits);
    compiled.retry = retry_rules(resource);
    compiled.health_check = resource.health_check;
    compiled.quotas = backend_quotas(resource);
    compiled.state = shared.backend(compiled.name + "\n" + compiled.host_header +
                                    (compiled.tls ? "\ntls" : "\n"));

    const Credential credential = credential_of(loaded.resources, resource);
    if (!credential.sendable) {
        error(resource.security_mark, "spec.security",
              "the key can't be sent: a header's name must be a token and the value must hold no "
              "line break; encode the Secret without a trailing newline (echo -n)");
    }
    if (!credential.name.empty()) {
        compiled.credential_name = credential.name;
        compiled.credential_line = credential.name + ": " + credential.value + "\r\n";
    }
    compiled.credential_query = credential.query;
    snapshot->forwarding.credential_headers.insert(credential.name);
    snapshot->forwarding.withheld_query.insert(credential.parameter);
    // A Backend without a key of its own shares its quota with no other.
    const bool open = credential.value.empty() && credential.query.empty();
    const std::string identity =
        open ? "backend " + compiled.name
             : compiled.host_header + "\n" + compiled.credential_line + compiled.credential_query;
    compiled.has_credential = !open;
    compiled.credential = credential_index.emplace(identity, credential_index.size()).first->second;

    const std::size_t index = snapshot->backends.size();
    snapshot->backends.push_back(std::move(compiled));
    snapshot->by_backend.emplace_back();
    backend_index.emplace(resource.metadata.name, index);
    return index;
}

ModelPlace Compiler::model_place(const config::EffectivePolicy& policy) {
    const auto* provider = policy.ai_provider == nullptr
                               ? nullptr
                               : loaded.resources.find_ai_provider(policy.ai_provider->name);
    if (provider == nullptr) return routing::model_place(config::AiProvider{}.request_model).place;
    Placed placed = routing::model_place(provider->request_model);
    if (!placed.error.empty()) {
        error(provider->request_model.mark, "spec.requestModel.value", std::move(placed.error));
    }
    return std::move(placed.place);
}

quota::EntryPrice Compiler::price(const config::EffectivePolicy& policy,
                                  const config::ModelEntry& model) {
    if (snapshot->prices == nullptr) return {};
    const auto* provider = policy.ai_provider == nullptr
                               ? nullptr
                               : loaded.resources.find_ai_provider(policy.ai_provider->name);
    const std::string_view name =
        provider == nullptr ? std::string_view{} : std::string_view(provider->provider_name);
    quota::EntryPrice price = snapshot->prices->find(name, model.model);
    if (price.empty() && model.weight > 0) {
        config::Finding finding = config::warning_at(
            model.mark, "no price list has the model \"" + model.model + "\" of provider \"" +
                            std::string(name) + "\": what it costs is not counted");
        findings.push_back(std::move(finding));
    }
    return price;
}

std::size_t Compiler::add_list(const ListSource& source) {
    const config::ModelRotation& rotation = *source.policy.rotation;
    const std::string& api = source.context.api.metadata.name;
    const std::string environment(to_string(source.context.environment));
    const config::Timeouts& timeouts = loaded.config.timeouts;

    ModelPlace place = model_place(source.policy);
    std::vector<Entry> entries;
    std::vector<std::uint32_t> weights;
    std::vector<std::shared_ptr<rotation::EntryState>> states;
    std::string identity;
    bool by_rule = false;
    for (const auto& [model, target] : source.entries) {
        by_rule = by_rule || !model.backend;
        if (place.in == config::ValueLocation::In::header && !wire::is_field_value(model.model)) {
            error(model.mark, "model", "can't be sent in a header: it holds a control character");
        }
        Entry entry;
        entry.model = model.model;
        entry.backend = backend(target);
        entry.quotas = backend_quotas(target, model.model);
        entry.weight = model.weight;
        entry.texts = model_texts(place, model.model);
        entry.price = price(source.policy, model);
        entry.id = api + "/" + environment + "/" + model.model + "@" + target.metadata.name;
        identity += entry.id + "\n";
        weights.push_back(model.weight);
        states.push_back(
            shared.entry(joined({api, environment, model.model, target.metadata.name})));
        states.back()->set_limited(SteadyTime::min());  // its limit may be another one now
        const std::size_t credential = snapshot->backends[entry.backend].credential;
        if (snapshot->by_credential.size() <= credential) {
            snapshot->by_credential.resize(credential + 1);
        }
        snapshot->by_backend[entry.backend].push_back(states.back());
        snapshot->by_credential[credential].push_back({snapshot->lists.size(), entries.size()});
        entries.push_back(std::move(entry));
    }
    std::string cursor_key = joined({api, environment, source.policy_name});
    if (by_rule) cursor_key += source.rule.backends[0].name;
    auto cursor = shared.cursor(cursor_key, identity, std::move(weights));
    EntryList list{
        source.policy_name,
        api,
        source.context.environment,
        std::move(entries),
        rotation::Rotation(std::move(cursor), std::move(states), entry_limits(loaded.config)),
        {rotation.suspend, loaded.config.routing.retry_after, timeouts.suspension_max},
        std::move(place),
        shared.retry_reserve(cursor_key)};
    snapshot->lists.push_back(std::move(list));
    return snapshot->lists.size() - 1;
}

void Compiler::add_backends(Route& route, const ApiContext& context,
                            const config::HttpRouteRule& rule) {
    std::vector<std::uint32_t> weights;
    std::string identity;
    std::uint64_t total = 0;
    for (const config::BackendRef& reference : rule.backends) {
        const config::Backend* resource = loaded.resources.find_backend(reference.name);
        if (resource == nullptr) continue;  // check() has reported it
        route.backends.push_back(backend(*resource));
        weights.push_back(reference.weight);
        identity += reference.name + "*" + std::to_string(reference.weight) + "\n";
        total += reference.weight;
    }
    if (total == 0) return;  // check() has warned of it
    if (weights.size() > rotation::kWordEntries) {
        error(rule.backends.front().mark, "spec.rules.backendRefs",
              "at most " + std::to_string(rotation::kWordEntries) + " backendRefs are possible");
        return;
    }
    // Rules of one HTTPRoute with the same Backends share a position: they serve alike.
    const std::string key = joined({"rule", context.api.metadata.name, route.name, identity});
    route.backend_cursor = shared.cursor(key, identity, std::move(weights));
}

void Compiler::add_forwarding() {
    const config::Routing& routing = loaded.config.routing;
    Forwarding& forwarding = snapshot->forwarding;
    for (const std::string& glob : routing.forward_headers) {
        // A name that can't go on is a mistake; a glob just leaves out what can't.
        const bool goes_on = glob.find('_') == glob.npos && wire::may_go_on_to_provider(glob);
        if (glob.find('*') == glob.npos && !goes_on) {
            error(loaded.config.mark, "routing.forward_headers",
                  "\"" + glob +
                      "\" never goes on: it names a credential, or Rotary writes it itself, or it "
                      "has an underscore");
        }
        add_lower_case(glob, forwarding.header_globs);
    }
    for (const std::string& name : routing.withheld_query) {
        forwarding.withheld_query.insert(name);
    }
}

AuthRules Compiler::auth(const config::Api& api, const config::HttpRouteRule& rule) {
    const config::Resources& resources = loaded.resources;
    const auto effective = config::effective_authentication(resources, api, rule);
    const auto use = [](bool on, bool required) {
        if (!on) return auth::CredentialUse::off;
        return required ? auth::CredentialUse::mandatory : auth::CredentialUse::optional;
    };
    AuthRules rules;
    rules.disabled = effective.disabled;
    rules.organization = config::organization_of(api);
    rules.environment = config::environment_of(api);
    rules.oauth2 = effective.oauth2;
    rules.jwt = effective.jwt;
    if (effective.api_key != nullptr) rules.api_keys = effective.api_key->keys;
    rules.uses[auth::CredentialKind::oauth2] = use(!rules.oauth2.disabled, rules.oauth2.required);
    rules.uses[auth::CredentialKind::jwt] = use(!rules.jwt.disabled, false);
    rules.uses[auth::CredentialKind::api_key] = use(
        effective.api_key != nullptr, effective.api_key != nullptr && effective.api_key->required);
    // Nothing verifies a client's certificate yet: where it is wanted all the same, it is missing.
    rules.uses[auth::CredentialKind::mtls] =
        use(effective.mtls != nullptr, effective.mtls != nullptr && effective.mtls->required);
    for (const config::Scope* scope : config::required_scopes(resources, rule)) {
        rules.scopes.push_back(scope->names);
    }
    return rules;
}

}  // namespace rotary::routing
