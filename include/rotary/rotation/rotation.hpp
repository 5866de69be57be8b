#pragma once

#include <rotary/rotation/cursor.hpp>
#include <rotary/rotation/entry_set.hpp>
#include <rotary/rotation/outlook.hpp>
#include <rotary/rotation/suspension.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace rotary::rotation {

// One environment's list of one API, as the path uses it: immutable but for the shared states
// behind it. An entry is known here by its index on the list. Shared by all workers.
//
// As long as no entry changes and no suspension ends, a pick asks none of them, however many there
// are: the entries end the outlook when they change, and the next pick looks at all.
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
    std::optional<Pick> pick(SteadyTime now, const Tried& tried) const noexcept;

    // Whether pick() would find one now.
    bool has_other(SteadyTime now, const Tried& tried) const noexcept;
    // When the soonest suspended entry returns; SteadyTime::max() when none is suspended.
    SteadyTime soonest_return(SteadyTime now) const noexcept;
    // Whether every entry with a weight is out for want of quota, not for failing.
    bool all_out_for_quota(SteadyTime now) const noexcept;

    // The same entries by another cursor, as long: those that weigh nothing in it are never picked.
    Rotation narrowed(std::shared_ptr<Cursor> cursor) const {
        return Rotation(std::move(cursor), states_, limits_);
    }

    // Whether the entry is ever picked here: those that weigh nothing are not.
    bool lists(std::size_t entry) const noexcept { return listed(entry); }
    EntryState& state(std::size_t entry) const noexcept { return *states_[entry]; }
    const std::shared_ptr<EntryState>& shared_state(std::size_t entry) const noexcept {
        return states_[entry];
    }
    const EntryState::Limits& limits() const noexcept { return limits_; }
    std::size_t size() const noexcept { return states_.size(); }

private:
    // What the last look found, for the picks that follow: they read the order first and then
    // whether the entry is active, and it is written the other way round, so that a pick which
    // finds an order and a set of two looks goes on to the newer order.
    struct Known {
        explicit Known(std::size_t words) : active(words), found(words) {}
        std::shared_ptr<Outlook> outlook = std::make_shared<Outlook>();
        std::atomic<Order*> order{nullptr};
        std::vector<std::atomic<std::uint64_t>> active;
        std::mutex looking;
        std::vector<std::uint64_t> found;  // by the look that goes on
    };

    bool listed(std::size_t entry) const noexcept { return cursor_->weights()[entry] != 0; }
    std::optional<Pick> look(SteadyTime now, const Tried& tried) const noexcept;
    std::optional<Pick> find_active(SteadyTime now, const Tried& tried, SteadyTime& until) const;
    Pick take(Order* order) const noexcept;  // of those that were found
    void publish(Order* order, SteadyTime until) const noexcept;

    std::shared_ptr<Cursor> cursor_;
    std::vector<std::shared_ptr<EntryState>> states_;
    EntryState::Limits limits_;
    std::unique_ptr<Known> known_;
};

}  // namespace rotary::rotation
