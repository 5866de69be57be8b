#include "proxy/hold.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

Fault no_answer(const char* detail) {
    return Fault::upstream(FaultKind::upstream_protocol_error, detail);
}

// Whoever asked for it is to hear of it; the entry did what it was asked.
Fault too_large_answer() {
    return {FaultKind::upstream_protocol_error, Origin::internal, Retry::never,
            "The provider's answer is larger than limits.upstream_body_bytes."};
}

}  // namespace

Hold::Hold(Context& context, Exchange& exchange, Reply& reply)
    : context_(context), exchange_(exchange), reply_(reply), reader_(reply.body) {
    const bool is_success = reply.status >= 200 && reply.status < 300;
    is_stream_ = is_success && reply.is_event_stream && reply.body.framing() != wire::Framing::none;
    if (is_stream_) exchange_.events.begin(exchange_.limits().sse_line_bytes);
}

bool Hold::walk() {
    const std::string_view rest = reply_.in.view().substr(reply_.head_bytes);
    while (!reader_.done()) {
        const auto piece = reader_.next(rest.substr(seen_));
        if (!piece) return false;
        if (piece->consumed == 0) return true;
        seen_ += piece->consumed;
        if (is_stream_) exchange_.events.feed(piece->payload);
    }
    return true;
}

std::optional<Result<Held>> Hold::look() {
    if (!is_stream_ && reader_.framing() == wire::Framing::content_length &&
        reader_.remaining() > exchange_.limits().upstream_body_bytes) {
        return too_large_answer();
    }
    const bool is_well_formed = walk();
    if (is_stream_ && exchange_.events.events() > 0) return judge_first_event();
    if (!is_well_formed) return no_answer("The provider's answer is malformed.");
    if (reader_.done() || reply_.ended) {
        if (is_stream_) return no_answer("The provider's stream holds no event.");
        return Held{};
    }
    if (reply_.in.space_size() == 0) reply_.in.compact();
    const bool is_full = reply_.in.space_size() == 0;
    reply_.is_unproven = is_stream_ && (is_full || context_.reactor.now() >= head_due());
    if (is_full || reply_.is_unproven) return Held{};
    return std::nullopt;
}

Result<Held> Hold::judge_first_event() const {
    const std::string_view payload = text::trim(exchange_.events.first_payload());
    if (payload.empty() || payload == "[DONE]") return Held{};  // empty: too long to keep
    if (payload.front() != '{' || payload.back() != '}') {
        return no_answer("The provider's stream does not begin with a JSON object.");
    }
    Held held;
    if (payload.find("\"error\"") == std::string_view::npos) return held;
    held.error = llm::read_error_body(payload);
    held.is_error_event = held.error.is_error && held.error.kind != llm::ErrorKind::request;
    return held;
}

SteadyTime Hold::deadline() const {
    if (is_stream_) return std::min({exchange_.outcome.deadline, reply_.answer_by, head_due()});
    const SteadyTime patience = is_error() ? reply_.head_at + exchange_.timeouts().error_body
                                           : context_.reactor.now() + exchange_.event_gap();
    return std::min(exchange_.outcome.deadline, patience);
}

Task<Result<Held>> Hold::run(ClientSide& client) {
    for (;;) {
        const auto read = co_await read_on(context_, client, exchange_, reply_, deadline());
        if (!read) {
            const Fault fault = read.error();
            const SteadyTime now = context_.reactor.now();
            const bool is_late = fault.kind == FaultKind::upstream_timeout;
            if (!is_late || now >= exchange_.outcome.deadline) co_return fault;
            if (is_error()) co_return Held{};  // its status says enough
            if (!is_stream_ || now >= reply_.answer_by) co_return fault;
        }
        if (auto found = look()) co_return *found;
    }
}

}  // namespace rotary::proxy
