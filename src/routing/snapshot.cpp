#include "routing/compile.hpp"

#include <rotary/auth/key_set.hpp>
#include <rotary/config/check/effective.hpp>
#include <rotary/config/kinds/usage_place.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace rotary::routing {

std::string_view to_string(Environment environment) noexcept {
    return environment == Environment::production ? "production" : "sandbox";
}

namespace {

std::vector<ListedEntry> entries_of(const Compiler& compiler, const config::HttpRouteRule& rule,
                                    const std::vector<config::ModelEntry>& models) {
    std::vector<ListedEntry> entries;
    for (const config::ModelEntry& model : models) {
        const auto* target = config::entry_backend(compiler.loaded.resources, rule, model);
        if (target != nullptr) entries.push_back({model, *target});
    }
    return entries;
}

bool same_backends(const Compiler& compiler, const EntryList& list,
                   const std::vector<ListedEntry>& entries) {
    return std::equal(list.entries.begin(), list.entries.end(), entries.begin(), entries.end(),
                      [&](const Entry& known, const ListedEntry& entry) {
                          return compiler.snapshot->backends[known.backend].name ==
                                 entry.backend.metadata.name;
                      });
}

llm::UsagePlaces usage_places(const config::AiProvider& provider) {
    using Field = config::UsageField;
    const std::pair<const config::ValueLocation*, Field> fields[] = {
        {&provider.prompt_tokens, Field::prompt},
        {&provider.completion_tokens, Field::completion},
        {&provider.total_tokens, Field::total}};
    llm::UsagePlaces places;
    for (const auto& [location, field] : fields) {
        config::UsagePlace place = config::usage_place(*location, field);
        const auto index = static_cast<std::size_t>(field);
        places.members[index] = std::move(place.members);
        places.headers[index] = std::move(place.header);
    }
    config::UsagePlace model = config::response_model_place(provider.response_model);
    places.model_members = std::move(model.members);
    places.model_header = std::move(model.header);
    return places;
}

// The rotation of one API in one environment is one list, whichever of its rules leads to it:
// positions and suspensions are the entry's own, not the path's. Only where its entries leave the
// Backend to the rule may two rules have two.
std::optional<std::size_t> list_for(Compiler& compiler, const ApiContext& context,
                                    const config::HttpRouteRule& rule) {
    const auto policy = config::effective_policy(compiler.loaded.resources, context.api, rule);
    if (policy.rotation == nullptr) return std::nullopt;
    const auto& models = context.environment == Environment::production
                             ? policy.rotation->production
                             : policy.rotation->sandbox;
    const std::vector<ListedEntry> entries = entries_of(compiler, rule, models);
    if (entries.empty()) return std::nullopt;
    const std::string policy_name = compiler.policy_name(*policy.rotation);
    std::vector<std::size_t>& known = compiler.list_index[joined(
        {context.api.metadata.name, policy_name, to_string(context.environment)})];
    for (const std::size_t list : known) {
        if (same_backends(compiler, compiler.snapshot->lists[list], entries)) return list;
    }
    known.push_back(compiler.add_list({policy_name, context, rule, policy, entries}));
    return known.back();
}

void check_rewrite(Compiler& compiler, const PathPattern& pattern,
                   const config::PathRewrite& rewrite) {
    const std::string why = pattern.rewrite_error(rewrite);
    if (why.empty()) return;
    compiler.error(rewrite.mark, "spec.rules.filters.urlRewrite.path.replaceFullPath",
                   "can't be put together: " + why);
}

// Never less than it takes to find out that all entries but one fail.
void add_budget(Compiler& compiler, Route& route) {
    const config::Config& config = compiler.loaded.config;
    std::size_t places = route.backends.size();
    if (route.list) {
        const EntryList& list = compiler.snapshot->lists[*route.list];
        places = list.entries.size();
        route.retry_reserve = list.retry_reserve;
    } else {
        route.retry_reserve =
            compiler.shared.retry_reserve(joined({"rule", route.api, route.name}));
    }
    route.budget_rules = {config.routing.retry_budget_percent,
                          config.routing.failures_to_suspend * static_cast<unsigned>(places),
                          config.timeouts.retry_budget_window};
}

void add_rule(Compiler& compiler, const ApiContext& context, const config::HttpRoute& route,
              const config::HttpRouteRule& rule) {
    Snapshot& snapshot = *compiler.snapshot;
    Route compiled;
    compiled.api = context.api.metadata.name;
    compiled.api_number = context.api_number;
    compiled.max_concurrent = context.api.max_concurrent;
    compiled.in_flight_key = InFlight::key_of("api", compiled.api);
    compiled.name = route.metadata.name;
    compiled.environment = context.environment;
    compiled.auth = compiler.auth(context.api, rule);
    compiled.rewrite = rule.rewrite;
    compiled.redirect = rule.redirect;
    compiled.request_headers = rule.request_headers;
    compiled.response_headers = rule.response_headers;
    compiled.list = list_for(compiler, context, rule);
    if (compiled.list) compiled.policy = snapshot.lists[*compiled.list].policy;
    const auto policy = config::effective_policy(compiler.loaded.resources, context.api, rule);
    if (policy.rotation != nullptr && !rule.redirect)
        compiled.endpoints = policy.rotation->endpoints;
    if (policy.cors != nullptr && policy.cors->enabled) compiled.cors.emplace(*policy.cors);
    if (policy.ai_provider != nullptr) {
        const auto* provider = compiler.loaded.resources.find_ai_provider(policy.ai_provider->name);
        if (provider != nullptr) {
            compiled.provider = provider->provider_name;
            compiled.usage_places = usage_places(*provider);
        }
    }
    if (snapshot.prices != nullptr || !snapshot.config.budgets.ledger.empty()) {
        compiled.counts_tokens = true;
    }
    if (snapshot.prices != nullptr) {
        compiled.prices = snapshot.prices->of(compiled.provider);
        compiled.usage_places.needs_service = snapshot.prices->has_services();
        if (!compiled.list) {
            compiled.asked_model = std::make_shared<ModelPlace>(compiler.model_place(policy));
        }
    }
    compiler.add_backends(compiled, context, rule);
    compiler.add_limits(compiled, context, rule);
    add_budget(compiler, compiled);
    const std::size_t index = snapshot.routes.size();
    snapshot.routes.push_back(std::move(compiled));

    const std::vector<std::string> bases = config::base_paths(context.api);
    std::vector<std::string> hosts = route.hostnames;
    if (hosts.empty()) hosts.emplace_back();
    for (const config::RouteMatch& match : rule.matches) {
        for (const std::string& base : bases) {
            for (const std::string& host : hosts) {
                try {
                    PathPattern pattern(base, match.path);
                    if (rule.rewrite) check_rewrite(compiler, pattern, *rule.rewrite);
                    snapshot.table.add(host, {std::move(pattern), match.method, index});
                } catch (const std::invalid_argument& error) {
                    compiler.error(
                        match.path.mark, "spec.rules.matches.path.value",
                        std::string("is not a regular expression that RE2 takes: ") + error.what());
                }
            }
        }
    }
}

void add_environment(Compiler& compiler, const ApiContext& context,
                     const std::vector<config::Reference>& references) {
    for (const config::Reference& reference : references) {
        const auto* route = compiler.loaded.resources.find_route(reference.name);
        if (route == nullptr) continue;  // check() has reported it
        for (const config::HttpRouteRule& rule : route->rules) {
            add_rule(compiler, context, *route, rule);
        }
    }
}

// What has counters of its own: as many as the workers have cells for, twice, for a reload.
void check_series(Compiler& compiler) {
    const Snapshot& snapshot = *compiler.snapshot;
    std::set<std::tuple<std::string_view, std::string_view, Environment>> served;
    for (const Route& route : snapshot.routes) {
        served.emplace(route.api, route.policy, route.environment);
    }
    std::size_t count = served.size() + snapshot.backends.size();
    for (const EntryList& list : snapshot.lists) count += list.entries.size();
    count += snapshot.limits.size();
    const std::size_t most = snapshot.config.limits.metric_series;
    if (count <= most) return;
    compiler.error(snapshot.config.mark, "limits.metric_series",
                   std::to_string(count) +
                       " APIs, Backends and entries have metrics of their "
                       "own, more than limits.metric_series, " +
                       std::to_string(most));
}

// What was loaded of an issuer's keys must hold some; those of a URL come later.
void check_keys(Compiler& compiler, const config::TokenIssuer& issuer) {
    const config::Limits& limits = compiler.loaded.config.limits;
    if (!issuer.jwks) {
        const auto pem = compiler.loaded.resources.find_pem(issuer.certificate);
        if (!pem) return;  // check() has reported it
        const auth::KeySetLoad read = auth::KeySet::from_pem(*pem);
        if (read.keys) return;
        compiler.error(issuer.validation_mark, "spec.signatureValidation.certificate",
                       "can't be used: " + read.error);
        return;
    }
    const auto file = compiler.loaded.named_files.find(issuer.jwks->file);
    if (file == compiler.loaded.named_files.end()) return;
    auth::KeySetLimits bounds;
    bounds.bytes = limits.jwks_bytes;
    bounds.keys = limits.jwks_keys;
    const auth::KeySetLoad read = auth::KeySet::from_jwks(file->second.reveal(), bounds);
    if (!read.keys) {
        compiler.error(issuer.jwks->mark, "spec.signatureValidation.jwks.url",
                       issuer.jwks->file + ": not a usable key set: " + read.error);
    }
    for (const std::string& line : read.skipped) {
        compiler.findings.push_back(config::warning_at(
            issuer.jwks->mark, issuer.jwks->file + ": a key is skipped: " + line));
    }
    for (const std::string& line : read.weak) {
        compiler.findings.push_back(
            config::warning_at(issuer.jwks->mark, issuer.jwks->file + ": " + line));
    }
}

}  // namespace

