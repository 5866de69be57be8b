#include "proxy/scan.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/form_body.hpp>

namespace rotary::proxy {

namespace {

// Without an Accept-like word to go by, JSON is told by its brace: `curl -d` names every body a
// form. No form begins so; encoders escape the brace.
bool looks_like_json(std::string_view body) noexcept {
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    return first != body.npos && body[first] == '{';
}

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
    exchange.content.scan = *scanned;
    const auto text_of = [&](const llm::MemberRange& range) {
        return exchange.request.body.substr(range.begin, range.end - range.begin);
    };
    if (exchange.content.body_kind == llm::BodyKind::json) {
        exchange.content.wants_stream = llm::is_true(exchange.request.body, scanned->stream);
        if (exchange.content.client_model.empty()) {
            exchange.content.client_model =
                llm::plain_string(exchange.request.body, scanned->model).value_or("");
        }
    } else {
        const std::string_view stream = text_of(scanned->stream);
        exchange.content.wants_stream = text::iequals(stream, "true") || stream == "1";
        exchange.content.client_model = text_of(scanned->model);
    }
    exchange.content.client_model =
        exchange.content.client_model.substr(0, exchange.limits().model_name_bytes);
    return {};
}

}  // namespace rotary::proxy
