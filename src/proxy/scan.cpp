#include "proxy/scan.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/form_body.hpp>

namespace rotary::proxy {

namespace {

Result<llm::ScannedBody> scan(const Exchange& exchange) {
    const routing::ModelPlace& place = exchange.list()->model_place;
    switch (exchange.content.body_kind) {
        case llm::BodyKind::form:
            return llm::scan_form(exchange.request.body, place.name);
        case llm::BodyKind::multipart:
            return llm::scan_multipart(exchange.request.body, exchange.content.boundary,
                                       place.name);
        default:
            return llm::scan_body(exchange.request.body, place.members,
                                  exchange.limits().json_depth);
    }
}

}  // namespace

Result<void> scan_body(Exchange& exchange) {
    const bool in_body = exchange.list()->model_place.in == config::ValueLocation::In::body;
    if (!in_body) {
        // The body goes on as it is; it is only asked whether the answer will be a stream.
        const bool is_json =
            exchange.content.body_kind == llm::BodyKind::json && !exchange.request.is_encoded;
        if (!is_json || exchange.request.body.empty()) return {};
    } else if (exchange.content.body_kind == llm::BodyKind::form &&
               looks_like_json(exchange.request.body)) {
        exchange.content.body_kind = llm::BodyKind::json;
    }
    const auto scanned = scan(exchange);
    if (!scanned) return scanned.error();
    note_scan(exchange, *scanned);
    return {};
}

bool looks_like_json(std::string_view body) noexcept {
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    return first != body.npos && body[first] == '{';
}

void note_scan(Exchange& exchange, const llm::ScannedBody& scan) {
    Content& content = exchange.content;
    content.scan = scan;
    const std::string_view body = exchange.request.body;
    const auto text_of = [body](const llm::MemberRange& range) {
        return body.substr(range.begin, range.end - range.begin);
    };
    if (content.body_kind == llm::BodyKind::json) {
        content.wants_stream = llm::is_true(body, scan.stream);
        if (content.client_model.empty()) {
            content.client_model = llm::plain_string(body, scan.model).value_or("");
        }
    } else {
        const std::string_view stream = text_of(scan.stream);
        content.wants_stream = text::iequals(stream, "true") || stream == "1";
        if (scan.model.found) content.client_model = text_of(scan.model);
    }
    content.client_model = content.client_model.substr(0, exchange.limits().model_name_bytes);
}

}  // namespace rotary::proxy
