#include <rotary/routing/in_flight.hpp>

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

// Never 0, which is the tag of a place that was never used.
std::uint64_t InFlight::tag_of(std::uint64_t key) noexcept {
    return (key & ~kCounts) | std::uint64_t{1} << kCountBits;
}

// A place that was never used ends the look: none of this key can be behind it, since the first of
// these is taken before any that is idle.
InFlight::Count* InFlight::find(std::uint64_t key) noexcept {
    const std::uint64_t tag = tag_of(key);
    Count* idle = nullptr;
    for (std::size_t step = 0; step < kWindow; ++step) {
        Count& count = counts_[place_of(key, step)];
        const std::uint64_t word = count.load(std::memory_order_acquire);
        if (word == 0 || (word & ~kCounts) == tag) return &count;
        if (idle == nullptr && (word & kCounts) == 0) idle = &count;
    }
    return idle;
}

InFlight::Step InFlight::join(Count& count, std::uint64_t tag, std::uint32_t most) noexcept {
    std::uint64_t word = count.load(std::memory_order_acquire);
    for (;;) {
        const bool is_own = (word & ~kCounts) == tag;
        if (!is_own && (word & kCounts) != 0) return Step::again;  // was taken meanwhile
        if (is_own && (word & kCounts) >= most) return Step::refused;
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
            case Step::again:
                break;
        }
    }
}

std::uint32_t InFlight::count(std::uint64_t key) const noexcept {
    const std::uint64_t tag = tag_of(key);
    for (std::size_t step = 0; step < kWindow; ++step) {
        const std::uint64_t word = counts_[place_of(key, step)].load(std::memory_order_acquire);
        if ((word & ~kCounts) == tag) return static_cast<std::uint32_t>(word & kCounts);
    }
    return 0;
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
