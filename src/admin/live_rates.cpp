#include <rotary/admin/live_rates.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

namespace rotary::admin {

namespace {

constexpr std::chrono::minutes kSpan{1};

// The bound that `percent` of all lie below; 0: there are none.
std::uint64_t percentile(const std::array<std::uint64_t, proxy::kOverheadSteps>& steps,
                         std::uint64_t percent) {
    const std::uint64_t all = std::accumulate(steps.begin(), steps.end(), std::uint64_t{0});
    if (all == 0) return 0;
    const std::uint64_t wanted = (all * percent + 99) / 100;
    std::uint64_t below = 0;
    for (std::size_t step = 0; step < steps.size(); ++step) {
        below += steps[step];
        if (below >= wanted) return proxy::overhead_bound(step);
    }
    return proxy::overhead_bound(steps.size() - 1);
}

double percent_of(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

void LiveRates::note(const proxy::LiveSums& sums, SteadyTime now) {
    noted_.push_back({now, sums});
    while (noted_.size() > 2 && now - noted_[1].at >= kSpan) noted_.pop_front();
}

void LiveRates::write(wire::JsonWriter& json) const {
    proxy::LiveSums of{};
    double seconds = 0;
    if (noted_.size() > 1) {
        const Noted& first = noted_.front();
        const Noted& last = noted_.back();
        seconds = std::chrono::duration<double>(last.at - first.at).count();
        for (std::size_t i = 0; i < of.by_class.size(); ++i) {
            of.by_class[i] = last.sums.by_class[i] - first.sums.by_class[i];
        }
        for (std::size_t i = 0; i < of.overhead.size(); ++i) {
            of.overhead[i] = last.sums.overhead[i] - first.sums.overhead[i];
        }
    }
    const std::uint64_t all =
        std::accumulate(of.by_class.begin(), of.by_class.end(), std::uint64_t{0});
    json.number("requests_last_minute", all)
        .real("requests_per_second", seconds > 0 ? static_cast<double>(all) / seconds : 0.0)
        .real("client_errors_percent", percent_of(of.by_class[4], all))
        .real("server_errors_percent", percent_of(of.by_class[5], all))
        .number("overhead_p50_us", percentile(of.overhead, 50))
        .number("overhead_p99_us", percentile(of.overhead, 99));
}

}  // namespace rotary::admin
