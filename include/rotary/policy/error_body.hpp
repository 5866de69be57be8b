#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::policy {

// What a provider's error object says it is about.
enum class ErrorKind : std::uint8_t {
    unknown,     // no error object, or one that names nothing known
    rate,        // too fast: requests or tokens a minute
    daily,       // a day's allowance is used up: hours, not seconds
    account,     // out of money or over a cap: every model behind the same key
    overloaded,  // the provider has no capacity
    server,      // it failed
    request      // the client's own doing
};

struct ErrorBody {
    bool is_error = false;  // there is an error object at all
    ErrorKind kind = ErrorKind::unknown;
    // The wait that only the body tells: "Please try again in 6m0s", Google's retryDelay.
    std::optional<std::chrono::milliseconds> wait;
};

// Reads the body of a refusal, or the payload of an event: OpenAI's, Azure's, Anthropic's, Google's
// and OpenRouter's shapes. Whatever can't be read is `unknown`.
ErrorBody read_error_body(std::string_view body) noexcept;

}  // namespace rotary::policy
