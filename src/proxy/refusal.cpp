#include "proxy/refusal.hpp"

#include "proxy/body.hpp"
#include "proxy/cors.hpp"
#include "proxy/deliver.hpp"

#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/problem.hpp>

#include <array>
#include <cstdio>

namespace rotary::proxy {

namespace {

constexpr std::uint16_t kClientGone = 499;
constexpr std::chrono::seconds kOverloadWait{1};     // room comes back as requests end
constexpr std::chrono::seconds kPatienceOfSdks{60};  // above it they ignore retry-after and hammer

// After these the bytes on the connection can't be trusted to begin with a request.
bool loses_framing(FaultKind kind) noexcept {
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
        writer.header("www-authenticate", "Bearer realm=\"rotary\"");
    } else if (kind == FaultKind::invalid_token || kind == FaultKind::token_expired) {
        writer.header("www-authenticate", "Bearer realm=\"rotary\", error=\"invalid_token\"");
    } else if (kind == FaultKind::scope_denied) {
        writer.header("www-authenticate", "Bearer realm=\"rotary\", error=\"insufficient_scope\"");
    }
}

// When to come back: for the entry that returns soonest, rounded up.
void write_retry_after(wire::HeadWriter& writer, std::chrono::milliseconds wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    writer.header("retry-after", static_cast<std::uint64_t>(seconds.count()));
    writer.header("retry-after-ms", static_cast<std::uint64_t>(wait.count()));
    if (seconds > kPatienceOfSdks) writer.header("x-should-retry", "false");
}

std::string_view message_of(const Exchange& exchange, const Fault& fault,
                            std::chrono::milliseconds wait, std::array<char, 256>& text) {
    if (fault.detail[0] != '\0') return fault.detail;
    const bool all_out = fault.kind == FaultKind::all_models_suspended ||
                         fault.kind == FaultKind::all_models_unavailable;
    if (all_out && exchange.list() != nullptr && wait.count() > 0) {
        const int size = std::snprintf(
            text.data(), text.size(),
            "All %zu models of this API are suspended; the first one returns in %.1f seconds.",
            exchange.list()->entries.size(), static_cast<double>(wait.count()) / 1000.0);
        return {text.data(), static_cast<std::size_t>(size)};
    }
    return {};
}

std::chrono::milliseconds wait_of(const Exchange& exchange, FaultKind kind) {
    if (kind == FaultKind::overloaded) return kOverloadWait;
    const bool suspended =
        kind == FaultKind::all_models_suspended || kind == FaultKind::all_models_unavailable;
    if (!suspended || exchange.list() == nullptr) return std::chrono::milliseconds{0};
    const SteadyTime now = std::chrono::steady_clock::now();
    const SteadyTime soonest = exchange.list()->rotation.soonest_return(now);
    if (soonest == SteadyTime::max()) return std::chrono::milliseconds{0};
    // A probe on its way may bring an entry back any moment: a second is a fair guess.
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(soonest - now),
                    std::chrono::milliseconds{1});
}

}  // namespace

Task<Result<void>> refuse(Context& context, ClientSide& client, Exchange& exchange, Fault fault) {
    exchange.outcome.fault = fault;
    if (fault.kind == FaultKind::client_gone) {
        exchange.outcome.status = kClientGone;
        exchange.request.keep_alive = false;
        co_return fault;
    }
    const wire::Problem& problem = wire::problem_of(fault.kind);
    exchange.outcome.status = problem.status;
    if (loses_framing(fault.kind) || exchange.request.minor_version == 0 ||
        context.sessions.draining() || !can_discard_body(client, exchange)) {
        exchange.request.keep_alive = false;
    }
    const std::chrono::milliseconds wait = wait_of(exchange, fault.kind);
    std::array<char, 256> text;
    std::array<char, 1024> body;
    const std::size_t size = wire::write_problem(problem, message_of(exchange, fault, wait, text),
                                                 body.data(), body.size());

    wire::HeadWriter writer(context.scratch.head.data(), context.scratch.head.size());
    writer.status_line(problem.status, wire::reason_phrase(problem.status));
    writer.append("content-type: application/json\r\n");
    writer.header("content-length", static_cast<std::uint64_t>(size));
    writer.header("x-request-id", exchange.request_id());
    writer.header("x-rotary-request-id", exchange.request_id());
    if (exchange.tries.attempts > 0 && exchange.routing().expose_route) {
        if (exchange.entry() != nullptr) writer.header("x-rotary-model", exchange.entry()->model);
        writer.header("x-rotary-backend", exchange.backend()->name);
        writer.header("x-rotary-attempts", static_cast<std::uint64_t>(exchange.tries.attempts));
    }
    write_challenge(writer, fault.kind);
    if (wait.count() > 0) write_retry_after(writer, wait);
    if (fault.kind == FaultKind::method_not_allowed) {
        writer.header("allow", exchange.snapshot().table.allowed_methods(exchange.request.host,
                                                                         exchange.request.path));
    }
    write_cors(exchange, writer);
    if (!exchange.request.keep_alive) writer.append("connection: close\r\n");
    writer.finish();
    std::array<std::string_view, 2> pieces = {
        writer.view(), std::string_view(body.data(), exchange.request.is_head ? 0 : size)};
    exchange.outcome.answer_started = true;
    const auto delivered = co_await deliver(context, client, exchange, pieces);
    co_return delivered;
}

}  // namespace rotary::proxy
