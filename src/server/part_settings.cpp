#include "server/part_settings.hpp"

#include <algorithm>
#include <chrono>

namespace rotary::server {

namespace {
constexpr std::size_t kOwnHeadBytes = 32768;  // what Rotary and a route's filters add to a head
}

BufferPool::Limits buffer_limits(const config::Limits& limits) {
    BufferPool::Limits made;
    made.read_bytes =
        std::max({limits.header_bytes, limits.upstream_header_bytes, std::size_t{16384}});
    made.kept_read_buffers = limits.pooled_buffers;
    made.kept_body_bytes = limits.pooled_body_bytes;
    return made;
}

net::TurnLimits turn_limits(const config::Limits& limits) {
    return {limits.turn_bytes, std::chrono::microseconds(limits.turn_microseconds)};
}

net::Dialer::Limits dialer_limits(const config::Config& config) {
    net::Dialer::Limits made;
    made.tls_sessions = config.limits.dns_cache_entries;
    made.receive_buffer_bytes = config.limits.socket_buffer_bytes;
    return made;
}

upstream::UpstreamPool::Limits pool_limits(const config::Config& config) {
    upstream::UpstreamPool::Limits made;
    made.idle_connections = config.limits.upstream_idle_connections;
    made.idle = config.timeouts.upstream_idle;
    made.turn = config.timeouts.connect / 16;  // others have theirs before they give up
    return made;
}

auth::TokenCacheLimits token_limits(const config::Limits& limits) {
    auth::TokenCacheLimits made;
    made.entries = limits.token_cache_entries;
    made.bytes = limits.token_cache_bytes;
    made.token_bytes = limits.token_bytes;
    return made;
}

std::size_t scratch_head_bytes(const config::Limits& limits) {
    return std::max(limits.header_bytes, limits.upstream_header_bytes) + kOwnHeadBytes;
}

net::Listener::Options listener_options(const config::Config& config) {
    net::Listener::Options made;
    made.backlog = static_cast<int>(config.limits.accept_backlog);
    made.send_buffer_bytes = config.limits.socket_buffer_bytes;
    made.backoff = config.timeouts.accept_backoff;
    return made;
}

control::JwksOptions options_of_jwks(const config::Config& config) {
    control::JwksOptions options;
    options.refresh = config.timeouts.jwks_refresh;
    options.fetch = config.timeouts.jwks_fetch;
    options.cooldown = config.timeouts.jwks_cooldown;
    options.stale = config.timeouts.jwks_stale;
    options.limits.bytes = config.limits.jwks_bytes;
    options.limits.keys = config.limits.jwks_keys;
    return options;
}

net::Resolver::Options resolver_options(const config::Config& config) {
    net::Resolver::Options options;
    options.lookup = config.timeouts.dns;
    options.fresh = config.timeouts.dns_cache;
    options.stale = config.timeouts.dns_stale;
    options.negative = config.timeouts.dns_negative;
    options.lookups = config.limits.dns_lookups;
    options.entries = config.limits.dns_cache_entries;
    options.addresses = config.limits.dns_addresses;
    options.servers = config.resolvers;
    return options;
}

}  // namespace rotary::server
