#include <rotary/net/tls.hpp>
#include <rotary/proxy/wiring.hpp>

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace rotary::proxy {

namespace {

// Completions take minutes: the buckets reach as far as the total deadline.
constexpr std::array kDurationBuckets = {0.001, 0.0025, 0.005, 0.01,  0.025, 0.05,
                                         0.1,   0.25,   0.5,   1.0,   2.5,   5.0,
                                         10.0,  30.0,   60.0,  120.0, 300.0, 600.0};
constexpr std::array kOverheadBuckets = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                         0.005,   0.01,   0.025,   0.05,   0.1,   1.0};

// 20 ms is the deadline of Redis that is usual; what is above 30 ms is for alerts.
constexpr std::array kLeaseWaitBuckets = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                          0.02,   0.025,   0.03,   0.05,  0.1,    0.25,  1.0};

constexpr std::array kTokenBuckets = {0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05,
                                      0.075, 0.1,    0.2,   0.5,  1.0,  2.5};

constexpr std::string_view kRequestsHelp = "Requests answered, by the status the client saw.";
constexpr std::string_view kDurationHelp =
    "From the first byte of a request to the last of its answer.";
constexpr std::string_view kUpstreamHelp =
    "Attempts at providers, by the status they answered with.";
constexpr std::string_view kUpstreamDurationHelp =
    "From an attempt's start to the head of the provider's answer.";

std::array<metrics::SeriesId, rotation::kFailures> failure_series(metrics::Registry& registry,
                                                                  metrics::Labels labels) {
    std::array<metrics::SeriesId, rotation::kFailures> series{};
    labels.push_back({"reason", ""});
    for (std::size_t i = 1; i < rotation::kFailures; ++i) {
        labels.back().value = rotation::to_string(static_cast<rotation::Failure>(i));
        series[i] = registry.counter("rotary_upstream_failures_total",
                                     "Attempts that failed, by what went wrong.", labels);
    }
    return series;
}

TokenSeries token_series(metrics::Registry& registry, metrics::Labels labels) {
    constexpr std::array<std::string_view, kTokenTypes> kTypes{"input", "output", "cached_read",
                                                               "cache_write", "reasoning"};
    TokenSeries series{};
    labels.push_back({"type", ""});
    for (std::size_t i = 0; i < kTokenTypes; ++i) {
        labels.back().value = kTypes[i];
        series[i] = registry.counter("rotary_tokens_total",
                                     "Tokens that answers used, told or estimated; cached_read and "
                                     "cache_write are parts of input, reasoning of output.",
                                     labels);
    }
    return series;
}

StreamSeries stream_series(metrics::Registry& registry, const metrics::Labels& labels) {
    return {registry.histogram("rotary_time_to_first_token_seconds",
                               "From the first byte of a request for a stream to the first event "
                               "of its answer.",
                               labels, kDurationBuckets),
            registry.histogram("rotary_time_per_output_token_seconds",
                               "Of a stream: the time behind its first event, by the tokens that "
                               "its provider told.",
                               labels, kTokenBuckets)};
}

std::unique_ptr<PathWatch> watch_of(const llm::UsagePlaces& places) {
    auto watch = std::make_unique<PathWatch>();
    for (std::size_t i = 0; i < llm::UsagePlaces::kPlaces; ++i) {
        if (!places.members[i].empty() || !places.headers[i].empty()) watch->named |= 1U << i;
    }
    if (watch->named == 0) watch.reset();
    return watch;
}

RouteSeries route_series(metrics::Registry& registry, const routing::Route& route) {
    const metrics::Labels labels = {{"api", route.api},
                                    {"policy", route.policy},
                                    {"env", routing::to_string(route.environment)}};
    return {registry.status_counter("rotary_requests_total", kRequestsHelp, labels),
            registry.histogram("rotary_request_duration_seconds", kDurationHelp, labels,
                               kDurationBuckets),
            watch_of(route.usage_places)};
}

// Of requests without a rotation.
metrics::Labels backend_labels(const routing::Backend& backend) {
    return {{"policy", ""}, {"env", ""}, {"model", ""}, {"backend", backend.name}};
}

metrics::Labels entry_labels(const routing::EntryList& list, const routing::Entry& entry,
                             const std::string& backend) {
    return {{"policy", list.policy},
            {"env", routing::to_string(list.environment)},
            {"model", entry.model},
            {"backend", backend}};
}

// `labels`: the entry's, or a Backend's.
CostSeries cost_series(metrics::Registry& registry, const metrics::Labels& labels) {
    return {registry.counter("rotary_cost_nanodollars_total",
                             "What answers cost, by the price lists, in 10^-9 of the currency.",
                             labels),
            registry.counter("rotary_cost_unpriced_total", "Answers whose model no price list has.",
                             {labels[2], labels[3]})};
}

