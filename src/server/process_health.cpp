#include "server/process_health.hpp"

#include <rotary/wire/json_writer.hpp>

#include <utility>

namespace rotary::server {

namespace {

std::string state_of_keys(std::size_t keys, const control::JwksStatus& fetched) {
    if (keys != 0) return std::to_string(keys) + (keys == 1 ? " key" : " keys");
    std::string state = fetched.last_success ? "none: they went stale" : "not fetched yet";
    if (!fetched.last_error.empty()) state.append(" (").append(fetched.last_error).append(")");
    return state;
}

control::Source::Standing standing_of(const control::Source* source) {
    return source == nullptr ? control::Source::Standing() : source->standing();
}

// Files have nothing to say here.
void write_source(wire::JsonWriter& json, const control::Source* source) {
    std::string members;
    wire::JsonWriter inner(members);
    if (source != nullptr) source->write(inner);
    if (!members.empty()) json.raw("source", '{' + members + '}');
}

}  // namespace

admin::Health health_of_keys(const std::vector<control::KeyRing::Standing>& issuers,
                             const std::vector<control::JwksStatus>& fetched) {
    admin::Health health;
    std::string waited_for;
    for (std::size_t i = 0; i < issuers.size(); ++i) {
        const control::KeyRing::Standing& issuer = issuers[i];
        if (issuer.holds_up) waited_for += (waited_for.empty() ? "" : ", ") + issuer.name;
        health.checks.emplace_back("keys of " + issuer.name,
                                   state_of_keys(issuer.keys, fetched[i]));
    }
    health.ok = waited_for.empty();
    if (!health.ok) health.reason = "waiting for the keys of " + waited_for;
    return health;
}

admin::Health liveness(bool workers_turn, std::chrono::seconds patience) {
    if (workers_turn) return {true, "", {{"workers", "turning"}}};
    return {
        false,
        "a worker's event loop has not turned for " + std::to_string(patience.count()) + " seconds",
        {{"workers", "stuck"}}};
}

admin::Health readiness(const ProcessStatus& status, admin::Health keys) {
    admin::Health health;
    health.checks = {{"configuration", "loaded"},
                     {"listeners", status.bound ? "bound" : "starting"},
                     {"draining", status.draining ? "yes" : "no"},
                     {"last reload", status.last_reload}};
    for (auto& check : keys.checks) health.checks.push_back(std::move(check));
    control::Source::Standing source = standing_of(status.source);
    for (auto& check : source.checks) health.checks.push_back(std::move(check));
    health.ok = status.bound && !status.draining && keys.ok && source.is_ready;
    if (status.draining) {
        health.reason = "draining";
    } else if (!status.bound) {
        health.reason = "starting";
    } else {
        health.reason = std::move(source.is_ready ? keys.reason : source.reason);
    }
    return health;
}

std::string status_json(const ProcessStatus& status, const admin::LiveRates& rates) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object()
        .boolean("ready", status.bound && !status.draining && standing_of(status.source).is_ready)
        .boolean("draining", status.draining)
        .number("uptime_seconds", status.uptime.count())
        .number("generation", status.generation)
        .string("last_reload", status.last_reload)
        .boolean("last_reload_ok", status.last_reload_ok)
        .number("config_age_seconds", status.config_age.count())
        .number("workers", status.workers)
        .number("in_flight", status.in_flight);
    rates.write(json);
    json.begin_array("waiting_for_restart");
    for (const std::string& name : status.waiting_for_restart) json.string(name);
    json.end_array().begin_array("certificates");
    for (const CertificateEnds::End& end : status.certificates) {
        TimestampBuffer time;
        json.begin_object()
            .string("listener", end.listener)
            .string("ends", format_timestamp(end.at, time))
            .number("days_left", days_until(end.at, status.now))
            .end_object();
    }
    json.end_array();
    write_source(json, status.source);
    if (status.fleet) status.fleet->write(json);
    json.end_object();
    out.push_back('\n');
    return out;
}

}  // namespace rotary::server
