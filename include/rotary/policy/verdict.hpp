#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/policy/suspension.hpp>
#include <rotary/wire/rate_limit_headers.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace rotary::policy {

// How a provider's hint changes the policy's duration (routing.retry_after).
enum class HintUse : std::uint8_t { extend, prefer, ignore };

struct SuspendRules {
    std::chrono::milliseconds duration{0};  // onQuotaExceedSuspendDuration; 0: the hint alone
    HintUse hint = HintUse::extend;
    std::chrono::milliseconds longest{3'600'000};
};

// Which entries a signal takes out of the rotation.
enum class Effect : std::uint8_t { none, suspend_entry, suspend_credential };

// What an answer or a failure means: for the rotation, and for the request that met it.
struct Verdict {
    Effect effect = Effect::none;
    std::chrono::milliseconds duration{0};  // of the suspension; 0: none
    SuspendReason reason = SuspendReason::none;
    bool try_next = false;  // another entry may serve this request
};

// What a 429 is about, as its body says.
enum class QuotaKind : std::uint8_t { rate, account };

// Reads a provider's error body (OpenAI, Azure, Anthropic shapes). What can't be read is `rate`.
QuotaKind quota_kind(std::string_view body) noexcept;

// An answer's head. For a refusal (refused_for_quota) read its body first and pass its kind.
Verdict judge_answer(std::uint16_t status, const wire::RateLimitHints& hints, QuotaKind kind,
                     const SuspendRules& rules) noexcept;

// Whether the body of an answer with this status decides the verdict.
constexpr bool refused_for_quota(std::uint16_t status) noexcept { return status == 429; }

// An attempt that brought no answer.
Verdict judge_failure(const Fault& fault) noexcept;

}  // namespace rotary::policy
