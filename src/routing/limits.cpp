#include <rotary/routing/limits.hpp>

#include "routing/compile.hpp"

#include <rotary/wire/forwarded_headers.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace rotary::routing {

void Subscribers::add(std::string client_id, Subscriber subscriber) {
    any_tokens_ = any_tokens_ || !subscriber.limits.tokens.empty();
    by_client_.try_emplace(std::move(client_id), std::move(subscriber));
}

const Subscriber* Subscribers::find(std::string_view client_id) const noexcept {
    const auto found = by_client_.find(client_id);
    return found == by_client_.end() ? nullptr : &found->second;
}

namespace {

// With a subscription's four there is room for as many budgets in a request's Admission.
constexpr std::size_t kMostOfARule = 6;

quota::Unit unit_of(config::RateUnit unit) noexcept {
    switch (unit) {
        case config::RateUnit::second:
            return quota::Unit::second;
        case config::RateUnit::minute:
            return quota::Unit::minute;
        case config::RateUnit::hour:
            return quota::Unit::hour;
        case config::RateUnit::day:
            return quota::Unit::day;
    }
    return quota::Unit::minute;
}

// What the limits of one policy have in common where they apply.
struct LimitSource {
    std::string policy;
    std::string subject;
    quota::Scope scope;
    bool shadow;
    std::string key;  // of what is counted
    LimitSet& set;    // where they apply
    std::string model{};
    bool is_each = false;
};

// One limit, once: however many rules lead to it, and with one counter for as long as its key and
// unit stay the same. Its place among the snapshot's.
std::size_t place_of(Compiler& compiler, const LimitSource& source, quota::What what,
                     const config::RateCount& rate) {
    const config::Quotas& quotas = compiler.loaded.config.quotas;
    quota::Limit limit;
    limit.policy = source.policy;
    limit.subject = source.subject;
    limit.scope = source.scope;
    limit.what = what;
    limit.unit = unit_of(rate.unit);
    limit.amount = rate.count;
    limit.shadow = source.shadow;
    limit.model = source.model;
    limit.is_each = source.is_each;
    limit.strict = quotas.admission == config::QuotaAdmission::strict;
    limit.sliding = quotas.window == config::QuotaWindow::sliding;
    limit.carry_debt = quotas.carry_debt;
    const std::string family =
        joined({source.key, quota::to_string(what), quota::to_string(limit.unit)});
    std::vector<quota::Limit>& limits = compiler.snapshot->limits;
    const auto [known, is_new] = compiler.limit_index.try_emplace(family, limits.size());
    if (is_new) {
        limit.family = compiler.shared.counters().family(family);
        limits.push_back(std::move(limit));
    }
    return known->second;
}

void add(Compiler& compiler, const LimitSource& source, quota::What what,
         const std::optional<config::RateCount>& rate) {
    if (!rate) return;
    const std::size_t place = place_of(compiler, source, what, *rate);
    (quota::is_tokens(what) ? source.set.tokens : source.set.requests).push_back(place);
}

bool is_attached(const config::RateLimitPolicy& policy, const config::HttpRouteRule& rule) {
    return std::any_of(rule.extensions.begin(), rule.extensions.end(), [&](const auto& extension) {
        return extension.kind == "RateLimitPolicy" && extension.name == policy.metadata.name;
    });
}

// How a message calls those whom a custom limit is for.
std::string subject_of(const config::CustomRate& custom) {
    if (custom.by == config::CustomRate::By::consumer) {
        return custom.value.empty() ? "each consumer" : "consumer " + custom.value;
    }
    const bool is_claim = custom.by == config::CustomRate::By::claim;
    const std::string what = (is_claim ? "claim " : "header ") + custom.name;
    return custom.value.empty() ? "each " + what : what + " " + custom.value;
}

void add_ai_policy(Compiler& compiler, const LimitSource& source,
                   const config::AiRateLimitPolicy& policy) {
    add(compiler, source, quota::What::requests, policy.requests);
    add(compiler, source, quota::What::prompt, policy.prompt);
    add(compiler, source, quota::What::completion, policy.completion);
    add(compiler, source, quota::What::total, policy.total);
}

// As in APK: a policy that names an organization is for its APIs alone.
bool is_for(const std::string& organization, const config::Api& api) {
    return organization.empty() || organization == config::organization_of(api);
}

bool is_version(Compiler& compiler, const config::Subscription& subscription,
                const config::Api& api) {
    const re2::RE2 pattern(subscription.api_version, re2::RE2::Quiet);
    if (!pattern.ok()) {
        compiler.error(subscription.api_version_mark, "spec.api.version",
                       "is not a regular expression that RE2 takes: " + pattern.error());
        return false;
    }
    return re2::RE2::FullMatch(api.version, pattern);
}

LimitSet tier_of(Compiler& compiler, const ApiContext& context,
                 const config::Subscription& subscription, const std::string& application) {
    LimitSet set;
    const config::Resources& resources = compiler.loaded.resources;
    const std::string& name = subscription.metadata.name;
    LimitSource source{
        subscription.tier,
        "subscription " + name,
        quota::Scope::subscription,
        false,
        joined({"sub", config::organization_of(context.api), context.api.metadata.name,
                to_string(context.environment), application, name, subscription.tier}),
        set};
    const auto* ai = resources.find_ai_rate_limit(subscription.tier);
    if (ai != nullptr && is_for(ai->organization, context.api)) {
        source.shadow = ai->shadow;
        add_ai_policy(compiler, source, *ai);
    }
    const auto* rate = resources.find_rate_limit(subscription.tier);
    if (rate != nullptr && is_for(rate->organization, context.api)) {
        source.shadow = rate->shadow;
        add(compiler, source, quota::What::requests, rate->subscription);
        source.key += "\nburst";
        add(compiler, source, quota::What::requests, rate->burst);
    }
    return set;
}

Subscribers subscribers_of(Compiler& compiler, const ApiContext& context) {
    Subscribers subscribers;
    const config::Resources& resources = compiler.loaded.resources;
    for (const config::ApplicationMapping& mapping : resources.application_mappings) {
        const auto* subscription = resources.find_subscription(mapping.subscription.name);
        const auto application = std::find_if(
            resources.applications.begin(), resources.applications.end(),
            [&](const auto& one) { return one.metadata.name == mapping.application.name; });
        if (subscription == nullptr || application == resources.applications.end()) continue;
        if (subscription->api != context.api.name ||
            subscription->organization != config::organization_of(context.api) ||
            !is_version(compiler, *subscription, context.api)) {
            continue;
        }
        for (const config::Application::Client& client : application->clients) {
            const bool is_sandbox = context.environment == Environment::sandbox;
            if (client.environment != config::environment_of(context.api) ||
                client.is_sandbox != is_sandbox) {
                continue;
            }
            const std::string& name = application->metadata.name;
            subscribers.add(client.id, {name, subscription->metadata.name,
                                        tier_of(compiler, context, *subscription, name)});
        }
    }
    return subscribers;
}

std::size_t subscribers_place(Compiler& compiler, const ApiContext& context) {
    const std::string key = joined({context.api.metadata.name, to_string(context.environment)});
    std::vector<Subscribers>& all = compiler.snapshot->subscribers;
    const auto [known, is_new] = compiler.subscribers_index.try_emplace(key, all.size());
    if (is_new) all.push_back(subscribers_of(compiler, context));
    return known->second;
}

}  // namespace

