#include "proxy/upstream_request.hpp"

#include "proxy/forwarding.hpp"

#include <rotary/wire/http1_writer.hpp>

namespace rotary::proxy {

namespace {

using Place = config::ValueLocation::In;

// The path with the model in its slot. admit() has seen that there is one.
void write_path(std::string_view path, const routing::PathSlot& slot, std::string_view model,
                wire::HeadWriter& writer) {
    const auto range = slot.find(path).value_or(routing::PathSlot::Range{path.size(), 0});
    writer.append(path.substr(0, range.begin));
    writer.append(model);
    writer.append(path.substr(range.begin + range.size));
}

// The request target: the Backend's base path, the rewritten path, the query, its key.
void write_target(Context& context, const Exchange& exchange, wire::HeadWriter& writer) {
    const routing::Backend& backend = *exchange.backend();
    const config::PathRewrite* rewrite =
        exchange.match.route->rewrite ? &*exchange.match.route->rewrite : nullptr;
    const std::string_view path = exchange.match.rule->pattern.rewritten(
        exchange.request.path, rewrite, context.scratch.path);
    const routing::ModelPlace* place =
        exchange.entry() != nullptr ? &exchange.list()->model_place : nullptr;

    writer.append(exchange.request.method);
    writer.append(" ");
    writer.append(backend.base_path);
    if (place != nullptr && place->in == Place::path) {
        write_path(path, *place->slot, exchange.entry()->texts.encoded, writer);
    } else {
        writer.append(path);
    }
    std::string_view separator = write_client_query(exchange, writer);
    if (place != nullptr && place->in == Place::query) {
        writer.append(separator);
        writer.append(exchange.entry()->texts.field);
        separator = "&";
    }
    if (!backend.credential_query.empty()) {
        writer.append(separator);
        writer.append(backend.credential_query);
    }
    writer.append(" HTTP/1.1\r\n");
}

// What is written where the body names no model.
void add_missing(const Exchange& exchange, const routing::Entry& entry, UpstreamRequest& request) {
    const routing::ModelTexts& texts = entry.texts;
    const llm::ScannedBody& scan = exchange.content.scan;
    switch (exchange.content.body_kind) {
        case llm::BodyKind::form:
            request.add(texts.field);
            if (!scan.is_empty) request.add("&");
            break;
        case llm::BodyKind::multipart:
            request.add("--");
            request.add(exchange.content.boundary);
            request.add(exchange.list()->model_place.part_head);
            request.add(entry.model);
            request.add("\r\n");
            break;
        default:
            request.add(texts.members[scan.levels]);
            if (!scan.is_empty) request.add(",");
            break;
    }
}

std::string_view model_text(const Exchange& exchange, const routing::Entry& entry) {
    if (exchange.content.body_kind == llm::BodyKind::form) return entry.texts.encoded;
    if (exchange.content.body_kind == llm::BodyKind::multipart) return entry.model;
    return entry.texts.json;
}

// The body with the entry's model in it, behind the head.
void splice(const Exchange& exchange, const routing::Entry* entry, UpstreamRequest& request) {
    const std::string_view body = exchange.request.body;
    const bool in_body = entry != nullptr && exchange.list()->model_place.in == Place::body;
    if (!in_body) {
        request.add(body);
        return;
    }
    const llm::ScannedBody& scan = exchange.content.scan;
    if (scan.model.found) {
        request.add(body.substr(0, scan.model.begin));
        request.add(model_text(exchange, *entry));
        request.add(body.substr(scan.model.end));
    } else {
        request.add(body.substr(0, scan.insert_at));
        add_missing(exchange, *entry, request);
        request.add(body.substr(scan.insert_at));
    }
}

}  // namespace

UpstreamRequest write_upstream_request(Context& context, const Exchange& exchange) {
    UpstreamRequest request;
    const routing::Backend& backend = *exchange.backend();
    std::vector<char>& space = context.scratch.head;
    wire::HeadWriter writer(space.data(), space.size());
    write_target(context, exchange, writer);
    writer.header("Host", backend.host_header);
    writer.append(backend.credential_line);
    writer.append(exchange.content.lines.view());
    if (exchange.list() != nullptr && exchange.list()->model_place.in == Place::header) {
        const std::string_view model =
            exchange.entry() != nullptr ? exchange.entry()->model : exchange.content.client_model;
        if (!model.empty()) writer.header(exchange.list()->model_place.name, model);
    }
    if (writes_content_type_late(exchange)) {
        const bool is_json = exchange.content.body_kind == llm::BodyKind::json;
        writer.header("content-type", is_json ? "application/json" : exchange.request.content_type);
    }
    splice(exchange, exchange.entry(), request);
    std::size_t length = 0;
    for (const std::string_view piece : request.pieces) length += piece.size();
    const bool has_body = exchange.request.framing != wire::Framing::none ||
                          exchange.request.method == "POST" || exchange.request.method == "PUT" ||
                          exchange.request.method == "PATCH";
    if (has_body) writer.header("content-length", static_cast<std::uint64_t>(length));
    writer.finish();
    request.pieces[0] = writer.view();
    request.ok = writer.ok();
    return request;
}

}  // namespace rotary::proxy
