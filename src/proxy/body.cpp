#include "proxy/body.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>
#include <cstring>

namespace rotary::proxy {

namespace {

constexpr std::size_t kFirstBlock = 65536;      // of a body; a length that was only said is none
constexpr std::size_t kDiscardedBytes = 65536;  // read for nothing rather than close

SteadyTime body_deadline(const Exchange& exchange, SteadyTime now) {
    const config::Timeouts& timeouts = exchange.timeouts();
    const std::uint64_t bytes = exchange.request.framing == wire::Framing::content_length
                                    ? exchange.request.content_length
                                    : exchange.limits().body_bytes;
    const auto mebibytes = static_cast<std::int64_t>(bytes / (1u << 20) + 1);
    return now + timeouts.body_per_mib * mebibytes;
}

Fault gone() { return Fault::client(FaultKind::client_gone); }

// One read from the client into free memory, waiting for it as long as it may take.
Task<Result<std::size_t>> read_more(Context& context, ClientSide& client, Exchange& exchange,
                                    std::span<char> space, SteadyTime deadline) {
    for (;;) {
        const net::IoResult read = client.stream.read_some(space.data(), space.size());
        if (read.status == net::IoStatus::ok && read.bytes > 0) co_return read.bytes;
        if (read.status != net::IoStatus::would_block) co_return gone();
        net::WaitFor what;
        what.read = &client.stream.descriptor();
        what.deadline = deadline;
        what.waited = &exchange.outcome.waited;
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake == net::Wake::timed_out) co_return Fault::client(FaultKind::request_timeout);
        if (wake != net::Wake::ready) co_return gone();
    }
}

SteadyTime gap_deadline(Context& context, const Exchange& exchange, SteadyTime total) {
    return std::min(total, context.reactor.now() + exchange.timeouts().body_gap);
}

// Makes room for `needed` bytes of a body that has no more than `whole`: the block doubles, so
// memory is taken as bytes come. Faults: overloaded when all bodies together take too much.
Result<void> make_room(Context& context, Exchange& exchange, std::size_t needed,
                       std::size_t whole) {
    Buffer& block = exchange.request.body_block;
    const std::size_t doubled = std::min(whole, std::max(block.capacity() * 2, kFirstBlock));
    if (context.buffers.grow(block, std::max(needed, doubled))) return {};
    return Fault::internal(FaultKind::overloaded,
                           "The bodies of all requests take too much memory at the moment.");
}

// A body of known length: behind the head if there is room, else into a block of its own, read
// exactly, so that no byte of the next request gets in.
Task<Result<void>> read_sized(Context& context, ClientSide& client, Exchange& exchange,
                              SteadyTime total) {
    const auto length = static_cast<std::size_t>(exchange.request.content_length);
    const bool fits = client.head_bytes + length <= client.in.size() + client.in.space_size();
    std::size_t have = std::min(client.in.size() - client.head_bytes, length);
    Buffer& block = exchange.request.body_block;
    if (!fits) {
        const auto room = make_room(context, exchange, have, length);
        if (!room) co_return room.error();
        std::memcpy(block.space(), client.in.begin() + client.head_bytes, have);
        block.produced(have);
    }
    client.body_bytes_in = have;
    while (have < length) {
        if (!fits && block.space_size() == 0) {
            const auto room = make_room(context, exchange, have + 1, length);
            if (!room) co_return room.error();
        }
        // In place, more than the body may come: it is the next request's and stays there.
        Buffer& into = fits ? client.in : block;
        const std::size_t most =
            fits ? into.space_size() : std::min(into.space_size(), length - have);
        const std::span<char> space(into.space(), most);
        const auto read = co_await read_more(context, client, exchange, space,
                                             gap_deadline(context, exchange, total));
        if (!read) co_return read.error();
        into.produced(*read);
        have = std::min(have + *read, length);
        if (fits) client.body_bytes_in = have;
    }
    client.body_complete = true;
    const char* place = fits ? client.in.begin() + client.head_bytes : block.begin();
    exchange.request.body = {place, length};
    exchange.request.bytes_received += length;
    co_return Result<void>{};
}

// Makes room for `more` bytes of payload. Faults: request_too_large, overloaded.
Result<void> reserve(Context& context, Exchange& exchange, std::size_t more) {
    Buffer& block = exchange.request.body_block;
    const std::size_t needed = block.size() + more;
    if (needed > exchange.limits().body_bytes) return Fault::client(FaultKind::request_too_large);
    if (block && needed <= block.capacity()) return {};
    return make_room(context, exchange, needed, exchange.limits().body_bytes);
}

// Takes the pieces that stand in `raw` into the block; says how many bytes were the body's.
Result<std::size_t> unwrap(Context& context, Exchange& exchange, wire::BodyReader& reader,
                           std::string_view raw) {
    std::size_t consumed = 0;
    while (!reader.done()) {
        const auto piece = reader.next(raw.substr(consumed));
        if (!piece) return piece.error();
        if (piece->consumed == 0) break;
        consumed += piece->consumed;
        if (piece->payload.empty()) continue;
        if (const auto room = reserve(context, exchange, piece->payload.size()); !room) {
            return room.error();
        }
        std::memcpy(exchange.request.body_block.space(), piece->payload.data(),
                    piece->payload.size());
        exchange.request.body_block.produced(piece->payload.size());
    }
    return consumed;
}

Task<Result<void>> read_chunked(Context& context, ClientSide& client, Exchange& exchange,
                                SteadyTime total) {
    wire::BodyReader reader;
    reader.begin(wire::Framing::chunked, 0, exchange.limits().chunk_header_bytes);
    Buffer raw;  // what came after the read buffer was used up
    for (;;) {
        // The head's views must stay valid, so only bytes behind it are taken from `in`; once those
        // are used up the wire is read into `raw`, and its rest is put back behind the head.
        Buffer& source = raw ? raw : client.in;
        const std::size_t skip = raw ? 0 : client.head_bytes + client.body_bytes_in;
        const auto taken = unwrap(context, exchange, reader, source.view().substr(skip));
        if (!taken) co_return taken.error();
        exchange.request.bytes_received += *taken;
        if (raw) {
            raw.consume(*taken);
        } else {
            client.body_bytes_in += *taken;
        }
        if (reader.done()) break;
        if (!raw) raw = context.buffers.read_buffer();
        raw.compact();
        const std::span<char> space(raw.space(), raw.space_size());
        const auto read = co_await read_more(context, client, exchange, space,
                                             gap_deadline(context, exchange, total));
        if (!read) co_return read.error();
        raw.produced(*read);
    }
    if (raw && !raw.empty()) {
        if (raw.size() > client.in.space_size()) {
            exchange.request.keep_alive =
                false;  // pipelined more than fits: answer this one and close
        } else {
            std::memcpy(client.in.space(), raw.view().data(), raw.size());
            client.in.produced(raw.size());
        }
    }
    client.body_complete = true;
    exchange.request.body =
        exchange.request.body_block ? exchange.request.body_block.view() : std::string_view{};
    co_return Result<void>{};
}

}  // namespace

