#include <rotary/admin/limits.hpp>

#include <rotary/quota/limit.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>
#include <map>
#include <string_view>

namespace rotary::admin {

namespace {

void write_limit(wire::JsonWriter& json, const quota::Limit& limit, WallTime now) {
    const quota::Taken stands = limit.family->common().look(limit.terms(now));
    TimestampBuffer reset;
    json.begin_object()
        .string("policy", limit.policy)
        .string("scope", quota::to_string(limit.scope))
        .string("for", limit.subject)
        .string("counts", quota::to_string(limit.what))
        .string("unit", limit.unit_name())
        .number("limit", limit.amount)
        .number("used", stands.used)
        .string("reset", format_timestamp(stands.free_at, reset))
        .boolean("shadow", limit.shadow)
        .end_object();
}

bool is_sampled(const quota::Limit& limit) noexcept {
    return limit.scope == quota::Scope::backend || limit.scope == quota::Scope::api;
}

double used_ratio(const quota::Limit& limit, WallTime now) noexcept {
    const std::int64_t used = limit.family->common().look(limit.terms(now)).used;
    if (limit.amount <= 0) return 1.0;  // of nothing all is used
    return static_cast<double>(used) / static_cast<double>(limit.amount);
}

}  // namespace

std::string limits_json(const proxy::Wiring& wiring, WallTime now) {
    const std::vector<quota::Limit>& limits = wiring.snapshot->limits;
    const std::size_t shown = std::min(limits.size(), kLimitsShown);
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("limits");
    for (std::size_t i = 0; i < shown; ++i) write_limit(json, limits[i], now);
    json.end_array().number("not_shown", limits.size() - shown).end_object();
    out.push_back('\n');
    return out;
}

void sample_limits(const proxy::Wiring& wiring, WallTime now, metrics::Exposition& out) {
    std::map<std::string_view, double> by_policy;
    for (const quota::Limit& limit : wiring.snapshot->limits) {
        if (!is_sampled(limit)) continue;
        double& most = by_policy[limit.policy];
        most = std::max(most, used_ratio(limit, now));
    }
    for (const auto& [policy, ratio] : by_policy) {
        out.gauge("rotary_limit_used_ratio",
                  "What was used of a limit of a Backend or an API in the window that is open.",
                  {{"policy", policy}}, ratio);
    }
}

}  // namespace rotary::admin
