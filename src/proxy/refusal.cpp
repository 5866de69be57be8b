#include "proxy/refusal.hpp"

#include "proxy/cors.hpp"
#include "proxy/deliver.hpp"
#include "proxy/limit_headers.hpp"
#include "proxy/own_headers.hpp"

#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/problem.hpp>

#include <array>
#include <cstdio>

namespace rotary::proxy {

namespace {

constexpr std::uint16_t kClientGone = 499;
constexpr std::chrono::seconds kOverloadWait{1};     // room comes back as requests end
constexpr std::chrono::seconds kPatienceOfSdks{60};  // above it they ignore retry-after and hammer

// After these nothing else is read from the client: what comes can't be trusted to begin with a
// request, or the process ends.
bool is_last_word(FaultKind kind) noexcept {
    switch (kind) {
        case FaultKind::bad_request:
        case FaultKind::request_timeout:
        case FaultKind::uri_too_long:
        case FaultKind::headers_too_large:
        case FaultKind::length_required:
        case FaultKind::request_too_large:
        case FaultKind::draining:
            return true;
        default:
            return false;
    }
}

void write_challenge(wire::HeadWriter& writer, FaultKind kind) {
    if (kind == FaultKind::missing_credentials) {
        writer.line("www-authenticate: ", "Bearer realm=\"rotary\"");
    } else if (kind == FaultKind::invalid_token || kind == FaultKind::token_expired) {
        writer.line("www-authenticate: ", "Bearer realm=\"rotary\", error=\"invalid_token\"");
    } else if (kind == FaultKind::scope_denied) {
        writer.line("www-authenticate: ", "Bearer realm=\"rotary\", error=\"insufficient_scope\"");
    }
}

// When to come back: for the entry that returns soonest, rounded up.
void write_retry_after(wire::HeadWriter& writer, std::chrono::milliseconds wait, bool is_final) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    writer.line("retry-after: ", static_cast<std::uint64_t>(seconds.count()));
    writer.line("retry-after-ms: ", static_cast<std::uint64_t>(wait.count()));
    if (seconds > kPatienceOfSdks || is_final) writer.line("x-should-retry: ", "false");
}

std::string_view message_of(const Exchange& exchange, const Fault& fault,
                            std::chrono::milliseconds wait, std::array<char, 256>& text) {
    if (exchange.quotas.refusal) return write_limit_message(exchange, wait, text);
    if (fault.detail[0] != '\0') return fault.detail;
    const bool all_out = fault.kind == FaultKind::all_models_suspended ||
                         fault.kind == FaultKind::all_models_unavailable;
    if (all_out && exchange.list() != nullptr && wait.count() > 0) {
        const double seconds = static_cast<double>(wait.count()) / 1000.0;
        const int size =
            exchange.is_narrowed()
                ? std::snprintf(text.data(), text.size(),
                                "All models that this key is for are suspended; the first one "
                                "returns in %.1f seconds.",
                                seconds)
                : std::snprintf(text.data(), text.size(),
                                "All %zu models of this API are suspended; the first one returns "
                                "in %.1f seconds.",
                                exchange.list()->entries.size(), seconds);
        return {text.data(), static_cast<std::size_t>(size)};
    }
    return {};
}

std::chrono::milliseconds wait_of(const Exchange& exchange, FaultKind kind, SteadyTime now) {
    if (exchange.quotas.refusal) return limit_wait(exchange, now);
    if (kind == FaultKind::overloaded) return kOverloadWait;
    if (kind == FaultKind::rate_limit_exceeded) return exchange.outcome.retry_after;
    const bool suspended =
        kind == FaultKind::all_models_suspended || kind == FaultKind::all_models_unavailable;
    if (!suspended || exchange.list() == nullptr) return std::chrono::milliseconds{0};
    const SteadyTime soonest = exchange.rotation().soonest_return(now);
    if (soonest == SteadyTime::max()) return std::chrono::milliseconds{0};
    // A probe on its way may bring an entry back any moment: a second is a fair guess.
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(soonest - now),
                    std::chrono::milliseconds{1});
}

}  // namespace

Task<Result<void>> refuse(Context& context, downstream::Client& client, Exchange& exchange,
                          Fault fault) {
    exchange.outcome.fault = fault;
    if (fault.kind == FaultKind::client_gone) {
        exchange.outcome.status = kClientGone;
        client.close_after();
        co_return fault;
    }
    const wire::Problem problem = problem_of(exchange, fault.kind);
    exchange.outcome.status = problem.status;
    if (is_last_word(fault.kind)) client.close_after();
    const std::chrono::milliseconds wait =
        wait_of(exchange, fault.kind, context.reactor.exact_now());
    std::array<char, 256> text;
    std::array<char, 1024> body;
    const std::size_t size = wire::write_problem(problem, message_of(exchange, fault, wait, text),
                                                 body.data(), body.size());

    wire::HeadWriter head =
        client.begin_answer(problem.status, wire::reason_phrase(problem.status));
    head.append("content-type: application/json\r\n");
    head.line("content-length: ", static_cast<std::uint64_t>(size));
    write_own_headers(exchange, head, false);
    write_challenge(head, fault.kind);
    const bool is_final = exchange.quotas.refusal && is_in_vain(*exchange.quotas.refusal);
    if (wait.count() > 0) write_retry_after(head, wait, is_final);
    if (fault.kind == FaultKind::method_not_allowed) {
        head.line("allow: ", exchange.snapshot().table.allowed_methods(exchange.request.host,
                                                                       exchange.request.path));
    }
    write_cors(exchange, head);
    client.start(head, downstream::AnswerBody::sized);
    wire::Pieces pieces;
    if (!exchange.request.is_head) pieces.add({body.data(), size});
    exchange.outcome.answer_started = true;
    const auto delivered = co_await deliver(client, pieces, true);
    co_return delivered;
}

}  // namespace rotary::proxy
