#pragma once

#include <rotary/base/metrics.hpp>
#include <rotary/downstream/handshakes.hpp>
#include <rotary/llm/learnt_ratio.hpp>
#include <rotary/llm/usage.hpp>
#include <rotary/net/dialer.hpp>
#include <rotary/routing/snapshot.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace rotary::proxy {

// Whether answers have what an AIProvider's rateLimitFields name. Shared by all workers.
struct PathWatch {
    static constexpr std::uint32_t kAnswers = 100;  // the first ones tell

    std::uint32_t named = 0;              // a bit for each of llm::kNamedCounts
    std::atomic<std::uint32_t> met = 0;   // of them
    std::atomic<std::uint32_t> seen = 0;  // answers, up to kAnswers or a few more
};

struct RouteSeries {
    metrics::SeriesId requests;  // by status
    metrics::HistogramId duration;
    std::unique_ptr<PathWatch> usage_paths;  // null: they name nothing of their own
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

// Of streams: until the first event, and each token behind it.
struct StreamSeries {
    metrics::HistogramId first_token;
    metrics::HistogramId output_token;
};

struct EntrySeries {
    metrics::SeriesId upstream_requests;  // by status
    metrics::HistogramId upstream_duration;
    std::array<metrics::SeriesId, rotation::kSuspendReasons> suspensions;  // by SuspendReason
    std::array<metrics::SeriesId, rotation::kFailures> failures;           // by Failure
    TokenSeries tokens;
    CostSeries cost;
    StreamSeries streams;
    // Shared with the wirings before and behind in which it has the same series.
    std::shared_ptr<metrics::Lease> lease;
    // Bytes a token, learnt where limits count tokens; a reload begins anew.
    std::shared_ptr<llm::LearntRatio> learnt = std::make_shared<llm::LearntRatio>();
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
    metrics::HistogramId lease_wait;  // only where replicas share limits
    metrics::SeriesId in_flight;
    metrics::SeriesId connections;
    metrics::SeriesId failovers;
    metrics::SeriesId all_suspended;
    metrics::SeriesId budget_exhausted;
    metrics::SeriesId usage_invalid;
    metrics::SeriesId usage_paths_unmatched;
    metrics::SeriesId handshakes;
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
        StreamSeries streams;
        // Shared by all workers: it does not know stream_options.
        std::unique_ptr<std::atomic<bool>> refuses_usage_ask =
            std::make_unique<std::atomic<bool>>(false);
    };

    std::shared_ptr<const routing::Snapshot> snapshot;
    std::vector<Upstream> upstreams;                // as snapshot->backends
    std::vector<RouteSeries> routes;                // as snapshot->routes
    std::vector<std::vector<EntrySeries>> entries;  // as snapshot->lists and their entries
    // Of each list what its entries have learnt together: limits ask before one is chosen.
    std::vector<std::unique_ptr<llm::LearntRatio>> learnt;
    std::vector<LimitSeries> limits;  // as snapshot->limits
    ProcessSeries process;
    // Its own ones, but for those of entries; those of `process` stay for ever.
    std::shared_ptr<metrics::Lease> series;
    std::uint32_t cells = 0;  // for Shard::ensure
};

// Throws std::runtime_error when a Backend's CA can't be read. Of entries that `before` has as
// well, with the same registry, the series are taken over: there are thirty of each, and an edit is
// mostly of one. Control thread.
std::shared_ptr<const Wiring> wire_up(std::shared_ptr<const routing::Snapshot> snapshot,
                                      metrics::Registry& registry, const Wiring* before = nullptr);

}  // namespace rotary::proxy
