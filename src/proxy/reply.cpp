#include "proxy/reply.hpp"

#include "proxy/cut_short.hpp"

#include <algorithm>
#include <utility>

namespace rotary::proxy {

namespace {

// Takes the steps of the body that stand behind the head, from `seen` on, handing each payload to
// `use`. What is malformed ends it.
template <class Use>
void walk(const Reply& reply, wire::BodyReader& reader, std::size_t& seen, const Use& use) {
    const std::string_view rest = reply.in.view().substr(reply.head_bytes);
    while (!reader.done()) {
        const auto piece = reader.next(rest.substr(seen));
        if (!piece || piece->consumed == 0) return;
        seen += piece->consumed;
        use(piece->payload);
    }
}

constexpr auto kIgnore = [](std::string_view) {};

}  // namespace

void Reply::reset() noexcept {
    stream.reset();
    in.reset();
    head_bytes = interim = 0;
    head_end = {};
    status = 0;
    reused = request_sent = keep_alive = is_event_stream = ended = is_unproven = false;
}

Task<Result<void>> read_on(Context& context, ClientSide& client, Exchange& exchange, Reply& reply,
                           SteadyTime deadline) {
    for (;;) {
        const net::IoResult read = reply.stream->read_some(reply.in.space(), reply.in.space_size());
        if (read.status == net::IoStatus::ok) {
            reply.in.produced(read.bytes);
            co_return Result<void>{};
        }
        if (read.status == net::IoStatus::end &&
            reply.body.framing() == wire::Framing::until_close) {
            reply.ended = true;
            co_return Result<void>{};
        }
        if (read.status != net::IoStatus::would_block) {
            co_return Fault::upstream(
                FaultKind::upstream_protocol_error,
                "The provider closed the connection in the middle of its answer.");
        }
        net::WaitFor what = wait_until(deadline, client, exchange);
        what.read = &reply.stream->descriptor();
        const net::Wake wake = co_await context.reactor.wait(what);
        if (const auto cut = cut_short(wake)) co_return *cut;
        if (wake == net::Wake::timed_out) {
            co_return Fault::upstream(FaultKind::upstream_timeout,
                                      "The provider fell silent in the middle of its answer.");
        }
    }
}

wire::HeadLimits head_limits(const Exchange& exchange) noexcept {
    wire::HeadLimits limits;
    limits.header_bytes = exchange.limits().upstream_header_bytes;
    limits.headers = exchange.limits().upstream_headers;
    return limits;
}

Task<void> read_refusal(Context& context, ClientSide& client, Exchange& exchange, Reply& reply) {
    wire::BodyReader reader = reply.body;
    std::size_t seen = 0;
    const std::size_t limit = exchange.limits().error_body_bytes + reply.head_bytes;
    const SteadyTime deadline =
        std::min(exchange.outcome.deadline, context.reactor.now() + exchange.timeouts().error_body);
    for (;;) {
        walk(reply, reader, seen, kIgnore);
        if (reader.done() || reply.ended) co_return;
        if (reply.in.space_size() == 0 || reply.in.size() >= limit) co_return;
        const auto read = co_await read_on(context, client, exchange, reply, deadline);
        if (!read) co_return;
    }
}

std::string_view body_at_hand(const Reply& reply, std::string& scratch) {
    wire::BodyReader reader = reply.body;
    std::size_t seen = 0;
    scratch.clear();
    walk(reply, reader, seen, [&](std::string_view payload) { scratch.append(payload); });
    return scratch;
}

void reparse_head(Context& context, const Exchange& exchange, const Reply& reply) {
    const auto parsed = wire::parse_response_head(reply.in.view().substr(0, reply.head_bytes),
                                                  head_limits(exchange), exchange.request.is_head,
                                                  context.scratch.response);
    static_cast<void>(parsed);  // it was parsed before, from the same bytes
}

void release(Context& context, Reply& reply) {
    wire::BodyReader reader = reply.body;
    std::size_t seen = 0;
    if (reply.stream) walk(reply, reader, seen, kIgnore);
    const bool complete =
        reply.stream && reader.done() && reply.in.size() == reply.head_bytes + seen;
    if (complete && reply.request_sent && reply.keep_alive) {
        context.pool.put(reply.bucket, std::move(reply.stream), context.reactor.now());
    }
    reply.reset();
}

}  // namespace rotary::proxy
