#include "proxy/own_headers.hpp"

#include "proxy/limit_headers.hpp"

namespace rotary::proxy {

void write_own_headers(const Exchange& exchange, wire::HeadWriter& head, bool has_request_id) {
    if (!has_request_id) head.line("x-request-id: ", exchange.request_id());
    head.line("x-rotary-request-id: ", exchange.request_id());
    write_limit_headers(exchange, head);
    if (exchange.tries.attempts == 0 || !exchange.routing().expose_route) return;
    if (const routing::Entry* entry = exchange.entry()) {
        head.line("x-rotary-model: ", entry->model);
    }
    head.line("x-rotary-backend: ", exchange.backend()->name);
    head.line("x-rotary-attempts: ", static_cast<std::uint64_t>(exchange.tries.attempts));
}

}  // namespace rotary::proxy
