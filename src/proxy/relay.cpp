#include "proxy/relay.hpp"

#include "proxy/pieces.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/problem.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace rotary::proxy {

namespace {

using Pieces = std::array<std::string_view, 16>;

// How the body's bytes go on.
enum class Wrapping : std::uint8_t {
    as_is,    // framed as the provider framed it, by length; or no body at all
    chunked,  // each read is one chunk of ours: streams, and bodies that end with the connection
    bare      // HTTP/1.0 client: the end of the connection is the end
};

// What passes between the two ends of one relay.
class Relay {
public:
    Relay(Context& context, ClientSide& client, Exchange& exchange, Reply& reply)
        : context_(context),
          client_(client),
          exchange_(exchange),
          reply_(reply),
          events_(exchange.events) {
        events_.begin();
    }

    // Writes the head into scratch. False when it does not fit.
    bool write_head();
    Task<Result<void>> run();

private:
    bool goes_on(const wire::Header& header, const wire::HeaderTable& headers) const;
    void add_own_headers(wire::HeadWriter& writer, bool has_request_id) const;
    // Fills pieces_ with what can be sent of reply_.in; `taken_` bytes of it are then spent.
    Result<void> take();
    Task<Result<void>> read_more();
    Task<Result<void>> interrupted(const char* detail);

