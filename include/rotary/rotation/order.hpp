#pragma once

#include <rotary/rotation/entry_set.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rotary::rotation {

// The smooth weighted order of one period (nginx's algorithm): 3:1 gives A A B A, 5:3:2 gives
// A B C A A B A C B A. `weights` are divided by their greatest common divisor first; entries that
// are not in `active` or weigh 0 are left out. Of entries that weigh the same only the next one is
// looked at, so the work is the period's length times the different weights. Empty when no entry is
// left, or when it would take more than `most`.
struct OrderBounds {
    std::uint64_t places = UINT64_MAX;
    std::uint64_t steps = UINT64_MAX;
};
std::vector<std::uint16_t> smooth_order(std::span<const std::uint32_t> weights, EntrySet active,
                                        const OrderBounds& most = {});

// Turns without a table, for weights of any size and whichever entries are there: an entry of
// weight w has a turn each 1/w of a round, the first when half of that has passed; turns come in
// the order of their times, equal ones by the list. So for as long as the same entries are there
// each run of as many turns as their weights add up to holds each exactly its weight times. One
// that was away has nothing to catch up on. O(active entries) a turn; one thread at a time.
class DueTurns {
public:
    // Begins at `progress` of a round, in [0, 1).
    explicit DueTurns(std::span<const std::uint32_t> weights, double progress = 0.0);

    // The entry among `active` whose turn it is; one of them must have a weight, and none be beyond
    // the weights. No allocation.
    std::size_t take(EntrySet active) noexcept;
    double progress() const noexcept;  // of the round, in [0, 1)

private:
    struct Time {  // of a round
        std::uint64_t number;
        std::uint64_t of;
    };
    struct Runner {
        std::uint64_t weight;
        std::uint64_t turn = 0;  // the next one's number, of this round or of a later one
    };
    static constexpr Time kNever{1, 0};
    static bool is_before(const Time& a, const Time& b) noexcept;
    static Time due(const Runner& runner) noexcept;
    bool is_ahead(std::size_t entry) const noexcept;
    void catch_up(std::size_t entry) noexcept;
    void begin_rounds() noexcept;

    std::vector<Runner> runners_;
    std::vector<std::uint64_t> ahead_;  // those that were there at the last turn: none lags behind
    Time last_;                         // when the last turn was due
    std::size_t after_ = 0;             // entries before this one have had a turn of that time
};

}  // namespace rotary::rotation
