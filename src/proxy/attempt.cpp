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

// The connection broke before an answer's head was complete. Without a byte of it on a connection
// that had served before, the provider most likely closed it while the request was on its way.
Fault broken(const Reply& reply, const char* detail) {
    const bool stale = reply.reused && reply.in.empty();
    return Fault::upstream(FaultKind::upstream_protocol_error, detail,
                           stale ? Retry::reused_only : Retry::next_entry);
}

SteadyTime first_byte_deadline(Context& context, const Exchange& exchange,
                               const policy::Backend& backend) {
    const auto own = backend.first_byte;
    const auto patience = own.count() > 0 ? own : exchange.timeouts().first_byte;
    return std::min(exchange.deadline, context.reactor.now() + patience);
}

// Writes the request, as far as the provider takes it. Returns early without `request_sent` when an
// answer comes before the request is through: a refusal that would be lost by writing on.
Task<Result<void>> send(Context& context, ClientSide& client, Exchange& exchange,
                        const Target& target, Reply& reply) {
    UpstreamRequest request = write_upstream_request(context, exchange, target);
    if (!request.ok) {
        co_return Fault::client(FaultKind::headers_too_large,
                                "The headers are too large to go on.");
    }
    Buffer kept;  // the head, once the scratch may be written over
    net::Stream& stream = *reply.stream;
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
        net::WaitFor what;
        what.read = &stream.descriptor();
        what.write = &stream.descriptor();
        what.client = &client.stream.descriptor();
        what.deadline =
            std::min(exchange.deadline, context.reactor.now() + exchange.timeouts().write_stall);
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) {
            co_return waited_out(wake, "The provider took the request too slowly.");
        }
        if (!stream.descriptor().readable()) continue;
        const net::IoResult read = stream.read_some(reply.in.space(), reply.in.space_size());
        if (read.status == net::IoStatus::would_block) continue;
        reply.in.produced(read.bytes);
        break;
    }
    co_return Result<void>{};
}

// Looks for the answer's head in what has come; 1xx heads are dropped. True: it is parsed.
Result<bool> take_head(Context& context, const Exchange& exchange, Reply& reply,
                       wire::HeadEnd& finder, std::size_t& interim) {
    const config::Limits& limits = exchange.limits();
    wire::HeadLimits head_limits;
    head_limits.header_bytes = limits.upstream_header_bytes;
    head_limits.headers = std::min(limits.upstream_headers, wire::kHeaderTableSize);
    for (;;) {
        const std::size_t head = finder.find(reply.in.view());
        if (head == 0) return false;
        wire::ResponseHead& parsed = context.scratch.response;
        const auto result = wire::parse_response_head(reply.in.view().substr(0, head), head_limits,
                                                      exchange.is_head, parsed);
        if (!result) return result.error();
        if (parsed.status >= 200) {
            reply.head_bytes = head;
            reply.status = parsed.status;
            reply.keep_alive = parsed.keep_alive;
            reply.body.begin(parsed.framing, parsed.content_length, limits.chunk_header_bytes);
            const wire::Header* type = parsed.headers.find("content-type");
            reply.is_event_stream =
                type != nullptr && text::istarts_with(type->value, "text/event-stream");
            return true;
        }
        if (++interim > limits.interim_responses) {
            return Fault::upstream(FaultKind::upstream_protocol_error,
                                   "The provider sent too many interim answers.");
        }
        reply.in.consume(head);
        finder = {};
    }
}

Task<Result<void>> read_head(Context& context, ClientSide& client, Exchange& exchange,
                             Reply& reply) {
    wire::HeadEnd finder;
    std::size_t interim = 0;
    for (;;) {
        const auto taken = take_head(context, exchange, reply, finder, interim);
        if (!taken) co_return taken.error();
        if (*taken) co_return Result<void>{};
        if (reply.in.space_size() == 0) reply.in.compact();
        if (reply.in.space_size() == 0) {
            co_return Fault::upstream(FaultKind::upstream_protocol_error,
                                      "The head of the provider's answer is too large.");
        }
        const net::IoResult read = reply.stream->read_some(reply.in.space(), reply.in.space_size());
        if (read.status == net::IoStatus::ok) {
            reply.in.produced(read.bytes);
            continue;
        }
        if (read.status != net::IoStatus::would_block) {
            co_return broken(reply, "The provider closed the connection without an answer.");
        }
        net::WaitFor what;
        what.read = &reply.stream->descriptor();
        what.client = &client.stream.descriptor();
        what.deadline = reply.answer_by;
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) {
            co_return waited_out(wake, "The provider did not answer in time.");
        }
    }
}

// Dials, on the place that the reply has. Out of descriptors the worker's idle connections must do
// without theirs first.
Task<Result<void>> open(Context& context, ClientSide& client, Exchange& exchange,
                        const Target& target, Reply& reply) {
    net::WaitFor limits;
    limits.client = &client.stream.descriptor();
    limits.deadline =
        std::min(exchange.deadline, context.reactor.now() + exchange.timeouts().connect);
    const net::Endpoint& endpoint = exchange.wiring->upstreams[target.backend].endpoint;
    for (bool again = false;; again = true) {
        auto dialled = co_await context.dialer.dial(endpoint, limits);
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

Task<Result<void>> attempt(Context& context, ClientSide& client, Exchange& exchange,
                           const Target& target, Reply& reply) {
    const policy::Backend& backend = exchange.wiring->snapshot->backends[target.backend];
    const std::size_t bucket = (*exchange.buckets)[target.backend];
    reply.reset();
    UpstreamConnection leased = context.pool.take(bucket, context.reactor.now());
    if (!leased.has_place()) {
        auto waited = co_await wait_for_place(context, client, exchange, bucket);
        if (waited) leased = std::move(*waited);
        if (!waited && waited.error().kind != FaultKind::overloaded) co_return waited.error();
    }
    if (!leased.has_place() || !begin_use(context, bucket, leased)) {
        context.metrics.add(exchange.wiring->upstreams[target.backend].overflow);
        co_return kNoRoom;
    }
    for (;;) {
        reply.reset();
        reply.bucket = bucket;
        reply.stream = std::move(leased);
        reply.reused = static_cast<bool>(reply.stream);
        if (!reply.reused) {
            const auto opened = co_await open(context, client, exchange, target, reply);
            if (!opened) {
                reply.stream.reset();
                co_return opened.error();
            }
        }
        reply.in = context.buffers.read_buffer();
        exchange.reused_connection = reply.reused;
        auto result = co_await send(context, client, exchange, target, reply);
        if (result) {
            reply.answer_by = first_byte_deadline(context, exchange, backend);
            result = co_await read_head(context, client, exchange, reply);
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
    }
}

}  // namespace rotary::proxy
