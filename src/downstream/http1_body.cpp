#include <rotary/downstream/http1_connection.hpp>

#include <algorithm>
#include <cstring>

// The body of a request: into the space behind the head if it fits there, else into a block of its
// own; chunked bodies are unwrapped.
namespace rotary::downstream {

namespace {

constexpr std::size_t kFirstBlock = 65536;      // of a body; a length that was only said is none
constexpr std::size_t kDiscardedBytes = 65536;  // read for nothing rather than close

Fault gone() { return Fault::client(FaultKind::client_gone); }

}  // namespace

SteadyTime Http1Connection::body_deadline() const noexcept {
    const std::uint64_t bytes = request_->body_length.value_or(limits().body_bytes);
    const auto mebibytes = static_cast<std::int64_t>(bytes / (1u << 20) + 1);
    return services_.reactor.now() + timeouts().body_per_mib * mebibytes;
}

SteadyTime Http1Connection::gap_deadline(SteadyTime total) const noexcept {
    return std::min(total, services_.reactor.now() + timeouts().body_gap);
}

// One read into free memory, waiting for it as long as it may take.
Task<Result<std::size_t>> Http1Connection::read_more(std::span<char> space, SteadyTime deadline) {
    for (;;) {
        const net::IoResult read = stream_.read_some(space.data(), space.size());
        if (read.status == net::IoStatus::ok && read.bytes > 0) co_return read.bytes;
        if (read.status != net::IoStatus::would_block) co_return gone();
        net::WaitFor what = wait_until(deadline);
        what.read = &stream_.descriptor();
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (wake == net::Wake::timed_out) co_return Fault::client(FaultKind::request_timeout);
        if (wake != net::Wake::ready) co_return gone();
    }
}

// Makes room for `needed` bytes of a body that has no more than `whole`: the block doubles, so
// memory is taken as bytes come. Faults: overloaded when all bodies together take too much.
Result<void> Http1Connection::make_room(std::size_t needed, std::size_t whole) {
    Buffer& block = request_->body_block;
    const std::size_t doubled = std::min(whole, std::max(block.capacity() * 2, kFirstBlock));
    if (services_.buffers.grow(block, std::max(needed, doubled))) return {};
    return Fault::internal(FaultKind::overloaded,
                           "The bodies of all requests take too much memory at the moment.");
}

// A body of known length: behind the head if there is room, else into a block of its own, read
// exactly, so that no byte of the next request gets in.
Task<Result<void>> Http1Connection::read_sized(SteadyTime total) {
    const auto length = static_cast<std::size_t>(*request_->body_length);
    const bool fits = head_bytes_ + length <= in_.size() + in_.space_size();
    std::size_t have = std::min(in_.size() - head_bytes_, length);
    Buffer& block = request_->body_block;
    if (!fits) {
        const auto room = make_room(have, length);
        if (!room) co_return room.error();
        std::memcpy(block.space(), in_.begin() + head_bytes_, have);
        block.produced(have);
    }
    body_bytes_in_ = have;
    while (have < length) {
        if (!fits && block.space_size() == 0) {
            const auto room = make_room(have + 1, length);
            if (!room) co_return room.error();
        }
        // In place, more than the body may come: it is the next request's and stays there.
        Buffer& into = fits ? in_ : block;
        const std::size_t most =
            fits ? into.space_size() : std::min(into.space_size(), length - have);
        const std::span<char> space(into.space(), most);
        const auto read = co_await read_more(space, gap_deadline(total));
        if (!read) co_return read.error();
        into.produced(*read);
        have = std::min(have + *read, length);
        if (fits) body_bytes_in_ = have;
    }
    body_complete_ = true;
    const char* place = fits ? in_.begin() + head_bytes_ : block.begin();
    request_->body = {place, length};
    request_->bytes_received += length;
    co_return Result<void>{};
}

// Makes room for `more` bytes of payload. Faults: request_too_large, overloaded.
Result<void> Http1Connection::reserve(std::size_t more) {
    Buffer& block = request_->body_block;
    const std::size_t needed = block.size() + more;
    if (needed > limits().body_bytes) return Fault::client(FaultKind::request_too_large);
    if (block && needed <= block.capacity()) return {};
    return make_room(needed, limits().body_bytes);
}

// Takes the pieces that stand in `raw` into the block; says how many bytes were the body's.
Result<std::size_t> Http1Connection::unwrap(wire::BodyReader& reader, std::string_view raw) {
    std::size_t consumed = 0;
    while (!reader.done()) {
        const auto piece = reader.next(raw.substr(consumed));
        if (!piece) return piece.error();
        if (piece->consumed == 0) break;
        consumed += piece->consumed;
        if (piece->payload.empty()) continue;
        if (const auto room = reserve(piece->payload.size()); !room) return room.error();
        Buffer& block = request_->body_block;
        std::memcpy(block.space(), piece->payload.data(), piece->payload.size());
        block.produced(piece->payload.size());
    }
    return consumed;
}

Task<Result<void>> Http1Connection::read_chunked(SteadyTime total) {
    wire::BodyReader reader;
    reader.begin(wire::Framing::chunked, 0, limits().chunk_header_bytes);
    Buffer raw;  // what came after the read buffer was used up
    for (;;) {
        // The head's views must stay valid, so only bytes behind it are taken from in_; once those
        // are used up the wire is read into `raw`, and its rest is put back behind the head.
        Buffer& source = raw ? raw : in_;
        const std::size_t skip = raw ? 0 : head_bytes_ + body_bytes_in_;
        const auto taken = unwrap(reader, source.view().substr(skip));
        if (!taken) co_return taken.error();
        request_->bytes_received += *taken;
        if (raw) {
            raw.consume(*taken);
        } else {
            body_bytes_in_ += *taken;
        }
        if (reader.done()) break;
        if (!raw) raw = services_.buffers.read_buffer();
        raw.compact();
        const std::span<char> space(raw.space(), raw.space_size());
        const auto read = co_await read_more(space, gap_deadline(total));
        if (!read) co_return read.error();
        raw.produced(*read);
    }
    if (raw && !raw.empty()) {
        if (raw.size() > in_.space_size()) {
            keep_alive_ = false;  // pipelined more than fits: answer this one and close
        } else {
            std::memcpy(in_.space(), raw.view().data(), raw.size());
            in_.produced(raw.size());
        }
    }
    body_complete_ = true;
    const Buffer& block = request_->body_block;
    request_->body = block ? block.view() : std::string_view{};
    co_return Result<void>{};
}

bool Http1Connection::take_body_at_hand() noexcept {
    if (framing_ == wire::Framing::none) return true;
    if (framing_ != wire::Framing::content_length) return false;
    const std::size_t at_hand = in_.size() - head_bytes_;
    if (*request_->body_length > at_hand) return false;
    const auto length = static_cast<std::size_t>(*request_->body_length);
    request_->body = in_.view().substr(head_bytes_, length);
    request_->bytes_received += length;
    body_bytes_in_ = length;
    body_complete_ = true;
    return true;
}

Task<Result<void>> Http1Connection::read_body() {
    if (expect_continue_ && in_.size() == head_bytes_) {
        const std::string_view go_on[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
        const net::WaitFor stalled = wait_until(services_.reactor.now() + timeouts().write_stall);
        const auto written = co_await stream_.write_all(go_on, stalled);
        if (!written) co_return gone();
    }
    const SteadyTime total = body_deadline();
    auto read = Result<void>{};
    if (framing_ == wire::Framing::chunked) {
        read = co_await read_chunked(total);
    } else {
        read = co_await read_sized(total);
    }
    if (!read) request_->body_block.reset();  // the refusal, and what follows it, need no body
    co_return read;
}

// Whether a refused body is short enough, and of a known length, to be read for nothing.
bool Http1Connection::can_discard_body() const noexcept {
    if (body_complete_) return true;
    if (framing_ != wire::Framing::content_length) return false;
    const std::size_t at_hand = in_.size() - head_bytes_;
    if (*request_->body_length <= at_hand) return true;
    // A client that waits for 100-continue sends nothing now; whether it ever will is unknown.
    return !expect_continue_ && *request_->body_length - at_hand <= kDiscardedBytes;
}

// After a refusal: reads what is left of such a body, so that the connection can go on. False when
// the connection must be closed.
Task<bool> Http1Connection::discard_body() {
    if (body_complete_ || take_body_at_hand()) co_return true;
    if (!can_discard_body()) co_return false;
    std::uint64_t left = *request_->body_length - (in_.size() - head_bytes_);
    in_.consume(in_.size());
    head_bytes_ = body_bytes_in_ = 0;
    const SteadyTime total = services_.reactor.now() + timeouts().body_gap;
    while (left > 0) {
        const std::size_t size = std::min<std::uint64_t>(left, in_.capacity());
        const std::span<char> space(in_.data(), size);
        const auto read = co_await read_more(space, total);
        if (!read) co_return false;
        left -= *read;
    }
    body_complete_ = true;
    co_return true;
}

}  // namespace rotary::downstream
