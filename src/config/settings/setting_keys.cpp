#include <rotary/config/settings/setting_keys.hpp>

#include <algorithm>
#include <iterator>

namespace rotary::config {
namespace {

using enum TakesEffect;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kGiB = 1024 * kMiB;
constexpr std::size_t kTiB = 1024 * kGiB;
constexpr std::size_t kMillion = 1'000'000;

constexpr LimitKey kLimitKeys[] = {
    {"header_bytes", &Limits::header_bytes, kKiB, kMiB, at_reload},
    {"uri_bytes", &Limits::uri_bytes, 256, kMiB, at_reload},
    {"headers", &Limits::headers, 8, kMostHeaders, at_reload},
    {"body_bytes", &Limits::body_bytes, 1, kGiB, at_reload},
    {"chunk_header_bytes", &Limits::chunk_header_bytes, 16, 8 * kKiB, at_reload},
    {"json_depth", &Limits::json_depth, 1, kMostJsonDepth, at_reload},
    {"token_bytes", &Limits::token_bytes, 256, 64 * kKiB, at_reload},
    {"model_name_bytes", &Limits::model_name_bytes, 1, 4 * kKiB, at_reload},
    {"upstream_header_bytes", &Limits::upstream_header_bytes, kKiB, kMiB, at_reload},
    {"upstream_headers", &Limits::upstream_headers, 8, kMostHeaders, at_reload},
    {"upstream_body_bytes", &Limits::upstream_body_bytes, 1, kTiB, at_reload},
    {"error_body_bytes", &Limits::error_body_bytes, 0, kMiB, at_reload},
    {"sse_line_bytes", &Limits::sse_line_bytes, 256, 16 * kMiB, at_reload},
    {"interim_responses", &Limits::interim_responses, 0, 100, at_reload},
    {"connections", &Limits::connections, 1, kMillion, at_reload},
    {"buffered_bodies_bytes", &Limits::buffered_bodies_bytes, 0, kTiB, at_reload},
    {"turn_bytes", &Limits::turn_bytes, 4 * kKiB, 16 * kMiB, at_reload},
    {"turn_microseconds", &Limits::turn_microseconds, 50, 1000, at_reload},
    {"accept_backlog", &Limits::accept_backlog, 1, 65535, at_reload},
    {"upstream_connections", &Limits::upstream_connections, 1, kMillion, at_reload},
    {"upstream_idle_connections", &Limits::upstream_idle_connections, 0, kMillion, at_reload},
    {"upstream_pending", &Limits::upstream_pending, 0, kMillion, at_reload},
    {"relay_buffer_bytes", &Limits::relay_buffer_bytes, 4 * kKiB, 16 * kMiB, at_reload},
    {"socket_buffer_bytes", &Limits::socket_buffer_bytes, 16 * kKiB, 64 * kMiB, at_reload},
    {"pooled_body_bytes", &Limits::pooled_body_bytes, 0, 64 * kGiB, at_reload},
    {"pooled_buffers", &Limits::pooled_buffers, 0, kMillion, at_reload},
    {"token_cache_entries", &Limits::token_cache_entries, 0, kMillion, at_reload},
    {"token_cache_bytes", &Limits::token_cache_bytes, 0, 64 * kGiB, at_reload},
    {"dns_cache_entries", &Limits::dns_cache_entries, 0, kMillion, at_reload},
    {"dns_lookups", &Limits::dns_lookups, 1, 10'000, at_reload},
    {"dns_addresses", &Limits::dns_addresses, 1, 256, at_reload},
    {"access_log_buffer_bytes", &Limits::access_log_buffer_bytes, 4 * kKiB, kGiB, at_reload},
    {"event_log_buffer_bytes", &Limits::event_log_buffer_bytes, 4 * kKiB, kGiB, at_reload},
    {"trace_queue_bytes", &Limits::trace_queue_bytes, 64 * kKiB, kGiB, at_reload},
    {"trace_batch_bytes", &Limits::trace_batch_bytes, 16 * kKiB, 64 * kMiB, at_reload},
    {"ledger_cells", &Limits::ledger_cells, 16, kMillion, at_reload},
    {"rotation_entries", &Limits::rotation_entries, 1, kMostEntries, at_reload},
    {"jwks_bytes", &Limits::jwks_bytes, 256, 16 * kMiB, at_reload},
    {"jwks_keys", &Limits::jwks_keys, 1, 10'000, at_reload},
    {"unknown_kids", &Limits::unknown_kids, 0, kMillion, at_reload},
    {"admin_connections", &Limits::admin_connections, 1, 10'000, at_reload},
    {"admin_body_bytes", &Limits::admin_body_bytes, 0, 16 * kMiB, at_reload},
    {"admin_requests", &Limits::admin_requests, 0, 1'000, at_reload},
    {"admin_events", &Limits::admin_events, 0, 10'000, at_reload},
    {"admin_subscribers", &Limits::admin_subscribers, 0, 1'000, at_reload},
    {"resource_file_bytes", &Limits::resource_file_bytes, kKiB, 256 * kMiB, at_reload},
    {"kubernetes_object_bytes", &Limits::kubernetes_object_bytes, 64 * kKiB, 64 * kMiB, at_reload},
    {"model_sets", &Limits::model_sets, 1, kMillion, at_reload},
    {"metric_series", &Limits::metric_series, 1, kMostMetricSeries, at_reload},
};

constexpr Duration kNone{0};
constexpr Duration kTick{1};  // of every clock here
constexpr Duration kSecond{1'000};
constexpr Duration kMinute{60'000};
constexpr Duration kHour{3'600'000};
constexpr Duration kDay{86'400'000};

// What would spin, divide by nothing or let nothing through at 0 has another least value.
constexpr TimeoutKey kTimeoutKeys[] = {
    {"tls_handshake", &Timeouts::tls_handshake, kTick, kHour, at_reload},
    {"head", &Timeouts::head, kTick, kHour, at_reload},
    {"body_gap", &Timeouts::body_gap, kTick, kDay, at_reload},
    {"body_per_mib", &Timeouts::body_per_mib, kTick, kHour, at_reload},
    {"keep_alive", &Timeouts::keep_alive, kNone, kDay, at_reload},
    {"connection_age", &Timeouts::connection_age, kNone, 365 * kDay, at_reload},
    {"write_stall", &Timeouts::write_stall, kTick, kDay, at_reload},
    {"shutdown", &Timeouts::shutdown, kNone, kMinute, at_reload},
    {"dns", &Timeouts::dns, kTick, kHour, at_reload},
    {"connect", &Timeouts::connect, kTick, kHour, at_reload},
    {"first_byte", &Timeouts::first_byte, kTick, kDay, at_reload},
    {"error_body", &Timeouts::error_body, kNone, kHour, at_reload},
    {"event_gap", &Timeouts::event_gap, kTick, kDay, at_reload},
    {"total", &Timeouts::total, kTick, 7 * kDay, at_reload},
    {"stale_connection", &Timeouts::stale_connection, kNone, kMinute, at_reload},
    {"stream_head_patience", &Timeouts::stream_head_patience, kNone, kDay, at_reload},
    {"upstream_idle", &Timeouts::upstream_idle, kNone, kDay, at_reload},
    {"dns_cache", &Timeouts::dns_cache, kNone, kDay, at_reload},
    {"dns_stale", &Timeouts::dns_stale, kNone, 30 * kDay, at_reload},
    {"dns_negative", &Timeouts::dns_negative, kNone, kHour, at_reload},
    {"probe_verdict", &Timeouts::probe_verdict, kTick, kHour, at_reload},
    {"failure_suspension", &Timeouts::failure_suspension, kTick, kDay, at_reload},
    {"silence_suspension", &Timeouts::silence_suspension, kTick, kDay, at_reload},
    {"credential_suspension", &Timeouts::credential_suspension, kTick, kDay, at_reload},
    {"failure_suspension_max", &Timeouts::failure_suspension_max, kTick, 30 * kDay, at_reload},
    {"suspension_max", &Timeouts::suspension_max, kTick, 30 * kDay, at_reload},
    {"retry_budget_window", &Timeouts::retry_budget_window, kTick, kHour, at_reload},
    {"jwks_refresh", &Timeouts::jwks_refresh, kSecond, 7 * kDay, at_reload},
    {"jwks_fetch", &Timeouts::jwks_fetch, kTick, kHour, at_reload},
    {"jwks_cooldown", &Timeouts::jwks_cooldown, kNone, kDay, at_reload},
    {"jwks_wait", &Timeouts::jwks_wait, kNone, kHour, at_reload},
    {"jwks_patience", &Timeouts::jwks_patience, kNone, kDay, at_reload},
    {"jwks_stale", &Timeouts::jwks_stale, kNone, 365 * kDay, at_reload},
    {"unknown_kid", &Timeouts::unknown_kid, kNone, kDay, at_reload},
    {"token_leeway", &Timeouts::token_leeway, kNone, kHour, at_reload},
    {"redis_connect", &Timeouts::redis_connect, kTick, kMinute, at_reload},
    {"redis_login", &Timeouts::redis_login, kTick, kMinute, at_reload},
    {"redis_silence", &Timeouts::redis_silence, kSecond, kMinute, at_reload},
    {"redis_retry", &Timeouts::redis_retry, Duration{10}, kHour, at_reload},
    {"drain", &Timeouts::drain, kNone, 7 * kDay, at_reload},
    {"accept_backoff", &Timeouts::accept_backoff, kTick, kMinute, at_reload},
    {"accept_grace", &Timeouts::accept_grace, kNone, kMinute, at_reload},
    {"watch_settle", &Timeouts::watch_settle, kTick, kMinute, at_reload},
    {"kubernetes_request", &Timeouts::kubernetes_request, kTick, kHour, at_reload},
    {"kubernetes_watch", &Timeouts::kubernetes_watch, kSecond, kHour, at_reload},
    {"kubernetes_retry", &Timeouts::kubernetes_retry, kTick, kHour, at_reload},
    {"kubernetes_settle", &Timeouts::kubernetes_settle, kTick, kMinute, at_reload},
    {"kubernetes_hold", &Timeouts::kubernetes_hold, kNone, kDay, at_reload},
    {"log_flush", &Timeouts::log_flush, Duration{10}, kMinute, at_reload},
    {"trace_interval", &Timeouts::trace_interval, Duration{10}, kHour, at_reload},
    {"trace_export", &Timeouts::trace_export, kTick, kHour, at_reload},
    {"ledger_write", &Timeouts::ledger_write, Duration{10}, kMinute, at_reload},
    {"admin", &Timeouts::admin, kTick, kHour, at_reload},
};

// A member without a key could not be configured. The counts tell when one was forgotten.
static_assert(sizeof(Limits) == std::size(kLimitKeys) * sizeof(std::size_t));
static_assert(sizeof(Timeouts) == std::size(kTimeoutKeys) * sizeof(Duration));

bool serve_alike(const Listener& one, const Listener& other) {
    return one.address == other.address && one.port == other.port &&
           one.tls.has_value() == other.tls.has_value();
}

bool same_listeners(const Config& one, const Config& other) {
    return std::equal(one.listeners.begin(), one.listeners.end(), other.listeners.begin(),
                      other.listeners.end(), serve_alike);
}

bool same_certificates(const Config& one, const Config& other) {
    const auto alike = [](const Listener& a, const Listener& b) {
        return !a.tls || !b.tls ||
               (a.tls->certificate == b.tls->certificate && a.tls->key == b.tls->key);
    };
    return std::equal(one.listeners.begin(), one.listeners.end(), other.listeners.begin(),
                      other.listeners.end(), alike);
}

bool same_state(const Config& one, const Config& other) {
    return connects_alike(one.state, other.state);
}

template <std::vector<ResourcePath> Config::*member>
bool same_paths(const Config& one, const Config& other) {
    return std::ranges::equal(one.*member, other.*member, {}, &ResourcePath::path,
                              &ResourcePath::path);
}

template <auto member>
bool same(const Config& one, const Config& other) {
    return one.*member == other.*member;
}
template <auto group, auto member>
bool same(const Config& one, const Config& other) {
    return one.*group.*member == other.*group.*member;
}
template <auto member>
constexpr auto kSameUsage = same<&Config::usage, member>;
template <auto member>
constexpr auto kSameTracing = same<&Config::tracing, member>;
template <auto member>
constexpr auto kSameRouting = same<&Config::routing, member>;
template <auto member>
constexpr auto kSameQuotas = same<&Config::quotas, member>;
template <auto member>
constexpr auto kSameProxies = same<&Config::proxies, member>;
constexpr OtherKey kOtherKeys[] = {
    {"workers", same<&Config::workers>, at_restart},
    {"watch", same<&Config::watch>, at_reload},
    {"listeners", same_listeners, at_restart},  // how many, where, and whether with TLS
    {"listeners.tls", same_certificates, at_reload},
    {"proxies.trusted", kSameProxies<&Proxies::trusted>, at_reload},
    {"proxies.protocol", kSameProxies<&Proxies::protocol>, at_reload},
    {"proxies.field", kSameProxies<&Proxies::field>, at_reload},
    {"admin.address", same<&Config::admin, &Admin::address>, at_restart},
    {"admin.port", same<&Config::admin, &Admin::port>, at_restart},
    {"admin.token_file", same<&Config::admin, &Admin::token_file>, at_reload},
    {"resources", same_paths<&Config::resources>, at_reload},
    {"kubernetes", same<&Config::kubernetes>, at_restart},
    {"prices", same_paths<&Config::prices>, at_reload},
    {"budgets.currency", same<&Config::budgets, &Budgets::currency>, at_restart},
    {"budgets.ledger", same<&Config::budgets, &Budgets::ledger>, at_restart},
    {"budgets.unpriced", same<&Config::budgets, &Budgets::refuses_unpriced>, at_reload},
    {"state.redis", same_state, at_reload},
    {"resolvers", same<&Config::resolvers>, at_reload},
    {"routing.max_attempts", kSameRouting<&Routing::max_attempts>, at_reload},
    {"routing.on_all_suspended", kSameRouting<&Routing::on_all_suspended>, at_reload},
    {"routing.retry_after", kSameRouting<&Routing::retry_after>, at_reload},
    {"routing.expose_route", kSameRouting<&Routing::expose_route>, at_reload},
    {"routing.retry_budget_percent", kSameRouting<&Routing::retry_budget_percent>, at_reload},
    {"routing.failures_to_suspend", kSameRouting<&Routing::failures_to_suspend>, at_reload},
    {"routing.suspension_jitter_percent", kSameRouting<&Routing::suspension_jitter_percent>,
     at_reload},
    {"routing.stream_ping_seconds", kSameRouting<&Routing::stream_ping_seconds>, at_reload},
    {"routing.without_rotation", kSameRouting<&Routing::without_rotation>, at_reload},
    {"routing.forward_headers", kSameRouting<&Routing::forward_headers>, at_reload},
    {"routing.withheld_query", kSameRouting<&Routing::withheld_query>, at_reload},
    {"auth.failures_per_minute", same<&Config::auth, &Auth::failures_per_minute>, at_reload},
    {"quotas.max_concurrent_per_consumer",
     same<&Config::quotas, &Quotas::max_concurrent_per_consumer>, at_reload},
    {"usage.streams", kSameUsage<&UsageSettings::streams>, at_reload},
    {"usage.bytes_per_token", kSameUsage<&UsageSettings::bytes_per_token>, at_reload},
    {"usage.tokens_per_image", kSameUsage<&UsageSettings::tokens_per_image>, at_reload},
    {"usage.charge_failed", kSameUsage<&UsageSettings::charges_failed>, at_reload},
    {"keys.revoke_streams", same<&Config::keys, &Keys::revoke_streams>, at_reload},
    {"quotas.window", kSameQuotas<&Quotas::window>, at_reload},
    {"quotas.admission", kSameQuotas<&Quotas::admission>, at_reload},
    {"quotas.carry_debt", kSameQuotas<&Quotas::carry_debt>, at_reload},
    {"quotas.headers", kSameQuotas<&Quotas::headers>, at_reload},
    {"quotas.reserve_output_tokens", kSameQuotas<&Quotas::reserve_output_tokens>, at_reload},
    {"quotas.counters", kSameQuotas<&Quotas::counters>, at_reload},
    {"quotas.metric_consumers", kSameQuotas<&Quotas::metric_consumers>, at_reload},
    {"accept_unserved", same<&Config::accept_unserved>, at_reload},
    {"log.level", same<&Config::log, &Log::level>, at_reload},
    {"log.access", same<&Config::log, &Log::access>, at_reload},
    {"log.access_file", same<&Config::log, &Log::access_file>, at_restart},
    {"log.tries", same<&Config::log, &Log::tries>, at_reload},
    {"tracing.endpoint", kSameTracing<&Tracing::endpoint>, at_reload},
    {"tracing.headers", kSameTracing<&Tracing::headers>, at_reload},
    {"tracing.headers_file", kSameTracing<&Tracing::headers_file>, at_reload},
    {"tracing.ca", kSameTracing<&Tracing::ca>, at_reload},
    {"tracing.service_name", kSameTracing<&Tracing::service_name>, at_reload},
    {"tracing.attributes", kSameTracing<&Tracing::attributes>, at_reload},
    {"tracing.sample_ratio", kSameTracing<&Tracing::sample_ratio>, at_reload},
};

// These stop compiling when a member is added: it then needs a row above.
[[maybe_unused]] void every_member_has_a_row(const Config& config) {
    [[maybe_unused]] const auto& [mark, workers, watch, listeners, proxies, admin, resources,
                                  kubernetes, prices, budgets, state, resolvers, routing, auth,
                                  quotas, usage, keys, accept_unserved, limits, timeouts, tracing,
                                  log] = config;
    [[maybe_unused]] const auto& [redis] = state;
    [[maybe_unused]] const auto& [trusted, protocol, field] = proxies;
    [[maybe_unused]] const auto& [address, port, token_file, address_mark, token_mark] = admin;
    [[maybe_unused]] const auto& [currency, ledger, refuses_unpriced] = budgets;
    [[maybe_unused]] const auto& [max_attempts, on_all_suspended, retry_after, expose_route,
                                  percent, failures, jitter, ping, without_rotation,
                                  forward_headers, withheld_query] = routing;
    [[maybe_unused]] const auto& [streams, bytes_per_token, tokens_per_image, charges_failed] =
        usage;
    [[maybe_unused]] const auto& [revoke_streams] = keys;
    [[maybe_unused]] const auto& [window, admission, carry_debt, headers, reserve, counters,
                                  max_concurrent, metric_consumers] = quotas;
    [[maybe_unused]] const auto& [level, access, access_file, access_mark, tries] = log;
    [[maybe_unused]] const auto& [endpoint, otlp_headers, headers_file, ca, ca_pem, headers_mark,
                                  ca_mark, service, attributes, ratio, tracing_mark] = tracing;
    [[maybe_unused]] const auto& [failures_per_minute] = auth;
}

}  // namespace

std::span<const LimitKey> limit_keys() { return kLimitKeys; }

std::span<const TimeoutKey> timeout_keys() { return kTimeoutKeys; }

std::span<const OtherKey> other_keys() { return kOtherKeys; }

std::vector<std::string> waiting_for_restart(const Config& started_with, const Config& wanted) {
    std::vector<std::string> names;
    for (const OtherKey& key : kOtherKeys) {
        if (key.takes_effect == at_restart && !key.same(started_with, wanted)) {
            names.emplace_back(key.name);
        }
    }
    for (const LimitKey& key : kLimitKeys) {
        if (key.takes_effect == at_restart &&
            started_with.limits.*key.member != wanted.limits.*key.member) {
            names.push_back("limits." + std::string(key.name));
        }
    }
    for (const TimeoutKey& key : kTimeoutKeys) {
        if (key.takes_effect == at_restart &&
            started_with.timeouts.*key.member != wanted.timeouts.*key.member) {
            names.push_back("timeouts." + std::string(key.name));
        }
    }
    return names;
}

}  // namespace rotary::config
