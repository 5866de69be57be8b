#include <rotary/rotation/rotation.hpp>

#include <algorithm>
#include <utility>

namespace rotary::rotation {

namespace {
constexpr bool is_quota(SuspendReason reason) noexcept {
    return reason == SuspendReason::rate_limited || reason == SuspendReason::quota_exhausted ||
           reason == SuspendReason::account_exhausted || reason == SuspendReason::daily_exhausted ||
           reason == SuspendReason::limit;
}
}  // namespace

bool Tried::contains(std::size_t entry) const noexcept {
    const auto at_hand = first_.begin() + std::min<std::size_t>(size_, kAtHand);
    return std::find(first_.begin(), at_hand, entry) != at_hand ||
           std::find(more_.begin(), more_.end(), entry) != more_.end();
}

void Tried::take_from(std::span<std::uint64_t> set) const noexcept {
    const auto take = [&](std::size_t entry) {
        set[entry / kWordEntries] &= ~(std::uint64_t{1} << entry % kWordEntries);
    };
    const std::size_t at_hand = std::min<std::size_t>(size_, kAtHand);
    for (std::size_t i = 0; i < at_hand; ++i) take(first_[i]);
    for (const std::uint16_t entry : more_) take(entry);
}

void Tried::add(std::size_t entry) {
    const auto index = static_cast<std::uint16_t>(entry);
    if (size_ < kAtHand) {
        first_[size_] = index;
    } else {
        more_.push_back(index);
    }
    ++size_;
}

Rotation::Rotation(std::shared_ptr<Cursor> cursor, std::vector<std::shared_ptr<EntryState>> states,
                   const EntryState::Limits& limits)
    : cursor_(std::move(cursor)),
      states_(std::move(states)),
      limits_(limits),
      known_(std::make_unique<Known>(words_for(states_.size()))) {
    for (const auto& state : states_) state->tell(known_->outlook);
}

std::optional<Rotation::Pick> Rotation::pick(SteadyTime now, const Tried& tried) const noexcept {
    while (tried.empty() && known_->outlook->holds(now)) {
        Order* order = known_->order.load(std::memory_order_acquire);
        if (order == nullptr) break;
        const std::size_t entry = order->take();
        const auto& word = known_->active[entry / kWordEntries];
        const std::uint64_t active = word.load(std::memory_order_relaxed);
        if (contains(EntrySet(&active, 1), entry % kWordEntries)) return Pick{entry, false};
    }
    return look(now, tried);
}

std::optional<Rotation::Pick> Rotation::look(SteadyTime now, const Tried& tried) const noexcept {
    std::lock_guard lock(known_->looking);
    if (tried.empty() &&
        known_->outlook->holds(now)) {  // turns are computed, or another one looked
        for (std::size_t i = 0; i < known_->found.size(); ++i) {
            known_->found[i] = known_->active[i].load(std::memory_order_relaxed);
        }
        return take(known_->order.load(std::memory_order_relaxed));
    }
    if (tried.empty()) known_->outlook->begin();
    SteadyTime until = SteadyTime::max();
    if (const auto probe = find_active(now, tried, until)) return probe;
    const EntrySet active = known_->found;
    if (std::all_of(active.begin(), active.end(), [](auto word) { return word == 0; })) {
        return std::nullopt;
    }
    if (!tried.empty()) return Pick{cursor_->next_other(active), false};
    Order* order = cursor_->order(active);
    publish(order, until);
    return take(order);
}

Rotation::Pick Rotation::take(Order* order) const noexcept {
    if (order == nullptr) return {cursor_->next_due(known_->found), false};
    for (;;) {
        const std::size_t entry = order->take();
        if (contains(known_->found, entry)) return {entry, false};
    }
}

// Finds out which entries are active, and for how long none else can be by the clock alone; or the
// first whose probe is due, if this request may make it.
std::optional<Rotation::Pick> Rotation::find_active(SteadyTime now, const Tried& tried,
                                                    SteadyTime& until) const {
    std::fill(known_->found.begin(), known_->found.end(), 0);
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!listed(i)) continue;
        EntryState& state = *states_[i];
        switch (state.standing(now)) {
            case Standing::active:
                add(known_->found, i);
                break;
            case Standing::out:
                until = std::min(until, state.out_until());
                break;
            case Standing::probe_due:
                if (tried.contains(i)) break;
                if (state.claim_probe(now, limits_)) return Pick{i, true};
                if (state.standing(now) == Standing::active) add(known_->found, i);
                break;
        }
    }
    tried.take_from(known_->found);
    return std::nullopt;
}

void Rotation::publish(Order* order, SteadyTime until) const noexcept {
    for (std::size_t i = 0; i < known_->found.size(); ++i) {
        known_->active[i].store(known_->found[i], std::memory_order_relaxed);
    }
    known_->order.store(order, std::memory_order_release);
    known_->outlook->set(until);
}

bool Rotation::has_other(SteadyTime now, const Tried& tried) const noexcept {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (listed(i) && states_[i]->standing(now) != Standing::out && !tried.contains(i)) {
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
