#include <rotary/rotation/rotation.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace rotary::rotation {

namespace {
bool contains(EntrySet set, std::size_t entry) noexcept { return (set >> entry & 1) != 0; }
constexpr EntrySet bit(std::size_t entry) noexcept { return EntrySet{1} << entry; }

constexpr bool is_quota(SuspendReason reason) noexcept {
    return reason == SuspendReason::rate_limited || reason == SuspendReason::quota_exhausted ||
           reason == SuspendReason::account_exhausted || reason == SuspendReason::daily_exhausted;
}
}  // namespace

std::vector<std::uint16_t> smooth_order(std::span<const std::uint32_t> weights, EntrySet active) {
    struct Runner {
        std::uint16_t entry;
        std::int64_t weight;
        std::int64_t current = 0;
    };
    std::uint32_t divisor = 0;
    std::vector<Runner> runners;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0 || !contains(active, i)) continue;
        divisor = std::gcd(divisor, weights[i]);
        runners.push_back({static_cast<std::uint16_t>(i), weights[i]});
    }
    std::int64_t total = 0;
    for (Runner& runner : runners) total += runner.weight /= divisor;

    std::vector<std::uint16_t> order;
    order.reserve(static_cast<std::size_t>(total));
    for (std::int64_t step = 0; step < total; ++step) {
        Runner* best = nullptr;
        for (Runner& runner : runners) {
            runner.current += runner.weight;
            if (best == nullptr || runner.current > best->current) best = &runner;
        }
        best->current -= total;
        order.push_back(best->entry);
    }
    return order;
}

DueTimes::DueTimes(std::span<const std::uint32_t> weights, EntrySet active) {
    std::uint32_t divisor = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0 || !contains(active, i)) continue;
        divisor = std::gcd(divisor, weights[i]);
        runners_.push_back({static_cast<std::uint16_t>(i), weights[i]});
    }
    for (Runner& runner : runners_) period_ += runner.weight /= divisor;
}

std::size_t DueTimes::at(std::uint64_t place) const noexcept {
    __extension__ using Wide = unsigned __int128;
    // How many turns of each entry are due by `place` of the period: together as many as places,
    // give or take half an entry's turn each.
    std::array<std::uint64_t, kMaxEntries> turns;
    std::uint64_t taken = 0;
    for (std::size_t i = 0; i < runners_.size(); ++i) {
        const Wide twice = Wide{2} * runners_[i].weight * place + period_;
        taken += turns[i] = static_cast<std::uint64_t>(twice / (Wide{2} * period_));
    }
    // The turn of i whose due time is (2 turns - 1) / (2 weight); equal times go by the list.
    const auto earlier = [&](std::size_t a, std::uint64_t turn_a, std::size_t b,
                             std::uint64_t turn_b) {
        const std::uint64_t left = (2 * turn_a - 1) * runners_[b].weight;
        const std::uint64_t right = (2 * turn_b - 1) * runners_[a].weight;
        return left < right || (left == right && a < b);
    };
    while (taken > place) {
        std::size_t last = runners_.size();
        for (std::size_t i = 0; i < runners_.size(); ++i) {
            if (turns[i] == 0) continue;
            if (last == runners_.size() || earlier(last, turns[last], i, turns[i])) last = i;
        }
        --turns[last];
        --taken;
    }
    for (;; ++taken) {
        std::size_t next = 0;
        for (std::size_t i = 1; i < runners_.size(); ++i) {
            if (earlier(i, turns[i] + 1, next, turns[next] + 1)) next = i;
        }
        if (taken == place) return runners_[next].entry;
        ++turns[next];
    }
}

Cursor::Cursor(std::vector<std::uint32_t> weights, double progress) : weights_(std::move(weights)) {
    EntrySet all = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (weights_[i] != 0) all |= bit(i);
    }
    if (all != 0) {
        all_ = schedule(all);
        // Rounded: cutting off would lose a place to the division in progress().
        const double start = std::round(progress * static_cast<double>(all_->due.period()));
        all_->position.store(static_cast<std::uint64_t>(start), std::memory_order_relaxed);
    }
    current_.store(all_, std::memory_order_release);
}

double Cursor::progress() const noexcept {
    if (all_ == nullptr) return 0.0;
    const std::uint64_t period = all_->due.period();
    const std::uint64_t place = all_->position.load(std::memory_order_relaxed) % period;
    return static_cast<double>(place) / static_cast<double>(period);
}

std::size_t Cursor::next(EntrySet active) noexcept {
    Schedule* current = current_.load(std::memory_order_acquire);
    if (current->active != active) {
        current = schedule(active);
        if (current == nullptr) return skip(active);
        current_.store(current, std::memory_order_release);
    }
    return current->take();
}

std::size_t Cursor::next_once(EntrySet active) noexcept {
    Schedule* other = schedule(active);
    return other == nullptr ? skip(active) : other->take();
}

std::size_t Cursor::skip(EntrySet active) noexcept {
    for (;;) {
        const std::size_t entry = all_->take();
        if (contains(active, entry)) return entry;
    }
}

Cursor::Schedule* Cursor::schedule(EntrySet active) {
    std::lock_guard lock(mutex_);
    const auto known = schedules_.find(active);
    if (known != schedules_.end()) return known->second.get();
    if (schedules_.size() >= kMaxSchedules) return nullptr;
    auto made = std::make_unique<Schedule>(weights_, active);
    const std::uint64_t period = made->due.period();
    if (period <= kMaxPeriod && places_ + period <= kMaxPlaces) {
        made->order = smooth_order(weights_, active);
        places_ += made->order.size();
    }
    return schedules_.emplace(active, std::move(made)).first->second.get();
}

Rotation::Rotation(std::shared_ptr<Cursor> cursor, std::vector<std::shared_ptr<EntryState>> states,
                   const EntryState::Limits& limits)
    : cursor_(std::move(cursor)), states_(std::move(states)), limits_(limits) {}

std::optional<Rotation::Pick> Rotation::pick(SteadyTime now, EntrySet tried) const noexcept {
    EntrySet active = 0;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!listed(i) || contains(tried, i)) continue;
        switch (states_[i]->standing(now)) {
            case Standing::active:
                active |= bit(i);
                break;
            case Standing::out:
                break;
            case Standing::probe_due:
                if (states_[i]->claim_probe(now, limits_)) return Pick{i, true};
                if (states_[i]->standing(now) == Standing::active) active |= bit(i);
                break;
        }
    }
    if (active == 0) return std::nullopt;
    return Pick{tried == 0 ? cursor_->next(active) : cursor_->next_once(active), false};
}

bool Rotation::has_other(SteadyTime now, EntrySet tried) const noexcept {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (listed(i) && !contains(tried, i) && states_[i]->standing(now) != Standing::out) {
            return true;
        }
    }
    return false;
}

SteadyTime Rotation::soonest_return(SteadyTime now) const noexcept {
    SteadyTime soonest = SteadyTime::max();
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!listed(i) || states_[i]->standing(now) == Standing::active) continue;
        soonest = std::min(soonest, std::max(states_[i]->until(), now));
    }
    return soonest;
}

bool Rotation::all_out_for_quota(SteadyTime now) const noexcept {
    bool any = false;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!listed(i)) continue;
        if (states_[i]->standing(now) == Standing::active || !is_quota(states_[i]->reason())) {
            return false;
        }
        any = true;
    }
    return any;
}

}  // namespace rotary::rotation
