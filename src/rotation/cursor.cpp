#include <rotary/rotation/cursor.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace rotary::rotation {

double Order::progress() const noexcept {
    const std::uint64_t place = position_.load(std::memory_order_relaxed) % places_.size();
    return static_cast<double>(place) / static_cast<double>(places_.size());
}

Cursor::Cursor(std::vector<std::uint32_t> weights, double progress)
    : weights_(std::move(weights)),
      all_(words_for(weights_.size())),
      due_(weights_, progress),
      others_(weights_) {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (weights_[i] != 0) add(all_, i);
    }
    places_ = smooth_order(weights_, all_, kMost);
    if (places_.empty()) return;
    kept_places_ = places_.size();
    // Rounded: cutting off would lose a place to the division in progress().
    const double start = std::round(progress * static_cast<double>(places_.size()));
    full_ = std::make_unique<Order>(places_, all_[0], static_cast<std::uint64_t>(start));
    rest_ = std::make_unique<Order>(places_, 0);
    current_.store(full_.get(), std::memory_order_release);
}

double Cursor::progress() const noexcept {
    if (full_) return full_->progress();
    std::lock_guard lock(mutex_);
    return due_.progress();
}

Order* Cursor::order(EntrySet active) {
    if (full_ && std::equal(active.begin(), active.end(), all_.begin(), all_.end())) {
        return full_.get();
    }
    if (weights_.size() <= kWordEntries) {
        if (Order* own = own_order(active[0])) return own;
    }
    return full_ && is_most(active) ? rest_.get() : nullptr;
}

// Whether the order of all has not too many to pass over.
bool Cursor::is_most(EntrySet active) const noexcept {
    std::uint64_t all = 0;
    std::uint64_t there = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        all += weights_[i];
        if (contains(active, i)) there += weights_[i];
    }
    return there * kMaxPasses >= all;
}

Order* Cursor::own_order(std::uint64_t active) {
    std::lock_guard lock(mutex_);
    const auto known = orders_.find(active);
    if (known != orders_.end()) return known->second ? &known->second->order : nullptr;
    if (orders_.size() >= kMaxOrders) return nullptr;
    std::unique_ptr<OwnOrder>& own = orders_[active];
    OrderBounds most = kMost;
    most.places = std::min<std::uint64_t>(most.places, kMaxPlaces - kept_places_);
    auto places = smooth_order(weights_, EntrySet(&active, 1), most);
    if (places.empty()) return nullptr;
    kept_places_ += places.size();
    own = std::make_unique<OwnOrder>(std::move(places), active);
    return &own->order;
}

std::size_t Cursor::next(EntrySet active) noexcept {
    Order* current = current_.load(std::memory_order_acquire);
    const bool is_word = weights_.size() <= kWordEntries;
    if (!is_word || current == nullptr || current->active() != active[0]) {
        current = order(active);
        if (current == nullptr) return next_due(active);
        if (is_word && current != rest_.get()) {
            current_.store(current, std::memory_order_release);
        }
    }
    for (;;) {
        const std::size_t entry = current->take();
        if (contains(active, entry)) return entry;
    }
}

std::size_t Cursor::next_due(EntrySet active) noexcept {
    std::lock_guard lock(mutex_);
    return due_.take(active);
}

std::size_t Cursor::next_other(EntrySet active) noexcept {
    std::lock_guard lock(mutex_);
    return others_.take(active);
}

}  // namespace rotary::rotation
