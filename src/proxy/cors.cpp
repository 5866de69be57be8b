#include "proxy/cors.hpp"

namespace rotary::proxy {

void write_cors(const Exchange& exchange, wire::HeadWriter& writer) {
    if (exchange.route == nullptr || !exchange.route->cors) return;
    const routing::Cors& cors = *exchange.route->cors;
    // A cache must not give the answer for one origin to another.
    if (!cors.is_open()) writer.append("vary: origin\r\n");
    if (exchange.origin.empty() || !cors.allows(exchange.origin)) return;
    writer.header("access-control-allow-origin", cors.is_open() ? "*" : exchange.origin);
    writer.append(cors.answer_lines);
}

void write_preflight(const Exchange& exchange, wire::HeadWriter& writer) {
    const routing::Cors& cors = *exchange.route->cors;
    writer.append(cors.preflight_lines);
    // "*" would not cover Authorization, and nothing at all with credentials: it is spelled out.
    if (cors.any_method) {
        writer.header("access-control-allow-methods", exchange.preflight_method);
    }
    if (cors.any_header && !exchange.preflight_headers.empty()) {
        writer.header("access-control-allow-headers", exchange.preflight_headers);
    }
    writer.append("vary: access-control-request-method, access-control-request-headers\r\n");
}

}  // namespace rotary::proxy
