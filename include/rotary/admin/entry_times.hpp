#pragma once

#include <rotary/admin/entry_notes.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/wiring.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace rotary::admin {

// In milliseconds; 0: nothing was observed.
struct Percentiles {
    double p50 = 0;
    double p95 = 0;
};

// What a histogram's buckets say, as Prometheus reckons: within a bucket all values are spread
// evenly, and what is over the last bound is taken to be there. `counts` has one more than
// `bounds`.
Percentiles percentiles_of(std::span<const double> bounds_seconds,
                           std::span<const std::uint64_t> counts);

// How long an entry's tries of late took to the head of their answer, and its streams until their
// first token, from the buckets that its series hold. Of the control thread, which notes them now
// and then; an entry's notes are some 3 KB.
class EntryTimes {
public:
    static constexpr std::chrono::minutes kSpan{5};
    static constexpr std::chrono::seconds kBetween{30};

    struct Times {
        Percentiles whole;
        Percentiles first_token;
    };

    // What all entries have observed until now; sooner than kBetween after the last time it is
    // nothing. Entries that are not there any more are forgotten.
    void note(const proxy::Wiring& wiring, const metrics::Registry& registry, SteadyTime now);
    // Of the last kSpan, as far back as it was noted.
    Times of(std::string_view entry, const metrics::Registry& registry,
             const proxy::EntrySeries& series, SteadyTime now) const;

private:
    using Counts = std::vector<std::uint64_t>;
    struct Sums {
        Counts whole;
        Counts first_token;
    };
    EntryNotes<Sums> sums_{kSpan};
    SteadyTime noted_{};
};

}  // namespace rotary::admin
