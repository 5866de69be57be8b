#include "proxy/answer_head.hpp"

#include "proxy/cors.hpp"
#include "proxy/limit_headers.hpp"
#include "proxy/own_headers.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

bool goes_on(const Exchange& exchange, const wire::Header& header,
             const wire::HeaderTable& headers) {
    const auto passage = exchange.match.route->answer_passages.of(header.field);
    if (passage != routing::Passage::asks && !headers.names_hops()) {
        return passage == routing::Passage::goes;
    }
    if (wire::is_withheld_from_client(header.name)) return false;
    if (wire::is_hop_by_hop(header.name, headers)) return false;
    if (text::istarts_with(header.name, "x-rotary-")) return false;
    // They speak of the operator's account.
    if (is_limited(exchange) && text::istarts_with(header.name, "x-ratelimit-")) return false;
    if (exchange.match.route->cors && text::istarts_with(header.name, "access-control-"))
        return false;
    const config::HeaderModifier& edits = exchange.match.route->response_headers;
    const auto is_named = [&](const std::string& name) { return text::iequals(name, header.name); };
    if (std::any_of(edits.remove.begin(), edits.remove.end(), is_named)) return false;
    return std::none_of(edits.set.begin(), edits.set.end(),
                        [&](const config::HeaderEdit& edit) { return is_named(edit.name); });
}

void write_edits(const Exchange& exchange, wire::HeadWriter& head) {
    const config::HeaderModifier& edits = exchange.match.route->response_headers;
    for (const config::HeaderEdit& edit : edits.set) head.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) head.header(edit.name, edit.value);
}

// A stream's length can't be kept to when a comment or an error has to be put in.
downstream::AnswerBody body_of(const upstream::AnswerHead& answer) noexcept {
    if (answer.body == upstream::BodyEnd::none) return downstream::AnswerBody::none;
    return answer.body == upstream::BodyEnd::sized && !answer.is_event_stream
               ? downstream::AnswerBody::sized
               : downstream::AnswerBody::unsized;
}

}  // namespace

bool is_event_stream(const upstream::Provider& provider) noexcept {
    const upstream::AnswerHead& answer = provider.answer();
    return answer.is_event_stream && answer.body != upstream::BodyEnd::none;
}

bool write_answer_head(Context& context, downstream::Client& client, Exchange& exchange,
                       const upstream::Provider& provider) {
    const wire::ResponseHead& from = context.scratch.response;
    const downstream::AnswerBody body = body_of(provider.answer());
    wire::HeadWriter head = client.begin_answer(from.status, from.reason);
    bool has_request_id = false;
    for (const wire::Header& header : from.headers) {
        if (!goes_on(exchange, header, from.headers)) continue;
        if (body == downstream::AnswerBody::unsized &&
            header.field == wire::field("content-length")) {
            continue;
        }
        if (header.field == wire::field("x-request-id")) {
            has_request_id = true;
            exchange.keep_upstream_request_id(header.value);
        }
        head.line(header);
    }
    write_edits(exchange, head);
    write_cors(exchange, head);
    write_own_headers(exchange, head, has_request_id);
    if (is_event_stream(provider) &&
        from.headers.find(wire::field("x-accel-buffering")) == nullptr) {
        head.append("x-accel-buffering: no\r\n");
    }
    return client.start(head, body);
}

}  // namespace rotary::proxy
