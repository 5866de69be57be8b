#pragma once

#include <rotary/auth/failure_counts.hpp>
#include <rotary/auth/jwt.hpp>
#include <rotary/auth/token_cache.hpp>
#include <rotary/base/buffers.hpp>
#include <rotary/base/line_pace.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/downstream/http1_connection.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/proxy/exchange_pool.hpp>
#include <rotary/proxy/key_waits.hpp>
#include <rotary/proxy/observer.hpp>
#include <rotary/proxy/waiters.hpp>
#include <rotary/proxy/wiring.hpp>
#include <rotary/rotation/retry_budget.hpp>
#include <rotary/upstream/http1_provider.hpp>
#include <rotary/wire/scratch.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::proxy {

// What the proxy uses of its worker: the worker owns all of it, one of each, on its one thread.
struct Context {
    net::Reactor& reactor;
    BufferPool& buffers;
    wire::Scratch& scratch;
    downstream::Services& clients;
    upstream::Services& providers;
    auth::TokenCache& tokens;
    metrics::Shard& metrics;
    std::array<Observer*, 5> observers;  // null: none
    Logger& log;

    // What new exchanges begin with; replaced by the worker when a snapshot is published.
    std::shared_ptr<const Wiring> wiring;
    std::shared_ptr<const auth::IssuerTable> issuers;
    std::shared_ptr<const std::vector<std::size_t>> buckets;  // of the pool, as wiring->upstreams

    // Asks for a fetch of an issuer's keys, once KeyFetch::hope() said so; must not block.
    std::function<void(const std::shared_ptr<auth::KeyFetch>&)> on_stale_keys;

    rotation::RetryBudget retry_budget;  // this worker's
    std::uint64_t random_state = 1;      // of request ids; seeded by the worker
    std::string path;                    // a rewritten one, between two awaits only
    ExchangePool exchanges{};
    KeyWaits key_waits{};   // woken by the worker
    Waiters lease_waits{};  // idem, when the fleet has answered
    LinePace handshake_lines{};
    auth::FailureCounts failures{};  // of clients to show who they are
};

}  // namespace rotary::proxy
