#include <rotary/rotation/verdict.hpp>

#include <algorithm>
#include <optional>

namespace rotary::rotation {

namespace {

using Wait = std::optional<std::chrono::milliseconds>;

std::chrono::milliseconds suspension(const Wait& hint, const SuspendRules& rules) noexcept {
    std::chrono::milliseconds duration = rules.duration;
    if (hint && rules.hint != config::HintUse::ignore) {
        duration = rules.hint == config::HintUse::prefer ? *hint : std::max(duration, *hint);
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
    if (answer.error.kind == llm::ErrorKind::daily) return longest_of(answer);
    if (answer.hints.retry_after) return answer.hints.retry_after;
    return answer.hints.reset ? answer.hints.reset : answer.error.wait;
}

// Whether the provider said more than "no": when to come back, or what is used up.
bool has_hint(const Answer& answer) noexcept {
    return answer.hints.retry_after || answer.hints.reset || answer.hints.exhausted ||
           answer.error.wait || answer.error.kind == llm::ErrorKind::daily;
}

Verdict quota_verdict(const Answer& answer, llm::ErrorKind kind,
                      const SuspendRules& rules) noexcept {
    Verdict verdict;
    verdict.try_next = true;
    if (answer.error.speaks_of_size) {
        // Of the entry's quota it says nothing; `max_attempts` bounds the tries.
        verdict.is_inconclusive = true;
        return verdict;
    }
    verdict.duration = suspension(hint_of(answer), rules);
    verdict.effect = Effect::suspend_entry;
    verdict.reason = SuspendReason::rate_limited;
    if (kind == llm::ErrorKind::account) {
        verdict.effect = Effect::suspend_credential;
        verdict.reason = SuspendReason::account_exhausted;
    } else if (kind == llm::ErrorKind::daily) {
        verdict.reason = SuspendReason::daily_exhausted;
    } else if (answer.is_later && !has_hint(answer)) {
        // One request that each entry refuses may be the one to blame: it takes out the first of
        // them at most. If the entry is out, the next request that begins there tells.
        verdict.effect = Effect::none;
        verdict.is_inconclusive = true;
    }
    if (verdict.duration <= std::chrono::milliseconds::zero()) {
        // Nothing keeps the next request from the same refusal, so only the budget bounds the
        // tries.
        verdict.effect = Effect::none;
        verdict.costs_budget = true;
    }
    return verdict;
}

// The key that was sent is the gateway's own, so is the blame, and the client learns no more of it.
Verdict credential_verdict() noexcept {
    Verdict verdict;
    verdict.effect = Effect::put_out_credential;
    verdict.reason = SuspendReason::credential_refused;
    verdict.failure = Failure::credential_refused;
    verdict.try_next = verdict.is_withheld = true;
    return verdict;
}

// It waits for a person to mend the list, the account or the deployment; asking now and then, as of
// an entry that fails, finds that out by itself.
Verdict model_verdict() noexcept {
    Verdict verdict;
    verdict.effect = Effect::put_out_entry;
    verdict.reason = SuspendReason::model_unknown;
    verdict.failure = Failure::model_unknown;
    verdict.try_next = true;
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
std::uint16_t status_of(llm::ErrorKind kind) noexcept {
    switch (kind) {
        case llm::ErrorKind::rate:
        case llm::ErrorKind::daily:
        case llm::ErrorKind::account:
            return 429;
        case llm::ErrorKind::overloaded:
            return 503;
        case llm::ErrorKind::unknown:
        case llm::ErrorKind::server:
            return 500;
        case llm::ErrorKind::credential:
            return 401;
        case llm::ErrorKind::model:
            return 404;
        case llm::ErrorKind::request:
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
        case 403:
            return Failure::forbidden;
        case 408:
            return Failure::timeout;
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
        case Failure::forbidden:
            return "forbidden";
        case Failure::model_unknown:
            return "model_unknown";
        case Failure::credential_refused:
            return "credential_refused";
    }
    return "none";
}

namespace {

// Whether a refusal is about the credential: by its status, by its words where the status leaves it
// open, and by Google's code behind a 400.
bool refuses_credential(std::uint16_t status, const llm::ErrorBody& error) noexcept {
    return status == 401 || (status == 403 && error.speaks_of_key) ||
           ((status == 400 || status == 403) && error.kind == llm::ErrorKind::credential);
}

// 402, or a 403 that says so.
bool is_out_of_money(std::uint16_t status, const llm::ErrorBody& error) noexcept {
    return status == 402 || (status == 403 && error.kind == llm::ErrorKind::account);
}

}  // namespace

Verdict judge_answer(const Answer& answer, const SuspendRules& rules) noexcept {
    const std::uint16_t status =
        answer.is_error_event ? status_of(answer.error.kind) : answer.status;
    if (status == 429) return quota_verdict(answer, answer.error.kind, rules);
    if (is_out_of_money(status, answer.error)) {
        return quota_verdict(answer, llm::ErrorKind::account, rules);
    }
    if (answer.has_our_key && refuses_credential(status, answer.error)) return credential_verdict();
    if (status == 404 && answer.error.kind == llm::ErrorKind::model) {
        // Of several that say so the request may be the cause.
        return answer.is_later ? failure_verdict(Failure::model_unknown) : model_verdict();
    }
    if (const Failure failure = failure_of(status); failure != Failure::none) {
        return failure_verdict(failure);
    }
    Verdict verdict;
    if (answer.is_listed) {
        // The operator's word that another try helps; it says nothing of the entry's health.
        verdict.try_next = verdict.costs_budget = true;
    } else if (status >= 200 && status < 300 && answer.hints.exhausted) {
        // Stated reset first: it says when the counter refills, to the second.
        verdict.duration = answer.hints.reset && rules.hint != config::HintUse::ignore
                               ? std::min(*answer.hints.reset, rules.longest)
                               : suspension(std::nullopt, rules);
        verdict.reason = SuspendReason::quota_exhausted;
        if (verdict.duration > std::chrono::milliseconds::zero()) {
            verdict.effect = Effect::suspend_entry;
        }
    }
    return verdict;
}

Verdict judge_failure(const Fault& fault, bool asked) noexcept {
    Verdict verdict;
    verdict.try_next = fault.retry == Retry::next_entry;
    if (fault.origin != Origin::upstream) return verdict;  // the client is to blame, or we are
    verdict.failure = failure_of(fault.kind);
    verdict.effect = Effect::count_failure;
    verdict.silent = verdict.failure == Failure::timeout;
    // A provider that was never asked has done no work: the others get no more than their due.
    const bool never_asked = !asked || verdict.failure == Failure::connect ||
                             verdict.failure == Failure::dns || verdict.failure == Failure::tls;
    verdict.costs_budget = !never_asked;
    return verdict;
}

}  // namespace rotary::rotation
