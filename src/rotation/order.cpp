#include <rotary/rotation/order.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

namespace rotary::rotation {

namespace {

// Entries that weigh the same have their turns one after the other, by the list.
struct Equals {
    std::int64_t weight = 0;
    std::int64_t current = 0;  // of the one that is next
    std::size_t next = 0;
    std::vector<std::uint16_t> entries;

    std::uint16_t first() const noexcept { return entries[next]; }
    bool goes_before(const Equals& other) const noexcept {
        return current != other.current ? current > other.current : first() < other.first();
    }
    std::uint16_t take(std::int64_t total) noexcept {
        const std::uint16_t entry = entries[next++];
        if (next == entries.size()) {
            next = 0;
            current -= total;  // all of them have had as many turns again
        }
        return entry;
    }
};

}  // namespace

std::vector<std::uint16_t> smooth_order(std::span<const std::uint32_t> weights, EntrySet active,
                                        const OrderBounds& most) {
    std::uint32_t divisor = 0;
    std::map<std::uint32_t, Equals> by_weight;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0 || !contains(active, i)) continue;
        divisor = std::gcd(divisor, weights[i]);
        by_weight[weights[i]].entries.push_back(static_cast<std::uint16_t>(i));
    }
    std::uint64_t total = 0;
    std::vector<Equals> runners;
    for (auto& [weight, equals] : by_weight) {
        total += std::uint64_t{weight / divisor} * equals.entries.size();
        equals.weight = weight / divisor;
        runners.push_back(std::move(equals));
    }
    if (total > most.places || total * runners.size() > most.steps) return {};

    std::vector<std::uint16_t> order;
    order.reserve(total);
    while (order.size() < total) {
        Equals* best = nullptr;
        for (Equals& runner : runners) {
            runner.current += runner.weight;
            if (best == nullptr || runner.goes_before(*best)) best = &runner;
        }
        order.push_back(best->take(static_cast<std::int64_t>(total)));
    }
    return order;
}

__extension__ using Wide = unsigned __int128;

DueTurns::DueTurns(std::span<const std::uint32_t> weights, double progress)
    : ahead_(words_for(weights.size())) {
    constexpr std::uint64_t kParts = std::uint64_t{1} << 32;
    last_ = {static_cast<std::uint64_t>(std::round(progress * static_cast<double>(kParts))),
             kParts};
    for (const std::uint32_t weight : weights) runners_.push_back({weight});
}

bool DueTurns::is_before(const Time& a, const Time& b) noexcept {
    return Wide{a.number} * b.of < Wide{b.number} * a.of;
}

DueTurns::Time DueTurns::due(const Runner& runner) noexcept {
    return {2 * runner.turn + 1, 2 * runner.weight};
}

// Whether the entry's turn comes behind the last one. Equal times go by the list, here too: else
// an entry that returns between two others would have its turn twice until they are through.
bool DueTurns::is_ahead(std::size_t entry) const noexcept {
    const Time time = due(runners_[entry]);
    return is_before(last_, time) || (!is_before(time, last_) && entry >= after_);
}

// To the first of its turns that is.
void DueTurns::catch_up(std::size_t entry) noexcept {
    Runner& runner = runners_[entry];
    const Wide twice = Wide{2} * runner.weight * last_.number;
    const Wide two_of = Wide{2} * last_.of;
    runner.turn = twice <= last_.of
                      ? 0
                      : static_cast<std::uint64_t>((twice - last_.of + two_of - 1) / two_of);
    if (!is_ahead(entry)) ++runner.turn;
}

std::size_t DueTurns::take(EntrySet active) noexcept {
    std::size_t best = 0;
    Time first = kNever;
    for (std::size_t word = 0; word < active.size(); ++word) {
        for (std::uint64_t left = active[word]; left != 0; left &= left - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(left));
            const std::size_t entry = word * kWordEntries + bit;
            if (runners_[entry].weight == 0) continue;
            if ((ahead_[word] >> bit & 1) == 0 && !is_ahead(entry)) catch_up(entry);
            const Time time = due(runners_[entry]);
            if (!is_before(time, first)) continue;
            best = entry;
            first = time;
        }
        ahead_[word] = active[word];
    }
    ++runners_[best].turn;
    last_ = first;
    after_ = best + 1;
    if (last_.number >= last_.of) begin_rounds();
    return best;
}

// Times are told from the beginning of the round that the last turn was in: numbers stay small.
void DueTurns::begin_rounds() noexcept {
    const std::uint64_t rounds = last_.number / last_.of;
    last_.number %= last_.of;
    for (Runner& runner : runners_) {
        runner.turn -= std::min(runner.turn, rounds * runner.weight);
    }
}

double DueTurns::progress() const noexcept {
    return static_cast<double>(last_.number) / static_cast<double>(last_.of);
}

}  // namespace rotary::rotation
