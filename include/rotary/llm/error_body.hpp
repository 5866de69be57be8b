#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::llm {

// What a provider's error object says it is about.
enum class ErrorKind : std::uint8_t {
    unknown,     // no error object, or one that names nothing known
    rate,        // too fast: requests or tokens a minute
    daily,       // a day's allowance is used up: hours, not seconds
    account,     // out of money or over a cap: every model behind the same key
    overloaded,  // the provider has no capacity
    server,      // it failed
    credential,  // the key that was sent is not taken
    model,       // the provider does not know the model that was asked for
    request      // the client's own doing
};

struct ErrorBody {
    bool is_error = false;  // there is an error at all: an object, a text, anything but nothing
    ErrorKind kind = ErrorKind::unknown;
    // The wait that only the body tells: "Please try again in 6m0s", Google's retryDelay.
    std::optional<std::chrono::milliseconds> wait;
    // By its words: that this one request is too large, whatever the limit has left; that the key
    // is at fault. Clients may find a way to be quoted in a message: only the status makes these
    // count.
    bool speaks_of_size = false;
    bool speaks_of_key = false;
};

// Reads the body of a refusal, or the payload of an event: OpenAI's, Azure's, Anthropic's, Google's
// and OpenRouter's shapes. Whatever can't be read is `unknown`. That a model is unknown counts only
// for `model`, which was asked for: a client may ask after others.
ErrorBody read_error_body(std::string_view body, std::string_view model = {}) noexcept;

}  // namespace rotary::llm
