#include <algorithm>
#include <cctype>

#include <rotary/base/text.hpp>
#include "config/kinds/kinds.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr long long kMostCount = 2'147'483'647;  // APK's int32

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return result;
}

// In any case, as APK takes a unit; one that it does not know is no limit there, and an error here.
void read_unit(Fields& fields, RateUnit& unit) {
    std::string text;
    if (!fields.text("unit", text, {.required = true, .min = 1})) {
        return;
    }
    const std::string name = lower(text);
    if (name == "second") {
        unit = RateUnit::second;
    } else if (name == "minute") {
        unit = RateUnit::minute;
    } else if (name == "hour") {
        unit = RateUnit::hour;
    } else if (name == "day") {
        unit = RateUnit::day;
    } else {
        fields.error("unit", "must be one of Second, Minute, Hour, Day, found " + shown(text));
    }
}

void read_requests(Fields& parent, const char* key, std::optional<RateCount>& out) {
    parent.object(key, [&](Fields& fields) {
        RateCount count;
        count.mark = fields.mark_of("requestsPerUnit");
        const bool has_count = fields.number("requestsPerUnit", count.count,
                                             {.min = 0, .max = kMostCount, .required = true});
        read_unit(fields, count.unit);
        if (has_count) {
            out = count;
        }
    });
}

void read_tokens(Fields& fields, const char* key, RateUnit unit, std::optional<RateCount>& out) {
    RateCount count;
    count.unit = unit;
    count.mark = fields.mark_of(key);
    if (fields.number(key, count.count, {.min = 1, .max = kMostCount})) {
        out = count;
    }
}

void read_organization(Fields& fields, std::string& organization, Mark& mark, bool required) {
    mark = fields.mark_of("organization");
    fields.text("organization", organization, {.required = required});
}

bool is_shadow(const Metadata& metadata) {
    const auto found = metadata.annotations.find("rotary/shadow");
    return found != metadata.annotations.end() && found->second == "true";
}

void read_ai_spec(Fields& fields, AiRateLimitPolicy& policy) {
    read_organization(fields, policy.organization, policy.organization_mark, false);
    read_requests(fields, "requestCount", policy.requests);
    fields.object("tokenCount", [&](Fields& tokens) {
        RateUnit unit = RateUnit::minute;
        read_unit(tokens, unit);
        read_tokens(tokens, "requestTokenCount", unit, policy.prompt);
        read_tokens(tokens, "responseTokenCount", unit, policy.completion);
        read_tokens(tokens, "totalTokenCount", unit, policy.total);
        const bool all = tokens.has("requestTokenCount") && tokens.has("responseTokenCount") &&
                         tokens.has("totalTokenCount");
        if (!all) {
            tokens.warning("",
                           "what is left out is not limited; APK takes it for 0, and then "
                           "refuses everything");
        }
    });
}

// What else a policy says of its Backend: which of the models there it is for.
void read_models(Object& object, AiRateLimitPolicy& policy) {
    const auto annotation = object.metadata.annotations.find("rotary/models");
    if (annotation == object.metadata.annotations.end()) {
        return;
    }
    std::string_view rest = annotation->second;
    for (bool is_last = false; !is_last;) {
        const std::size_t comma = rest.find(',');
        is_last = comma == rest.npos;
        const std::string_view model = text::trim(rest.substr(0, comma));
        rest = is_last ? rest : rest.substr(comma + 1);
        std::vector<std::string>& models = policy.models;
        if (model.empty() || std::find(models.begin(), models.end(), model) != models.end()) {
            object.fields.error("metadata",
                                "the annotation rotary/models must be names of models, "
                                "each once, with commas between them, found " +
                                    shown(annotation->second));
            return;
        }
        models.emplace_back(model);
    }
}

void read_ai_target(Fields& fields, AiRateLimitPolicy& policy) {
    std::string kind;
    fields.tolerate({"group"});
    policy.target_mark = fields.mark_of("name");
    if (fields.text("kind", kind, {.required = true, .min = 1, .max = 63})) {
        if (lower(kind) == "subscription") {
            policy.target_kind = AiRateLimitPolicy::Target::subscription;
        } else if (kind == "Backend") {
            policy.target_kind = AiRateLimitPolicy::Target::backend;
        } else {
            fields.error("kind", "must be Backend or Subscription, found " + shown(kind) +
                                     ": APK drops such a policy without a word");
        }
    }
    std::string name;
    std::string name_space = policy.metadata.name_space;
    fields.text("namespace", name_space, kNamespace);
    if (fields.text("name", name, kReferenceName)) {
        policy.target = identity(name_space, name);
    }
}

