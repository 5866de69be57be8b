#include "admin/limit_row.hpp"

namespace rotary::admin {

quota::LimitUse look_at(const quota::Limit& limit, const quota::HeldCounter& counter,
                        WallTime now) noexcept {
    quota::ask_fleet(limit, counter, now);
    return quota::use_of(limit, *counter.get(), now);
}

quota::LimitUse look_at(const quota::Limit& limit, WallTime now) noexcept {
    return look_at(limit, quota::HeldCounter(limit.family->common()), now);
}

void write_standing(wire::JsonWriter& json, const quota::Limit& limit, const quota::LimitUse& use) {
    const quota::Taken& stands = use.stands;
    TimestampBuffer reset;
    json.number("limit", limit.amount).number("used", stands.used);
    if (use.here) json.number("used_here", *use.here);
    json.number("remaining", stands.used >= limit.amount ? 0 : limit.amount - stands.used)
        .string("reset", format_timestamp(stands.free_at, reset));
}

void write_limit_names(wire::JsonWriter& json, const quota::Limit& limit) {
    json.string("policy", limit.policy)
        .string("scope", quota::to_string(limit.scope))
        .string("for", limit.subject)
        .string("counts", quota::to_string(limit.what))
        .string("unit", limit.unit_name())
        .boolean("shadow", limit.shadow);
}

void write_limit(wire::JsonWriter& json, const quota::Limit& limit, const quota::LimitUse& use) {
    json.begin_object();
    write_limit_names(json, limit);
    write_standing(json, limit, use);
    json.end_object();
}

}  // namespace rotary::admin
