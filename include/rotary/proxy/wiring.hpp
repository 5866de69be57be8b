#pragma once

#include <rotary/base/metrics.hpp>
#include <rotary/downstream/handshakes.hpp>
#include <rotary/llm/usage.hpp>
#include <rotary/net/dialer.hpp>
#include <rotary/routing/snapshot.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace rotary::proxy {

struct RouteSeries {
    metrics::SeriesId requests;  // by status
    metrics::HistogramId duration;
};

// Tokens of answers: input, output, cached_read, cache_write, reasoning; the last three are parts
// of the first two.
inline constexpr std::size_t kTokenTypes = 5;
using TokenSeries = std::array<metrics::SeriesId, kTokenTypes>;

// Only where there are price lists.
struct CostSeries {
    metrics::SeriesId nanos;
    metrics::SeriesId unpriced;  // answers
};

struct EntrySeries {
    metrics::SeriesId upstream_requests;  // by status
    metrics::HistogramId upstream_duration;
    std::array<metrics::SeriesId, rotation::kSuspendReasons> suspensions;  // by SuspendReason
    std::array<metrics::SeriesId, rotation::kFailures> failures;           // by Failure
    TokenSeries tokens;
    CostSeries cost;
};

// Decisions about one limit.
struct LimitSeries {
    metrics::SeriesId admitted;
    metrics::SeriesId refused;
    metrics::SeriesId warned;    // it was admitted, and little is left: Budget.soft
    metrics::SeriesId shadowed;  // it only counts, and would have refused
};

struct ProcessSeries {
    metrics::SeriesId unrouted;  // by status: requests that met no route
    metrics::HistogramId unrouted_duration;
    metrics::HistogramId overhead;
    metrics::SeriesId in_flight;
    metrics::SeriesId connections;
    metrics::SeriesId failovers;
    metrics::SeriesId all_suspended;
    metrics::SeriesId budget_exhausted;
    metrics::SeriesId usage_invalid;
    std::array<metrics::SeriesId, llm::kUsageSources> usage_sources;              // by UsageSource
    std::array<metrics::SeriesId, downstream::kHandshakeEnds> failed_handshakes;  // by HandshakeEnd
};

// A snapshot with what the sockets and the counters need of it: endpoints with their TLS settings,
// and the handles of all series, so that the path looks nothing up by name. Immutable, shared by
// pointer with every worker.
struct Wiring {
    struct Upstream {
        net::Endpoint endpoint;
        std::string pool_key;  // equal keys: connections may be shared
        // For requests without a rotation.
        metrics::SeriesId requests;  // by status
        metrics::HistogramId duration;
        metrics::SeriesId overflow;
        std::array<metrics::SeriesId, rotation::kFailures> failures;
        TokenSeries tokens;
        CostSeries cost;
        // Shared by all workers: it does not know stream_options.
        std::unique_ptr<std::atomic<bool>> refuses_usage_ask =
            std::make_unique<std::atomic<bool>>(false);
    };

    std::shared_ptr<const routing::Snapshot> snapshot;
    std::vector<Upstream> upstreams;                // as snapshot->backends
    std::vector<RouteSeries> routes;                // as snapshot->routes
    std::vector<std::vector<EntrySeries>> entries;  // as snapshot->lists and their entries
    std::vector<LimitSeries> limits;                // as snapshot->limits
    ProcessSeries process;
    std::shared_ptr<metrics::Lease> series;  // its own ones; those of `process` stay for ever
    std::uint32_t cells = 0;                 // for Shard::ensure
};

// Throws std::runtime_error when a Backend's CA can't be read. Control thread.
std::shared_ptr<const Wiring> wire_up(std::shared_ptr<const routing::Snapshot> snapshot,
                                      metrics::Registry& registry);

}  // namespace rotary::proxy
