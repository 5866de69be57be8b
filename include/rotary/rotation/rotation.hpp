#pragma once

#include <rotary/rotation/suspension.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace rotary::rotation {

// A list holds at most this many entries, so that a set of them is one word.
inline constexpr std::size_t kMaxEntries = 64;
using EntrySet = std::uint64_t;  // bit i: entry i of the list

// The smooth weighted order of one period (nginx's algorithm): 3:1 gives A A B A, 5:3:2 gives
// A B C A A B A C B A. `weights` are divided by their greatest common divisor first; entries that
// are not in `active` or weigh 0 are left out. O(period x entries).
std::vector<std::uint16_t> smooth_order(std::span<const std::uint32_t> weights, EntrySet active);

// The same for periods of any length, place by place and without a table: each of an entry's turns
// has its due time, the k-th of w at (k + 1/2) / w of the period, and turns come in the order of
// those times. Exact as the other is, and smooth: after any p picks an entry is within one turn for
// each entry on the list of its share.
class DueTimes {
public:
    DueTimes(std::span<const std::uint32_t> weights, EntrySet active);
    std::uint64_t period() const noexcept { return period_; }
    // The entry at the place, below period(). O(entries^2) at worst; no allocation.
    std::size_t at(std::uint64_t place) const noexcept;

private:
    struct Runner {
        std::uint16_t entry;
        std::uint64_t weight;
    };
    std::vector<Runner> runners_;
    std::uint64_t period_ = 0;
};

// The place in the order, for each set of active entries that ever was. Shared by all workers;
// outlives snapshots, so that a reload keeps positions.
//
// While the set stays the same a pick is one fetch_add into a periodic order, so any run of
// `period` picks holds each entry exactly its weight times, whichever workers picked. When the set
// changes, picks move to that set's own order, at the place where it was left: the ones that stay
// keep their proportions from the first pick on, and one that returns gets its share and no burst.
class Cursor {
public:
    // `progress` in [0, 1) says where in the period to begin: a changed list goes on about where
    // the old one was, so that frequent edits don't favour its first entry.
    explicit Cursor(std::vector<std::uint32_t> weights, double progress = 0.0);

    // The next entry among `active`, which must not be empty. Locks only when the set is another
    // one than at the last pick.
    std::size_t next(EntrySet active) noexcept;
    // The same without making `active` the set that is expected next: for a request's second try.
    std::size_t next_once(EntrySet active) noexcept;

    const std::vector<std::uint32_t>& weights() const noexcept { return weights_; }
    EntrySet all() const noexcept { return all_ == nullptr ? 0 : all_->active; }
    double progress() const noexcept;  // of the full set's period, in [0, 1)

private:
    struct Schedule {
        Schedule(std::span<const std::uint32_t> weights, EntrySet entries)
            : active(entries), due(weights, entries) {}
        EntrySet active;
        DueTimes due;
        std::vector<std::uint16_t> order;  // of the period; empty where that is too long to keep
        std::atomic<std::uint64_t> position{0};
        std::size_t take() noexcept {
            const std::uint64_t place =
                position.fetch_add(1, std::memory_order_relaxed) % due.period();
            return order.empty() ? due.at(place) : order[place];
        }
    };
    Schedule* schedule(EntrySet active);
    std::size_t skip(EntrySet active) noexcept;

    // 64 flapping entries have 2^64 sets: beyond so many schedules the full order is used, the
    // missing entries skipped, which is near the proportions and not exact. Orders are kept (two
    // bytes a place) up to so many places, each and together, and computed beyond.
    static constexpr std::size_t kMaxSchedules = 4096;
    static constexpr std::size_t kMaxPeriod = 100'000;
    static constexpr std::size_t kMaxPlaces = 4'194'304;

    std::vector<std::uint32_t> weights_;
    Schedule* all_ = nullptr;
    std::atomic<Schedule*> current_{nullptr};
    std::mutex mutex_;  // of schedules_, which only grows: a Schedule lives as long as the Cursor
    std::size_t places_ = 0;  // of all schedules' orders together
    std::map<EntrySet, std::unique_ptr<Schedule>> schedules_;
};

// One environment's list of one API, as the path uses it: immutable but for the shared states
// behind it. An entry is known here by its index on the list.
class Rotation {
public:
    struct Pick {
        std::size_t entry = 0;
        bool probe = false;  // the caller owes the entry's state a verdict
    };

    Rotation(std::shared_ptr<Cursor> cursor, std::vector<std::shared_ptr<EntryState>> states,
             const EntryState::Limits& limits);

    // The entry for the next try, or nothing when all that were not `tried` are out. A list with
    // only zero weights has no entry at all.
    std::optional<Pick> pick(SteadyTime now, EntrySet tried) const noexcept;

    // Whether pick() would find one now.
    bool has_other(SteadyTime now, EntrySet tried) const noexcept;
    // When the soonest suspended entry returns; SteadyTime::max() when none is suspended.
    SteadyTime soonest_return(SteadyTime now) const noexcept;
    // Whether every entry with a weight is out for want of quota, not for failing.
    bool all_out_for_quota(SteadyTime now) const noexcept;

    EntryState& state(std::size_t entry) const noexcept { return *states_[entry]; }
    const EntryState::Limits& limits() const noexcept { return limits_; }
    std::size_t size() const noexcept { return states_.size(); }

private:
    bool listed(std::size_t entry) const noexcept { return cursor_->weights()[entry] != 0; }

    std::shared_ptr<Cursor> cursor_;
    std::vector<std::shared_ptr<EntryState>> states_;
    EntryState::Limits limits_;
};

}  // namespace rotary::rotation
