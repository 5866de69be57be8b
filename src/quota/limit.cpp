#include <rotary/quota/limit.hpp>

#include <algorithm>
#include <limits>

namespace rotary::quota {

std::string_view to_string(Scope scope) noexcept {
    switch (scope) {
        case Scope::consumer:
            return "consumer";
        case Scope::subscription:
            return "subscription";
        case Scope::api:
            return "api";
        case Scope::resource:
            return "resource";
        case Scope::custom:
            return "custom";
        case Scope::backend:
            return "backend";
    }
    return "api";
}

std::string_view to_string(What what) noexcept {
    switch (what) {
        case What::requests:
            return "requests";
        case What::prompt:
            return "prompt tokens";
        case What::completion:
            return "completion tokens";
        case What::total:
            return "tokens";
        case What::cost:
            return "nanodollars";
    }
    return "requests";
}

Amounts amounts_of(std::uint64_t input, std::uint64_t output) noexcept {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    const std::uint64_t in = std::min(input, kMost);
    const std::uint64_t out = std::min(output, kMost);
    Amounts amounts;
    amounts[What::requests] = 1;
    amounts[What::prompt] = static_cast<std::int64_t>(in);
    amounts[What::completion] = static_cast<std::int64_t>(out);
    amounts[What::total] = static_cast<std::int64_t>(std::min(in + out, kMost));
    return amounts;
}

}  // namespace rotary::quota
