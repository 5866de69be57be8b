#include <rotary/policy/verdict.hpp>

#include <algorithm>
#include <optional>

namespace rotary::policy {

namespace {

using Wait = std::optional<std::chrono::milliseconds>;

std::chrono::milliseconds suspension(const Wait& hint, const SuspendRules& rules) noexcept {
    std::chrono::milliseconds duration = rules.duration;
    if (hint && rules.hint != HintUse::ignore) {
        duration = rules.hint == HintUse::prefer ? *hint : std::max(duration, *hint);
    }
    return std::min(duration, rules.longest);
}

// A day's allowance: retry-after may speak of the minute's, so the longest word counts.
Wait longest_of(const Answer& answer) noexcept {
    Wait longest;
    for (const Wait& wait : {answer.hints.retry_after, answer.hints.reset, answer.error.wait}) {
        if (wait && (!longest || *wait > *longest)) longest = wait;
    }
    return longest;
}

Wait hint_of(const Answer& answer) noexcept {
    if (answer.error.kind == ErrorKind::daily) return longest_of(answer);
    if (answer.hints.retry_after) return answer.hints.retry_after;
    return answer.hints.reset ? answer.hints.reset : answer.error.wait;
}

Verdict quota_verdict(const Answer& answer, const SuspendRules& rules) noexcept {
    Verdict verdict;
    verdict.duration = suspension(hint_of(answer), rules);
    verdict.effect = Effect::suspend_entry;
    verdict.reason = SuspendReason::rate_limited;
    if (answer.error.kind == ErrorKind::account) {
        verdict.effect = Effect::suspend_credential;
        verdict.reason = SuspendReason::account_exhausted;
    } else if (answer.error.kind == ErrorKind::daily) {
        verdict.reason = SuspendReason::daily_exhausted;
    }
    verdict.try_next = true;
    if (verdict.duration <= std::chrono::milliseconds::zero()) {
        // Nothing keeps the next request from the same refusal, so only the budget bounds the
        // tries.
        verdict.effect = Effect::none;
        verdict.costs_budget = true;
    }
    return verdict;
}

Verdict failure_verdict(Failure failure) noexcept {
    Verdict verdict;
    verdict.effect = Effect::count_failure;
    verdict.failure = failure;
    verdict.try_next = true;
    verdict.costs_budget = true;
    return verdict;
}

// What an error event at the head of a stream amounts to.
std::uint16_t status_of(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::rate:
        case ErrorKind::daily:
        case ErrorKind::account:
            return 429;
        case ErrorKind::overloaded:
            return 503;
        case ErrorKind::unknown:
        case ErrorKind::server:
            return 500;
        case ErrorKind::request:
            break;
    }
    return 400;
}

Failure failure_of(std::uint16_t status) noexcept {
    switch (status) {
        case 500:
        case 502:
        case 504:
            return Failure::server_error;
        case 503:
        case 529:
            return Failure::overloaded;
        default:
            return Failure::none;
    }
}

Failure failure_of(FaultKind kind) noexcept {
    switch (kind) {
        case FaultKind::upstream_connect_failed:
            return Failure::connect;
        case FaultKind::upstream_dns_failed:
            return Failure::dns;
        case FaultKind::upstream_tls_failed:
            return Failure::tls;
        case FaultKind::upstream_timeout:
            return Failure::timeout;
        case FaultKind::upstream_stream_interrupted:
            return Failure::interrupted;
        default:
            return Failure::protocol;
    }
}

}  // namespace

std::string_view to_string(Failure failure) noexcept {
    switch (failure) {
        case Failure::none:
            return "none";
        case Failure::connect:
            return "connect";
        case Failure::dns:
            return "dns";
        case Failure::tls:
            return "tls";
        case Failure::timeout:
            return "timeout";
        case Failure::protocol:
            return "protocol";
        case Failure::interrupted:
            return "interrupted";
        case Failure::server_error:
            return "server_error";
        case Failure::overloaded:
            return "overloaded";
    }
    return "none";
}

Verdict judge_answer(const Answer& answer, const SuspendRules& rules) noexcept {
    const std::uint16_t status =
        answer.is_error_event ? status_of(answer.error.kind) : answer.status;
    if (status == 429) return quota_verdict(answer, rules);
    if (const Failure failure = failure_of(status); failure != Failure::none) {
        return failure_verdict(failure);
    }
    Verdict verdict;
    if (answer.is_listed) {
        // The operator's word that another try helps; it says nothing of the entry's health.
        verdict.try_next = verdict.costs_budget = true;
    } else if (status >= 200 && status < 300 && answer.hints.exhausted) {
        // Stated reset first: it says when the counter refills, to the second.
        verdict.duration = answer.hints.reset && rules.hint != HintUse::ignore
                               ? std::min(*answer.hints.reset, rules.longest)
                               : suspension(std::nullopt, rules);
        verdict.reason = SuspendReason::quota_exhausted;
        if (verdict.duration > std::chrono::milliseconds::zero()) {
            verdict.effect = Effect::suspend_entry;
        }
    }
    return verdict;
}

Verdict judge_failure(const Fault& fault) noexcept {
    Verdict verdict;
    verdict.try_next = fault.retry == Retry::next_entry;
    if (fault.origin != Origin::upstream) return verdict;  // nobody's to blame, or the client
    verdict.failure = failure_of(fault.kind);
    verdict.effect = Effect::count_failure;
    // A provider that was never asked has done no work: the others get no more than their due.
    const bool never_asked = verdict.failure == Failure::connect ||
                             verdict.failure == Failure::dns || verdict.failure == Failure::tls;
    verdict.costs_budget = !never_asked;
    return verdict;
}

}  // namespace rotary::policy
