#include "proxy/attempt.hpp"

#include "proxy/upstream_request.hpp"
#include "proxy/usage_ask.hpp"

namespace rotary::proxy {

namespace {

upstream::Terms terms_of(downstream::Client& client, Exchange& exchange) {
    upstream::Terms terms;
    terms.config = &exchange.snapshot().config;
    terms.wait = wait_until(exchange.outcome.deadline, client, exchange);
    terms.first_byte = exchange.backend()->first_byte;
    terms.is_head = exchange.request.is_head;
    terms.may_resend = !exchange.tries.resent;
    return terms;
}

Fault too_large() {
    return Fault::client(FaultKind::headers_too_large, "The headers are too large to go on.");
}

}  // namespace

Task<Result<void>> attempt(Context& context, downstream::Client& client, Exchange& exchange,
                           upstream::Provider& provider) {
    const std::size_t backend = exchange.tries.choice.backend;
    const Wiring::Upstream& wiring = exchange.match.wiring->upstreams[backend];
    const auto begun =
        provider.begin((*exchange.match.buckets)[backend], terms_of(client, exchange));
    Result<void> placed;
    if (!begun) {
        placed = begun.error();
    } else if (!*begun) {
        placed = co_await provider.wait_for_place();
    }
    if (!placed) {
        if (placed.error().kind == FaultKind::overloaded) context.metrics.add(wiring.overflow);
        co_return placed.error();
    }
    exchange.tries.asks_usage = asks_usage(exchange);
    for (;;) {
        if (!provider.is_connected()) {
            const auto connected = co_await provider.connect(wiring.endpoint);
            if (!connected) co_return connected.error();
        }
        exchange.tries.reused_connection = provider.is_reused();
        Result<void> answered;
        wire::Pieces pieces;
        if (!write_upstream_request(context, exchange, provider, pieces)) {
            answered = too_large();
        } else if (!provider.send(pieces)) {
            answered = co_await provider.finish_send(pieces);
        }
        if (answered) answered = co_await provider.read_head();
        if (answered) co_return answered;
        const Fault fault = answered.error();
        provider.hang_up();
        if (fault.retry != Retry::reused_only) {
            provider.abandon();
            co_return fault;
        }
        exchange.tries.resent = true;
    }
}

}  // namespace rotary::proxy
