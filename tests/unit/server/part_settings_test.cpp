#include "server/part_settings.hpp"

#include <rotary/server/server.hpp>

#include <gtest/gtest.h>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

TEST(PartSettings, AReadBufferHoldsAWholeHeadOfEitherSide) {
    struct Row {
        const char* name;
        std::size_t client;
        std::size_t provider;
        std::size_t buffer;
        std::size_t scratch;
    };
    const Row rows[] = {{"as they are", 32768, 32768, 32768, 65536},
                        {"the client's is larger", 65536, 32768, 65536, 98304},
                        {"the provider's is larger", 32768, 131072, 131072, 163840},
                        {"both small: never below a TLS record", 1024, 2048, 16384, 34816}};
    for (const Row& row : rows) {
        config::Limits limits;
        limits.header_bytes = row.client;
        limits.upstream_header_bytes = row.provider;
        EXPECT_EQ(buffer_limits(limits).read_bytes, row.buffer) << row.name;
        EXPECT_EQ(scratch_head_bytes(limits), row.scratch) << row.name;
    }
}

TEST(PartSettings, PartsOfAWorkerHaveWhatTheConfigurationSays) {
    config::Config config;
    config.limits.pooled_buffers = 11;
    config.limits.pooled_body_bytes = 12;
    config.limits.turn_bytes = 13;
    config.limits.turn_microseconds = 14;
    config.limits.dns_cache_entries = 15;
    config.limits.socket_buffer_bytes = 16;
    config.limits.upstream_idle_connections = 17;
    config.limits.token_cache_entries = 18;
    config.limits.token_cache_bytes = 19;
    config.limits.token_bytes = 20;
    config.limits.accept_backlog = 21;
    config.timeouts.upstream_idle = 22s;
    config.timeouts.connect = 160ms;
    config.timeouts.accept_backoff = 23ms;

    EXPECT_EQ(buffer_limits(config.limits).kept_read_buffers, 11U);
    EXPECT_EQ(buffer_limits(config.limits).kept_body_bytes, 12U);
    EXPECT_EQ(turn_limits(config.limits).bytes, 13U);
    EXPECT_EQ(turn_limits(config.limits).time, 14us);
    EXPECT_EQ(dialer_limits(config).tls_sessions, 15U);
    EXPECT_EQ(dialer_limits(config).receive_buffer_bytes, 16U);
    EXPECT_EQ(pool_limits(config).idle_connections, 17U);
    EXPECT_EQ(pool_limits(config).idle, 22s);
    EXPECT_EQ(pool_limits(config).turn, 10ms) << "others have theirs before they give up";
    EXPECT_EQ(token_limits(config.limits).entries, 18U);
    EXPECT_EQ(token_limits(config.limits).bytes, 19U);
    EXPECT_EQ(token_limits(config.limits).token_bytes, 20U);
    EXPECT_EQ(listener_options(config).backlog, 21);
    EXPECT_EQ(listener_options(config).send_buffer_bytes, 16U);
    EXPECT_EQ(listener_options(config).backoff, 23ms);
}

TEST(PartSettings, PartsOfTheControlThreadHaveWhatTheConfigurationSays) {
    config::Config config;
    config.timeouts.jwks_refresh = 31s;
    config.timeouts.jwks_fetch = 32s;
    config.timeouts.jwks_cooldown = 33s;
    config.timeouts.jwks_stale = 34s;
    config.limits.jwks_bytes = 35;
    config.limits.jwks_keys = 36;
    const control::JwksOptions keys = options_of_jwks(config);
    EXPECT_EQ(keys.refresh, 31s);
    EXPECT_EQ(keys.fetch, 32s);
    EXPECT_EQ(keys.cooldown, 33s);
    EXPECT_EQ(keys.stale, 34s);
    EXPECT_EQ(keys.limits.bytes, 35U);
    EXPECT_EQ(keys.limits.keys, 36U);

    config.timeouts.dns = 41s;
    config.timeouts.dns_cache = 42s;
    config.timeouts.dns_stale = 43s;
    config.timeouts.dns_negative = 44s;
    config.limits.dns_lookups = 45;
    config.limits.dns_cache_entries = 46;
    config.limits.dns_addresses = 47;
    config.resolvers = {"192.0.2.53"};
    const net::Resolver::Options names = resolver_options(config);
    EXPECT_EQ(names.lookup, 41s);
    EXPECT_EQ(names.fresh, 42s);
    EXPECT_EQ(names.stale, 43s);
    EXPECT_EQ(names.negative, 44s);
    EXPECT_EQ(names.lookups, 45U);
    EXPECT_EQ(names.entries, 46U);
    EXPECT_EQ(names.addresses, 47U);
    EXPECT_EQ(names.servers, config.resolvers);
}

}  // namespace
}  // namespace rotary::server
