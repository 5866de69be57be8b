#include <rotary/policy/rotation.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace rotary::policy {

namespace {
bool contains(EntrySet set, std::size_t entry) noexcept { return (set >> entry & 1) != 0; }
constexpr EntrySet bit(std::size_t entry) noexcept { return EntrySet{1} << entry; }
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

Cursor::Cursor(std::vector<std::uint32_t> weights, double progress) : weights_(std::move(weights)) {
    EntrySet all = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (weights_[i] != 0) all |= bit(i);
    }
    if (all != 0) {
        all_ = schedule(all);
        // Rounded: cutting off would lose a place to the division in progress().
        const double start = std::round(progress * static_cast<double>(all_->order.size()));
        all_->position.store(static_cast<std::uint64_t>(start), std::memory_order_relaxed);
    }
    current_.store(all_, std::memory_order_release);
}

double Cursor::progress() const noexcept {
    if (all_ == nullptr) return 0.0;
    const std::size_t period = all_->order.size();
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
    if (schedules_.size() >= kMaxSchedules || places_ >= kMaxPlaces) return nullptr;
    auto made = std::make_unique<Schedule>();
    made->active = active;
    made->order = smooth_order(weights_, active);
    places_ += made->order.size();
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
        const SuspendReason reason = states_[i]->reason();
        if (states_[i]->standing(now) == Standing::active || reason == SuspendReason::failing ||
            reason == SuspendReason::unhealthy || reason == SuspendReason::operator_request) {
            return false;
        }
        any = true;
    }
    return any;
}

}  // namespace rotary::policy
