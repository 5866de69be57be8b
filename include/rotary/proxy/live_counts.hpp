#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rotary::proxy {

// Four steps for each doubling of microseconds, so a percentile is off by a fifth at the most.
inline constexpr std::size_t kOverheadSteps = 96;

constexpr std::size_t overhead_step(std::chrono::nanoseconds overhead) noexcept {
    const auto least = std::max(overhead, std::chrono::nanoseconds::zero());
    const auto us = static_cast<std::uint64_t>(least.count()) / 1000;
    if (us < 4) return us;
    const auto width = static_cast<std::size_t>(std::bit_width(us));
    return std::min(4 * (width - 2) + ((us >> (width - 3)) & 3), kOverheadSteps - 1);
}

// The least that is above all of a step, in microseconds.
constexpr std::uint64_t overhead_bound(std::size_t step) noexcept {
    if (step < 4) return step + 1;
    return (std::uint64_t{5} + step % 4) << (step / 4 - 1);
}

// Sums of one worker's requests, or of all workers'.
struct LiveSums {
    std::array<std::uint64_t, 6> by_class{};  // of statuses; [4]: 400 to 499
    std::array<std::uint64_t, kOverheadSteps> overhead{};
};

// The same while they grow. The worker counts, any thread reads; a number is whole, two of them may
// belong to different instants.
class LiveCounts {
public:
    void count(unsigned status, std::chrono::nanoseconds overhead) noexcept {
        bump(by_class_[std::min(status / 100, 5u)]);
        bump(overhead_[overhead_step(overhead)]);
    }
    void add_to(LiveSums& sums) const noexcept {
        for (std::size_t i = 0; i < by_class_.size(); ++i) {
            sums.by_class[i] += by_class_[i].load(std::memory_order_relaxed);
        }
        for (std::size_t i = 0; i < overhead_.size(); ++i) {
            sums.overhead[i] += overhead_[i].load(std::memory_order_relaxed);
        }
    }

private:
    using Cell = std::atomic<std::uint64_t>;
    // One writer: a plain add.
    static void bump(Cell& cell) noexcept {
        cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    std::array<Cell, 6> by_class_{};
    std::array<Cell, kOverheadSteps> overhead_{};
};

}  // namespace rotary::proxy
