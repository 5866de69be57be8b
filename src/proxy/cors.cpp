#include "proxy/cors.hpp"

namespace rotary::proxy {

void write_cors(const Exchange& exchange, wire::HeadWriter& writer) {
    if (exchange.match.route == nullptr || !exchange.match.route->cors) return;
    const routing::Cors& cors = *exchange.match.route->cors;
    // A cache must not give the answer for one origin to another.
    if (!cors.is_open()) writer.append("vary: origin\r\n");
    if (exchange.request.origin.empty() || !cors.allows(exchange.request.origin)) return;
    writer.line("access-control-allow-origin: ", cors.is_open() ? "*" : exchange.request.origin);
    writer.append(cors.answer_lines);
}

void write_preflight(const Exchange& exchange, wire::HeadWriter& writer) {
    const routing::Cors& cors = *exchange.match.route->cors;
    writer.append(cors.preflight_lines);
    // "*" would not cover Authorization, and nothing at all with credentials: it is spelled out.
    if (cors.any_method) {
        writer.line("access-control-allow-methods: ", exchange.request.preflight_method);
    }
    if (cors.any_header && !exchange.request.preflight_headers.empty()) {
        writer.line("access-control-allow-headers: ", exchange.request.preflight_headers);
    }
    writer.append("vary: access-control-request-method, access-control-request-headers\r\n");
}

}  // namespace rotary::proxy
