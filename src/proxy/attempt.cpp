#include "proxy/attempt.hpp"

#include "proxy/cut_short.hpp"
#include "proxy/lease.hpp"
#include "proxy/pieces.hpp"
#include "proxy/upstream_request.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>
#include <utility>

namespace rotary::proxy {

namespace {

// A wait that brought nothing: the time is over, or the whole process's is.
Fault waited_out(net::Wake wake, const char* detail) {
    return cut_short(wake).value_or(Fault::upstream(FaultKind::upstream_timeout, detail));
}

// The connection broke before an answer's head was complete. One that had served before and dies at
// once, without a byte, was most likely closed while the request was on its way; later the provider
// may have been at work on it, and a second copy would be worked on too.
Fault broken(Context& context, const Exchange& exchange, const Reply& reply, const char* detail) {
    const bool at_once =
        context.reactor.now() - reply.sent_at < exchange.timeouts().stale_connection;
    const bool has_spoken = !reply.in.empty() || reply.interim > 0;
    const bool stale = reply.reused && at_once && !has_spoken && !exchange.tries.resent;
    return Fault::upstream(FaultKind::upstream_protocol_error, detail,
                           stale ? Retry::reused_only : Retry::next_entry);
}

SteadyTime first_byte_deadline(Context& context, const Exchange& exchange,
                               const routing::Backend& backend) {
    const auto own = backend.first_byte;
    const auto patience = own.count() > 0 ? own : exchange.timeouts().first_byte;
    return std::min(exchange.outcome.deadline, context.reactor.now() + patience);
}

// Looks for the answer's head in what has come; 1xx heads are dropped. True: it is parsed.
Result<bool> take_head(Context& context, const Exchange& exchange, Reply& reply) {
    for (;;) {
        const std::size_t head = reply.head_end.find(reply.in.view());
        if (head == 0) return false;
        wire::ResponseHead& parsed = context.scratch.response;
        const auto result =
            wire::parse_response_head(reply.in.view().substr(0, head), head_limits(exchange),
                                      exchange.request.is_head, parsed);
        if (!result) return result.error();
        if (parsed.status >= 200) {
            reply.head_bytes = head;
            reply.head_at = context.reactor.now();
            reply.status = parsed.status;
            reply.keep_alive = parsed.keep_alive;
            reply.body.begin(parsed.framing, parsed.content_length,
                             exchange.limits().chunk_header_bytes);
            const wire::Header* type = parsed.headers.find("content-type");
            reply.is_event_stream =
                type != nullptr && text::istarts_with(type->value, "text/event-stream");
            return true;
        }
        if (++reply.interim > exchange.limits().interim_responses) {
            return Fault::upstream(FaultKind::upstream_protocol_error,
                                   "The provider sent too many interim answers.");
        }
        reply.in.consume(head);
        reply.head_end = {};
    }
}

// Whether more of the head fits behind what has come of it.
bool make_room(Reply& reply) noexcept {
    if (reply.in.space_size() == 0) reply.in.compact();
    return reply.in.space_size() > 0;
}

// Writes the request, as far as the provider takes it. Returns early without `request_sent` when a
// final answer comes before the request is through: a refusal that would be lost by writing on.
Task<Result<void>> send(Context& context, ClientSide& client, Exchange& exchange, Reply& reply) {
    UpstreamRequest request = write_upstream_request(context, exchange);
    if (!request.ok) {
        co_return Fault::client(FaultKind::headers_too_large,
                                "The headers are too large to go on.");
    }
    Buffer kept;  // the head, once the scratch may be written over
    net::Stream& stream = *reply.stream;
    reply.sent_at = context.reactor.now();
    for (;;) {
        const net::IoResult written = stream.write_some(request.pieces);
        if (written.status == net::IoStatus::error)
            break;  // an answer may stand there all the same
        drop_front(request.pieces, written.bytes);
        if (all_empty(request.pieces) && !stream.has_pending()) {
            reply.request_sent = true;
            break;
        }
        keep_first(request.pieces, kept, context.buffers);
        const SteadyTime stalled = context.reactor.now() + exchange.timeouts().write_stall;
        net::WaitFor what =
            wait_until(std::min(exchange.outcome.deadline, stalled), client, exchange);
        what.read = &stream.descriptor();
        what.write = &stream.descriptor();
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) {
            co_return waited_out(wake, "The provider took the request too slowly.");
        }
        if (!stream.descriptor().readable()) continue;
        if (!make_room(reply)) break;
        const net::IoResult read = stream.read_some(reply.in.space(), reply.in.space_size());
        if (read.status == net::IoStatus::would_block) continue;
        if (read.status != net::IoStatus::ok) break;
        reply.in.produced(read.bytes);
        const auto taken = take_head(context, exchange, reply);
        if (!taken) co_return taken.error();
        if (*taken) break;
    }
    co_return Result<void>{};
}

Task<Result<void>> read_head(Context& context, ClientSide& client, Exchange& exchange,
                             Reply& reply) {
    for (;;) {
        const auto taken = take_head(context, exchange, reply);
        if (!taken) co_return taken.error();
        if (*taken) co_return Result<void>{};
        if (!make_room(reply)) {
            co_return Fault::upstream(FaultKind::upstream_protocol_error,
                                      "The head of the provider's answer is too large.");
        }
        const net::IoResult read = reply.stream->read_some(reply.in.space(), reply.in.space_size());
        if (read.status == net::IoStatus::ok) {
            reply.in.produced(read.bytes);
            continue;
        }
        if (read.status != net::IoStatus::would_block) {
            co_return broken(context, exchange, reply,
                             "The provider closed the connection without an answer.");
        }
        net::WaitFor what = wait_until(reply.answer_by, client, exchange);
        what.read = &reply.stream->descriptor();
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) {
            co_return waited_out(wake, "The provider did not answer in time.");
        }
    }
}

