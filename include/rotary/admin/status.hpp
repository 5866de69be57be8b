#pragma once

#include <rotary/admin/entry_history.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/wiring.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace rotary::admin {

// What /api/v1/models shows: every entry with its weight, its share of the picks, its standing, its
// tokens of the last minute, how fast it answered of late, and how the limits of its Backend and
// of its model there stand.
std::string models_json(const proxy::Wiring& wiring, const metrics::Registry& registry,
                        const EntryHistory& history, const Now& now);

// The process configuration in force, every limit and time-out with its value; no resource, so no
// secret.
std::string config_json(const config::Config& config);

// Samples worked out at each scrape: rotary_model_suspended, one an entry.
void sample_entries(const proxy::Wiring& wiring, SteadyTime now, metrics::Exposition& out);

// rotary_upstream_ratelimit_remaining and its limit, of those entries whose providers tell.
void sample_told_limits(const proxy::Wiring& wiring, metrics::Exposition& out);

// The same of Backends: rotary_upstream_connections and, where there is a health check,
// rotary_backend_healthy.
void sample_backends(const proxy::Wiring& wiring, metrics::Exposition& out);

// The state of the entry with that id (API/environment/model@Backend), or null.
rotation::EntryState* find_entry(const proxy::Wiring& wiring, std::string_view id);

}  // namespace rotary::admin
