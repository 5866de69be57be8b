#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/proxy/live_counts.hpp>
#include <rotary/wire/json_writer.hpp>

#include <cstdint>
#include <deque>

namespace rotary::admin {

// Requests a second, their share of errors and the overhead of the last minute, from sums that are
// noted each second. Control thread only.
class LiveRates {
public:
    void note(const proxy::LiveSums& sums, SteadyTime now);
    // As members: requests_per_second, client_errors_percent, server_errors_percent,
    // overhead_p50_us, overhead_p99_us; requests of the minute.
    void write(wire::JsonWriter& json) const;

private:
    struct Noted {
        SteadyTime at;
        proxy::LiveSums sums;
    };
    std::deque<Noted> noted_;
};

}  // namespace rotary::admin
