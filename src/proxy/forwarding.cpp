#include "proxy/forwarding.hpp"

#include "proxy/key_credential.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/form_body.hpp>

#include <algorithm>
#include <optional>

namespace rotary::proxy {

namespace {

using Place = config::ValueLocation::In;

bool is_one_of(std::string_view name, const std::vector<std::string>& names) noexcept {
    return std::any_of(names.begin(), names.end(),
                       [name](const std::string& other) { return text::iequals(name, other); });
}

// Whether the field brings a token or key of the caller, and if so whether it is sent on.
std::optional<bool> sent_on(const routing::AuthRules& auth, std::string_view name) noexcept {
    if (!auth.oauth2.disabled && text::iequals(auth.oauth2.header, name))
        return auth.oauth2.send_token_upstream;
    if (!auth.jwt.disabled && text::iequals(auth.jwt.header, name))
        return auth.jwt.send_token_upstream;
    for (const config::ApiKeyLocation& key : auth.api_keys) {
        if (key.in == config::ApiKeyLocation::In::header && text::iequals(key.name, name))
            return key.send_token_upstream;
    }
    return std::nullopt;
}

// Whether the answer must come in a coding that can be read.
bool reads_usage(const Exchange& exchange) noexcept {
    return exchange.list() != nullptr || exchange.match.route->counts_tokens;
}

// Whether a field that every request has of ours takes the place of the client's.
bool is_written_by_us(const Exchange& exchange, wire::Field field) noexcept {
    if (exchange.trace.is_on()) {
        // A try is a span of its own. The state belongs to a trace that goes on.
        if (field == wire::field("traceparent")) return true;
        if (field == wire::field("tracestate")) return exchange.trace.parent == 0;
    }
    if (field == wire::field("content-type")) return writes_content_type_late(exchange);
    return field == wire::field("accept-encoding") && reads_usage(exchange);
}

// Whether a field that the route names takes the place of the client's.
bool is_replaced(const Exchange& exchange, std::string_view name) noexcept {
    const config::HeaderModifier& edits = exchange.match.route->request_headers;
    if (is_one_of(name, edits.remove)) return true;
    for (const config::HeaderEdit& edit : edits.set) {
        if (text::iequals(edit.name, name)) return true;
    }
    if (exchange.list() == nullptr) return false;
    const routing::ModelPlace& place = exchange.list()->model_place;
    return place.in == Place::header && text::iequals(place.name, name);
}

bool goes_on(const Exchange& exchange, const wire::HeaderTable& headers,
             const wire::Header& header) noexcept {
    if (is_written_by_us(exchange, header.field)) return false;
    const auto passage = exchange.match.route->request_passages.of(header.field);
    if (passage != routing::Passage::asks && !headers.names_hops()) {
        return passage == routing::Passage::goes;
    }
    const std::string_view name = header.name;
    const routing::Forwarding& forwarding = exchange.snapshot().forwarding;
    const auto sent = sent_on(exchange.match.route->auth, name);
    // A token may be meant for the provider too; an API key is Rotary's own.
    if (sent ? !*sent || holds_key(header.value) : !forwarding.lets_through(name)) return false;
    return !forwarding.credential_headers.contains(name) && !is_replaced(exchange, name) &&
           !wire::is_hop_by_hop(name, headers);
}

// Whether a parameter, name and value encoded as they came, stays here.
bool is_withheld(const Exchange& exchange, std::string_view parameter) noexcept {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const auto is = [name](const std::string& other) {
        return llm::decodes_to_ignoring_case(name, other);
    };
    // Without an entry the client's own model stays: nothing would take its place.
    if (exchange.entry() != nullptr && exchange.list()->model_place.in == Place::query &&
        is(exchange.list()->model_place.name)) {
        return true;
    }
    for (const config::ApiKeyLocation& key : exchange.match.route->auth.api_keys) {
        if (key.in == config::ApiKeyLocation::In::query && is(key.name))
            return !key.send_token_upstream ||
                   holds_encoded_key(parameter.substr(std::min(name.size() + 1, parameter.size())));
    }
    return exchange.snapshot().forwarding.withheld_query.holds(llm::DecodedBytes(name));
}

// Some parsers take a semicolon for an ampersand.
bool holds_withheld(const Exchange& exchange, std::string_view pair) noexcept {
    for (;;) {
        const std::size_t end = std::min(pair.find(';'), pair.size());
        const std::string_view piece = pair.substr(0, end);
        if (is_withheld(exchange, piece)) return true;
        if (end == pair.size()) return false;
        pair.remove_prefix(end + 1);
    }
}

}  // namespace

bool writes_content_type_late(const Exchange& exchange) noexcept {
    return exchange.list() != nullptr && exchange.list()->model_place.in == Place::body &&
           llm::body_kind(exchange.request.content_type) == llm::BodyKind::form;
}

std::string_view write_client_query(const Exchange& exchange, wire::HeadWriter& writer) {
    std::string_view separator = "?";
    const std::string_view query = exchange.request.query;
    for (std::size_t at = 0; at <= query.size() && !query.empty();) {
        const std::size_t end = std::min(query.find('&', at), query.size());
        const std::string_view pair = query.substr(at, end - at);
        if (!holds_withheld(exchange, pair)) {
            writer.append(separator);
            writer.append(pair);
            separator = "&";
        }
        at = end + 1;
    }
    return separator;
}

Result<void> write_forwarded_lines(Context& context, Exchange& exchange) {
    exchange.content.lines = context.buffers.read_buffer();
    wire::HeadWriter writer(exchange.content.lines.space(), exchange.content.lines.space_size());
    const wire::HeaderTable& headers = context.scratch.request.headers;
    for (const wire::Header& header : headers) {
        if (goes_on(exchange, headers, header)) writer.line(header);
    }
    if (reads_usage(exchange)) writer.append("accept-encoding: identity\r\n");
    const config::HeaderModifier& edits = exchange.match.route->request_headers;
    for (const config::HeaderEdit& edit : edits.set) writer.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) writer.header(edit.name, edit.value);
    writer.line("x-client-request-id: ", exchange.request_id());
    if (!writer.ok()) {
        return Fault::client(FaultKind::headers_too_large, "The headers are too large to go on.");
    }
    exchange.content.lines.produced(writer.size());
    return {};
}

}  // namespace rotary::proxy