LimitSet Compiler::backend_quotas(const config::Backend& resource, const std::string& model) {
    LimitSet set;
    const std::string& name = resource.metadata.name;
    const std::vector<config::Api>& apis = loaded.resources.apis;
    for (const config::AiRateLimitPolicy& policy : loaded.resources.ai_rate_limits) {
        if (policy.target_kind != config::AiRateLimitPolicy::Target::backend ||
            policy.target != name) {
            continue;
        }
        const auto& models = policy.models;
        const bool is_meant = model.empty()
                                  ? models.empty()
                                  : std::find(models.begin(), models.end(), model) != models.end();
        const bool is_ours = std::any_of(apis.begin(), apis.end(), [&](const config::Api& api) {
            return is_for(policy.organization, api);
        });
        if (!is_meant || !is_ours) continue;
        const std::string& policy_name = policy.metadata.name;
        LimitSource source{policy_name,
                           "Backend " + name,
                           quota::Scope::backend,
                           policy.shadow,
                           joined({"backend", name, policy_name}),
                           set};
        if (!model.empty()) {
            source.subject += ", model " + model;
            source.key = joined({source.key, model});
            source.model = model;
        }
        add_ai_policy(*this, source, policy);
    }
    return set;
}

// Whatever it is for, production and sandbox have counters of their own.
void Compiler::add_custom_limit(Route& route, const ApiContext& context,
                                const config::RateLimitPolicy& policy) {
    const config::CustomRate& custom = *policy.custom;
    const config::Api& api = context.api;
    const bool is_of_api = policy.target.kind == config::TargetKind::api;
    if (is_of_api && policy.target.name != api.metadata.name) return;
    if (custom.by == config::CustomRate::By::header && wire::names_credential(custom.name)) {
        error(custom.mark, "spec.custom.key",
              "names a header that holds a credential: what is counted is shown to operators");
        return;
    }
    if (custom.by == config::CustomRate::By::claim) {
        std::vector<std::string>& claims = snapshot->limit_claims;
        const bool is_new = std::find(claims.begin(), claims.end(), custom.name) == claims.end();
        if (is_new) claims.push_back(custom.name);
    }
    const bool is_consumer = custom.by == config::CustomRate::By::consumer;
    const std::string subject = subject_of(custom);
    LimitSource source{
        policy.metadata.name,
        subject,
        is_consumer ? quota::Scope::consumer : quota::Scope::custom,
        policy.shadow,
        joined({"custom", config::organization_of(api), policy.metadata.name,
                to_string(context.environment), subject, is_of_api ? api.metadata.name : ""}),
        route.quotas};
    source.is_each = custom.value.empty();
    const std::size_t limit = place_of(*this, source, quota::What::requests, custom.rate);
    route.quotas.keyed.push_back({limit, custom.by, custom.name, custom.value});
}