constexpr std::size_t kMostKey = 128;

void read_custom_key(Fields& fields, CustomRate& custom) {
    std::string key;
    if (!fields.text("key", key, {.required = true, .min = 1})) {
        return;
    }
    const std::size_t colon = key.find(':');
    const std::string kind = key.substr(0, colon);
    custom.name = colon == key.npos ? "" : key.substr(colon + 1);
    const bool has_name = !custom.name.empty() && custom.name.size() <= kMostKey;
    if (key == "consumer") {
        custom.by = CustomRate::By::consumer;
    } else if (kind == "claim" && has_name) {
        custom.by = CustomRate::By::claim;
    } else if (kind == "header" && has_name && is_token(custom.name)) {
        custom.by = CustomRate::By::header;
        custom.name = lower(custom.name);
    } else {
        fields.error("key",
                     "must be consumer, claim:NAME (of the caller's token) or header:NAME (of the "
                     "request), found " +
                         shown(key) + "; APK's metadata of other filters is not there");
    }
}

void read_custom(Fields& parent, RateLimitPolicy& policy) {
    parent.object("custom", [&](Fields& fields) {
        CustomRate custom;
        read_organization(fields, policy.organization, policy.organization_mark, false);
        custom.mark = fields.mark_of("key");
        read_custom_key(fields, custom);
        fields.text("value", custom.value, {.min = 1, .max = 256});
        custom.rate.mark = fields.mark_of("requestsPerUnit");
        fields.number("requestsPerUnit", custom.rate.count,
                      {.min = 0, .max = kMostCount, .required = true});
        read_unit(fields, custom.rate.unit);
        policy.custom = std::move(custom);
    });
}

void read_rate_spec(Fields& fields, RateLimitPolicy& policy, bool& stops) {
    read_requests(fields, "api", policy.api);
    fields.object("subscription", [&](Fields& inner) {
        read_organization(inner, policy.organization, policy.organization_mark, true);
        read_requests(inner, "requestCount", policy.subscription);
        read_requests(inner, "burstControl", policy.burst);
        inner.flag("stopOnQuotaReach", stops);
    });
    read_custom(fields, policy);
}

// `override` is read behind `default`: what it names goes before.
void read_halves(Fields& spec, const Fields::Visit& visit) {
    spec.object("default", visit);
    spec.object("override", visit);
    if (!spec.has("default") && !spec.has("override")) {
        spec.error("", "needs default or override, or it limits nothing");
    }
}

}  // namespace

void read_ai_rate_limit_policy(Object& object) {
    AiRateLimitPolicy policy;
    policy.metadata = object.metadata;
    policy.shadow = is_shadow(object.metadata);
    read_models(object, policy);
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            read_halves(spec, [&](Fields& f) { read_ai_spec(f, policy); });
            // A subscription names its policy itself.
            policy.target_kind = AiRateLimitPolicy::Target::subscription;
            spec.object("targetRef", [&](Fields& f) { read_ai_target(f, policy); });
        },
        true);
    if (!policy.models.empty() && policy.target_kind != AiRateLimitPolicy::Target::backend) {
        object.fields.error("metadata",
                            "the annotation rotary/models is for policies of Backends: a "
                            "subscription has no models of its own");
    }
    if (object.fields.has("spec")) {
        object.resources.ai_rate_limits.push_back(std::move(policy));
    }
}

void read_rate_limit_policy(Object& object) {
    RateLimitPolicy policy;
    policy.metadata = object.metadata;
    bool stops = true;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            read_halves(spec, [&](Fields& f) { read_rate_spec(f, policy, stops); });
            if (policy.api || policy.custom) {
                policy.target = read_target(spec, policy.api.has_value());
            }
            spec.ignore("targetRef");  // a subscription names its policy itself
        },
        true);
    policy.shadow = is_shadow(object.metadata) || !stops;
    object.resources.rate_limits.push_back(std::move(policy));
}

}  // namespace rotary::config
