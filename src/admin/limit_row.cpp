#include "admin/limit_row.hpp"

namespace rotary::admin {

quota::Taken standing_of(const quota::Limit& limit, WallTime now) noexcept {
    return limit.family->common().look(limit.terms(now));
}

void write_standing(wire::JsonWriter& json, const quota::Limit& limit, const quota::Taken& stands) {
    TimestampBuffer reset;
    json.number("limit", limit.amount)
        .number("used", stands.used)
        .number("remaining", stands.used >= limit.amount ? 0 : limit.amount - stands.used)
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

void write_limit(wire::JsonWriter& json, const quota::Limit& limit, const quota::Taken& stands) {
    json.begin_object();
    write_limit_names(json, limit);
    write_standing(json, limit, stands);
    json.end_object();
}

}  // namespace rotary::admin
