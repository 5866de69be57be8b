#include "proxy/admit.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>

namespace rotary::proxy {

Result<void> match(Context&, Exchange& exchange) {
    if (policy::has_dot_segment(exchange.path)) {
        return Fault::client(FaultKind::bad_request, "The path holds a \".\" or \"..\" segment.");
    }
    const policy::Snapshot& snapshot = *exchange.wiring->snapshot;
    const auto found = snapshot.table.find(exchange.host, exchange.path, exchange.method);
    if (found.rule == nullptr) {
        return Fault::client(found.path_known ? FaultKind::method_not_allowed
                                              : FaultKind::route_not_found);
    }
    exchange.rule = found.rule;
    exchange.route_index = found.rule->route;
    exchange.route = &snapshot.routes[exchange.route_index];
    return {};
}

namespace {

// Whether a client's field goes on: not what belongs to this connection, not its credentials, not
// what a Backend's own key will be sent as.
bool goes_on(const Exchange& exchange, const wire::HeaderTable& headers,
             const wire::Header& header) {
    const policy::AuthRules& auth = exchange.route->auth;
    const config::HeaderModifier& edits = exchange.route->request_headers;
    const auto is_named = [&](const std::string& name) { return text::iequals(name, header.name); };

    if (std::any_of(edits.remove.begin(), edits.remove.end(), is_named)) return false;
    for (const config::HeaderEdit& edit : edits.set) {
        if (is_named(edit.name)) return false;
    }
    for (const policy::Backend& backend : exchange.wiring->snapshot->backends) {
        if (!backend.credential_name.empty() && is_named(backend.credential_name)) return false;
    }
    if (!auth.oauth2.disabled && is_named(auth.oauth2.header))
        return auth.oauth2.send_token_upstream;
    if (!auth.jwt.disabled && is_named(auth.jwt.header)) return auth.jwt.send_token_upstream;
    for (const config::ApiKeyLocation& key : auth.api_keys) {
        if (key.in == config::ApiKeyLocation::In::header && is_named(key.name)) {
            return key.send_token_upstream;
        }
    }
    if (wire::is_withheld_from_upstream(header.name)) return false;
    if (exchange.list != nullptr &&
        exchange.list->model_place.in == config::ValueLocation::In::header &&
        is_named(exchange.list->model_place.name)) {
        return false;
    }
    if (exchange.list != nullptr && text::iequals(header.name, "accept-encoding")) return false;
    return !wire::is_hop_by_hop(header.name, headers);
}

// The header lines for the provider, put together once for all tries.
Result<void> write_forwarded_lines(Context& context, Exchange& exchange) {
    exchange.lines = context.buffers.read_buffer();
    wire::HeadWriter writer(exchange.lines.space(), exchange.lines.space_size());
    const wire::HeaderTable& headers = context.scratch.request.headers;
    for (const wire::Header& header : headers) {
        if (goes_on(exchange, headers, header)) writer.header(header.name, header.value);
    }
    if (exchange.list != nullptr) writer.append("accept-encoding: identity\r\n");
    const config::HeaderModifier& edits = exchange.route->request_headers;
    for (const config::HeaderEdit& edit : edits.set) writer.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) writer.header(edit.name, edit.value);
    writer.header("x-client-request-id", exchange.request_id());
    if (!writer.ok()) {
        return Fault::client(FaultKind::headers_too_large, "The headers are too large to go on.");
    }
    exchange.lines.produced(writer.size());
    return {};
}

}  // namespace

Result<void> admit(Context& context, Exchange& exchange) {
    const bool has_body = exchange.framing != wire::Framing::none;
    if (exchange.framing == wire::Framing::content_length &&
        exchange.content_length > exchange.limits().body_bytes) {
        return Fault::client(FaultKind::request_too_large);
    }
    // A method that needs no body, or a body that is no JSON, has no model to choose.
    const bool rotates = exchange.route->list.has_value() && exchange.is_json &&
                         (has_body || exchange.method == "POST");
    if (rotates) {
        exchange.list = &exchange.wiring->snapshot->lists[*exchange.route->list];
        if (exchange.is_encoded) return Fault::client(FaultKind::unsupported_content_encoding);
    }
    return write_forwarded_lines(context, exchange);
}

}  // namespace rotary::proxy
