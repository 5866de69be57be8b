#include "proxy/relay.hpp"

#include "proxy/deliver.hpp"

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

// What one write is made of: the head at first, a chunk's size, what was held back, the payload.
using Pieces = std::array<std::string_view, 16>;
constexpr std::size_t kHead = 0;
constexpr std::size_t kChunkSize = 1;
constexpr std::size_t kPartial = 2;
constexpr std::size_t kPayload = 3;

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
        events_.begin(exchange.limits().sse_line_bytes);
    }

    // Writes the head into scratch. False when it does not fit.
    bool write_head();
    Task<Result<void>> run();

private:
    bool goes_on(const wire::Header& header, const wire::HeaderTable& headers) const;
    void add_own_headers(wire::HeadWriter& writer, bool has_request_id) const;
    // Fills pieces_ with what can be sent of reply_.in; `taken_` bytes of it are then spent.
    Result<void> take();
    std::size_t hold_back(std::size_t payload);
    void keep_tails();
    void wrap(std::size_t payload);
    std::string_view chunk_size(std::size_t payload);
    bool is_complete() const;
    SteadyTime ping_due() const;
    Task<Result<void>> read_more();
    Task<Result<void>> put_in(std::string_view text);
    Task<Result<void>> interrupted(Fault fault);

    Context& context_;
    ClientSide& client_;
    Exchange& exchange_;
    Reply& reply_;
    Wrapping wrapping_ = Wrapping::as_is;
    bool is_event_stream_ = false;
    bool at_boundary_ = true;  // what the client has got ends between two events
    Pieces pieces_;
    std::size_t used_ = 0;
    std::size_t taken_ = 0;
    std::uint64_t payload_ = 0;  // of the whole answer so far
    Buffer partial_;             // an event whose end has not come yet
    Pieces tail_;                // what will be added to it once the pieces are sent
    std::size_t tails_ = 0;
    bool sends_partial_ = false;
    SteadyTime last_sent_;
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
    const bool has_body = reply_.body.framing() != wire::Framing::none;
    is_event_stream_ = has_body && reply_.is_event_stream;
    const bool has_length = reply_.body.framing() == wire::Framing::content_length;
    // A stream's length can't be kept to when a comment or an error has to be put in.
    const bool needs_wrapping = has_body && (!has_length || is_event_stream_);
    if (needs_wrapping) {
        wrapping_ = exchange_.minor_version == 0 ? Wrapping::bare : Wrapping::chunked;
    }
    if (wrapping_ == Wrapping::bare || context_.sessions.draining()) exchange_.keep_alive = false;

    wire::HeadWriter writer(context_.scratch.head.data(), context_.scratch.head.size());
    writer.status_line(head.status, head.reason);
    bool has_request_id = false;
    for (const wire::Header& header : head.headers) {
        if (!goes_on(header, head.headers)) continue;
        if (needs_wrapping && text::iequals(header.name, "content-length")) continue;
        if (text::iequals(header.name, "x-request-id")) {
            has_request_id = true;
            exchange_.keep_upstream_request_id(header.value);
        }
        writer.header(header.name, header.value);
    }
    add_own_headers(writer, has_request_id);
    if (wrapping_ == Wrapping::chunked) writer.append("transfer-encoding: chunked\r\n");
    if (is_event_stream_ && head.headers.find("x-accel-buffering") == nullptr) {
        writer.append("x-accel-buffering: no\r\n");
    }
    writer.finish();
    pieces_[kHead] = writer.view();
    return writer.ok();
}

