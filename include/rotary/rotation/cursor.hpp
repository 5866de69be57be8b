#pragma once

#include <rotary/rotation/order.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace rotary::rotation {

// A periodic order and the place in it. Shared by all workers; lives as long as its Cursor.
class Order {
public:
    Order(std::span<const std::uint16_t> places, std::uint64_t active, std::uint64_t position = 0)
        : places_(places), active_(active), position_(position) {}

    std::size_t take() noexcept {
        return places_[position_.fetch_add(1, std::memory_order_relaxed) % places_.size()];
    }
    std::uint64_t active() const noexcept { return active_; }  // the first word of its set
    double progress() const noexcept;                          // of the period, in [0, 1)

private:
    const std::span<const std::uint16_t> places_;
    const std::uint64_t active_;
    std::atomic<std::uint64_t> position_;
};

// Whose turn it is, for each set of active entries. Shared by all workers; outlives snapshots, so
// that a reload keeps positions.
//
// While the set stays the same a pick is one fetch_add into a periodic order, so any run of as many
// picks as the active entries' weights add up to holds each exactly its weight times, whichever
// workers picked. Three kinds of orders:
// - All entries have the smooth order, and so has each set of a list of up to 64. When the set
//   changes, picks move to that set's own order, at the place where it was left: the ones that stay
//   keep their proportions from the first pick on, and one that returns gets its share, no burst.
// - The sets of a longer list share the order of all, with a place of their own: who picks passes
//   over the missing ones, of which each round then has none and of the others all turns.
// - Where neither is to be had (weights that add up to more than is kept, sets beyond number, most
//   entries missing) turns are computed, under a lock, as exactly.
class Cursor {
public:
    // `progress` in [0, 1) says where in the period to begin: a changed list goes on about where
    // the old one was, so that frequent edits don't favour its first entry.
    explicit Cursor(std::vector<std::uint32_t> weights, double progress = 0.0);

    // The order for `active`, in which others may stand that have to be passed over. Null when its
    // turns are computed. Locks.
    Order* order(EntrySet active);
    std::size_t next_due(EntrySet active) noexcept;  // a computed turn; locks

    // The next entry among `active`, which must not be empty. Locks only when the set is another
    // one than at the last pick, and for lists of more than 64.
    std::size_t next(EntrySet active) noexcept;
    // For a request's second try: exact among these alone, so that the entries which share out what
    // others failed at get no more than their due, whatever the first ones' order. Locks.
    std::size_t next_other(EntrySet active) noexcept;

    const std::vector<std::uint32_t>& weights() const noexcept { return weights_; }
    EntrySet all() const noexcept { return all_; }  // with a weight
    double progress() const noexcept;               // of the full set's period, in [0, 1)

private:
    Order* own_order(std::uint64_t active);
    bool is_most(EntrySet active) const noexcept;

    // What is kept (two bytes a place), and the work of an order that a pick may have to wait for.
    static constexpr OrderBounds kMost{100'000, 1'000'000};
    static constexpr std::size_t kMaxPlaces = 4'194'304;  // of all orders together
    static constexpr std::size_t kMaxOrders = 4096;       // 64 flapping entries have 2^64 sets
    static constexpr std::uint64_t kMaxPasses = 64;       // a pick, on average

    std::vector<std::uint32_t> weights_;
    std::vector<std::uint64_t> all_;
    std::vector<std::uint16_t> places_;  // of all_; empty: too many
    std::unique_ptr<Order> full_;        // null with them
    std::unique_ptr<Order> rest_;        // the same places, for sets without an order of their own
    std::atomic<Order*> current_{nullptr};

    mutable std::mutex mutex_;  // of what follows
    DueTurns due_;
    DueTurns others_;
    struct OwnOrder {
        OwnOrder(std::vector<std::uint16_t> made, std::uint64_t active)
            : places(std::move(made)), order(places, active) {}
        std::vector<std::uint16_t> places;
        Order order;
    };
    // By set; null where it is too long to keep. Only grows: picks hold pointers into it.
    std::map<std::uint64_t, std::unique_ptr<OwnOrder>> orders_;
    std::size_t kept_places_ = 0;
};

}  // namespace rotary::rotation
