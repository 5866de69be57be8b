#pragma once

#include <rotary/quota/window.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace rotary::quota {

class Lease;

// How a limit is kept, for one look at its counter. Amounts are of any unit: requests, tokens,
// nanodollars.
struct Terms {
    Window window;  // the one that `now` is in
    WallTime now;
    std::int64_t limit = 0;
    bool strict = false;      // what is asked for must fit; else it is enough that anything is left
    bool sliding = false;     // the window before counts for as much as it still reaches back
    bool carry_debt = false;  // what was used above the limit is taken out of the next windows
};

// What came of asking a counter.
struct Taken {
    bool admitted = false;
    std::int64_t used = 0;  // with what was taken; of a refusal, without
    WallTime window;        // where it was taken: its begin, for settle() and undo()
    WallTime free_at;       // when it is fresh again; of a refusal, when asking again makes sense
};

// How much was used of one limit, in the window that is open and in the one before. Shared by all
// workers; exact: each change is one compare-and-swap of 16 bytes, window and count together.
//
// The wall clock says which window it is; one that is stepped forwards opens a new one. A clock
// that is stepped backwards keeps the later window, whatever `Terms::window` says, so that no
// window is had twice; unless that lies more than a window and a minute ahead: then the clock was
// wrong, and the count goes on in the window of now. Counts saturate at the ends of int64 and are
// never negative.
class Counter {
public:
    Counter() = default;
    ~Counter();
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    // Takes `amount`, unless the limit is reached: then nothing.
    Taken take(const Terms& terms, std::int64_t amount) noexcept;
    // Takes it in any case, for limits that only count.
    Taken add(const Terms& terms, std::int64_t amount) noexcept;
    // `amount` was taken in the window that began at `window`, `actual` was used. While that one is
    // open the difference goes into it; else what was used beyond counts for the window of `terms`.
    void settle(const Terms& terms, WallTime window, std::int64_t amount,
                std::int64_t actual) noexcept;
    // What was taken there was never used.
    void undo(WallTime window, std::int64_t amount) noexcept;

    // As take() would find it.
    Taken look(const Terms& terms) const noexcept;
    // Begins a window with what was used of it before this process.
    void restore(WallTime window, std::int64_t used) noexcept;
    // True once a window, for whichever caller comes first: what is told of it is told once.
    bool first_warning(WallTime window) noexcept;
    // Of the latest window: its begin, and the count. Nothing was ever taken: WallTime::min().
    struct Latest {
        WallTime window;
        std::int64_t used = 0;
    };
    Latest latest() const noexcept;

    // What of the limit this replica may use; null: it is not shared.
    Lease* lease() const noexcept { return lease_.load(std::memory_order_acquire); }
    // Once, by one thread.
    void set_lease(std::unique_ptr<Lease> lease) noexcept;

private:
    struct alignas(16) Count {
        std::int64_t window;  // its begin, in the clock's ticks
        std::int64_t used;
    };
    static constexpr std::int64_t kNone = INT64_MIN;  // no window yet
    static constexpr std::size_t kNoCell = 2;
    static constexpr std::int64_t kAnyCount = INT64_MAX;

    // Where the open window stands or is to stand, and how it stands with the limit.
    struct Place {
        std::size_t cell = 0;
        Count found{};                 // there
        Count open{};                  // the same, or the window that takes its place
        std::int64_t before = 0;       // of the window before, where it still counts
        std::int64_t used = 0;         // of the limit
        std::int64_t end = 0;          // of the open window
        bool is_moved = false;         // what was found is far ahead, and counts in the open one
        bool is_before_wrong = false;  // the other cell's window is far ahead
    };
    Place place(const Terms& terms) const noexcept;
    // Where that window is, if it is the latest; else kNoCell.
    std::size_t open_cell(std::int64_t window) const noexcept;
    // Adds to the window of `terms`, if it is the latest and has less than `below`. False: it did
    // not, and why is for place() to find out.
    bool add_to_open(const Terms& terms, std::int64_t amount, std::int64_t below,
                     std::int64_t& used) noexcept;
    Count read(std::size_t cell) const noexcept;
    void forget(std::size_t cell, std::int64_t before) noexcept;  // a window behind `before`
    bool swap(std::size_t cell, const Count& found, const Count& wanted) noexcept;
    void change(std::size_t cell, std::int64_t window, std::int64_t by) noexcept;
    Taken take(const Terms& terms, std::int64_t amount, bool even_if_full) noexcept;
    static Taken refused(const Terms& terms, const Place& place) noexcept;
    static std::int64_t slid_out(const Terms& terms, const Place& place) noexcept;

    // A new window takes the place of the older of the two, or of one that a wrong clock has left
    // far ahead: so two that want to open one meet at the same cell.
    std::array<Count, 2> cells_{Count{kNone, 0}, Count{kNone, 0}};
    std::atomic<std::int64_t> warned_{kNone};  // the window's begin
    std::atomic<Lease*> lease_{nullptr};       // owned
};

}  // namespace rotary::quota
