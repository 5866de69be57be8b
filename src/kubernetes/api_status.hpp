#pragma once

#include "kubernetes/watch_state.hpp"

#include <rotary/kubernetes/api_client.hpp>
#include <rotary/wire/json_document.hpp>

#include <string>

namespace rotary::kubernetes {

// What a Status object says (meta/v1), where it is one.
struct ApiStatus {
    unsigned code = 0;
    std::string message;
    std::chrono::milliseconds retry_after{0};
};
ApiStatus read_status(const wire::JsonValue& status);

// How a request that did not succeed ended.
Ending ending_of(const ApiAnswer& answer);
// The same in words, for people; no more than a line.
std::string words_of(const ApiAnswer& answer);

}  // namespace rotary::kubernetes
