#include <rotary/quota/consumer_use.hpp>

#include <algorithm>
#include <new>

namespace rotary::quota {

ConsumerUse::ConsumerUse()
    : seed_(random_hash_seed()), places_(std::make_unique<Place[]>(kPlaces)) {}

ConsumerUse::~ConsumerUse() {
    for (std::size_t i = 0; i < kPlaces; ++i) delete places_[i].name.load();
}

Use ConsumerUse::read(const Sums& sums) noexcept {
    const auto at = [&](std::size_t i) { return sums.of[i].load(std::memory_order_relaxed); };
    return {at(0), at(1), at(2), at(3), at(4)};
}

void ConsumerUse::add_to(Sums& sums, const Use& use) noexcept {
    const std::array<std::uint64_t, 5> more{use.requests, use.refused, use.input, use.output,
                                            use.nanos};
    for (std::size_t i = 0; i < more.size(); ++i) {
        if (more[i] != 0) sums.of[i].fetch_add(more[i], std::memory_order_relaxed);
    }
}

// The place is its consumer's from the moment its hash is there; who comes before the name does
// takes an equal hash of 64 bits for an equal name.
bool ConsumerUse::settle_in(Place& place, std::uint64_t hash, std::string_view consumer) noexcept {
    auto* const name = new (std::nothrow) std::string;
    if (name == nullptr) return false;
    try {
        name->assign(consumer);
    } catch (const std::bad_alloc&) {
        delete name;
        return false;
    }
    std::uint64_t free = 0;
    if (!place.hash.compare_exchange_strong(free, hash, std::memory_order_acq_rel)) {
        delete name;
        return false;
    }
    place.name.store(name, std::memory_order_release);
    return true;
}

// There are more than three places for each consumer that may come: the look ends.
ConsumerUse::Sums& ConsumerUse::find(std::string_view consumer) noexcept {
    const std::uint64_t hash = std::max<std::uint64_t>(seeded_hash(consumer, seed_), 1);
    for (std::size_t step = 0; step < kPlaces;) {
        Place& place = places_[(hash + step) % kPlaces];
        const std::uint64_t there = place.hash.load(std::memory_order_acquire);
        if (there == hash) {
            const std::string* name = place.name.load(std::memory_order_acquire);
            if (name == nullptr || *name == consumer) return place.sums;
        }
        if (there != 0) {
            ++step;
            continue;
        }
        const std::size_t most = std::min(most_.load(std::memory_order_relaxed), kMost);
        if (size_.fetch_add(1, std::memory_order_relaxed) >= most) break;
        if (settle_in(place, hash, consumer)) return place.sums;
        size_.fetch_sub(1, std::memory_order_relaxed);
        if (place.hash.load(std::memory_order_acquire) == 0) return others_;  // no memory
    }
    size_.fetch_sub(1, std::memory_order_relaxed);
    return others_;
}

void ConsumerUse::add(std::string_view consumer, const Use& use) noexcept {
    const bool is_other = consumer.size() > kLongestName || consumer == kOthers;
    add_to(is_other ? others_ : find(consumer), use);
}

std::size_t ConsumerUse::size() const noexcept {
    return std::min(size_.load(std::memory_order_relaxed), kMost);
}

void ConsumerUse::each(const Visit& visit) const {
    for (std::size_t i = 0; i < kPlaces; ++i) {
        const std::string* name = places_[i].name.load(std::memory_order_acquire);
        if (name != nullptr) visit(*name, read(places_[i].sums));
    }
}

}  // namespace rotary::quota
