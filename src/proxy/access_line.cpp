#include "proxy/exchange.hpp"

#include <rotary/proxy/access_log.hpp>
#include <rotary/wire/problem.hpp>

// What the access log says of an exchange.
namespace rotary::proxy {

namespace {

AccessLine line_of(const Exchange& exchange, SteadyTime now) {
    AccessLine line;
    line.start = exchange.request.started_wall;
    line.method = exchange.request.method;
    line.path = exchange.request.path;
    line.host = exchange.request.host;
    line.client_address = exchange.request.client_address;
    if (exchange.match.caller) line.subject = exchange.match.caller->subject();
    line.consumer = exchange.match.consumer;
    const auth::ApiKeyId& key_id = exchange.match.key_id;
    if (key_id.front() != '\0') line.key_id = {key_id.data(), key_id.size()};
    line.stream = exchange.content.wants_stream;
    line.status = exchange.outcome.status;
    line.duration = now - exchange.request.started;
    if (exchange.outcome.first_byte != SteadyTime{})
        line.first_byte = exchange.outcome.first_byte - exchange.request.started;
    line.overhead = exchange.overhead(now);
    line.bytes_received = exchange.request.bytes_received;
    line.bytes_sent = exchange.outcome.bytes_sent;
    line.user_agent = exchange.request.user_agent;
    line.request_id = exchange.request_id();
    line.client_request_id = exchange.request.client_request_id;
    line.retry_count = exchange.request.retry_count;
    line.original_model = exchange.content.client_model;
    line.cost = exchange.outcome.cost;
    line.attempts = exchange.tries.attempts;
    line.usage = exchange.outcome.usage;
    line.reused_connection = exchange.tries.reused_connection;
    if (exchange.match.route != nullptr) {
        line.api = exchange.match.route->api;
        line.policy = exchange.match.route->policy;
        line.environment = routing::to_string(exchange.match.route->environment);
        line.provider = exchange.match.route->provider;
    }
    line.response_model = exchange.response_model();
    if (exchange.entry() != nullptr) line.request_model = exchange.entry()->model;
    if (exchange.backend() != nullptr) {
        line.backend = exchange.backend()->name;
        line.upstream_host = exchange.backend()->host_header;
        line.upstream_request_id = exchange.upstream_request_id();
    }
    if (exchange.quotas.refusal) line.limit = exchange.quotas.refusal->limit->policy;
    if (exchange.outcome.fault.kind != FaultKind::none) {
        line.error_code = wire::problem_of(exchange.outcome.fault.kind).code;
        const bool has_own = exchange.outcome.reason[0] != '\0';
        line.error_reason = has_own ? exchange.outcome.reason : exchange.outcome.fault.detail;
    }
    return line;
}

}  // namespace

void AccessLog::record(const Exchange& exchange, SteadyTime now) {
    if (format_ == AccessLogFormat::off) return;
    AccessLine line = line_of(exchange, now);
    TraceIdText trace;
    if (exchange.trace.is_on()) line.trace_id = to_hex(exchange.trace.id, trace);
    write(line);
}

}  // namespace rotary::proxy
