#pragma once

#include <rotary/admin/entry_times.hpp>
#include <rotary/admin/token_rates.hpp>

namespace rotary::admin {

// What entries did of late. Of the control thread, which notes it every few seconds.
struct EntryHistory {
    TokenRates tokens;
    EntryTimes times;

    void note(const proxy::Wiring& wiring, const metrics::Registry& registry, SteadyTime now) {
        tokens.note(wiring, registry, now);
        times.note(wiring, registry, now);
    }
};

}  // namespace rotary::admin