// Whole events only: of a provider that dies in the middle of one nobody could use the rest, and
// what is told instead must begin on a line of its own. An event too large to keep goes on as it
// comes. `payload`: bytes in the pieces from kPayload on. Returns how many bytes are to be sent.
std::size_t Relay::hold_back(std::size_t payload) {
    std::size_t whole = 0;
    for (std::size_t i = kPayload, before = 0; i < used_; ++i) {
        events_.feed(pieces_[i]);
        if (events_.boundary() != wire::SseScanner::npos) whole = before + events_.boundary();
        before += pieces_[i].size();
    }
    if (!partial_ && whole < payload) partial_ = context_.buffers.read_buffer();
    const bool is_last = reply_.body.done() || reply_.ended;
    const bool is_overlong = whole == 0 && payload > 0 && payload > partial_.space_size();
    if (is_last || is_overlong) {
        at_boundary_ = events_.at_boundary();
        whole = payload;
    } else if (whole > 0) {
        at_boundary_ = true;
    }
    for (std::size_t i = kPayload, before = 0; i < used_; ++i) {
        const std::size_t size = pieces_[i].size();
        const std::size_t goes = std::min(size, whole - std::min(whole, before));
        before += size;
        if (goes < size) tail_[tails_++] = pieces_[i].substr(goes);
        pieces_[i] = pieces_[i].substr(0, goes);
    }
    sends_partial_ = partial_ && (whole > 0 || is_last);
    if (!sends_partial_) return whole;
    pieces_[kPartial] = partial_.view();
    return whole + partial_.size();
}

// Once the pieces are sent: what was held back of them, before their buffer is used again.
void Relay::keep_tails() {
    if (sends_partial_) partial_.consume(partial_.size());
    sends_partial_ = false;
    for (std::size_t i = 0; i < tails_; ++i) {
        std::memcpy(partial_.space(), tail_[i].data(), tail_[i].size());
        partial_.produced(tail_[i].size());
    }
    tails_ = 0;
    if (partial_ && partial_.empty()) partial_.reset();
}

Result<void> Relay::take() {
    const std::string_view available = reply_.in.view();
    std::size_t payload = 0;
    used_ = kPayload;
    taken_ = 0;
    pieces_[kPartial] = {};
    // One place is kept for the end of the chunk and one for the end of the body.
    while (used_ < pieces_.size() - 2 && !reply_.body.done()) {
        const auto piece = reply_.body.next(available.substr(taken_));
        if (!piece && payload > 0) break;  // what came goes first; the reader keeps its fault
        if (!piece) {
            return Fault::upstream(FaultKind::upstream_stream_interrupted, piece.error().detail);
        }
        if (piece->consumed == 0) break;
        taken_ += piece->consumed;
        if (piece->payload.empty()) continue;
        payload += piece->payload.size();
        pieces_[used_++] = piece->payload;
    }
    payload_ += payload;
    if (!is_event_stream_ && payload_ > exchange_.limits().upstream_body_bytes) {
        return Fault::internal(FaultKind::upstream_stream_interrupted,
                               "The provider's answer is larger than limits.upstream_body_bytes.");
    }
    if (is_event_stream_) payload = hold_back(payload);
    wrap(payload);
    return {};
}

bool Relay::is_complete() const {
    return reply_.body.done() || (reply_.ended && taken_ == reply_.in.size());
}

void Relay::wrap(std::size_t payload) {
    pieces_[kChunkSize] = {};
    if (wrapping_ != Wrapping::chunked) return;
    if (payload > 0) {
        pieces_[kChunkSize] = chunk_size(payload);
        pieces_[used_++] = "\r\n";
    }
    if (is_complete()) pieces_[used_++] = "0\r\n\r\n";
}

