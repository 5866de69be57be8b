#include <rotary/routing/place_shares.hpp>

#include "routing/count_word.hpp"

#include <algorithm>
#include <utility>

namespace rotary::routing {

namespace {

std::int64_t ticks(SteadyTime time) noexcept { return time.time_since_epoch().count(); }

}  // namespace

// A reader that finds its tag before and behind has no numbers of another key.
PlaceShare::View PlaceShare::view(std::uint64_t key, SteadyTime now) const noexcept {
    const std::uint64_t tag = tag_of(key);
    const std::uint64_t word = word_.load();
    if (tag_in(word) != tag) return {};
    View view;
    view.heard = true;
    view.granted = count_in(word);
    view.rest = rest_.load(std::memory_order_acquire);
    view.is_refused = ticks(now) < refused_until_.load(std::memory_order_acquire);
    return tag_in(word_.load()) == tag ? view : View{};
}

std::uint32_t PlaceShare::granted(std::uint64_t key) const noexcept {
    const std::uint64_t word = word_.load();
    return tag_in(word) == tag_of(key) ? count_in(word) : 0;
}

bool PlaceShare::is_of(std::uint64_t key) const noexcept {
    return tag_in(word_.load()) == tag_of(key);
}

bool PlaceShare::is_low(std::uint32_t left, SteadyTime now) const noexcept {
    return left <= low_.load(std::memory_order_relaxed) &&
           ticks(now) >= calm_until_.load(std::memory_order_relaxed);
}

void PlaceShare::note(std::uint32_t count) noexcept {
    std::uint32_t peak = peak_.load(std::memory_order_relaxed);
    while (count > peak && !peak_.compare_exchange_weak(peak, count, std::memory_order_relaxed)) {
    }
}

void PlaceShare::want(PlaceShares& shares, std::uint64_t key, std::uint32_t most,
                      Need need) noexcept {
    if (need == Need::one) lacking_.fetch_add(1);
    if (need == Need::again) is_lacked_.store(true);
    if (due_.load() || due_.exchange(true)) return;
    key_ = key;
    most_ = most;
    shares.hand_in(*this);
}

void PlaceShare::grant(std::uint64_t key, const Grant& grant) noexcept {
    if (!is_of(key)) {
        word_.store(0);
        refused_until_.store(0);
        calm_until_.store(0);
        low_.store(0);
        peak_.store(0);
    }
    rest_.store(grant.rest);
    word_.exchange(tag_of(key) | std::min<std::uint64_t>(grant.granted, kCounts));
}

void PlaceShare::lower(std::uint32_t granted) noexcept {
    word_.exchange(tag_in(word_.load()) | granted);
}

std::uint32_t PlaceShare::take_lacking() noexcept {
    const std::uint32_t again = is_lacked_.exchange(false) ? 1 : 0;
    return std::max(lacking_.exchange(0), again);
}

void PlaceShare::refuse_until(SteadyTime when) noexcept { refused_until_.store(ticks(when)); }

void PlaceShare::set_low(std::uint32_t low, SteadyTime when) noexcept {
    low_.store(low);
    calm_until_.store(ticks(when));
}

PlaceShares::PlaceShares(std::size_t places) : shares_(new PlaceShare[places]) {}

void PlaceShares::open(std::function<void()> bell) {
    if (!bell_) bell_ = std::move(bell);
    is_open_.store(true);
}

std::uint32_t PlaceShares::part(const PlaceShare::View& view, std::uint32_t most) const noexcept {
    if (view.heard) return view.rest / replicas();
    return std::max(most / replicas(), std::uint32_t{1});
}

void PlaceShares::hand_in(PlaceShare& share) noexcept {
    PlaceShare* first = due_.load(std::memory_order_relaxed);
    do {
        share.next_ = first;
    } while (!due_.compare_exchange_weak(first, &share));
    if (first == nullptr) bell_();
}

}  // namespace rotary::routing
