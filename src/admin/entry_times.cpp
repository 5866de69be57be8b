#include <rotary/admin/entry_times.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace rotary::admin {

namespace {

// The value that `share` of all lie below, in milliseconds.
double percentile(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                  double share) {
    const auto all =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
    const double wanted = share * all;
    double below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        const auto here = static_cast<double>(counts[i]);
        if (here > 0 && below + here >= wanted) {
            const double from = i == 0 ? 0.0 : bounds[i - 1];
            return 1000 * (from + (bounds[i] - from) * (wanted - below) / here);
        }
        below += here;
    }
    return 1000 * bounds.back();
}

// Less than before: its series began anew.
std::vector<std::uint64_t> since(const std::vector<std::uint64_t>& before,
                                 std::vector<std::uint64_t> now) {
    if (before.size() != now.size()) return now;
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i] < before[i]) return now;
    }
    std::transform(now.begin(), now.end(), before.begin(), now.begin(), std::minus<>{});
    return now;
}

}  // namespace

Percentiles percentiles_of(std::span<const double> bounds, std::span<const std::uint64_t> counts) {
    if (bounds.empty() || counts.size() != bounds.size() + 1) return {};
    if (std::all_of(counts.begin(), counts.end(), [](auto count) { return count == 0; })) return {};
    return {percentile(bounds, counts, 0.5), percentile(bounds, counts, 0.95)};
}

void EntryTimes::note(const proxy::Wiring& wiring, const metrics::Registry& registry,
                      SteadyTime now) {
    if (!sums_.empty() && now - noted_ < kBetween) return;
    noted_ = now;
    sums_.note(wiring, now, [&](const proxy::EntrySeries& series) {
        return Sums{registry.buckets(series.upstream_duration),
                    registry.buckets(series.streams.first_token)};
    });
}

EntryTimes::Times EntryTimes::of(std::string_view entry, const metrics::Registry& registry,
                                 const proxy::EntrySeries& series, SteadyTime now) const {
    const Sums* before = sums_.before(entry, now);
    if (before == nullptr) return {};
    const auto look = [&registry](metrics::HistogramId id, const Counts& from) {
        if (id.buckets == nullptr) return Percentiles{};
        return percentiles_of(id.buckets->seconds, since(from, registry.buckets(id)));
    };
    return {look(series.upstream_duration, before->whole),
            look(series.streams.first_token, before->first_token)};
}

}  // namespace rotary::admin