bool take_body_at_hand(ClientSide& client, Exchange& exchange) noexcept {
    if (exchange.request.framing == wire::Framing::none) {
        client.body_complete = true;
        return true;
    }
    if (exchange.request.framing != wire::Framing::content_length) return false;
    const std::size_t at_hand = client.in.size() - client.head_bytes;
    if (exchange.request.content_length > at_hand) return false;
    const auto length = static_cast<std::size_t>(exchange.request.content_length);
    exchange.request.body = client.in.view().substr(client.head_bytes, length);
    exchange.request.bytes_received += length;
    client.body_bytes_in = length;
    client.body_complete = true;
    return true;
}

Task<Result<void>> read_body(Context& context, ClientSide& client, Exchange& exchange) {
    if (exchange.request.expect_continue && client.in.size() == client.head_bytes) {
        const std::string_view go_on[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
        net::WaitFor limits;
        limits.deadline = context.reactor.now() + exchange.timeouts().write_stall;
        limits.waited = &exchange.outcome.waited;
        const auto written = co_await client.stream.write_all(go_on, limits);
        if (!written) co_return gone();
    }
    const SteadyTime total = body_deadline(exchange, context.reactor.now());
    auto read = Result<void>{};
    if (exchange.request.framing == wire::Framing::chunked) {
        read = co_await read_chunked(context, client, exchange, total);
    } else {
        read = co_await read_sized(context, client, exchange, total);
    }
    if (!read)
        exchange.request.body_block.reset();  // the refusal, and what follows it, need no body
    co_return read;
}

namespace {

// Without an Accept-like word to go by, JSON is told by its brace: `curl -d` names every body a
// form. No form begins so; encoders escape the brace.
bool looks_like_json(std::string_view body) noexcept {
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    return first != body.npos && body[first] == '{';
}

Result<llm::ScannedBody> scan(const Exchange& exchange) {
    const routing::ModelPlace& place = exchange.list()->model_place;
    switch (exchange.content.body_kind) {
        case llm::BodyKind::form:
            return llm::scan_form(exchange.request.body, place.name);
        case llm::BodyKind::multipart:
            return llm::scan_multipart(exchange.request.body, exchange.content.boundary,
                                       place.name);
        default:
            return llm::scan_body(exchange.request.body, place.members,
                                  exchange.limits().json_depth);
    }
}

}  // namespace

Result<void> scan_body(Exchange& exchange) {
    const bool in_body = exchange.list()->model_place.in == config::ValueLocation::In::body;
    if (!in_body) {
        // The body goes on as it is; it is only asked whether the answer will be a stream.
        const bool is_json =
            exchange.content.body_kind == llm::BodyKind::json && !exchange.request.is_encoded;
        if (!is_json || exchange.request.body.empty()) return {};
    } else if (exchange.content.body_kind == llm::BodyKind::form &&
               looks_like_json(exchange.request.body)) {
        exchange.content.body_kind = llm::BodyKind::json;
    }
    const auto scanned = scan(exchange);
    if (!scanned) return scanned.error();
    exchange.content.scan = *scanned;
    const auto text_of = [&](const llm::MemberRange& range) {
        return exchange.request.body.substr(range.begin, range.end - range.begin);
    };
    if (exchange.content.body_kind == llm::BodyKind::json) {
        exchange.content.wants_stream = llm::is_true(exchange.request.body, scanned->stream);
        if (exchange.content.client_model.empty()) {
            exchange.content.client_model =
                llm::plain_string(exchange.request.body, scanned->model).value_or("");
        }
    } else {
        const std::string_view stream = text_of(scanned->stream);
        exchange.content.wants_stream = text::iequals(stream, "true") || stream == "1";
        exchange.content.client_model = text_of(scanned->model);
    }
    exchange.content.client_model =
        exchange.content.client_model.substr(0, exchange.limits().model_name_bytes);
    return {};
}

bool can_discard_body(const ClientSide& client, const Exchange& exchange) noexcept {
    if (client.body_complete || exchange.request.framing == wire::Framing::none) return true;
    if (exchange.request.framing != wire::Framing::content_length) return false;
    const std::size_t at_hand = client.in.size() - client.head_bytes;
    if (exchange.request.content_length <= at_hand) return true;
    // A client that waits for 100-continue sends nothing now; whether it ever will is unknown.
    return !exchange.request.expect_continue &&
           exchange.request.content_length - at_hand <= kDiscardedBytes;
}

Task<bool> discard_body(Context& context, ClientSide& client, Exchange& exchange) {
    if (client.body_complete || take_body_at_hand(client, exchange)) co_return true;
    if (!can_discard_body(client, exchange)) co_return false;
    std::uint64_t left = exchange.request.content_length - (client.in.size() - client.head_bytes);
    client.in.consume(client.in.size());
    client.head_bytes = client.body_bytes_in = 0;
    const SteadyTime total = context.reactor.now() + exchange.timeouts().body_gap;
    while (left > 0) {
        const std::size_t size = std::min<std::uint64_t>(left, client.in.capacity());
        const std::span<char> space(client.in.data(), size);
        const auto read = co_await read_more(context, client, exchange, space, total);
        if (!read) co_return false;
        left -= *read;
    }
    client.body_complete = true;
    co_return true;
}

}  // namespace rotary::proxy
