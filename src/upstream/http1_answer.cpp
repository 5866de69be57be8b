#include <rotary/base/text.hpp>
#include <rotary/upstream/http1_provider.hpp>

#include <algorithm>
#include <cstring>

// The answer to a try (RFC 9112 sections 4 and 6).
namespace rotary::upstream {

namespace {

BodyEnd end_of(wire::Framing framing) noexcept {
    if (framing == wire::Framing::none) return BodyEnd::none;
    return framing == wire::Framing::content_length ? BodyEnd::sized : BodyEnd::unsized;
}

// What is read at once of an answer that fills a read buffer: it comes, and goes on, in as few
// calls as a turn of the loop allows.
constexpr std::size_t kLongRead = 65536;

Fault malformed(const Fault& fault) {
    return Fault::upstream(FaultKind::upstream_protocol_error, fault.detail);
}

}  // namespace

wire::HeadLimits Http1Provider::head_limits() const noexcept {
    wire::HeadLimits most;
    most.header_bytes = limits().upstream_header_bytes;
    most.headers = limits().upstream_headers;
    return most;
}

// Whether more fits behind what has come. Memory is taken when there is something to read: a
// request that waits for its answer holds none.
bool Http1Provider::make_room() {
    if (!in_) in_ = services_.buffers.read_buffer();
    return !is_full();
}

bool Http1Provider::is_full() noexcept {
    if (in_.space_size() == 0) in_.compact();
    return in_ && in_.space_size() == 0;
}

net::IoResult Http1Provider::read_on(std::size_t most) {
    const std::size_t space = std::min(in_.space_size(), most);
    const net::IoResult read = connection_->read_some(in_.space(), space);
    if (read.status != net::IoStatus::ok) return read;
    in_.produced(read.bytes);
    is_long_ = in_.space_size() == 0;
    return read;
}

// The connection broke before an answer's head was complete. One that had served before and dies at
// once, without a byte, was most likely closed while the request was on its way; later the provider
// may have been at work on it, and a second copy would be worked on too.
Fault Http1Provider::broken(const char* detail) const {
    const bool at_once = services_.reactor.now() - sent_at_ < timeouts().stale_connection;
    const bool has_spoken = !in_.empty() || interim_ > 0;
    const bool is_stale = reused_ && at_once && !has_spoken && terms_.may_resend;
    return Fault::upstream(FaultKind::upstream_protocol_error, detail,
                           is_stale ? Retry::reused_only : Retry::next_entry);
}

// Looks for the head in what has come; 1xx heads are dropped. True: it is parsed.
Result<bool> Http1Provider::take_head() {
    for (;;) {
        const std::size_t head = head_end_.find(in_.view());
        if (head == 0) return false;
        wire::ResponseHead& parsed = services_.scratch.response;
        const auto result = wire::parse_response_head(in_.view().substr(0, head), head_limits(),
                                                      terms_.is_head, parsed);
        if (!result) return result.error();
        if (parsed.status < 200) {
            if (++interim_ > limits().interim_responses) {
                return Fault::upstream(FaultKind::upstream_protocol_error,
                                       "The provider sent too many interim answers.");
            }
            in_.consume(head);
            head_end_ = {};
            continue;
        }
        head_bytes_ = head;
        keep_alive_ = parsed.keep_alive;
        body_.begin(parsed.framing, parsed.content_length, limits().chunk_header_bytes);
        peek_reader_ = body_;
        const wire::Header* type = parsed.headers.find(wire::field("content-type"));
        answer_.status = parsed.status;
        answer_.body = end_of(parsed.framing);
        answer_.length = parsed.content_length;
        answer_.is_event_stream =
            type != nullptr && text::istarts_with(type->value, "text/event-stream");
        answer_.came = services_.reactor.now();
        return true;
    }
}

Task<Result<void>> Http1Provider::read_head() {
    const auto patience = terms_.first_byte.count() > 0 ? terms_.first_byte : timeouts().first_byte;
    answer_.answer_by = std::min(terms_.wait.deadline, services_.reactor.now() + patience);
    while (head_bytes_ == 0) {
        const auto taken = take_head();
        if (!taken) co_return taken.error();
        if (*taken) break;
        if (!connection_->quiet()) {
            if (!make_room()) {
                co_return Fault::upstream(FaultKind::upstream_protocol_error,
                                          "The head of the provider's answer is too large.");
            }
            const net::IoResult read = read_on(in_.space_size());
            if (read.status == net::IoStatus::ok) continue;
            if (read.status != net::IoStatus::would_block) {
                co_return broken("The provider closed the connection without an answer.");
            }
        }
        if (in_.empty()) in_.reset();
        net::WaitFor what = wait_until(answer_.answer_by);
        what.read = &connection_->descriptor();
        const net::Wake wake = co_await services_.reactor.wait(what);
        const auto fault = brought_nothing(wake, "The provider did not answer in time.");
        if (fault) co_return *fault;
    }
    co_return Result<void>{};
}

void Http1Provider::reread_head() {
    const auto parsed = wire::parse_response_head(in_.view().substr(0, head_bytes_), head_limits(),
                                                  terms_.is_head, services_.scratch.response);
    static_cast<void>(parsed);  // it was parsed before, from the same bytes
}

Result<std::string_view> Http1Provider::peek() {
    while (!peek_reader_.done()) {
        const auto piece = peek_reader_.next(in_.view().substr(head_bytes_ + peeked_));
        if (!piece) return malformed(piece.error());
        if (piece->consumed == 0) break;
        peeked_ += piece->consumed;
        if (!piece->payload.empty()) return piece->payload;
    }
    return std::string_view{};
}

std::size_t Http1Provider::walk(wire::BodyReader& reader, std::string* payload) const {
    std::size_t seen = head_bytes_;
    while (!reader.done()) {
        const auto piece = reader.next(in_.view().substr(seen));
        if (!piece || piece->consumed == 0) break;
        seen += piece->consumed;
        if (payload != nullptr) payload->append(piece->payload);
    }
    return seen;
}

std::string_view Http1Provider::payload_at_hand(std::string& space) const {
    wire::BodyReader reader = body_;
    space.clear();
    walk(reader, &space);
    return space;
}

// A burst of small chunks becomes one piece: its payload moves together over the framing between,
// which was read. So one read goes on as one write, and one chunk of ours.
bool Http1Provider::merge(wire::Pieces& pieces, std::string_view payload) noexcept {
    constexpr std::size_t kSmall = 1024;
    const auto before = pieces.payload();
    if (before.empty() || payload.size() > kSmall) return false;
    std::string_view& last = before.back();
    const auto end = static_cast<std::size_t>(last.data() + last.size() - in_.begin());
    std::memmove(in_.begin() + end, payload.data(), payload.size());
    last = {last.data(), last.size() + payload.size()};
    return true;
}

Result<void> Http1Provider::take(wire::Pieces& pieces) {
    in_.consume(std::exchange(head_bytes_, 0));
    taken_ = 0;
    bool has_payload = false;
    while (!pieces.is_full() && !body_.done()) {
        const auto piece = body_.next(in_.view().substr(taken_));
        if (!piece && has_payload) break;  // what came goes first; the reader keeps its fault
        if (!piece) return malformed(piece.error());
        if (piece->consumed == 0) break;
        taken_ += piece->consumed;
        if (piece->payload.empty()) continue;
        has_payload = true;
        if (!merge(pieces, piece->payload)) pieces.add(piece->payload);
    }
    return {};
}

bool Http1Provider::drop_taken() noexcept {
    in_.consume(std::exchange(taken_, 0));
    return !in_.empty();
}

Result<bool> Http1Provider::receive(std::size_t most) {
    const bool has_longer = in_.capacity() < kLongRead && most >= kLongRead;
    if (is_long_ && in_.empty() && has_longer) in_ = services_.buffers.body(kLongRead);
    make_room();
    const net::IoResult read = read_on(most);
    if (read.status == net::IoStatus::ok) return true;
    if (read.status == net::IoStatus::end && body_.framing() == wire::Framing::until_close) {
        ended_ = true;
        return true;
    }
    if (read.status == net::IoStatus::would_block) return false;
    return Fault::upstream(FaultKind::upstream_protocol_error,
                           "The provider closed the connection in the middle of its answer.");
}

Task<Result<void>> Http1Provider::read(SteadyTime deadline) {
    for (;;) {
        const auto received = receive(kLongRead);
        if (!received) co_return received.error();
        if (*received) co_return Result<void>{};
        net::WaitFor what = wait_until(deadline);
        watch(what);
        const net::Wake wake = co_await services_.reactor.wait(what);
        const auto fault =
            brought_nothing(wake, "The provider fell silent in the middle of its answer.");
        if (fault) co_return *fault;
    }
}

}  // namespace rotary::upstream