EntrySeries entry_series(metrics::Registry& registry, metrics::Labels labels) {
    EntrySeries series;
    series.upstream_requests =
        registry.status_counter("rotary_upstream_requests_total", kUpstreamHelp, labels);
    series.upstream_duration = registry.histogram("rotary_upstream_request_duration_seconds",
                                                  kUpstreamDurationHelp, labels, kDurationBuckets);
    series.failures = failure_series(registry, labels);
    series.tokens = token_series(registry, labels);
    series.streams = stream_series(registry, labels);
    labels.push_back({"reason", ""});
    for (std::size_t i = 1; i < rotation::kSuspendReasons; ++i) {
        labels.back().value = rotation::to_string(static_cast<rotation::SuspendReason>(i));
        series.suspensions[i] =
            registry.counter("rotary_model_suspensions_total",
                             "Times an entry was taken out of the rotation.", labels);
    }
    return series;
}

LimitSeries limit_series(metrics::Registry& registry, const quota::Limit& limit) {
    const auto decision = [&](std::string_view made) {
        return registry.counter("rotary_limit_decisions_total",
                                "What limits of requests and tokens said to requests and tries.",
                                {{"policy", limit.policy},
                                 {"scope", quota::to_string(limit.scope)},
                                 {"decision", made}});
    };
    return {decision("admitted"), decision("refused"), decision("warned"), decision("shadowed")};
}

ProcessSeries process_series(metrics::Registry& registry, bool has_fleet) {
    const metrics::Labels none = {{"api", ""}, {"policy", ""}, {"env", ""}};
    ProcessSeries series;
    series.unrouted = registry.status_counter("rotary_requests_total", kRequestsHelp, none);
    series.unrouted_duration = registry.histogram("rotary_request_duration_seconds", kDurationHelp,
                                                  none, kDurationBuckets);
    series.overhead =
        registry.histogram("rotary_overhead_seconds", "Time of a request that Rotary itself took.",
                           {}, kOverheadBuckets);
    if (has_fleet) {
        series.lease_wait = registry.histogram(
            "rotary_lease_wait_seconds",
            "What requests waited for a limit's lease; state.redis.deadline_ms at most.", {},
            kLeaseWaitBuckets);
    }
    series.in_flight = registry.gauge("rotary_requests_in_flight", "Requests being served now.");
    series.connections =
        registry.gauge("rotary_client_connections", "Client connections open now.");
    series.failovers = registry.counter("rotary_failovers_total",
                                        "Attempts beyond the first that requests needed.");
    series.all_suspended =
        registry.counter("rotary_all_models_suspended_total",
                         "Requests refused because every model of their list was suspended.");
    series.budget_exhausted =
        registry.counter("rotary_retry_budget_exhausted_total",
                         "Attempts at another entry that the retry budget did not allow.");
    series.usage_invalid = registry.counter(
        "rotary_usage_invalid_total",
        "Counts of providers that could be none: negative, fractional, too large.");
    // A gauge, though it only grows until a restart: its name has no _total.
    series.usage_paths_unmatched = registry.gauge(
        "rotary_usage_paths_unmatched",
        "Fields of rateLimitFields that none of the first 100 answers of their route had.");
    for (std::size_t i = 0; i < llm::kUsageSources; ++i) {
        series.usage_sources[i] =
            registry.counter("rotary_usage_source_total",
                             "Requests that were tried at a provider, by how their usage is known.",
                             {{"source", to_string(static_cast<llm::UsageSource>(i))}});
    }
    series.handshakes = registry.counter("rotary_tls_handshakes_total",
                                         "TLS handshakes of clients that succeeded.");
    for (std::size_t i = 0; i < downstream::kHandshakeEnds; ++i) {
        series.failed_handshakes[i] =
            registry.counter("rotary_tls_handshake_failures_total",
                             "TLS handshakes of clients that failed, by what went wrong.",
                             {{"reason", to_string(static_cast<downstream::HandshakeEnd>(i))}});
    }
    return series;
}