    Context& context_;
    ClientSide& client_;
    Exchange& exchange_;
    Reply& reply_;
    Wrapping wrapping_ = Wrapping::as_is;
    bool is_event_stream_ = false;
    bool ended_ = false;  // a body without framing: the connection ended properly
    Pieces pieces_;       // [0] the head, at first; [1] the chunk's size
    std::size_t used_ = 0;
    std::size_t taken_ = 0;
    std::array<char, 20> chunk_size_;
    wire::SseScanner& events_;
};

bool Relay::goes_on(const wire::Header& header, const wire::HeaderTable& headers) const {
    if (wire::is_withheld_from_client(header.name)) return false;
    if (wire::is_hop_by_hop(header.name, headers)) return false;
    if (text::istarts_with(header.name, "x-rotary-")) return false;
    const config::HeaderModifier& edits = exchange_.route->response_headers;
    const auto is_named = [&](const std::string& name) { return text::iequals(name, header.name); };
    if (std::any_of(edits.remove.begin(), edits.remove.end(), is_named)) return false;
    return std::none_of(edits.set.begin(), edits.set.end(),
                        [&](const config::HeaderEdit& edit) { return is_named(edit.name); });
}

void Relay::add_own_headers(wire::HeadWriter& writer, bool has_request_id) const {
    const config::HeaderModifier& edits = exchange_.route->response_headers;
    for (const config::HeaderEdit& edit : edits.set) writer.header(edit.name, edit.value);
    for (const config::HeaderEdit& edit : edits.add) writer.header(edit.name, edit.value);
    if (!has_request_id) writer.header("x-request-id", exchange_.request_id());
    writer.header("x-rotary-request-id", exchange_.request_id());
    if (exchange_.routing().expose_route) {
        if (exchange_.entry != nullptr) writer.header("x-rotary-model", exchange_.entry->model);
        writer.header("x-rotary-backend", exchange_.backend->name);
        writer.header("x-rotary-attempts", static_cast<std::uint64_t>(exchange_.attempts));
    }
    if (!exchange_.keep_alive) {
        writer.append("connection: close\r\n");
    } else if (exchange_.minor_version == 0) {
        writer.append("connection: keep-alive\r\n");  // without it HTTP/1.0 waits for the end
    }
}

bool Relay::write_head() {
    const wire::ResponseHead& head = context_.scratch.response;
    const wire::Header* type = head.headers.find("content-type");
    is_event_stream_ = type != nullptr && text::istarts_with(type->value, "text/event-stream");
    const bool has_body = reply_.body.framing() != wire::Framing::none;
    const bool needs_wrapping = has_body && reply_.body.framing() != wire::Framing::content_length;
    if (needs_wrapping) {
        wrapping_ = exchange_.minor_version == 0 ? Wrapping::bare : Wrapping::chunked;
    }
    if (wrapping_ == Wrapping::bare || context_.sessions.draining()) exchange_.keep_alive = false;

    wire::HeadWriter writer(context_.scratch.head.data(), context_.scratch.head.size());
    writer.status_line(head.status, head.reason);
    bool has_request_id = false;
    for (const wire::Header& header : head.headers) {
        if (!goes_on(header, head.headers)) continue;
        has_request_id = has_request_id || text::iequals(header.name, "x-request-id");
        writer.header(header.name, header.value);
    }
    add_own_headers(writer, has_request_id);
    if (wrapping_ == Wrapping::chunked) writer.append("transfer-encoding: chunked\r\n");
    if (is_event_stream_ && head.headers.find("x-accel-buffering") == nullptr) {
        writer.append("x-accel-buffering: no\r\n");
    }
    writer.finish();
    pieces_[0] = writer.view();
    return writer.ok();
}

Result<void> Relay::take() {
    const std::string_view available = reply_.in.view();
    std::size_t payload = 0;
    used_ = 2;
    taken_ = 0;
    // One place is kept for the end of the chunk and one for the end of the body.
    while (used_ < pieces_.size() - 2 && !reply_.body.done()) {
        const auto piece = reply_.body.next(available.substr(taken_));
        if (!piece && payload > 0) break;  // what came goes first; the reader keeps its fault
        if (!piece)
            return Fault::upstream(FaultKind::upstream_stream_interrupted, piece.error().detail);
        if (piece->consumed == 0) break;
        taken_ += piece->consumed;
        if (piece->payload.empty()) continue;
        payload += piece->payload.size();
        pieces_[used_++] = piece->payload;
        if (is_event_stream_) events_.feed(piece->payload);
    }
    pieces_[1] = {};
    if (wrapping_ == Wrapping::chunked) {
        if (payload > 0) {
            const auto end = std::to_chars(chunk_size_.begin(), chunk_size_.end(), payload, 16).ptr;
            end[0] = '\r';
            end[1] = '\n';
            pieces_[1] = {chunk_size_.data(),
                          static_cast<std::size_t>(end + 2 - chunk_size_.data())};
            pieces_[used_++] = "\r\n";
        }
        const bool complete = reply_.body.done() || (ended_ && taken_ == available.size());
        if (complete) pieces_[used_++] = "0\r\n\r\n";
    }
    return {};
}

Task<Result<void>> Relay::read_more() {
    if (!reply_.in) reply_.in = context_.buffers.read_buffer();
    for (;;) {
        const net::IoResult read =
            reply_.stream->read_some(reply_.in.space(), reply_.in.space_size());
        if (read.status == net::IoStatus::ok) {
            reply_.in.produced(read.bytes);
            co_return Result<void>{};
        }
        if (read.status == net::IoStatus::end &&
            reply_.body.framing() == wire::Framing::until_close) {
            ended_ = true;
            co_return Result<void>{};
        }
        if (read.status != net::IoStatus::would_block) {
            co_return Fault::upstream(
                FaultKind::upstream_stream_interrupted,
                "The provider closed the connection in the middle of its answer.");
        }
        // Nothing to hold while the provider thinks: a thousand waiting streams need no buffers.
        reply_.in.reset();
        net::WaitFor what;
        what.read = &reply_.stream->descriptor();
        what.client = &client_.stream.descriptor();
        what.deadline =
            std::min(exchange_.deadline, context_.reactor.now() + exchange_.timeouts().event_gap);
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake == net::Wake::peer_gone) co_return Fault::client(FaultKind::client_gone);
        if (wake != net::Wake::ready) {
            co_return Fault::upstream(FaultKind::upstream_stream_interrupted,
                                      "The provider fell silent in the middle of its answer.");
        }
        reply_.in = context_.buffers.read_buffer();
    }
}

