#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>

#include <string>

// OpenAI's list of models, answered from the rotation where a policy serves it; no provider is
// asked. It is off the path of requests that turn the wheel, and takes memory as it needs it.
namespace rotary::proxy {

inline bool asks_for_models(const Exchange& exchange) noexcept {
    return exchange.match.endpoint == config::kListOfModels;
}

// The models that the caller may use of this API in this environment, each once, in the order of
// its lists; those that are suspended too, as they return.
std::string model_list(const Exchange& exchange);

Task<Result<void>> answer_models(downstream::Client& client, Exchange& exchange);

}  // namespace rotary::proxy