std::string_view Relay::chunk_size(std::size_t payload) {
    char* const end = std::to_chars(chunk_size_.data(), chunk_size_.data() + 16, payload, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    return {chunk_size_.data(), static_cast<std::size_t>(end + 2 - chunk_size_.data())};
}

// The time for another comment, when nothing was sent for so long.
SteadyTime Relay::ping_due() const {
    const auto interval = exchange_.routing().stream_ping_seconds;
    if (interval.count() == 0 || !is_event_stream_ || !at_boundary_) return SteadyTime::max();
    return last_sent_ + interval;
}

Task<Result<void>> Relay::read_more() {
    if (!reply_.in) reply_.in = context_.buffers.read_buffer();
    // The provider's silence is not shortened by what we send meanwhile.
    const SteadyTime patience =
        std::min(exchange_.deadline, context_.reactor.now() + exchange_.event_gap());
    for (;;) {
        const std::size_t most =
            std::min(reply_.in.space_size(), exchange_.limits().relay_buffer_bytes);
        const net::IoResult read = reply_.stream->read_some(reply_.in.space(), most);
        if (read.status == net::IoStatus::ok) {
            reply_.in.produced(read.bytes);
            co_return Result<void>{};
        }
        if (read.status == net::IoStatus::end &&
            reply_.body.framing() == wire::Framing::until_close) {
            reply_.ended = true;
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
        what.deadline = std::min(patience, ping_due());
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake == net::Wake::peer_gone) co_return Fault::client(FaultKind::client_gone);
        if (wake == net::Wake::timed_out && context_.reactor.now() < patience) {
            const auto sent = co_await put_in(": ping\n\n");
            if (!sent) co_return sent.error();
        } else if (wake == net::Wake::cancelled) {
            co_return Fault::internal(FaultKind::upstream_stream_interrupted,
                                      "The gateway is shutting down.");
        } else if (wake != net::Wake::ready) {
            co_return Fault::upstream(FaultKind::upstream_stream_interrupted,
                                      "The provider fell silent in the middle of its answer.");
        }
        reply_.in = context_.buffers.read_buffer();
    }
}

// Something of our own between two events.
Task<Result<void>> Relay::put_in(std::string_view text) {
    std::array<std::string_view, 3> pieces = {"", text, ""};
    if (wrapping_ == Wrapping::chunked) {
        pieces[0] = chunk_size(text.size());
        pieces[2] = "\r\n";
    }
    last_sent_ = context_.reactor.now();
    const auto delivered = co_await deliver(context_, client_, exchange_, pieces);
    co_return delivered;
}

// The provider died, or our time is over. What came is flushed already, and nobody is told that the
// piece is the whole; a client that reads events is told in its own language. Behind [DONE] nothing
// is missing.
Task<Result<void>> Relay::interrupted(Fault fault) {
    const bool can_tell = is_event_stream_ && at_boundary_;
    if (can_tell && events_.done()) {
        std::array<std::string_view, 1> end = {wrapping_ == Wrapping::chunked ? "0\r\n\r\n" : ""};
        const auto delivered = co_await deliver(context_, client_, exchange_, end);
        co_return delivered;
    }
    if (can_tell) {
        std::array<char, 512> event;
        constexpr std::string_view kStart = "data: ";
        std::copy(kStart.begin(), kStart.end(), event.begin());
        std::size_t size = kStart.size();
        size += wire::write_problem(wire::problem_of(fault.kind), fault.detail, event.data() + size,
                                    event.size() - size - 2);
        event[size++] = '\n';
        event[size++] = '\n';
        const std::string_view text(event.data(), size);
        const auto told = co_await put_in(text);
        if (!told) co_return told.error();
    }
    fault.retry = Retry::never;
    co_return fault;
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
            const auto cut = co_await interrupted(took.error());
            co_return cut;
        }
        last_sent_ = context_.reactor.now();
        const auto delivered = co_await deliver(context_, client_, exchange_,
                                                std::span<std::string_view>(pieces_.data(), used_));
        if (!delivered) co_return delivered.error();
        keep_tails();
        const bool complete = is_complete();
        reply_.in.consume(taken_);
        if (complete) break;
        if (!reply_.in.empty()) continue;
        const auto read = co_await read_more();
        if (!read) {
            if (read.error().kind == FaultKind::client_gone) co_return read.error();
            const auto cut = co_await interrupted(read.error());
            co_return cut;
        }
    }
    co_return Result<void>{};
}

}  // namespace

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
