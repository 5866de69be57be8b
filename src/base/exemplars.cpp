#include <rotary/base/exemplars.hpp>

namespace rotary::metrics {

void Exemplars::put(std::uint32_t cell, const Exemplar& exemplar) noexcept {
    Place& place = places_[cell % kPlaces];
    const std::uint32_t version = place.version.load(std::memory_order_relaxed);
    place.version.store(version + 1, std::memory_order_relaxed);
    // Releases keep the odd version before the words: no fence, which ThreadSanitizer can't follow.
    place.cell.store(cell, std::memory_order_release);
    place.words[0].store(exemplar.trace.high, std::memory_order_release);
    place.words[1].store(exemplar.trace.low, std::memory_order_release);
    place.words[2].store(exemplar.nanoseconds, std::memory_order_release);
    place.words[3].store(static_cast<std::uint64_t>(exemplar.at), std::memory_order_release);
    place.version.store(version + 2, std::memory_order_release);
}

std::optional<Exemplar> Exemplars::find(std::uint32_t cell) const noexcept {
    const Place& place = places_[cell % kPlaces];
    const std::uint32_t version = place.version.load(std::memory_order_acquire);
    if (version == 0 || version % 2 != 0) return std::nullopt;
    if (place.cell.load(std::memory_order_acquire) != cell) return std::nullopt;
    Exemplar found;
    found.trace.high = place.words[0].load(std::memory_order_acquire);
    found.trace.low = place.words[1].load(std::memory_order_acquire);
    found.nanoseconds = place.words[2].load(std::memory_order_acquire);
    found.at = static_cast<std::int64_t>(place.words[3].load(std::memory_order_acquire));
    if (place.version.load(std::memory_order_relaxed) != version) return std::nullopt;
    return found;
}

}  // namespace rotary::metrics
