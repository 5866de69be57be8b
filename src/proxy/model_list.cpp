#include "proxy/model_list.hpp"

#include "proxy/cors.hpp"
#include "proxy/deliver.hpp"
#include "proxy/own_headers.hpp"

#include <rotary/base/json_text.hpp>
#include <rotary/wire/http1_writer.hpp>

#include <set>

namespace rotary::proxy {

namespace {

// Null: the caller may have none of the list.
const rotation::Rotation* part_of(const Exchange& exchange, const routing::EntryList& list) {
    if (!exchange.is_narrowed()) return &list.rotation;
    return list.rotation_for(exchange.match.key_owner->model_set);
}

}  // namespace

std::string model_list(const Exchange& exchange) {
    const routing::Route& route = *exchange.match.route;
    std::set<std::string_view> known;
    std::string body = R"({"object":"list","data":[)";
    for (const routing::EntryList& list : exchange.snapshot().lists) {
        if (list.environment != route.environment || list.api != route.api) continue;
        const rotation::Rotation* part = part_of(exchange, list);
        if (part == nullptr) continue;
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            const routing::Entry& entry = list.entries[i];
            if (entry.weight == 0 || !part->lists(i) || !known.insert(entry.model).second) continue;
            body += known.size() == 1 ? R"({"id":)" : R"(,{"id":)";
            text::append_json_string(body, entry.model);
            body += R"(,"object":"model","created":0,"owned_by":"rotary"})";
        }
    }
    body += "]}";
    return body;
}

Task<Result<void>> answer_models(downstream::Client& client, Exchange& exchange) {
    const std::string body = model_list(exchange);
    exchange.outcome.status = 200;
    wire::HeadWriter head = client.begin_answer(200, wire::reason_phrase(200));
    head.append("content-type: application/json\r\n");
    head.line("content-length: ", static_cast<std::uint64_t>(body.size()));
    write_own_headers(exchange, head, false);
    write_cors(exchange, head);
    if (!client.start(head, downstream::AnswerBody::sized)) {
        co_return Fault::client(FaultKind::headers_too_large);
    }
    exchange.outcome.answer_started = true;
    wire::Pieces pieces;
    if (!exchange.request.is_head) pieces.add(body);
    const auto delivered = co_await deliver(client, pieces, true);
    co_return delivered;
}

}  // namespace rotary::proxy
