#include "proxy/response_head.hpp"

#include "proxy/cors.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

bool goes_on(const Exchange& exchange, const wire::Header& header,
             const wire::HeaderTable& headers) {
    if (wire::is_withheld_from_client(header.name)) return false;
    if (wire::is_hop_by_hop(header.name, headers)) return false;
    if (text::istarts_with(header.name, "x-rotary-")) return false;
    if (exchange.match.route->cors && text::istarts_with(header.name, "access-control-"))
        return false;
    const config::HeaderModifier& edits = exchange.match.route->response_headers;
    const auto is_named = [&](const std::string& name) { return text::iequals(name, header.name); };
    if (std::any_of(edits.remove.begin(), edits.remove.end(), is_named)) return false;
    return std::none_of(edits.set.begin(), edits.set.end(),
                        [&](const config::HeaderEdit& edit) { return is_named(edit.name); });
}

void add_own_headers(const Exchange& exchange, wire::HeadWriter& writer, bool has_request_id) {
    const config::HeaderModifier& edits = exchange.match.route->response_headers;
    for (const config::HeaderEdit& edit : edits.set) writer.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) writer.header(edit.name, edit.value);
    write_cors(exchange, writer);
    if (!has_request_id) writer.header("x-request-id", exchange.request_id());
    writer.header("x-rotary-request-id", exchange.request_id());
    if (exchange.routing().expose_route) {
        if (exchange.entry() != nullptr) writer.header("x-rotary-model", exchange.entry()->model);
        writer.header("x-rotary-backend", exchange.backend()->name);
        writer.header("x-rotary-attempts", static_cast<std::uint64_t>(exchange.tries.attempts));
    }
    if (!exchange.request.keep_alive) {
        writer.append("connection: close\r\n");
    } else if (exchange.request.minor_version == 0) {
        writer.append("connection: keep-alive\r\n");  // without it HTTP/1.0 waits for the end
    }
}

}  // namespace

std::optional<ResponseHead> write_response_head(Context& context, Exchange& exchange,
                                                const Reply& reply) {
    const wire::ResponseHead& head = context.scratch.response;
    const bool has_body = reply.body.framing() != wire::Framing::none;
    const bool has_length = reply.body.framing() == wire::Framing::content_length;
    ResponseHead written;
    written.is_event_stream = has_body && reply.is_event_stream;
    // A stream's length can't be kept to when a comment or an error has to be put in.
    const bool needs_wrapping = has_body && (!has_length || written.is_event_stream);
    if (needs_wrapping) {
        written.wrapping = exchange.request.minor_version == 0 ? Wrapping::bare : Wrapping::chunked;
    }
    if (written.wrapping == Wrapping::bare || context.sessions.draining()) {
        exchange.request.keep_alive = false;
    }

    wire::HeadWriter writer(context.scratch.head.data(), context.scratch.head.size());
    writer.status_line(head.status, head.reason);
    bool has_request_id = false;
    for (const wire::Header& header : head.headers) {
        if (!goes_on(exchange, header, head.headers)) continue;
        if (needs_wrapping && text::iequals(header.name, "content-length")) continue;
        if (text::iequals(header.name, "x-request-id")) {
            has_request_id = true;
            exchange.keep_upstream_request_id(header.value);
        }
        writer.header(header.name, header.value);
    }
    add_own_headers(exchange, writer, has_request_id);
    if (written.wrapping == Wrapping::chunked) writer.append("transfer-encoding: chunked\r\n");
    if (written.is_event_stream && head.headers.find("x-accel-buffering") == nullptr) {
        writer.append("x-accel-buffering: no\r\n");
    }
    writer.finish();
    if (!writer.ok()) return std::nullopt;
    written.bytes = writer.view();
    return written;
}

}  // namespace rotary::proxy
