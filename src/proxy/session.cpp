#include <rotary/proxy/session.hpp>

#include "proxy/pipeline.hpp"

#include <rotary/downstream/http1_connection.hpp>

namespace rotary::proxy {

namespace {

// One more open connection, among the metrics.
class Counted {
public:
    explicit Counted(Context& context) noexcept : context_(context) {
        context_.metrics.add(context_.wiring->process.connections);
    }
    ~Counted() { context_.metrics.sub(context_.wiring->process.connections); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    Context& context_;
};

constexpr Fault kSpokePlainHttp = Fault::client(
    FaultKind::bad_request, "This port speaks HTTPS: write https:// in front of its address.");

// Counts the failure and says it in the log, unless the connection only looked whether the port is
// open, or the process is stopping.
void note(Context& context, const downstream::HandshakeFailure& failure,
          std::string_view client_address) {
    if (failure.fault.kind == FaultKind::draining) return;
    const auto index = static_cast<std::size_t>(failure.end);
    context.metrics.add(context.wiring->process.failed_handshakes[index]);
    std::uint64_t unsaid = 0;
    if (!failure.said_anything || !context.handshake_lines.due(context.reactor.now(), unsaid)) {
        return;
    }
    context.log.warn("TLS handshake failed", {{"reason", downstream::to_string(failure.end)},
                                              {"detail", failure.fault.detail},
                                              {"client_address", client_address},
                                              {"others_since_last_line", unsaid}});
}

Task<void> refuse(Context& context, downstream::Http1Connection& client, Exchange& exchange,
                  Fault fault) {
    exchange.begin(context);
    co_await run_refusal(context, client, exchange, fault);
    if (client.end(exchange.outcome.fault) == downstream::After::unread) {
        const bool more = co_await client.drop_rest();
        static_cast<void>(more);  // there is none
    }
    exchange.end();
}

}  // namespace

Task<void> run_session(Context& context, int fd, const net::TlsContext* tls) {
    downstream::Http1Connection client(context.clients, fd, tls);
    const Counted counted(context);
    Exchange exchange;
    const auto failure = co_await client.handshake();
    if (failure) {
        note(context, *failure, client.client_address());
        if (failure->end == downstream::HandshakeEnd::plain_http) {
            client.begin_refusal(exchange.request, exchange.outcome.waited);
            co_await refuse(context, client, exchange, kSpokePlainHttp);
        }
        co_return;
    }
    for (bool more = true; more;) {
        const auto asked = co_await client.next(exchange.request, exchange.outcome.waited);
        if (asked == downstream::Asked::nothing) break;
        if (asked == downstream::Asked::refused) {
            co_await refuse(context, client, exchange, client.refusal());
            co_return;
        }
        exchange.begin(context);
        co_await run(context, client, exchange);
        const downstream::After after = client.end(exchange.outcome.fault);
        more = after == downstream::After::next;
        if (after == downstream::After::unread) more = co_await client.drop_rest();
        exchange.end();
    }
    client.shutdown();
}

}  // namespace rotary::proxy
