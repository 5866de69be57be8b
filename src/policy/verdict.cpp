#include <rotary/policy/verdict.hpp>
#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace rotary::policy {

namespace {

// The account is out of money or over its cap: every model behind the same key is refused until a
// human acts. As error.code or error.type.
constexpr std::array<std::string_view, 9> kAccountCodes = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "enforced_spend_limit_reached",
};

bool is_account_code(const std::optional<wire::JsonValue>& value) noexcept {
    if (!value || !value->is_string()) return false;
    return std::find(kAccountCodes.begin(), kAccountCodes.end(), value->string()) !=
           kAccountCodes.end();
}

std::chrono::milliseconds suspension(const std::optional<std::chrono::milliseconds>& hint,
                                     const SuspendRules& rules) noexcept {
    std::chrono::milliseconds duration = rules.duration;
    if (hint && rules.hint != HintUse::ignore) {
        duration = rules.hint == HintUse::prefer ? *hint : std::max(duration, *hint);
    }
    return std::min(duration, rules.longest);
}

}  // namespace

QuotaKind quota_kind(std::string_view body) noexcept {
    const auto document = wire::JsonDocument::parse(body);
    if (!document || !document->root().is_object()) return QuotaKind::rate;
    const auto error = document->root().find("error");
    if (!error || !error->is_object()) return QuotaKind::rate;
    const bool by_code = is_account_code(error->find("code"));
    return by_code || is_account_code(error->find("type")) ? QuotaKind::account : QuotaKind::rate;
}

Verdict judge_answer(std::uint16_t status, const wire::RateLimitHints& hints, QuotaKind kind,
                     const SuspendRules& rules) noexcept {
    Verdict verdict;
    if (refused_for_quota(status)) {
        const bool account = kind == QuotaKind::account;
        const auto hint = hints.retry_after ? hints.retry_after : hints.reset;
        verdict.duration = suspension(hint, rules);
        verdict.reason = account ? SuspendReason::account_exhausted : SuspendReason::rate_limited;
        verdict.effect = account ? Effect::suspend_credential : Effect::suspend_entry;
        verdict.try_next = true;
    } else if (status >= 200 && status < 300 && hints.exhausted) {
        // Stated reset first: it says when the counter refills, to the second.
        verdict.duration = hints.reset && rules.hint != HintUse::ignore
                               ? std::min(*hints.reset, rules.longest)
                               : suspension(std::nullopt, rules);
        verdict.reason = SuspendReason::quota_exhausted;
        verdict.effect = Effect::suspend_entry;
    }
    if (verdict.duration <= std::chrono::milliseconds::zero()) verdict.effect = Effect::none;
    return verdict;
}

Verdict judge_failure(const Fault& fault) noexcept {
    Verdict verdict;
    verdict.try_next = fault.origin == Origin::upstream && fault.retry == Retry::next_entry;
    return verdict;
}

}  // namespace rotary::policy
