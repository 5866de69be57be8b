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

}  // namespace

Task<void> run_session(Context& context, int fd, const net::TlsContext* tls) {
    downstream::Http1Connection client(context.clients, fd, tls);
    const Counted counted(context);
    const auto failure = co_await client.handshake();
    if (failure) {
        note(context, *failure, client.client_address());
        if (failure->end != downstream::HandshakeEnd::plain_http) co_return;
    } else if (tls != nullptr) {
        context.metrics.add(context.wiring->process.handshakes);
    }
    for (bool more = true; more;) {
        more = co_await client.wait();
        if (!more) break;
        const ExchangePool::Lease lease(context.exchanges);
        Exchange& exchange = *lease;
        const auto begun = client.begin(exchange.request, exchange.outcome.waited);
        exchange.begin(context);
        if (begun) {
            co_await run(context, client, exchange);
        } else {
            co_await run_refusal(context, client, exchange, begun.error());
        }
        const downstream::After after = client.end(exchange.outcome.fault);
        more = after == downstream::After::next;
        if (after == downstream::After::unread) more = co_await client.drop_rest();
        exchange.end();
    }
    client.shutdown();
}

}  // namespace rotary::proxy
