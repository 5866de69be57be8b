#pragma once

#include <cstdint>

namespace rotary::routing {

// A count of requests in flight, or of places that are granted, and whose it is, in one word.
constexpr unsigned kCountBits = 24;  // the others are its key's
constexpr std::uint64_t kCounts = (std::uint64_t{1} << kCountBits) - 1;

// Never 0, which is the tag of a place that was never used.
constexpr std::uint64_t tag_of(std::uint64_t key) noexcept {
    return (key & ~kCounts) | std::uint64_t{1} << kCountBits;
}
constexpr std::uint64_t tag_in(std::uint64_t word) noexcept { return word & ~kCounts; }
constexpr std::uint32_t count_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & kCounts);
}

}  // namespace rotary::routing
