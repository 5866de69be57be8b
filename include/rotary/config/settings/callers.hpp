#pragma once

#include <cstddef>
#include <cstdint>

namespace rotary::config {

// What clients may do that fail to show who they are (`auth` in rotary.yaml).
struct Auth {
    // Credentials that are not valid, of one client address and worker, in a minute: from then on
    // they are answered 429 in place of 401. A good one passes, and forgets them. 0: never.
    unsigned failures_per_minute = 60;
};

// What consumers may use (`quotas`).
struct Quotas {
    // Requests in flight of a consumer that has no limit of its own; 0: none.
    std::uint32_t max_concurrent_per_consumer = 0;
};

}  // namespace rotary::config
