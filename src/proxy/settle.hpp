#pragma once

#include "proxy/attempt.hpp"
#include "proxy/exchange.hpp"

#include <rotary/policy/verdict.hpp>

#include <chrono>

namespace rotary::proxy {

struct Answered {
    std::uint16_t status = 0;
    wire::RateLimitHints hints;
    policy::QuotaKind kind = policy::QuotaKind::rate;
    bool probe = false;
    std::chrono::nanoseconds wait{0};
};

// What the provider said of its limits, from the head in the worker's scratch.
wire::RateLimitHints read_hints(Context& context, const Exchange& exchange);

// Step 9 for one try: the verdict, carried out on the rotation and counted.
policy::Verdict settle_answer(Context& context, const Exchange& exchange, const Answered& answered);
policy::Verdict settle_failure(Context& context, const Exchange& exchange, const Fault& fault,
                               bool probe);

// Parses the head that stands in the reply once more, after an await has taken the scratch.
void reparse_head(Context& context, const Exchange& exchange, const Reply& reply);

// Step 10: the access log's line and the counters of a request, refused ones too.
void record(Context& context, const Exchange& exchange);

}  // namespace rotary::proxy
