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

// What of an answer tells how fast a stream was; null: there was no try.
const StreamSeries* stream_series(const Exchange& exchange) {
    const Choice& choice = exchange.tries.choice;
    const Wiring& wiring = *exchange.match.wiring;
    if (choice.entry != Choice::kNone) return &wiring.entries[choice.list][choice.entry].streams;
    return choice.backend == Choice::kNone ? nullptr : &wiring.upstreams[choice.backend].streams;
}

// A stream's overhead is known from its beginning on, and no other answer's. Its tokens are an
// event each or not, as the provider likes: all of them share the time behind the first event.
void observe_stream(metrics::Shard& shard, const Exchange& exchange) {
    const Outcome& outcome = exchange.outcome;
    const StreamSeries* series = stream_series(exchange);
    if (series == nullptr || !outcome.overhead || outcome.status >= 300) return;
    const auto first = outcome.first_byte - exchange.request.started;
    shard.observe(series->first_token, first);
    if (exchange.trace.is_sampled) {
        shard.exemplify(series->first_token, first, exchange.trace.id,
                        exchange.request.started_wall + first);
    }
    const llm::Usage& usage = outcome.usage;
    if (usage.source != llm::UsageSource::told || usage.output < 2) return;
    const auto records = exchange.trail.records();
    if (records.empty()) return;
    const auto behind = records.back().ended - outcome.first_byte;
    shard.observe(series->output_token, behind / static_cast<std::int64_t>(usage.output - 1));
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
    if (exchange.trace.is_sampled) {
        shard_.exemplify(series.duration, duration, exchange.trace.id,
                         exchange.request.started_wall + duration);
    }
    shard_.observe(process.overhead, exchange.overhead(now));
    observe_stream(shard_, exchange);
}

}  // namespace rotary::proxy
