#include <rotary/admin/status.hpp>

#include "admin/limit_row.hpp"

#include <rotary/config/settings/setting_keys.hpp>
#include <rotary/wire/json_writer.hpp>

#include <algorithm>

namespace rotary::admin {

namespace {

std::uint64_t picks(const metrics::Registry& registry, const proxy::EntrySeries& series) {
    std::uint64_t sum = 0;
    for (unsigned status = 100; status < 600; ++status) {
        sum += registry.status_value(series.upstream_requests, status);
    }
    return sum;
}

std::string_view standing_name(rotation::Standing standing) {
    switch (standing) {
        case rotation::Standing::active:
            return "active";
        case rotation::Standing::out:
            return "suspended";
        case rotation::Standing::probe_due:
            return "returning";
    }
    return "active";
}

struct Place {
    std::size_t list;   // in the snapshot
    std::size_t entry;  // on the list
};

void write_entry(wire::JsonWriter& json, const routing::Snapshot& snapshot, const Place& place,
                 const Now& now) {
    const routing::EntryList& list = snapshot.lists[place.list];
    const routing::Entry& entry = list.entries[place.entry];
    const routing::Backend& backend = snapshot.backends[entry.backend];
    const rotation::EntryState& state = list.rotation.state(place.entry);
    const rotation::Standing standing = state.standing(now.steady);
    json.string("id", entry.id)
        .string("api", list.api)
        .string("policy", list.policy)
        .string("env", routing::to_string(list.environment))
        .string("model", entry.model)
        .string("backend", backend.name)
        .string("host", backend.host_header)
        .number("weight", entry.weight)
        .string("state", standing_name(standing));
    if (standing == rotation::Standing::active) return;
    json.string("reason", rotation::to_string(state.reason()));
    const auto left = std::max(state.until() - now.steady, SteadyTime::duration::zero());
    TimestampBuffer timestamp;
    json.string("until",
                format_timestamp(now.wall + std::chrono::duration_cast<WallTime::duration>(left),
                                 timestamp));
    json.number("seconds_left", std::chrono::ceil<std::chrono::seconds>(left).count());
}

// Where it has answered in the last minutes; the first token is that of streams.
void write_times(wire::JsonWriter& json, const EntryTimes::Times& times) {
    const auto write = [&json](std::string_view p50, std::string_view p95, const Percentiles& of) {
        if (of.p95 > 0) json.real(p50, of.p50).real(p95, of.p95);
    };
    write("latency_p50_ms", "latency_p95_ms", times.whole);
    write("ttft_p50_ms", "ttft_p95_ms", times.first_token);
}

// Of its Backend and of its model there, where there are some.
void write_limits(wire::JsonWriter& json, const routing::Snapshot& snapshot,
                  const routing::Entry& entry, WallTime now) {
    const routing::LimitSet& whole = snapshot.backends[entry.backend].quotas;
    const routing::LimitSet& own = entry.quotas;
    json.begin_array("limits");
    for (const auto* places : {&whole.requests, &whole.tokens, &own.requests, &own.tokens}) {
        for (const std::size_t place : *places) {
            const quota::Limit& limit = snapshot.limits[place];
            write_limit(json, limit, look_at(limit, now));
        }
    }
    json.end_array();
}

}  // namespace

std::string models_json(const proxy::Wiring& wiring, const metrics::Registry& registry,
                        const EntryHistory& history, const Now& now) {
    const routing::Snapshot& snapshot = *wiring.snapshot;
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("models");
    for (std::size_t list = 0; list < snapshot.lists.size(); ++list) {
        std::uint64_t total = 0;
        for (const auto& series : wiring.entries[list]) total += picks(registry, series);
        for (std::size_t i = 0; i < snapshot.lists[list].entries.size(); ++i) {
            const routing::Entry& entry = snapshot.lists[list].entries[i];
            const proxy::EntrySeries& series = wiring.entries[list][i];
            const std::uint64_t own = picks(registry, series);
            json.begin_object();
            write_entry(json, snapshot, {list, i}, now);
            json.number("requests", own);
            json.real("share",
                      total == 0 ? 0.0 : static_cast<double>(own) / static_cast<double>(total));
            const std::uint64_t tokens = tokens_of(registry, series);
            json.number("tokens_per_minute",
                        history.tokens.last_minute(entry.id, tokens, now.steady));
            write_times(json, history.times.of(entry.id, registry, series, now.steady));
            write_limits(json, snapshot, entry, now.wall);
            json.end_object();
        }
    }
    json.end_array().end_object();
    out.push_back('\n');
    return out;
}

std::string config_json(const config::Config& config) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("listeners");
    for (const config::Listener& listener : config.listeners) {
        json.begin_object()
            .string("address", listener.address)
            .number("port", listener.port)
            .boolean("tls", listener.tls.has_value())
            .end_object();
    }
    json.end_array().boolean("watch", config.watch).begin_object("limits");
    for (const config::LimitKey& key : config::limit_keys()) {
        json.number(key.name, config.limits.*key.member);
    }
    json.end_object().begin_object("timeouts_ms");
    for (const config::TimeoutKey& key : config::timeout_keys()) {
        json.number(key.name, (config.timeouts.*key.member).count());
    }
    json.end_object().begin_object("routing");
    json.number("max_attempts", config.routing.max_attempts)
        .boolean("expose_route", config.routing.expose_route)
        .end_object();
    json.end_object();
    out.push_back('\n');
    return out;
}

