#include "proxy/hold.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

Fault no_answer(const char* detail) {
    return Fault::upstream(FaultKind::upstream_protocol_error, detail);
}

// The client is to hear of it; the entry did what it was asked.
Fault too_large_answer() {
    return {FaultKind::upstream_protocol_error, Origin::internal, Retry::never,
            "The provider's answer is larger than limits.upstream_body_bytes."};
}

}  // namespace

Hold::Hold(Context& context, Exchange& exchange, upstream::Provider& provider)
    : context_(context), exchange_(exchange), provider_(provider) {
    const upstream::AnswerHead& answer = provider.answer();
    const bool is_success = answer.status >= 200 && answer.status < 300;
    is_stream_ = is_success && answer.is_event_stream && answer.body != upstream::BodyEnd::none;
    if (is_stream_) exchange_.events.begin(exchange_.limits().sse_line_bytes);
}

bool Hold::walk() {
    for (;;) {
        const auto payload = provider_.peek();
        if (!payload) return false;
        if (payload->empty()) return true;
        if (!is_stream_) continue;
        exchange_.events.feed(*payload);
        // The relay goes through all of it; here the first event decides.
        if (exchange_.events.events() > 0) return true;
    }
}

std::optional<Result<Held>> Hold::look() {
    const upstream::AnswerHead& answer = provider_.answer();
    if (!is_stream_ && answer.body == upstream::BodyEnd::sized &&
        answer.length > exchange_.limits().upstream_body_bytes) {
        return too_large_answer();
    }
    const bool is_well_formed = walk();
    if (is_stream_ && exchange_.events.events() > 0) return judge_first_event();
    if (!is_well_formed) return no_answer("The provider's answer is malformed.");
    if (provider_.peeked_all()) {
        if (is_stream_) return no_answer("The provider's stream holds no event.");
        return Held{};
    }
    const bool is_full = provider_.is_full();
    exchange_.outcome.is_unproven = is_stream_ && (is_full || context_.reactor.now() >= head_due());
    if (is_full || exchange_.outcome.is_unproven) return Held{};
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
    const upstream::AnswerHead& answer = provider_.answer();
    if (is_stream_) return std::min(answer.answer_by, head_due());
    return is_error() ? answer.came + exchange_.timeouts().error_body
                      : context_.reactor.now() + exchange_.event_gap();
}

Task<Result<Held>> Hold::run() {
    for (;;) {
        const auto read = co_await provider_.read(deadline());
        if (!read) {
            const Fault fault = read.error();
            const SteadyTime now = context_.reactor.now();
            const bool is_late = fault.kind == FaultKind::upstream_timeout;
            if (!is_late || now >= exchange_.outcome.deadline) co_return fault;
            if (is_error()) co_return Held{};  // its status says enough
            if (!is_stream_ || now >= provider_.answer().answer_by) co_return fault;
        }
        if (auto found = look()) co_return *found;
    }
}

Task<void> read_refusal(Context& context, Exchange& exchange, upstream::Provider& provider) {
    const SteadyTime deadline = context.reactor.now() + exchange.timeouts().error_body;
    for (std::size_t seen = 0;;) {
        const auto payload = provider.peek();
        if (!payload) co_return;
        if (!payload->empty()) {
            seen += payload->size();
            continue;
        }
        if (provider.peeked_all() || provider.is_full()) co_return;
        if (seen >= exchange.limits().error_body_bytes) co_return;
        const auto read = co_await provider.read(deadline);
        if (!read) co_return;
    }
}

}  // namespace rotary::proxy
