#pragma once

#include "proxy/exchange.hpp"

#include <rotary/upstream/provider.hpp>

namespace rotary::proxy {

// Behind the scan of the body: whether its stream is to be asked for its usage, and where that
// goes. usage.streams decides, and in `auto` whether the route counts tokens.
void plan_usage_ask(Context& context, Exchange& exchange);

// For the try at hand: its Backend has not refused to be asked.
bool asks_usage(const Exchange& exchange) noexcept;

// Whether the answer that has come may be a refusal of that: its body tells.
bool may_refuse_usage_ask(const Exchange& exchange, const upstream::Provider& provider) noexcept;

// The provider refuses what Rotary put into the request, not what the client wrote: the Backend is
// never asked again while this configuration is in force, and the connection is free for the same
// request without it. False: the answer is as it was.
Task<bool> refuses_usage_ask(Context& context, Exchange& exchange, upstream::Provider& provider);

}  // namespace rotary::proxy
