#include <rotary/admin/cost_of_today.hpp>

#include <utility>

namespace rotary::admin {

namespace {

std::uint64_t found(const CostOfToday::Sums& sums, std::string_view consumer) {
    const auto place = sums.find(consumer);
    return place == sums.end() ? 0 : place->second;
}

template <class Visit>
void each_sum(const quota::ConsumerUse& uses, const Visit& visit) {
    uses.each([&](std::string_view name, const quota::Use& use) { visit(name, use.nanos); });
    visit(quota::ConsumerUse::kOthers, uses.of_others().nanos);
}

}  // namespace

void CostOfToday::note(const quota::ConsumerUse* uses, WallTime now, const Recall& recall) {
    if (uses == nullptr) return;
    const WallTime today = std::chrono::floor<std::chrono::days>(now);
    if (!begun_) {
        begun_ = true;
        day_ = today;
        auto sums = recall(today);
        since_ = sums ? today : uses->since();
        recalled_ = std::move(sums).value_or(Sums{});
    }
    // A clock that is set back by a day begins none.
    if (today <= day_) return;
    day_ = since_ = today;
    recalled_.clear();
    before_.clear();
    each_sum(*uses, [this](std::string_view name, std::uint64_t nanos) {
        if (nanos > 0) before_.emplace(name, nanos);
    });
}

std::uint64_t CostOfToday::of(std::string_view consumer, std::uint64_t nanos) const {
    const std::uint64_t before = found(before_, consumer);
    return found(recalled_, consumer) + (nanos > before ? nanos - before : 0);
}

std::uint64_t CostOfToday::total(const quota::ConsumerUse& uses) const {
    std::uint64_t sum = 0;
    for (const auto& [name, nanos] : recalled_) sum += nanos;
    each_sum(uses, [&](std::string_view name, std::uint64_t nanos) {
        const std::uint64_t before = found(before_, name);
        sum += nanos > before ? nanos - before : 0;
    });
    return sum;
}

}  // namespace rotary::admin
