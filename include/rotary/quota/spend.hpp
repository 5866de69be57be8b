#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/llm/usage.hpp>
#include <rotary/quota/price.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::quota {

// What spending is summed by. All time zones are apart by whole ones, so that a day of any place
// begins with one.
using QuarterHours = std::chrono::duration<std::int64_t, std::ratio<15 * 60>>;

// Whose spending it was, on what and when.
struct SpendKey {
    static constexpr std::size_t kNames = 6;
    std::int64_t quarter_hour = 0;  // since 1970, UTC
    // The consumer, the API, its environment, the provider, the model, the Backend.
    std::array<std::string_view, kNames> names;

    static std::int64_t quarter_hour_of(WallTime time) noexcept;
};

// What was used and spent, of any number of requests.
struct Spend {
    std::uint64_t requests = 0;
    std::uint64_t unpriced = 0;   // of them: no price list had their model
    std::uint64_t estimated = 0;  // of them: what they used was not told by the provider
    llm::Usage usage;             // the sums; its source means nothing
    Nanos nanos = 0;

    static Spend of(const llm::Usage& usage, std::optional<Nanos> cost) noexcept;
    Spend& operator+=(const Spend& other) noexcept;
};

// Sums by key, as many as there is room for: what comes beyond goes to consumer kOthers, and when
// there is no room for that either, to kOthers in everything but the time. So no sum is ever lost.
// Keeps its memory when cleared: a warm one allocates nothing. Single-threaded.
class SpendTable {
public:
    static constexpr std::string_view kOthers = "(others)";
    static constexpr std::size_t kLongestName = 256;  // the rest is cut off

    // False: there was no room for a sum of its own.
    bool add(const SpendKey& key, const Spend& spend, std::size_t most);
    // The number of those that found no room.
    std::size_t add_all(const SpendTable& other, std::size_t most);
    void clear() noexcept;
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    template <class Visit>
    void each(const Visit& visit) const {
        for (std::size_t i = 0; i < size_; ++i) visit(key_of(cells_[i]), cells_[i].spend);
    }

private:
    struct Cell {
        std::int64_t quarter_hour = 0;
        std::array<std::uint16_t, SpendKey::kNames> ends{};  // of the names in the text
        std::string text;
        Spend spend;
    };
    static SpendKey key_of(const Cell& cell) noexcept;
    std::size_t place(const SpendKey& key);
    bool add_to(const SpendKey& key, const Spend& spend, std::size_t most);
    void widen();

    std::vector<Cell> cells_;           // the first size_ are in use
    std::vector<std::uint32_t> index_;  // 0: free, else a cell's number and one; a power of two
    std::size_t size_ = 0;
    Cell wanted_;
};

// What one worker has spent and the ledger has not yet. The worker adds on the path without a lock
// and hands over between requests; the mutex is held for a swap.
class SpendOutbox {
public:
    // The worker's. True: it was empty before, so that a hand-over is due.
    bool add(const SpendKey& key, const Spend& spend, std::size_t most);
    // The worker's, off a request's path. True: there is something for the ledger to take. What
    // finds the last hand-over not taken yet stays, and gathers.
    bool hand_over();
    // The ledger's thread: swaps what is there with `empty`.
    void take(SpendTable& empty);
    // How many sums found no room of their own. Any thread.
    std::uint64_t crowded() const noexcept { return crowded_.load(std::memory_order_relaxed); }

private:
    SpendTable filling_;
    std::atomic<std::uint64_t> crowded_{0};
    std::mutex mutex_;
    SpendTable ready_;
};

}  // namespace rotary::quota
