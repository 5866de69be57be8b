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
    const std::string_view path =
        exchange.match.rule->pattern.rewritten(exchange.request.path, rewrite, context.path);
    const routing::ModelPlace* place =
        exchange.entry() != nullptr ? &exchange.list()->model_place : nullptr;

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
}

// What is written where the body names no model.
void add_missing(const Exchange& exchange, const routing::Entry& entry, wire::Pieces& request) {
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

// Bytes [from, to) of the body, with what asks for a stream's usage if that belongs there.
void add_body(const Exchange& exchange, std::size_t from, std::size_t to, wire::Pieces& request) {
    const std::string_view body = exchange.request.body;
    const auto& ask = exchange.content.usage_ask;
    // An edit at the very place of the model's goes before it.
    const bool is_here =
        exchange.tries.asks_usage && ask->end <= to && (from == 0 || ask->end > from);
    if (is_here) {
        request.add(body.substr(from, ask->begin - from));
        request.add(ask->text);
        from = ask->end;
    }
    request.add(body.substr(from, to - from));
}

// The body with the entry's model in it, behind the head.
void splice(const Exchange& exchange, const routing::Entry* entry, wire::Pieces& request) {
    const std::string_view body = exchange.request.body;
    const bool in_body = entry != nullptr && exchange.list()->model_place.in == Place::body;
    if (!in_body) {
        add_body(exchange, 0, body.size(), request);
        return;
    }
    const llm::ScannedBody& scan = exchange.content.scan;
    if (scan.model.found) {
        add_body(exchange, 0, scan.model.begin, request);
        request.add(model_text(exchange, *entry));
        add_body(exchange, scan.model.end, body.size(), request);
    } else {
        add_body(exchange, 0, scan.insert_at, request);
        add_missing(exchange, *entry, request);
        add_body(exchange, scan.insert_at, body.size(), request);
    }
}

}  // namespace

bool write_upstream_request(Context& context, const Exchange& exchange,
                            upstream::Provider& provider, wire::Pieces& pieces) {
    const routing::Backend& backend = *exchange.backend();
    wire::HeadWriter head = provider.begin_request(exchange.request.method);
    write_target(context, exchange, head);
    provider.end_target(head, backend.host_header);
    head.append(backend.credential_line);
    head.append(exchange.content.lines.view());
    if (exchange.trace.is_on()) {
        wire::TraceParentText text;
        const wire::TraceParent parent = exchange.trace.parent_of_try(exchange.tries.attempts);
        head.line("traceparent: ", wire::write_traceparent(parent, text));
    }
    const routing::EntryList* list = exchange.list();
    const routing::Entry* entry = exchange.entry();
    if (list != nullptr && list->model_place.in == Place::header) {
        const std::string_view model =
            entry != nullptr ? entry->model : exchange.content.client_model;
        if (!model.empty()) head.header(list->model_place.name, model);
    }
    if (writes_content_type_late(exchange)) {
        const bool is_json = exchange.content.body_kind == llm::BodyKind::json;
        head.line("content-type: ", is_json ? "application/json" : exchange.request.content_type);
    }
    pieces.clear();
    splice(exchange, entry, pieces);
    std::optional<std::size_t> length;
    if (exchange.request.has_body || carries_content(exchange.request.method)) {
        length = pieces.payload_bytes();
    }
    return provider.start(head, length);
}

}  // namespace rotary::proxy
