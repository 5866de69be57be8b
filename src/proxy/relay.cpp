#include "proxy/relay.hpp"

#include "proxy/deliver.hpp"
#include "proxy/event_gate.hpp"
#include "proxy/response_head.hpp"

#include <rotary/wire/problem.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace rotary::proxy {

namespace {

// What one write is made of: the head at first, a chunk's size, what was held back, the payload.
using Pieces = std::array<std::string_view, EventGate::kPieces>;
constexpr std::size_t kHead = 0;
constexpr std::size_t kChunkSize = 1;
constexpr std::size_t kKept = 2;
constexpr std::size_t kPayload = 3;

// So long at least must a client hold its provider back to have a part in what becomes of it.
constexpr std::chrono::seconds kLongHeldBack{1};

// What passes between the two ends of one relay.
class Relay {
public:
    Relay(Context& context, ClientSide& client, Exchange& exchange, Reply& reply)
        : context_(context),
          client_(client),
          exchange_(exchange),
          reply_(reply),
          events_(exchange.events),
          gate_(events_, context.buffers) {
        events_.begin(exchange.limits().sse_line_bytes);
    }

    // Writes the head into scratch. False when it does not fit.
    bool write_head();
    Task<Result<void>> run();

private:
    // Fills pieces_ with what can be sent of reply_.in; `taken_` bytes of it are then spent.
    Result<void> take();
    Task<Result<void>> pass_on();
    void wrap(std::size_t payload);
    std::string_view chunk_size(std::size_t payload);
    bool is_complete() const;
    SteadyTime ping_due() const;
    Fault broken_off() const;
    Fault too_late() const;
    Task<Result<void>> read_more();
    Task<Result<void>> put_in(std::string_view text);
    Task<Result<void>> interrupted(Fault fault);

    Context& context_;
    ClientSide& client_;
    Exchange& exchange_;
    Reply& reply_;
    Wrapping wrapping_ = Wrapping::as_is;
    bool is_event_stream_ = false;
    Pieces pieces_;
    std::size_t used_ = 0;
    std::size_t taken_ = 0;
    std::uint64_t payload_ = 0;  // of the whole answer so far
    SteadyTime last_sent_;
    // How long the client has kept the provider waiting, since that was waited for itself.
    std::chrono::nanoseconds held_back_{0};
    std::array<char, 20> chunk_size_;
    wire::SseScanner& events_;
    EventGate gate_;
};

bool Relay::write_head() {
    const auto head = write_response_head(context_, exchange_, reply_);
    if (!head) return false;
    wrapping_ = head->wrapping;
    is_event_stream_ = head->is_event_stream;
    pieces_[kHead] = head->bytes;
    return true;
}

Result<void> Relay::take() {
    const std::string_view available = reply_.in.view();
    std::size_t payload = 0;
    used_ = kPayload;
    taken_ = 0;
    pieces_[kKept] = {};
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
    if (is_event_stream_) {
        const bool is_last = reply_.body.done() || reply_.ended;
        payload = gate_.admit(std::span(pieces_).subspan(kPayload, used_ - kPayload), is_last);
        pieces_[kKept] = gate_.kept();
        if (is_last && reply_.is_unproven && events_.events() == 0) {
            return Fault::upstream(FaultKind::upstream_stream_interrupted,
                                   "The provider's stream holds no event.");
        }
    }
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
    if (interval.count() == 0 || !is_event_stream_ || !gate_.at_boundary())
        return SteadyTime::max();
    return last_sent_ + interval;
}

Task<Result<void>> Relay::read_more() {
    if (!reply_.in) reply_.in = context_.buffers.read_buffer();
    // The provider's silence is not shortened by what we send meanwhile.
    const SteadyTime patience =
        std::min(exchange_.outcome.deadline, context_.reactor.now() + exchange_.event_gap());
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
            co_return broken_off();
        }
        // Nothing to hold while the provider thinks: a thousand waiting streams need no buffers.
        reply_.in.reset();
        net::WaitFor what = wait_until(std::min(patience, ping_due()), client_, exchange_);
        what.read = &reply_.stream->descriptor();
        const std::chrono::nanoseconds waited = exchange_.outcome.waited;
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake == net::Wake::peer_gone) co_return Fault::client(FaultKind::client_gone);
        if (wake == net::Wake::timed_out && context_.reactor.now() < patience) {
            const auto sent = co_await put_in(": ping\n\n");
            if (!sent) co_return sent.error();
        } else if (wake == net::Wake::cancelled) {
            co_return Fault::internal(FaultKind::upstream_stream_interrupted,
                                      "The gateway is shutting down.");
        } else if (wake != net::Wake::ready) {
            co_return too_late();
        } else if (exchange_.outcome.waited != waited) {  // and not only for the relay's next turn
            held_back_ = {};
        }
        reply_.in = context_.buffers.read_buffer();
    }
}

// A provider that was kept waiting for long may have had enough of it: the client's doing.
Fault Relay::broken_off() const {
    constexpr const char* kDetail =
        "The provider closed the connection in the middle of its answer.";
    if (held_back_ >= kLongHeldBack) {
        return Fault::internal(FaultKind::upstream_stream_interrupted, kDetail);
    }
    return Fault::upstream(FaultKind::upstream_stream_interrupted, kDetail);
}

Fault Relay::too_late() const {
    if (context_.reactor.now() >= exchange_.outcome.deadline) {
        return Fault::internal(FaultKind::upstream_stream_interrupted,
                               "The request's time is over.");
    }
    return Fault::upstream(FaultKind::upstream_stream_interrupted,
                           "The provider fell silent in the middle of its answer.");
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
    const bool can_tell = is_event_stream_ && gate_.at_boundary();
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

Task<Result<void>> Relay::pass_on() {
    const std::chrono::nanoseconds waited = exchange_.outcome.waited;
    last_sent_ = context_.reactor.now();
    const auto delivered = co_await deliver(context_, client_, exchange_,
                                            std::span<std::string_view>(pieces_.data(), used_));
    held_back_ += exchange_.outcome.waited - waited;
    if (is_event_stream_ && !exchange_.outcome.overhead) {
        // It has begun: from here on it takes the time that the provider needs.
        exchange_.outcome.overhead = exchange_.own_time(std::chrono::steady_clock::now());
        exchange_.outcome.deadline = SteadyTime::max();
    }
    co_return delivered;
}

Task<Result<void>> Relay::run() {
    reply_.in.consume(reply_.head_bytes);
    reply_.head_bytes = 0;
    for (;;) {
        const auto took = take();
        if (!took && !exchange_.outcome.answer_started) {
            co_return Fault::upstream(FaultKind::upstream_protocol_error, took.error().detail,
                                      Retry::never);
        }
        exchange_.outcome.answer_started = true;
        if (!took) {
            const auto cut = co_await interrupted(took.error());
            co_return cut;
        }
        const auto delivered = co_await pass_on();
        if (!delivered) co_return delivered.error();
        gate_.sent();
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
    exchange.outcome.status = reply.status;
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
