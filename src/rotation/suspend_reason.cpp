#include <rotary/rotation/suspend_reason.hpp>

namespace rotary::rotation {

std::string_view to_string(SuspendReason reason) noexcept {
    switch (reason) {
        case SuspendReason::none:
            return "none";
        case SuspendReason::rate_limited:
            return "rate_limited";
        case SuspendReason::quota_exhausted:
            return "quota_exhausted";
        case SuspendReason::account_exhausted:
            return "account_exhausted";
        case SuspendReason::daily_exhausted:
            return "daily_exhausted";
        case SuspendReason::failing:
            return "failing";
        case SuspendReason::credential_refused:
            return "credential_refused";
        case SuspendReason::model_unknown:
            return "model_unknown";
        case SuspendReason::unhealthy:
            return "unhealthy";
        case SuspendReason::limit:
            return "limit";
        case SuspendReason::operator_request:
            return "operator";
    }
    return "none";
}

SuspendReason reason_named(std::string_view text) noexcept {
    for (std::size_t i = 0; i < kSuspendReasons; ++i) {
        const auto reason = static_cast<SuspendReason>(i);
        if (to_string(reason) == text) return reason;
    }
    return SuspendReason::none;
}

bool is_refusal(SuspendReason reason) noexcept {
    return reason == SuspendReason::rate_limited || reason == SuspendReason::account_exhausted ||
           reason == SuspendReason::daily_exhausted || reason == SuspendReason::failing;
}

bool is_broken(SuspendReason reason) noexcept {
    return reason == SuspendReason::failing || reason == SuspendReason::credential_refused ||
           reason == SuspendReason::model_unknown;
}

bool is_shared(SuspendReason reason) noexcept {
    switch (reason) {
        case SuspendReason::rate_limited:
        case SuspendReason::quota_exhausted:
        case SuspendReason::account_exhausted:
        case SuspendReason::daily_exhausted:
        case SuspendReason::credential_refused:
        case SuspendReason::model_unknown:
        case SuspendReason::operator_request:
            return true;
        case SuspendReason::none:
        case SuspendReason::failing:
        case SuspendReason::unhealthy:
        case SuspendReason::limit:
            return false;
    }
    return false;
}

}  // namespace rotary::rotation
