#include <map>

#include <rotary/config/kinds/usage_place.hpp>

#include "config/check/checker.hpp"

namespace rotary::config {

// What is to be said of rateLimitFields and responseModel, once each however many providers have
// them.
void check_providers(Checker& checker) {
    std::map<std::string, std::pair<const Mark*, std::size_t>> told;
    const auto tell = [&](const UsagePlace& place, const ValueLocation& location) {
        if (!place.finding.empty()) {
            ++told.try_emplace(place.finding, &location.mark, 0).first->second.second;
        }
    };
    const auto look = [&](const ValueLocation& location, UsageField field) {
        tell(usage_place(location, field), location);
    };
    for (const AiProvider& provider : checker.resources.ai_providers) {
        look(provider.prompt_tokens, UsageField::prompt);
        look(provider.completion_tokens, UsageField::completion);
        look(provider.total_tokens, UsageField::total);
        tell(response_model_place(provider.response_model), provider.response_model);
    }
    for (const auto& [finding, where] : told) {
        const std::size_t more = where.second - 1;
        checker.warning(
            *where.first,
            more == 0 ? finding : finding + " (and in " + std::to_string(more) + " more places)");
    }
}

}  // namespace rotary::config