// What came is flushed already. A client that reads events is told in its own language; nobody is
// told that the stream is complete.
Task<Result<void>> Relay::interrupted(const char* detail) {
    if (is_event_stream_ && events_.at_boundary() && wrapping_ == Wrapping::chunked) {
        std::array<char, 512> event;
        constexpr std::string_view kStart = "data: ";
        std::copy(kStart.begin(), kStart.end(), event.begin());
        std::size_t size = kStart.size();
        size += wire::write_problem(wire::problem_of(FaultKind::upstream_stream_interrupted),
                                    detail, event.data() + size, event.size() - size - 2);
        event[size++] = '\n';
        event[size++] = '\n';
        const auto end = std::to_chars(chunk_size_.begin(), chunk_size_.end(), size, 16).ptr;
        std::array<std::string_view, 4> pieces = {
            std::string_view(chunk_size_.data(),
                             static_cast<std::size_t>(end - chunk_size_.data())),
            "\r\n", std::string_view(event.data(), size), "\r\n"};
        co_await deliver(context_, client_, exchange_, pieces);
    }
    co_return Fault::upstream(FaultKind::upstream_stream_interrupted, detail, Retry::never);
}

Task<Result<void>> Relay::run() {
    reply_.in.consume(reply_.head_bytes);
    reply_.head_bytes = 0;
    for (;;) {
        const auto took = take();
        if (!took && !exchange_.answer_started) {
            co_return Fault::upstream(FaultKind::upstream_protocol_error, took.error().detail,
                                      Retry::never);
        }
        exchange_.answer_started = true;
        if (!took) {
            const auto cut = co_await interrupted(took.error().detail);
            co_return cut;
        }
        const auto delivered = co_await deliver(context_, client_, exchange_,
                                                std::span<std::string_view>(pieces_.data(), used_));
        if (!delivered) co_return delivered.error();
        pieces_[0] = {};
        reply_.in.consume(taken_);
        if (reply_.body.done() || (ended_ && reply_.in.empty())) break;
        if (!reply_.in.empty()) continue;
        const auto read = co_await read_more();
        if (!read) {
            if (read.error().kind == FaultKind::client_gone) co_return read.error();
            const auto cut = co_await interrupted(read.error().detail);
            co_return cut;
        }
    }
    co_return Result<void>{};
}

}  // namespace

Task<Result<void>> deliver(Context& context, ClientSide& client, Exchange& exchange,
                           std::span<std::string_view> pieces) {
    Buffer kept;  // a head that did not go at once, before the scratch is written over
    for (;;) {
        const net::IoResult written = client.stream.write_some(pieces);
        if (written.status == net::IoStatus::error) {
            co_return Fault::client(FaultKind::client_gone);
        }
        exchange.bytes_sent += written.bytes;
        drop_front(pieces, written.bytes);
        const bool accepted = all_empty(pieces);
        if (accepted && !client.stream.has_pending()) co_return Result<void>{};
        if (!kept && !pieces[0].empty()) {
            kept = context.buffers.body(pieces[0].size());
            std::memcpy(kept.space(), pieces[0].data(), pieces[0].size());
            kept.produced(pieces[0].size());
            pieces[0] = kept.view();
        }
        net::WaitFor what;
        what.write = &client.stream.descriptor();
        what.deadline = context.reactor.now() + exchange.timeouts().write_stall;
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) co_return Fault::client(FaultKind::client_gone);
    }
}

Task<Result<void>> relay(Context& context, ClientSide& client, Exchange& exchange, Reply& reply) {
    exchange.status = reply.status;
    Relay relay(context, client, exchange, reply);
    if (!relay.write_head()) {
        co_return Fault::upstream(FaultKind::upstream_protocol_error,
                                  "The head of the provider's answer is too large.", Retry::never);
    }
    const auto result = co_await relay.run();
    if (result) {
        release(context, reply);
    } else {
        reply.reset();
    }
    co_return result;
}

}  // namespace rotary::proxy
