#pragma once

#include <rotary/admin/entry_notes.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/wiring.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace rotary::admin {

// Tokens of each entry in the last minute, from the sums that its series hold. Of the control
// thread, which notes them every few seconds.
class TokenRates {
public:
    // What all entries have used until now. Entries that are not there any more are forgotten.
    void note(const proxy::Wiring& wiring, const metrics::Registry& registry, SteadyTime now);
    // Between a minute ago, as far back as it was noted, and now.
    std::uint64_t last_minute(std::string_view entry, std::uint64_t total, SteadyTime now) const;

private:
    EntryNotes<std::uint64_t> sums_{std::chrono::minutes(1)};
};

// Input and output of an entry's answers since the process began.
std::uint64_t tokens_of(const metrics::Registry& registry, const proxy::EntrySeries& series);

}  // namespace rotary::admin
