#pragma once

#include <rotary/auth/token_cache.hpp>
#include <rotary/base/buffers.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/control/jwks.hpp>
#include <rotary/net/dialer.hpp>
#include <rotary/net/listener.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/proxy/access_log.hpp>
#include <rotary/upstream/upstream_pool.hpp>

#include <cstddef>

namespace rotary::server {

// What the configuration says to each part that has settings of its own.
BufferPool::Limits buffer_limits(const config::Limits& limits);
net::TurnLimits turn_limits(const config::Limits& limits);
net::Dialer::Limits dialer_limits(const config::Config& config);
upstream::UpstreamPool::Limits pool_limits(const config::Config& config);
auth::TokenCacheLimits token_limits(const config::Limits& limits);
std::size_t scratch_head_bytes(const config::Limits& limits);
net::Listener::Options listener_options(const config::Config& config);
control::JwksOptions options_of_jwks(const config::Config& config);
net::Resolver::Options resolver_options(const config::Config& config);

}  // namespace rotary::server