void sample_entries(const proxy::Wiring& wiring, SteadyTime now, metrics::Exposition& out) {
    for (const routing::EntryList& list : wiring.snapshot->lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            const routing::Entry& entry = list.entries[i];
            const bool out_of_it =
                list.rotation.state(i).standing(now) != rotation::Standing::active;
            out.gauge("rotary_model_suspended", "1 while an entry is out of the rotation.",
                      {{"policy", list.policy},
                       {"env", routing::to_string(list.environment)},
                       {"model", entry.model},
                       {"backend", wiring.snapshot->backends[entry.backend].name}},
                      out_of_it ? 1 : 0);
        }
    }
}

void sample_told_limits(const proxy::Wiring& wiring, metrics::Exposition& out) {
    const auto sample = [&](const metrics::Labels& labels, const llm::ToldLimits& told,
                            llm::ToldCounter counter) {
        if (const auto remaining = told.remaining(counter)) {
            out.gauge("rotary_upstream_ratelimit_remaining",
                      "What is left of a provider's limit, as it told last.", labels,
                      static_cast<double>(*remaining));
        }
        if (const auto limit = told.limit(counter)) {
            out.gauge("rotary_upstream_ratelimit_limit", "A provider's limit, as it told last.",
                      labels, static_cast<double>(*limit));
        }
    };
    for (const routing::EntryList& list : wiring.snapshot->lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            const routing::Entry& entry = list.entries[i];
            for (std::size_t c = 0; c < llm::kToldCounters; ++c) {
                const auto counter = static_cast<llm::ToldCounter>(c);
                sample({{"policy", list.policy},
                        {"env", routing::to_string(list.environment)},
                        {"model", entry.model},
                        {"backend", wiring.snapshot->backends[entry.backend].name},
                        {"kind", llm::to_string(counter)}},
                       list.rotation.state(i).told(), counter);
            }
        }
    }
}

void sample_backends(const proxy::Wiring& wiring, metrics::Exposition& out) {
    constexpr std::string_view kConnections = "rotary_upstream_connections";
    constexpr std::string_view kHelp = "Connections to a Backend, by whether a request has one.";
    for (const routing::Backend& backend : wiring.snapshot->backends) {
        const std::size_t open = backend.state->connections();
        const std::size_t idle = std::min(backend.state->idle(), open);
        out.gauge(kConnections, kHelp, {{"backend", backend.name}, {"state", "active"}},
                  static_cast<double>(open - idle));
        out.gauge(kConnections, kHelp, {{"backend", backend.name}, {"state", "idle"}},
                  static_cast<double>(idle));
        if (!backend.health_check) continue;
        out.gauge("rotary_backend_healthy", "1 while a Backend's health check finds it there.",
                  {{"backend", backend.name}}, backend.state->healthy() ? 1 : 0);
    }
}

rotation::EntryState* find_entry(const proxy::Wiring& wiring, std::string_view id) {
    for (const routing::EntryList& list : wiring.snapshot->lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            if (list.entries[i].id == id) return &list.rotation.state(i);
        }
    }
    return nullptr;
}

}  // namespace rotary::admin
