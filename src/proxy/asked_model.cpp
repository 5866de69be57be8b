#include "proxy/asked_model.hpp"

#include "proxy/limits.hpp"
#include "proxy/scan.hpp"

#include <rotary/base/percent.hpp>
#include <rotary/llm/form_body.hpp>
#include <rotary/wire/query.hpp>

#include <algorithm>
#include <array>

namespace rotary::proxy {

namespace {

using Place = config::ValueLocation::In;

// Room for any name that a price list may have for a model, and then some: a longer one has none.
class ModelName {
public:
    // The contents of a JSON string, quotes included. Characters beyond ASCII that are escaped are
    // dropped: no list has them.
    std::string_view from_json(std::string_view json) noexcept {
        if (json.size() < 2 || json.front() != '"') return {};
        json = json.substr(1, json.size() - 2);
        if (json.find('\\') == json.npos) return json;
        for (std::size_t i = 0; i < json.size(); ++i) {
            if (json[i] != '\\' || i + 1 == json.size()) {
                add(json[i]);
                continue;
            }
            const char escape = json[++i];
            if (escape != 'u') {
                constexpr std::string_view kControls = "bfnrt";
                add(kControls.find(escape) == kControls.npos ? escape : ' ');
                continue;
            }
            int code = 0;
            for (const char digit : json.substr(i + 1, 4)) {
                code = code * 16 + std::max(text::hex_value(digit), 0);
            }
            if (code < 0x80) add(static_cast<char>(code));
            i += 4;
        }
        return view();
    }

    // Percent-encoded, a plus is a space.
    std::string_view from_encoded(std::string_view encoded) noexcept {
        llm::DecodedBytes bytes(encoded);
        for (int byte = bytes.next(); byte >= 0; byte = bytes.next()) add(static_cast<char>(byte));
        return view();
    }

private:
    void add(char c) noexcept {
        if (size_ < text_.size()) text_[size_++] = c;
    }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

    std::array<char, 512> text_;
    std::size_t size_ = 0;
};

const routing::ModelPlace* place_of(const Exchange& exchange) noexcept {
    return exchange.list() != nullptr ? &exchange.list()->model_place
                                      : exchange.match.route->asked_model.get();
}

std::string_view model_of_body(const Exchange& exchange, ModelName& name) {
    const llm::MemberRange& range = exchange.content.scan.model;
    if (!range.found) return {};
    const std::string_view body = exchange.request.body;
    const std::string_view value = body.substr(range.begin, range.end - range.begin);
    switch (exchange.content.body_kind) {
        case llm::BodyKind::json:
            return name.from_json(value);
        case llm::BodyKind::form:
            return name.from_encoded(value);
        default:
            return value;
    }
}

std::string_view model_of(Context& context, const Exchange& exchange, ModelName& name) {
    const routing::ModelPlace& place = *place_of(exchange);
    const routing::Route& route = *exchange.match.route;
    switch (place.in) {
        case Place::header:
            return exchange.content.client_model;
        case Place::query: {
            const auto parameter = wire::find_parameter(exchange.request.query, place.name);
            return parameter ? name.from_encoded(parameter->value) : std::string_view{};
        }
        case Place::path: {
            const config::PathRewrite* rewrite = route.rewrite ? &*route.rewrite : nullptr;
            const std::string_view path = exchange.match.rule->pattern.rewritten(
                exchange.request.path, rewrite, context.path);
            const auto range = place.slot->find(path);
            return range ? name.from_encoded(path.substr(range->begin, range->size))
                         : std::string_view{};
        }
        case Place::body:
            break;
    }
    return model_of_body(exchange, name);
}

// Where no AIProvider says so, and none of the prices hangs on it.
const routing::ModelPlace& usual_place() {
    static const routing::ModelPlace kPlace;
    return kPlace;
}

Result<llm::ScannedBody> scan_asked(Exchange& exchange, const routing::ModelPlace& place) {
    const std::string_view body = exchange.request.body;
    Content& content = exchange.content;
    if (content.body_kind != llm::BodyKind::multipart && looks_like_json(body)) {
        content.body_kind = llm::BodyKind::json;
    }
    if (content.body_kind == llm::BodyKind::json) {
        const auto& members = place.in == Place::body ? place.members : usual_place().members;
        return llm::scan_body(body, members, exchange.limits().json_depth);
    }
    if (place.in != Place::body || !place.may_be_field()) return llm::ScannedBody{};
    if (content.body_kind == llm::BodyKind::form) return llm::scan_form(body, place.name);
    if (content.body_kind == llm::BodyKind::multipart) {
        const auto boundary = llm::boundary_of(exchange.request.content_type);
        if (!boundary) return boundary.error();
        return llm::scan_multipart(body, *boundary, place.name);
    }
    return llm::ScannedBody{};
}

}  // namespace

void keep_model_of_head(Context& context, Exchange& exchange, const routing::ModelPlace& place) {
    if (place.in != Place::header) return;
    const wire::Header* own = context.scratch.request.headers.find(place.name);
    if (own != nullptr) exchange.content.client_model = own->value;
}

void price_client_model(Context& context, Exchange& exchange) {
    if (exchange.snapshot().prices == nullptr || place_of(exchange) == nullptr) return;
    ModelName name;
    exchange.content.asked = exchange.match.route->prices.find(model_of(context, exchange, name),
                                                               exchange.request.started_wall);
}

Result<void> read_asked_model(Context& context, Exchange& exchange) {
    const bool must_be_read = is_budgeted(exchange);
    if (exchange.request.is_encoded) {
        if (must_be_read) return Fault::client(FaultKind::unsupported_content_encoding);
    } else if (!exchange.request.body.empty()) {
        const routing::ModelPlace* place = place_of(exchange);
        const auto scanned = scan_asked(exchange, place == nullptr ? usual_place() : *place);
        if (scanned) note_scan(exchange, *scanned);
        if (!scanned && must_be_read) return scanned.error();
    }
    price_client_model(context, exchange);
    return {};
}

}  // namespace rotary::proxy
