#include "proxy/match.hpp"

#include <rotary/base/text.hpp>

namespace rotary::proxy {

namespace {

// "localhost", an address: what is typed before a name is known to DNS.
bool is_local_name(std::string_view host) noexcept {
    return text::iequals(host, "localhost") || host.starts_with('[') ||
           host.find_first_not_of("0123456789.") == host.npos;
}

bool is_on_this_machine(std::string_view address) noexcept {
    return address.starts_with("127.") || address == "::1";
}

// Which hosts are served is told on this machine only: a stranger could not guess them all.
Fault not_found(const Exchange& exchange, bool host_known) {
    const bool told = !host_known && is_local_name(exchange.request.host) &&
                      is_on_this_machine(exchange.request.client_address);
    return Fault::client(FaultKind::route_not_found,
                         told ? exchange.snapshot().unknown_host.c_str() : "");
}

// A policy that names what it serves serves nothing else: no embeddings to a chat model. The list
// of models is only ever read.
bool is_left_out(Exchange& exchange) noexcept {
    const config::EndpointSet served = exchange.match.route->endpoints;
    if (served == 0) return false;
    const std::string_view path = exchange.match.rule->pattern.below(exchange.request.path);
    const config::EndpointSet asked = exchange.match.endpoint = config::endpoint_of(path);
    if (asked == config::kListOfModels && exchange.request.method != "GET" &&
        !exchange.request.is_head) {
        return true;
    }
    return (asked & served) == 0;
}

}  // namespace

Result<void> match(Exchange& exchange) {
    if (routing::has_dot_segment(exchange.request.path)) {
        return Fault::client(FaultKind::bad_request, "The path holds a \".\" or \"..\" segment.");
    }
    const routing::Snapshot& snapshot = exchange.snapshot();
    const auto found =
        snapshot.table.find(exchange.request.host, exchange.request.path, exchange.request.method);
    if (found.rule == nullptr) {
        if (found.path_known) return Fault::client(FaultKind::method_not_allowed);
        return not_found(exchange, found.host_known);
    }
    exchange.match.rule = found.rule;
    exchange.match.route = &snapshot.routes[found.rule->route];
    if (!is_left_out(exchange)) return {};
    exchange.match.rule = nullptr;
    exchange.match.route = nullptr;
    return Fault::client(FaultKind::route_not_found,
                         "The policy of this API leaves this endpoint out.");
}

}  // namespace rotary::proxy