Wiring::Upstream upstream(metrics::Registry& registry, const routing::Backend& backend,
                          std::map<std::string, std::shared_ptr<const net::TlsContext>>& contexts) {
    Wiring::Upstream made;
    made.endpoint.host = backend.host;
    made.endpoint.port = backend.port;
    if (backend.tls) {
        auto& context = contexts[backend.ca_pem];
        if (!context) context = net::TlsContext::client({backend.ca_pem});
        made.endpoint.tls = context;
    }
    made.pool_key = backend.name + "\n" + backend.host_header + (backend.tls ? "\ntls\n" : "\n") +
                    backend.ca_pem;
    const metrics::Labels labels = backend_labels(backend);
    made.requests =
        registry.status_counter("rotary_upstream_requests_total", kUpstreamHelp, labels);
    made.duration = registry.histogram("rotary_upstream_request_duration_seconds",
                                       kUpstreamDurationHelp, labels, kDurationBuckets);
    made.overflow = registry.counter("rotary_upstream_overflow_total",
                                     "Tries that a Backend's limits on connections, waiting and "
                                     "requests did not let through.",
                                     {{"backend", backend.name}});
    made.failures = failure_series(registry, labels);
    made.tokens = token_series(registry, labels);
    made.streams = stream_series(registry, labels);
    return made;
}

// The series of a wiring's entries, by their labels.
class KnownEntries {
public:
    // None, where there was none or where there were prices and are none now, or the reverse.
    KnownEntries(const Wiring* before, bool has_prices) {
        if (before == nullptr) return;
        const routing::Snapshot& snapshot = *before->snapshot;
        if ((snapshot.prices != nullptr) != has_prices) return;
        for (std::size_t i = 0; i < snapshot.lists.size(); ++i) {
            const routing::EntryList& list = snapshot.lists[i];
            for (std::size_t k = 0; k < list.entries.size(); ++k) {
                const routing::Entry& entry = list.entries[k];
                const auto& backend = snapshot.backends[entry.backend].name;
                known_.emplace(key_of(entry_labels(list, entry, backend)), &before->entries[i][k]);
            }
        }
    }
    const EntrySeries* find(const metrics::Labels& labels) const {
        const auto found = known_.find(key_of(labels));
        return found == known_.end() ? nullptr : found->second;
    }

private:
    static std::string key_of(const metrics::Labels& labels) {
        std::string key;
        for (const metrics::Label& label : labels) {
            key.append(std::to_string(label.value.size())).append(" ").append(label.value);
        }
        return key;
    }

    std::unordered_map<std::string, const EntrySeries*> known_;
};

EntrySeries leased_series(metrics::Registry& registry, const metrics::Labels& labels,
                          bool has_prices) {
    std::shared_ptr<metrics::Lease> lease = registry.begin_lease();
    EntrySeries series = entry_series(registry, labels);
    if (has_prices) series.cost = cost_series(registry, labels);
    registry.end_lease();
    series.lease = std::move(lease);
    return series;
}

EntrySeries same_series(const EntrySeries& known) {
    EntrySeries series = known;
    series.learnt = std::make_shared<llm::LearntRatio>();
    return series;
}

void add_entries(Wiring& wiring, const routing::Snapshot& snapshot, metrics::Registry& registry,
                 const Wiring* before) {
    const bool has_prices = snapshot.prices != nullptr;
    const KnownEntries known(before, has_prices);
    for (const routing::EntryList& list : snapshot.lists) {
        auto& series = wiring.entries.emplace_back();
        wiring.learnt.push_back(std::make_unique<llm::LearntRatio>());
        for (const routing::Entry& entry : list.entries) {
            const metrics::Labels labels =
                entry_labels(list, entry, snapshot.backends[entry.backend].name);
            const EntrySeries* const same = known.find(labels);
            series.push_back(same != nullptr ? same_series(*same)
                                             : leased_series(registry, labels, has_prices));
        }
    }
}

}  // namespace

std::shared_ptr<const Wiring> wire_up(std::shared_ptr<const routing::Snapshot> snapshot,
                                      metrics::Registry& registry, const Wiring* before) {
    auto wiring = std::make_shared<Wiring>();
    wiring->process = process_series(registry, snapshot->config.state.redis.has_value());
    wiring->series = registry.begin_lease();
    std::map<std::string, std::shared_ptr<const net::TlsContext>> contexts;
    for (const routing::Backend& backend : snapshot->backends) {
        wiring->upstreams.push_back(upstream(registry, backend, contexts));
        if (snapshot->prices == nullptr) continue;
        wiring->upstreams.back().cost = cost_series(registry, backend_labels(backend));
    }
    for (const routing::Route& route : snapshot->routes) {
        wiring->routes.push_back(route_series(registry, route));
    }
    for (const quota::Limit& limit : snapshot->limits) {
        wiring->limits.push_back(limit_series(registry, limit));
    }
    registry.end_lease();
    add_entries(*wiring, *snapshot, registry, before);
    wiring->cells = registry.cells();
    wiring->snapshot = std::move(snapshot);
    return wiring;
}

}  // namespace rotary::proxy
