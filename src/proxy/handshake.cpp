#include "proxy/handshake.hpp"

#include <rotary/proxy/handshakes.hpp>

namespace rotary::proxy {

namespace {

HandshakeEnd end_of(const net::Stream& stream, const Fault& fault) noexcept {
    if (stream.spoke_plain_http()) return HandshakeEnd::plain_http;
    if (fault.kind == FaultKind::request_timeout) return HandshakeEnd::timeout;
    return fault.kind == FaultKind::client_gone ? HandshakeEnd::closed : HandshakeEnd::refused;
}

}  // namespace

std::string_view to_string(HandshakeEnd end) noexcept {
    switch (end) {
        case HandshakeEnd::closed:
            return "closed";
        case HandshakeEnd::timeout:
            return "timeout";
        case HandshakeEnd::plain_http:
            return "plain_http";
        case HandshakeEnd::refused:
            break;
    }
    return "refused";
}

void note_failed_handshake(Context& context, const net::Stream& stream, const Fault& fault,
                           std::string_view client_address) {
    if (fault.kind == FaultKind::draining) return;
    const HandshakeEnd end = end_of(stream, fault);
    const auto index = static_cast<std::size_t>(end);
    context.metrics.add(context.wiring->process.failed_handshakes[index]);
    std::uint64_t unsaid = 0;
    if (!stream.said_anything() || !context.handshake_lines.due(context.reactor.now(), unsaid)) {
        return;
    }
    context.log.warn("TLS handshake failed", {{"reason", to_string(end)},
                                              {"detail", fault.detail},
                                              {"client_address", client_address},
                                              {"others_since_last_line", unsaid}});
}

}  // namespace rotary::proxy
