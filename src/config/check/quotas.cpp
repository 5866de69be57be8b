#include <algorithm>
#include <map>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

bool validates_subscriptions(const Resources& resources) {
    return std::any_of(resources.policies.begin(), resources.policies.end(),
                       [](const ApiPolicy& policy) {
                           return policy.defaults.subscription_validation.value_or(false) ||
                                  policy.overrides.subscription_validation.value_or(false);
                       });
}

bool has_organization(const Resources& resources, const std::string& organization) {
    return std::any_of(resources.apis.begin(), resources.apis.end(),
                       [&](const Api& api) { return organization_of(api) == organization; });
}

// As in APK a policy of another organization limits nothing, and neither does one that says none
// where the API has one.
void check_organization(Checker& checker, const std::string& organization, const Mark& mark) {
    if (organization.empty() || checker.resources.apis.empty() || checker.anything_unread() ||
        has_organization(checker.resources, organization)) {
        return;
    }
    checker.warning(mark, "no API is of the organization " + shown(organization) +
                              ": the policy limits nothing");
}

bool has_model(const std::vector<ModelEntry>& entries, const std::string& model) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const ModelEntry& entry) { return entry.model == model; });
}

bool is_listed(const PolicySpec& fields, const std::string& model) {
    return fields.rotation && (has_model(fields.rotation->production, model) ||
                               has_model(fields.rotation->sandbox, model));
}

void check_models(Checker& checker, const AiRateLimitPolicy& policy) {
    const std::vector<ApiPolicy>& policies = checker.resources.policies;
    for (const std::string& model : policy.models) {
        const bool is_there =
            std::any_of(policies.begin(), policies.end(), [&](const ApiPolicy& one) {
                return is_listed(one.defaults, model) || is_listed(one.overrides, model);
            });
        if (!is_there && !checker.anything_unread()) {
            checker.warning(policy.metadata.mark, "no APIPolicy lists the model " + shown(model) +
                                                      " of rotary/models: it limits nothing");
        }
    }
}

void check_ai_policy(Checker& checker, const AiRateLimitPolicy& policy) {
    check_organization(checker, policy.organization, policy.organization_mark);
    if (policy.target_kind == AiRateLimitPolicy::Target::backend) {
        checker.must_exist("Backend", policy.target, policy.target_mark,
                           checker.resources.backends);
    }
    check_models(checker, policy);
    if (!policy.prompt && !policy.completion && !policy.total && !policy.requests) {
        checker.warning(policy.metadata.mark, "limits neither tokens nor requests: no effect");
    }
}

// A Backend has one policy, and one for each model.
void check_ai_rivals(Checker& checker) {
    std::map<std::pair<std::string_view, std::string_view>, const AiRateLimitPolicy*> known;
    for (const AiRateLimitPolicy& policy : checker.resources.ai_rate_limits) {
        if (policy.target_kind != AiRateLimitPolicy::Target::backend || policy.target.empty()) {
            continue;
        }
        std::vector<std::string_view> models(policy.models.begin(), policy.models.end());
        if (models.empty()) {
            models.emplace_back();
        }
        for (const std::string_view model : models) {
            const auto [first, is_new] =
                known.emplace(std::pair(std::string_view(policy.target), model), &policy);
            if (!is_new) {
                checker.error(policy.target_mark,
                              "the AIRateLimitPolicy " + shown(first->second->metadata.name) +
                                  " limits this Backend already" +
                                  (model.empty() ? "" : " for the model " + shown(model)));
            }
        }
    }
}

void check_both_environments(Checker& checker, const RateLimitPolicy& policy) {
    const Api* api = checker.resources.find_api(policy.target.name);
    if (api != nullptr && !api->production.empty() && !api->sandbox.empty()) {
        checker.warning(policy.api->mark,
                        "the API has production and sandbox, and each has this limit for itself; "
                        "in APK they share it");
    }
}

void check_rate_policy(Checker& checker, const RateLimitPolicy& policy,
                       const std::set<std::string_view>& attached) {
    check_organization(checker, policy.organization, policy.organization_mark);
    // Without an API a custom limit is for all of its organization's: that is the gateway's.
    const bool is_for_all = !policy.api && (policy.target.kind == TargetKind::none ||
                                            policy.target.kind == TargetKind::gateway);
    if (is_for_all) {
        return;
    }
    check_target(checker, policy.metadata, policy.target, attached.contains(policy.metadata.name));
    if (policy.api && policy.target.kind == TargetKind::api) {
        check_both_environments(checker, policy);
    }
}

void tier_must_exist(Checker& checker, const Subscription& subscription) {
    if (subscription.tier.empty()) {
        return;
    }
    const Resources& resources = checker.resources;
    const bool is_known = resources.find_ai_rate_limit(subscription.tier) != nullptr ||
                          resources.find_rate_limit(subscription.tier) != nullptr;
    if (is_known || checker.may_be_unread(subscription.tier)) {
        return;
    }
    checker.error(subscription.tier_mark,
                  "there is neither an AIRateLimitPolicy nor a "
                  "RateLimitPolicy " +
                      shown(subscription.tier) + "; name one, or Unlimited");
}

template <class Object>
void have_no_effect(Checker& checker, const char* kind, const std::vector<Object>& objects) {
    for (const Object& object : objects) {
        checker.warning(
            object.metadata.mark,
            std::string(kind) + " has no effect: no APIPolicy says subscriptionValidation: true");
    }
}

}  // namespace

void check_quotas(Checker& checker) {
    const Resources& resources = checker.resources;
    const auto attached = attached_to_rules(resources, "RateLimitPolicy");
    for (const AiRateLimitPolicy& policy : resources.ai_rate_limits) {
        check_ai_policy(checker, policy);
    }
    check_ai_rivals(checker);
    for (const RateLimitPolicy& policy : resources.rate_limits) {
        check_rate_policy(checker, policy, attached);
    }
    for (const Subscription& subscription : resources.subscriptions) {
        tier_must_exist(checker, subscription);
    }
    for (const ApplicationMapping& mapping : resources.application_mappings) {
        checker.must_exist("Application", mapping.application.name, mapping.application.mark,
                           resources.applications);
        checker.must_exist("Subscription", mapping.subscription.name, mapping.subscription.mark,
                           resources.subscriptions);
    }
    if (!validates_subscriptions(resources)) {
        have_no_effect(checker, "Subscription", resources.subscriptions);
        have_no_effect(checker, "Application", resources.applications);
        have_no_effect(checker, "ApplicationMapping", resources.application_mappings);
    }
}

}  // namespace rotary::config
