#include "proxy/exchange.hpp"

#include <rotary/proxy/request_metrics.hpp>

namespace rotary::proxy {

namespace {

void count_consumer(const Exchange& exchange) {
    if (exchange.match.consumer.empty()) return;
    const Outcome& outcome = exchange.outcome;
    quota::Use use;
    use.requests = 1;
    use.refused = exchange.quotas.refusal ? 1 : 0;
    use.input = outcome.usage.input;
    use.output = outcome.usage.output;
    use.nanos = static_cast<std::uint64_t>(outcome.cost.value_or(0));
    exchange.snapshot().consumer_use->add(exchange.match.consumer, use);
}

}  // namespace

void RequestMetrics::record(const Exchange& exchange, SteadyTime now) {
    const auto duration = now - exchange.request.started;
    const ProcessSeries& process = exchange.match.wiring->process;
    if (exchange.tries.attempts > 0) {
        const auto source = static_cast<std::size_t>(exchange.outcome.usage.source);
        shard_.add(process.usage_sources[source]);
    }
    if (exchange.match.route == nullptr) {
        shard_.add_status(process.unrouted, exchange.outcome.status);
        shard_.observe(process.unrouted_duration, duration);
        return;
    }
    if (exchange.snapshot().consumer_use != nullptr) count_consumer(exchange);
    const RouteSeries& series = exchange.match.wiring->routes[exchange.match.rule->route];
    shard_.add_status(series.requests, exchange.outcome.status);
    shard_.observe(series.duration, duration);
    shard_.observe(process.overhead, exchange.overhead(now));
}

}  // namespace rotary::proxy
