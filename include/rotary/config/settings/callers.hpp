#pragma once

#include <rotary/config/settings/limits.hpp>

#include <cstddef>
#include <cstdint>

namespace rotary::config {

// What clients may do that fail to show who they are (`auth` in rotary.yaml).
struct Auth {
    // Credentials that are not valid, of one client address and worker, in a minute: from then on
    // they are answered 429 in place of 401. A good one passes, and forgets them. 0: never.
    unsigned failures_per_minute = 60;
};

enum class QuotaWindow : std::uint8_t { fixed, sliding };
enum class QuotaAdmission : std::uint8_t { while_left, strict };
enum class QuotaHeaders : std::uint8_t { openai, apk, off };

inline constexpr std::size_t kMostConsumers = 10'000;  // quotas.metric_consumers

// How limits are kept and told (`quotas`).
struct Quotas {
    QuotaWindow window = QuotaWindow::fixed;
    QuotaAdmission admission = QuotaAdmission::while_left;
    bool carry_debt = false;  // what exceeds a limit is taken out of the next windows
    QuotaHeaders headers = QuotaHeaders::openai;
    std::size_t reserve_output_tokens = 256;  // where a request does not say how many it may get
    std::size_t counters = kCounters;         // of callers, over all limits
    // Requests in flight of a consumer that has no limit of its own; 0: none.
    std::uint32_t max_concurrent_per_consumer = 0;
    // Consumers whose requests, tokens and cost are summed and told; 0: none.
    std::size_t metric_consumers = 0;
};

}  // namespace rotary::config
