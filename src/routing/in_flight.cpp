#include <rotary/routing/in_flight.hpp>

#include "routing/count_word.hpp"

#include <algorithm>

namespace rotary::routing {

std::uint64_t InFlight::key_of(std::string_view kind, std::string_view name) noexcept {
    // FNV-1a, mixed at its end: all bits of a key depend on all of the name.
    std::uint64_t key = 0xcbf29ce484222325u;
    const auto add = [&key](std::string_view text) {
        for (const char c : text) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    };
    add(kind);
    add("\n");
    add(name);
    key = (key ^ (key >> 32)) * 0xd6e8feb86659fd93u;
    key = (key ^ (key >> 32)) * 0xd6e8feb86659fd93u;
    return key ^ (key >> 32);
}

// A place that was never used ends the look: none of this key can be behind it, since the first of
// these is taken before any that is idle.
InFlight::Count* InFlight::find(std::uint64_t key) noexcept {
    const std::uint64_t tag = tag_of(key);
    Count* idle = nullptr;
    for (std::size_t step = 0; step < kWindow; ++step) {
        Count& count = counts_[place_of(key, step)];
        const std::uint64_t word = count.load(std::memory_order_acquire);
        if (word == 0 || tag_in(word) == tag) return &count;
        if (idle == nullptr && count_in(word) == 0) idle = &count;
    }
    return idle;
}

InFlight::Step InFlight::join(Count& count, std::uint64_t tag, std::uint32_t most) noexcept {
    std::uint64_t word = count.load(std::memory_order_acquire);
    for (;;) {
        const bool is_own = tag_in(word) == tag;
        if (!is_own && count_in(word) != 0) return Step::again;  // was taken meanwhile
        if (is_own && count_in(word) >= most) return Step::refused;
        const std::uint64_t next = (is_own ? word : tag) + 1;
        if (count.compare_exchange_weak(word, next, std::memory_order_acq_rel)) {
            return Step::entered;
        }
        // What was idle may have become another key's, and this key's count be elsewhere by now.
        if (!is_own) return Step::again;
    }
}

std::optional<InFlight::Place> InFlight::enter(std::uint64_t key, std::uint32_t most) noexcept {
    const std::uint64_t tag = tag_of(key);
    for (;;) {
        Count* const count = find(key);
        if (count == nullptr) return Place();
        switch (join(*count, tag, most)) {
            case Step::entered:
                return Place(count);
            case Step::refused:
                return std::nullopt;
            case Step::asked:
            case Step::again:
                break;
        }
    }
}

std::uint32_t InFlight::count(std::uint64_t key) const noexcept {
    const std::uint64_t tag = tag_of(key);
    for (std::size_t step = 0; step < kWindow; ++step) {
        const std::uint64_t word = counts_[place_of(key, step)].load();
        if (tag_in(word) == tag) return count_in(word);
    }
    return 0;
}

PlaceShares& InFlight::share() {
    if (own_shares_ == nullptr) {
        own_shares_ = std::make_unique<PlaceShares>(kPlaces);
        shares_.store(own_shares_.get());
    }
    return *own_shares_;
}

// The count is raised before the share is read again, and the control thread lowers the share
// before it reads the count: of what is taken back and what is entered one sees the other.
InFlight::Step InFlight::join(PlaceShares& shares, PlaceShare& share, Count& count,
                              const Ask& ask) noexcept {
    const bool is_alone = shares.is_away() || !ask.is_patient;
    const std::uint64_t tag = tag_of(ask.key);
    const PlaceShare::View view = share.view(ask.key, ask.now);
    const std::uint32_t part = is_alone ? shares.part(view, ask.most) : 0;
    const std::uint32_t most = std::min(view.granted + part, ask.most);
    if (most == 0) {
        std::uint64_t word = count.load(std::memory_order_acquire);
        if (tag_in(word) == tag) return Step::refused;
        // Its place from now on, with none in it: where its share stands.
        const bool is_idle = count_in(word) == 0;
        return is_idle && count.compare_exchange_strong(word, tag) ? Step::refused : Step::again;
    }
    const Step step = join(count, tag, most);
    if (step != Step::entered) return step;
    const std::uint32_t in_flight = count_in(count.load());
    share.note(in_flight);
    if (is_alone) {
        // For when the fleet is back: it has not heard of the key.
        if (!view.heard) share.want(shares, ask.key, ask.most, PlaceShare::Need::none);
        return step;
    }
    const std::uint32_t granted = share.granted(ask.key);
    if (in_flight > granted) {
        count.fetch_sub(1);
        return Step::again;
    }
    const bool has_more = view.rest > 0 && granted < ask.most;
    if (has_more && share.is_low(granted - in_flight, ask.now)) {
        share.want(shares, ask.key, ask.most, PlaceShare::Need::none);
    }
    return step;
}

// Has the fleet asked, where more may be had.
InFlight::Step InFlight::ask(PlaceShares& shares, PlaceShare& share, const Count& count,
                             const Ask& ask) noexcept {
    if (shares.is_away() || !ask.is_patient) return Step::refused;
    const PlaceShare::View view = share.view(ask.key, ask.now);
    const std::uint64_t word = count.load();
    const std::uint32_t in_flight = tag_in(word) == tag_of(ask.key) ? count_in(word) : 0;
    if (in_flight < std::min(view.granted, ask.most)) return Step::again;  // one left meanwhile
    if (in_flight >= ask.most || view.is_refused) return Step::refused;
    share.want(shares, ask.key, ask.most,
               ask.has_waited ? PlaceShare::Need::again : PlaceShare::Need::one);
    return Step::asked;
}

InFlight::Entered InFlight::enter(PlaceShares& shares, const Ask& ask) noexcept {
    for (;;) {
        Count* const count = find(ask.key);
        if (count == nullptr) return {Place()};
        PlaceShare& share = shares.at(static_cast<std::size_t>(count - counts_.data()));
        Step step = join(shares, share, *count, ask);
        if (step == Step::entered) return {Place(count)};
        if (step == Step::refused) step = InFlight::ask(shares, share, *count, ask);
        if (step != Step::again) return {std::nullopt, step == Step::asked};
    }
}

void ConcurrencyLimits::set(std::uint64_t key, std::uint32_t most) {
    const auto place = std::lower_bound(limits_.begin(), limits_.end(), std::pair(key, 0U));
    if (place != limits_.end() && place->first == key) {
        place->second = most;
    } else {
        limits_.insert(place, {key, most});
    }
}

std::uint32_t ConcurrencyLimits::find(std::uint64_t key, std::uint32_t otherwise) const noexcept {
    const auto place = std::lower_bound(limits_.begin(), limits_.end(), std::pair(key, 0U));
    return place != limits_.end() && place->first == key ? place->second : otherwise;
}

}  // namespace rotary::routing
