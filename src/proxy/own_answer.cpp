#include "proxy/own_answer.hpp"

#include "proxy/cors.hpp"
#include "proxy/deliver.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/own_headers.hpp"

#include <rotary/wire/http1_writer.hpp>

#include <array>
#include <charconv>

namespace rotary::proxy {

namespace {

// Sends a head with these lines, and no body.
Task<Result<void>> answer(downstream::Client& client, Exchange& exchange, std::string_view lines) {
    const std::uint16_t status = exchange.outcome.status;
    wire::HeadWriter head = client.begin_answer(status, wire::reason_phrase(status));
    head.append(lines);
    if (status != 204) head.append("content-length: 0\r\n");
    write_own_headers(exchange, head, false);
    write_cors(exchange, head);
    if (!client.start(head, downstream::AnswerBody::none)) {
        co_return Fault::client(FaultKind::headers_too_large);
    }
    exchange.outcome.answer_started = true;
    wire::Pieces pieces;
    const auto delivered = co_await deliver(client, pieces, true);
    co_return delivered;
}

// Of a scheme that is named the well-known port is meant; else the one that was asked for.
void write_authority(const config::Redirect& rules, const Exchange& exchange,
                     wire::HeadWriter& writer) {
    writer.append(rules.hostname.empty() ? exchange.request.host
                                         : std::string_view(rules.hostname));
    std::array<char, 8> digits;
    std::string_view port = rules.scheme.empty() ? exchange.request.port : std::string_view{};
    if (rules.port != 0) {
        const auto end =
            std::to_chars(digits.data(), digits.data() + digits.size(), rules.port).ptr;
        port = {digits.data(), static_cast<std::size_t>(end - digits.data())};
    }
    const std::string_view usual = rules.scheme == "http" ? "80" : "443";
    if (port.empty() || (port == usual && !rules.scheme.empty())) return;
    writer.append(":");
    writer.append(port);
}

}  // namespace

bool write_location(Context& context, Exchange& exchange) {
    const config::Redirect& rules = *exchange.match.route->redirect;
    exchange.content.lines = context.buffers.read_buffer();
    wire::HeadWriter writer(exchange.content.lines.space(), exchange.content.lines.space_size());
    writer.append("location: ");
    if (!exchange.request.host.empty() ||
        !rules.hostname.empty()) {  // HTTP/1.0 may come without a Host
        const std::string_view asked = exchange.request.is_tls ? "https" : "http";
        writer.append(rules.scheme.empty() ? asked : std::string_view(rules.scheme));
        writer.append("://");
        write_authority(rules, exchange, writer);
    }
    if (rules.path) {
        writer.append(exchange.match.rule->pattern.rewritten(exchange.request.path, &*rules.path,
                                                             context.path));
    } else {
        writer.append(exchange.request.path);
    }
    write_client_query(exchange, writer);
    writer.append("\r\n");
    exchange.content.lines.produced(writer.size());
    return writer.ok();
}

bool asks_for_whole_server(const Exchange& exchange) noexcept {
    return exchange.request.path == "*";
}

Task<Result<void>> answer_for_whole_server(downstream::Client& client, Exchange& exchange) {
    exchange.outcome.status = 204;
    constexpr std::string_view kAllow = "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
    const auto answered = co_await answer(client, exchange, kAllow);
    co_return answered;
}

bool is_allowed_preflight(Exchange& exchange) noexcept {
    if (exchange.request.method != "OPTIONS" || exchange.request.preflight_method.empty())
        return false;
    const routing::Snapshot& snapshot = exchange.snapshot();
    const auto found = snapshot.table.find(exchange.request.host, exchange.request.path,
                                           exchange.request.preflight_method);
    if (found.rule == nullptr) return false;
    const routing::Route& route = snapshot.routes[found.rule->route];
    if (!route.cors || !route.cors->allows(exchange.request.origin)) return false;
    exchange.match.rule = found.rule;
    exchange.match.route = &route;
    return true;
}

Task<Result<void>> answer_preflight(Context& context, downstream::Client& client,
                                    Exchange& exchange) {
    exchange.outcome.status = 200;
    exchange.content.lines = context.buffers.read_buffer();
    wire::HeadWriter writer(exchange.content.lines.space(), exchange.content.lines.space_size());
    write_preflight(exchange, writer);
    exchange.content.lines.produced(writer.size());
    const std::string_view lines = exchange.content.lines.view();
    const auto answered = co_await answer(client, exchange, lines);
    co_return answered;
}

Task<Result<void>> redirect(Context& context, downstream::Client& client, Exchange& exchange) {
    exchange.outcome.status = static_cast<std::uint16_t>(exchange.match.route->redirect->status);
    if (!write_location(context, exchange)) {
        co_return Fault::client(FaultKind::uri_too_long);
    }
    const std::string_view lines = exchange.content.lines.view();
    const auto answered = co_await answer(client, exchange, lines);
    co_return answered;
}

}  // namespace rotary::proxy