void Compiler::add_limits(Route& route, const ApiContext& context,
                          const config::HttpRouteRule& rule) {
    const config::Resources& resources = loaded.resources;
    const config::Api& api = context.api;
    const std::string environment(to_string(context.environment));
    for (const config::RateLimitPolicy& policy : resources.rate_limits) {
        const std::string& name = policy.metadata.name;
        if (!is_for(policy.organization, api)) continue;
        const bool attached = is_attached(policy, rule);
        const bool is_of_rule = policy.target.kind == config::TargetKind::resource;
        if (policy.custom && (!is_of_rule || attached)) add_custom_limit(route, context, policy);
        if (!policy.api) continue;
        if (policy.target.kind == config::TargetKind::api &&
            policy.target.name == api.metadata.name) {
            add(*this,
                {name, "API " + api.name, quota::Scope::api, policy.shadow,
                 joined(
                     {"api", config::organization_of(api), api.metadata.name, environment, name}),
                 route.quotas},
                quota::What::requests, policy.api);
        }
        if (attached && is_of_rule) {
            const config::PathMatch& path = rule.matches.front().path;
            add(*this,
                {name, "this resource", quota::Scope::resource, policy.shadow,
                 joined({"res", config::organization_of(api), api.metadata.name, environment, name,
                         route.name, rule.matches.front().method, path.value}),
                 route.quotas},
                quota::What::requests, policy.api);
        }
    }
    if (route.quotas.requests.size() + route.quotas.keyed.size() > kMostOfARule) {
        error(rule.mark, "spec.rules",
              "has more than " + std::to_string(kMostOfARule) + " limits, its API's included");
    }
    const auto effective = config::effective_policy(resources, api, rule);
    if (effective.subscription_validation && !route.auth.disabled) {
        route.subscribers = subscribers_place(*this, context);
    }
}

void Compiler::note_counted_tokens() {
    const auto has_tokens = [&](std::size_t backend) {
        return !snapshot->backends[backend].quotas.tokens.empty();
    };
    for (Route& route : snapshot->routes) {
        route.counts_tokens =
            route.counts_tokens || !route.quotas.tokens.empty() ||
            (route.subscribers && snapshot->subscribers[*route.subscribers].any_tokens()) ||
            std::any_of(route.backends.begin(), route.backends.end(), has_tokens);
        if (route.counts_tokens || !route.list) continue;
        const std::vector<Entry>& entries = snapshot->lists[*route.list].entries;
        route.counts_tokens = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
            return has_tokens(entry.backend) || !entry.quotas.tokens.empty();
        });
    }
}

void Compiler::warn_of_unlisted_models() {
    const auto serves_unlisted = [&](const Route& route, const std::string& name) {
        return !route.list &&
               std::any_of(route.backends.begin(), route.backends.end(), [&](std::size_t backend) {
                   return snapshot->backends[backend].name == name;
               });
    };
    for (const config::AiRateLimitPolicy& policy : loaded.resources.ai_rate_limits) {
        if (policy.models.empty()) continue;
        for (const Route& route : snapshot->routes) {
            if (!serves_unlisted(route, policy.target)) continue;
            findings.push_back(config::warning_at(
                policy.target_mark, "API \"" + route.api + "\" has no list of models in " +
                                        std::string(to_string(route.environment)) +
                                        ": its requests to this Backend are not counted, whatever "
                                        "model they ask for"));
            break;
        }
    }
}

}  // namespace rotary::routing