rotation::EntryState::Limits entry_limits(const config::Config& config) noexcept {
    rotation::EntryState::Limits limits;
    limits.longest = config.timeouts.suspension_max;
    limits.probe_verdict = config.timeouts.probe_verdict;
    limits.failures = config.routing.failures_to_suspend;
    limits.failing = config.timeouts.failure_suspension;
    limits.silent = config.timeouts.silence_suspension;
    limits.refused = config.timeouts.credential_suspension;
    limits.failing_longest = config.timeouts.failure_suspension_max;
    limits.jitter_percent = config.routing.suspension_jitter_percent;
    return limits;
}

std::shared_ptr<const Snapshot> compile(const config::Loaded& loaded, SharedState& shared,
                                        std::vector<config::Finding>& findings) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->config = loaded.config;
    Compiler compiler{loaded, shared, findings, snapshot.get(), {}, {}, {}, {}, {}, {}};
    std::uint32_t number = 0;
    if (!loaded.prices.empty()) {
        snapshot->prices = std::make_shared<quota::PriceTable>(loaded.prices);
    }
    for (const config::Api& api : loaded.resources.apis) {
        add_environment(compiler, {api, Environment::production, number}, api.production);
        add_environment(compiler, {api, Environment::sandbox, number}, api.sandbox);
        ++number;
    }
    snapshot->table.finish();
    snapshot->unknown_host = "No API is served at this host, but at: " + snapshot->table.hosts() +
                             ". Try curl --resolve.";
    compiler.add_forwarding();
    settle_passages(*snapshot);
    compiler.add_consumers();
    compiler.note_counted_tokens();
    compiler.warn_of_unlisted_models();
    compiler.add_budgets();
    check_series(compiler);
    for (const config::TokenIssuer& issuer : loaded.resources.issuers) {
        snapshot->issuers.push_back(issuer);
        check_keys(compiler, issuer);
        const auto ca = issuer.jwks ? loaded.resources.find_pem(issuer.jwks->ca) : std::nullopt;
        snapshot->issuer_ca_pem.push_back(ca.value_or(""));
        const auto certificate = loaded.resources.find_pem(issuer.certificate);
        snapshot->issuer_certificate_pem.push_back(certificate.value_or(""));
    }
    if (compiler.failed) return nullptr;
    shared.counters().set_most(snapshot->config.quotas.counters);
    snapshot->counters = &shared.counters();
    snapshot->consumer_use = shared.consumer_use(snapshot->config.quotas.metric_consumers);
    return snapshot;
}

}  // namespace rotary::routing
