#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rotary/config/kinds/policy.hpp>

namespace rotary::config {

enum class UsageField : std::uint8_t { prompt, completion, total };

// Where one of an AIProvider's rateLimitFields says that a count stands in an answer. With neither:
// where the vendor's format has it.
struct UsagePlace {
    std::vector<std::string> members;  // that lead to it in a body, outermost first
    std::string header;                // or its name
    std::string finding;               // what is to be said of the value; empty: nothing
};

// $.usage.prompt_tokens and usage.prompt_tokens are the same; what APK ships,
// $usage.promptTokens, is no path that any answer has, and is read as it was meant.
UsagePlace usage_place(const ValueLocation& location, UsageField field);

// The same of responseModel, the name of the model that answered. In a stream the path leads
// through an event, or through its `message` or `response`.
UsagePlace response_model_place(const ValueLocation& location);

}  // namespace rotary::config