// Dials, on the place that the reply has. Out of descriptors the worker's idle connections must do
// without theirs first.
Task<Result<void>> open(Context& context, ClientSide& client, Exchange& exchange, Reply& reply) {
    const net::WaitFor limits = wait_until(exchange.outcome.deadline, client, exchange);
    const net::Endpoint& endpoint =
        exchange.match.wiring->upstreams[exchange.tries.choice.backend].endpoint;
    for (bool again = false;; again = true) {
        auto dialled = co_await context.dialer.dial(endpoint, limits, exchange.timeouts().connect);
        if (dialled) {
            reply.stream.open(std::move(*dialled));
            co_return Result<void>{};
        }
        const Fault fault = dialled.error();
        if (fault.kind != FaultKind::overloaded || again || context.pool.idle() == 0) {
            co_return fault;
        }
        context.pool.close_idle();
    }
}

}  // namespace

Task<Result<void>> attempt(Context& context, ClientSide& client, Exchange& exchange, Reply& reply) {
    const routing::Backend& backend = *exchange.backend();
    const std::size_t bucket = (*exchange.match.buckets)[exchange.tries.choice.backend];
    reply.reset();
    reply.asked = false;
    upstream::UpstreamConnection leased = context.pool.take(bucket, context.reactor.now());
    if (!leased.has_place()) {
        auto waited = co_await wait_for_place(context, client, exchange, bucket);
        if (waited) leased = std::move(*waited);
        if (!waited && waited.error().kind != FaultKind::overloaded) co_return waited.error();
    }
    if (!leased.has_place() || !begin_use(context, bucket, leased)) {
        context.metrics.add(
            exchange.match.wiring->upstreams[exchange.tries.choice.backend].overflow);
        co_return kNoRoom;
    }
    for (;;) {
        reply.reset();
        reply.bucket = bucket;
        reply.stream = std::move(leased);
        reply.reused = static_cast<bool>(reply.stream);
        if (!reply.reused) {
            const auto opened = co_await open(context, client, exchange, reply);
            if (!opened) {
                reply.stream.reset();
                co_return opened.error();
            }
        }
        reply.asked = true;
        reply.in = context.buffers.read_buffer();
        exchange.tries.reused_connection = reply.reused;
        auto result = co_await send(context, client, exchange, reply);
        if (result) {
            reply.answer_by = first_byte_deadline(context, exchange, backend);
            if (reply.head_bytes == 0) {
                result = co_await read_head(context, client, exchange, reply);
            }
        }
        if (result) {
            co_return Result<void>{};
        }
        const Fault fault = result.error();
        // A plain close would leave what was not sent, and the end, behind a window that is shut.
        if (!reply.request_sent) reply.stream->abort();
        leased = std::move(reply.stream);
        leased.close();
        if (fault.retry != Retry::reused_only) co_return fault;
        exchange.tries.resent = true;
    }
}

}  // namespace rotary::proxy
