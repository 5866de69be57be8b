#include "proxy/settle.hpp"

#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/problem.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

const EntrySeries& series_of(const Exchange& exchange) {
    const auto list =
        static_cast<std::size_t>(exchange.list - exchange.wiring->snapshot->lists.data());
    return exchange.wiring->entries[list][exchange.entry_index];
}

void log_suspension(Context& context, const Exchange& exchange, const policy::Verdict& verdict) {
    context.log.warn("model suspended",
                     {{"entry", exchange.entry->id},
                      {"reason", policy::to_string(verdict.reason)},
                      {"seconds", static_cast<double>(verdict.duration.count()) / 1000.0},
                      {"request_id", exchange.request_id()}});
}

// Suspends what the verdict says. The entry that was tried is the one that suffers, whatever model
// the answer names.
void carry_out(Context& context, const Exchange& exchange, const policy::Verdict& verdict) {
    const policy::Rotation& rotation = exchange.list->rotation;
    const SteadyTime now = std::chrono::steady_clock::now();
    bool fresh = rotation.state(exchange.entry_index)
                     .suspend(now, verdict.duration, verdict.reason, rotation.limits());
    if (verdict.effect == policy::Effect::suspend_credential) {
        const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
        for (const auto& state : snapshot.by_credential[exchange.backend->credential]) {
            state->suspend(now, verdict.duration, verdict.reason, rotation.limits());
        }
    }
    if (!fresh) return;
    context.metrics.add(series_of(exchange).suspensions[static_cast<std::size_t>(verdict.reason)]);
    log_suspension(context, exchange, verdict);
}

}  // namespace

wire::RateLimitHints read_hints(Context& context, const Exchange& exchange) {
    if (exchange.entry == nullptr) return {};
    return wire::read_rate_limit_hints(context.scratch.response.headers, exchange.started_wall);
}

policy::Verdict settle_answer(Context& context, const Exchange& exchange,
                              const Answered& answered) {
    if (exchange.entry == nullptr) {
        const auto& upstream = exchange.wiring->upstreams[static_cast<std::size_t>(
            exchange.backend - exchange.wiring->snapshot->backends.data())];
        context.metrics.add_status(upstream.requests, answered.status);
        context.metrics.observe(upstream.duration, answered.wait);
        return {};
    }
    const EntrySeries& series = series_of(exchange);
    context.metrics.add_status(series.upstream_requests, answered.status);
    context.metrics.observe(series.upstream_duration, answered.wait);
    const policy::Verdict verdict =
        policy::judge_answer(answered.status, answered.hints, answered.kind, exchange.list->rules);
    if (verdict.effect != policy::Effect::none) {
        carry_out(context, exchange, verdict);
    } else if (answered.probe) {
        exchange.list->rotation.state(exchange.entry_index).probe_passed();
        context.log.info("model is back", {{"entry", exchange.entry->id}});
    }
    return verdict;
}

policy::Verdict settle_failure(Context& context, const Exchange& exchange, const Fault& fault,
                               bool probe) {
    if (probe) exchange.list->rotation.state(exchange.entry_index).probe_dropped();
    const policy::Verdict verdict = policy::judge_failure(fault);
    if (fault.origin != Origin::upstream) return verdict;
    context.metrics.add(exchange.wiring->process.upstream_failures);
    const std::uint16_t status = wire::problem_of(fault.kind).status;
    if (exchange.entry != nullptr) {
        context.metrics.add_status(series_of(exchange).upstream_requests, status);
    }
    return verdict;
}

void reparse_head(Context& context, const Exchange& exchange, const Reply& reply) {
    wire::HeadLimits limits;
    limits.header_bytes = exchange.limits().upstream_header_bytes;
    limits.headers = std::min(exchange.limits().upstream_headers, wire::kHeaderTableSize);
    const auto parsed =
        wire::parse_response_head(reply.in.view().substr(0, reply.head_bytes), limits,
                                  exchange.is_head, context.scratch.response);
    static_cast<void>(parsed);  // it was parsed before, from the same bytes
}

void record(Context& context, const Exchange& exchange) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto duration = now - exchange.started;
    // Of a stream only what the client waited for its beginning: the rest is the provider's pace.
    const bool is_stream = exchange.wants_stream && exchange.first_byte != SteadyTime{};
    const auto ours = is_stream ? exchange.first_byte - exchange.started : duration;
    const auto overhead = std::max(ours - exchange.upstream_wait, SteadyTime::duration::zero());
    const ProcessSeries& process = exchange.wiring->process;
    if (exchange.route != nullptr) {
        const RouteSeries& series = exchange.wiring->routes[exchange.route_index];
        context.metrics.add_status(series.requests, exchange.status);
        context.metrics.observe(series.duration, duration);
        context.metrics.observe(process.overhead, overhead);
    } else {
        context.metrics.add_status(process.unrouted, exchange.status);
        context.metrics.observe(process.unrouted_duration, duration);
    }

    AccessLine line;
    line.start = exchange.started_wall;
    line.method = exchange.method;
    line.path = exchange.path;
    line.status = exchange.status;
    line.duration = duration;
    if (exchange.first_byte != SteadyTime{})
        line.first_byte = exchange.first_byte - exchange.started;
    line.overhead = overhead;
    line.bytes_received = exchange.bytes_received;
    line.bytes_sent = exchange.bytes_sent;
    line.user_agent = exchange.user_agent;
    line.request_id = exchange.request_id();
    line.client_request_id = exchange.client_request_id;
    line.retry_count = exchange.retry_count;
    line.original_model = exchange.client_model;
    line.attempts = exchange.attempts;
    line.reused_connection = exchange.reused_connection;
    if (exchange.route != nullptr) {
        line.api = exchange.route->api;
        line.policy = exchange.route->policy;
        line.environment = policy::to_string(exchange.route->environment);
        line.provider = exchange.route->provider;
    }
    if (exchange.entry != nullptr) line.request_model = exchange.entry->model;
    if (exchange.backend != nullptr) {
        line.backend = exchange.backend->name;
        line.upstream_host = exchange.backend->host_header;
    }
    if (exchange.fault.kind != FaultKind::none) {
        line.error_code = wire::problem_of(exchange.fault.kind).code;
    }
    context.access_log.write(line);
}

}  // namespace rotary::proxy
