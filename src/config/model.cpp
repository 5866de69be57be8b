#include <rotary/config/model.hpp>

#include <iterator>

namespace rotary::config {
namespace {

constexpr LimitKey kLimitKeys[] = {
    {"header_bytes", &Limits::header_bytes, 1024},
    {"uri_bytes", &Limits::uri_bytes, 256},
    {"headers", &Limits::headers, 8},
    {"body_bytes", &Limits::body_bytes, 1},
    {"chunk_header_bytes", &Limits::chunk_header_bytes, 16},
    {"json_depth", &Limits::json_depth, 1},
    {"token_bytes", &Limits::token_bytes, 256},
    {"model_name_bytes", &Limits::model_name_bytes, 1},
    {"upstream_header_bytes", &Limits::upstream_header_bytes, 1024},
    {"upstream_headers", &Limits::upstream_headers, 8},
    {"upstream_body_bytes", &Limits::upstream_body_bytes, 1},
    {"error_body_bytes", &Limits::error_body_bytes, 0},
    {"sse_line_bytes", &Limits::sse_line_bytes, 256},
    {"interim_responses", &Limits::interim_responses, 0},
    {"connections", &Limits::connections, 1},
    {"buffered_bodies_bytes", &Limits::buffered_bodies_bytes, 0},
    {"turn_bytes", &Limits::turn_bytes, 4096},
    {"accept_backlog", &Limits::accept_backlog, 1},
    {"upstream_connections", &Limits::upstream_connections, 1},
    {"upstream_idle_connections", &Limits::upstream_idle_connections, 0},
    {"upstream_pending", &Limits::upstream_pending, 0},
    {"relay_buffer_bytes", &Limits::relay_buffer_bytes, 4096},
    {"socket_buffer_bytes", &Limits::socket_buffer_bytes, 16384},
    {"pooled_body_bytes", &Limits::pooled_body_bytes, 0},
    {"pooled_buffers", &Limits::pooled_buffers, 0},
    {"token_cache_entries", &Limits::token_cache_entries, 0},
    {"token_cache_bytes", &Limits::token_cache_bytes, 0},
    {"dns_cache_entries", &Limits::dns_cache_entries, 0},
    {"dns_lookups", &Limits::dns_lookups, 1},
    {"dns_addresses", &Limits::dns_addresses, 1},
    {"access_log_buffer_bytes", &Limits::access_log_buffer_bytes, 4096},
    {"event_log_buffer_bytes", &Limits::event_log_buffer_bytes, 4096},
    {"jwks_bytes", &Limits::jwks_bytes, 256},
    {"jwks_keys", &Limits::jwks_keys, 1},
    {"unknown_kids", &Limits::unknown_kids, 0},
    {"admin_connections", &Limits::admin_connections, 1},
    {"admin_body_bytes", &Limits::admin_body_bytes, 0},
};

constexpr TimeoutKey kTimeoutKeys[] = {
    {"tls_handshake", &Timeouts::tls_handshake},
    {"head", &Timeouts::head},
    {"body_gap", &Timeouts::body_gap},
    {"body_per_mib", &Timeouts::body_per_mib},
    {"keep_alive", &Timeouts::keep_alive},
    {"connection_age", &Timeouts::connection_age},
    {"write_stall", &Timeouts::write_stall},
    {"shutdown", &Timeouts::shutdown},
    {"dns", &Timeouts::dns},
    {"connect", &Timeouts::connect},
    {"first_byte", &Timeouts::first_byte},
    {"error_body", &Timeouts::error_body},
    {"event_gap", &Timeouts::event_gap},
    {"total", &Timeouts::total},
    {"stale_connection", &Timeouts::stale_connection},
    {"stream_head_patience", &Timeouts::stream_head_patience},
    {"upstream_idle", &Timeouts::upstream_idle},
    {"dns_cache", &Timeouts::dns_cache},
    {"dns_stale", &Timeouts::dns_stale},
    {"dns_negative", &Timeouts::dns_negative},
    {"turn", &Timeouts::turn},
    {"probe_verdict", &Timeouts::probe_verdict},
    {"failure_suspension", &Timeouts::failure_suspension},
    {"silence_suspension", &Timeouts::silence_suspension},
    {"credential_suspension", &Timeouts::credential_suspension},
    {"failure_suspension_max", &Timeouts::failure_suspension_max},
    {"suspension_max", &Timeouts::suspension_max},
    {"retry_budget_window", &Timeouts::retry_budget_window},
    {"jwks_refresh", &Timeouts::jwks_refresh},
    {"jwks_fetch", &Timeouts::jwks_fetch},
    {"jwks_cooldown", &Timeouts::jwks_cooldown},
    {"jwks_wait", &Timeouts::jwks_wait},
    {"jwks_stale", &Timeouts::jwks_stale},
    {"unknown_kid", &Timeouts::unknown_kid},
    {"token_leeway", &Timeouts::token_leeway},
    {"drain", &Timeouts::drain},
    {"accept_backoff", &Timeouts::accept_backoff},
    {"accept_grace", &Timeouts::accept_grace},
    {"watch_settle", &Timeouts::watch_settle},
    {"log_flush", &Timeouts::log_flush},
    {"admin", &Timeouts::admin},
};

// A member without a key could not be configured. The counts tell when one was forgotten.
static_assert(sizeof(Limits) == std::size(kLimitKeys) * sizeof(std::size_t));
static_assert(sizeof(Timeouts) == std::size(kTimeoutKeys) * sizeof(Duration));

}  // namespace

std::span<const LimitKey> limit_keys() { return kLimitKeys; }

std::span<const TimeoutKey> timeout_keys() { return kTimeoutKeys; }

}  // namespace rotary::config
