#include <rotary/quota/counter.hpp>

#include <rotary/quota/lease.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace rotary::quota {

namespace {

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

std::int64_t ticks(WallTime time) noexcept { return time.time_since_epoch().count(); }
WallTime time_of(std::int64_t ticks) noexcept { return WallTime(WallTime::duration(ticks)); }

std::int64_t sum(std::int64_t one, std::int64_t other) noexcept {
    std::int64_t result = 0;
    if (!__builtin_add_overflow(one, other, &result)) return result;
    return one > 0 ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
}

std::int64_t difference(std::int64_t one, std::int64_t other) noexcept {
    std::int64_t result = 0;
    if (!__builtin_sub_overflow(one, other, &result)) return result;
    return one > 0 ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
}

// amount * part / whole, of numbers that are not negative and part <= whole.
std::int64_t share(std::int64_t amount, std::int64_t part, std::int64_t whole) noexcept {
    if (whole <= 0) return 0;
    return static_cast<std::int64_t>(static_cast<SignedWide>(amount) * part / whole);
}

// The counted window's length, and where it ends: all windows of one counter are as long, but for
// a calendar's, of which only the open one is asked.
std::int64_t length_of(const Terms& terms) noexcept { return terms.window.length().count(); }

std::int64_t end_of(const Terms& terms, std::int64_t window) noexcept {
    return window == ticks(terms.window.begin) ? ticks(terms.window.end)
                                               : sum(window, length_of(terms));
}

// Further than any request is behind the others: only a clock that was stepped back leaves a window
// there.
constexpr std::int64_t kMostBehind =
    std::chrono::ceil<WallTime::duration>(std::chrono::minutes(1)).count();

bool is_far_ahead(const Terms& terms, std::int64_t window) noexcept {
    const std::int64_t length = length_of(terms);
    return length > 0 && difference(window, ticks(terms.window.begin)) > sum(length, kMostBehind);
}

// What of a past window's count is still to be paid for when a later one begins: each window
// between pays the limit.
std::int64_t debt(const Terms& terms, std::int64_t past, std::int64_t used) noexcept {
    if (!terms.carry_debt || terms.limit < 0) return 0;
    const std::int64_t apart = difference(ticks(terms.window.begin), past);
    const std::int64_t windows =
        std::max<std::int64_t>(1, apart / std::max<std::int64_t>(1, length_of(terms)));
    const SignedWide paid = static_cast<SignedWide>(terms.limit) * windows;
    return paid >= used ? 0 : used - static_cast<std::int64_t>(paid);
}

}  // namespace

Counter::~Counter() { delete lease_.load(); }

void Counter::set_lease(std::unique_ptr<Lease> lease) noexcept {
    lease_.store(lease.release(), std::memory_order_release);
}

Counter::Count Counter::read(std::size_t cell) const noexcept {
    // The same window before and behind, and the count is its own: windows become later, but for a
    // clock that is stepped back, and what is changed is compared whole.
    const Count& count = cells_[cell];
    std::int64_t window = __atomic_load_n(&count.window, __ATOMIC_ACQUIRE);
    for (;;) {
        const std::int64_t used = __atomic_load_n(&count.used, __ATOMIC_ACQUIRE);
        const std::int64_t again = __atomic_load_n(&count.window, __ATOMIC_ACQUIRE);
        if (again == window) return {window, used};
        window = again;
    }
}

bool Counter::swap(std::size_t cell, const Count& found, const Count& wanted) noexcept {
    Wide from = 0;
    Wide to = 0;
    static_assert(sizeof(Wide) == sizeof(Count));
    std::memcpy(&from, &found, sizeof from);
    std::memcpy(&to, &wanted, sizeof to);
    return __sync_bool_compare_and_swap(reinterpret_cast<Wide*>(&cells_[cell]), from, to);
}

void Counter::forget(std::size_t cell, std::int64_t before) noexcept {
    const Count found = read(cell);
    if (found.window > before) swap(cell, found, {kNone, 0});
}

Counter::Place Counter::place(const Terms& terms) const noexcept {
    const std::array<Count, 2> counts{read(0), read(1)};
    const std::int64_t wanted = ticks(terms.window.begin);
    std::size_t latest = counts[0].window >= counts[1].window ? 0 : 1;
    if (counts[latest].window == wanted && !terms.sliding) {  // as nearly always
        Place place{latest, counts[latest], counts[latest]};
        place.end = ticks(terms.window.end);
        place.used = place.open.used;
        return place;
    }
    Count before = counts[1 - latest];
    const bool is_wrong = is_far_ahead(terms, counts[latest].window);
    const bool is_before_wrong = is_far_ahead(terms, before.window);
    const bool goes_on = is_wrong && !is_before_wrong && before.window != kNone &&
                         sum(before.window, length_of(terms)) >= wanted;
    if (goes_on) {
        latest = 1 - latest;
        before = {kNone, 0};
    }
    Place place{latest, counts[latest], counts[latest]};
    place.is_before_wrong = is_before_wrong;
    place.is_moved = is_wrong && !goes_on;
    if (place.is_moved) place.open.window = wanted;
    if (place.open.window < wanted) {
        before = place.open;
        const bool was_used = before.window != kNone;
        place.cell = 1 - latest;
        place.found = counts[place.cell];
        place.open = {wanted, was_used ? debt(terms, before.window, before.used) : 0};
    }
    place.end = end_of(terms, place.open.window);
    place.used = place.open.used;
    const bool reaches_back = terms.sliding && before.window != kNone &&
                              sum(before.window, length_of(terms)) == place.open.window;
    if (reaches_back) {
        const std::int64_t left = difference(place.end, ticks(terms.now));
        place.before = before.used;
        place.used =
            sum(place.used, share(before.used, std::clamp<std::int64_t>(left, 0, length_of(terms)),
                                  length_of(terms)));
    }
    return place;
}

std::size_t Counter::open_cell(std::int64_t window) const noexcept {
    const std::int64_t first = __atomic_load_n(&cells_[0].window, __ATOMIC_ACQUIRE);
    const std::int64_t second = __atomic_load_n(&cells_[1].window, __ATOMIC_ACQUIRE);
    if (first == window) return second <= window ? 0 : kNoCell;
    return second == window && first < window ? 1 : kNoCell;
}

// What place() would find, without asking it: the window of `terms` is the latest, as nearly
// always. A count that is another's by now fails the swap.
bool Counter::add_to_open(const Terms& terms, std::int64_t amount, std::int64_t below,
                          std::int64_t& used) noexcept {
    const std::int64_t window = ticks(terms.window.begin);
    const std::size_t cell = open_cell(window);
    if (cell == kNoCell) return false;
    const std::int64_t found = __atomic_load_n(&cells_[cell].used, __ATOMIC_ACQUIRE);
    if (found >= below) return false;
    used = sum(found, amount);
    return swap(cell, {window, found}, {window, std::max<std::int64_t>(0, used)});
}

Taken Counter::refused(const Terms& terms, const Place& place) noexcept {
    const bool slides = terms.sliding && !terms.strict && terms.limit > 0;
    const std::int64_t at = slides ? slid_out(terms, place) : place.end;
    return {false, place.used, time_of(place.open.window), time_of(at)};
}

// When less than the limit is left of what was used, if nothing more is taken.
std::int64_t Counter::slid_out(const Terms& terms, const Place& place) noexcept {
    const std::int64_t length = length_of(terms);
    const bool in_next = place.open.used >= terms.limit;  // then this one must slide out too
    const std::int64_t room = in_next ? terms.limit : terms.limit - place.open.used;
    const std::int64_t slides = in_next ? place.open.used : place.before;
    const std::int64_t reach = slides < room ? length : share(length, room, slides);
    return difference(in_next ? sum(place.end, length) : place.end,
                      std::max<std::int64_t>(0, reach - 1));
}

Taken Counter::take(const Terms& terms, std::int64_t amount, bool even_if_full) noexcept {
    for (;;) {
        const Place place = this->place(terms);
        const bool fits =
            terms.strict ? sum(place.used, amount) <= terms.limit : place.used < terms.limit;
        const bool is_refused = !fits && !even_if_full;
        if (is_refused && !place.is_moved) return refused(terms, place);
        const std::int64_t taken = is_refused ? 0 : amount;
        const Count wanted{place.open.window,
                           std::max<std::int64_t>(0, sum(place.open.used, taken))};
        // The older one first: else it would be the latest.
        if (place.is_before_wrong) forget(1 - place.cell, place.open.window);
        if (!swap(place.cell, place.found, wanted)) continue;
        if (is_refused) return refused(terms, place);
        return {fits, sum(place.used, amount), time_of(place.open.window), time_of(place.end)};
    }
}

Taken Counter::take(const Terms& terms, std::int64_t amount) noexcept {
    std::int64_t used = 0;
    const bool is_plain = !terms.sliding && !terms.strict;
    if (is_plain && add_to_open(terms, amount, terms.limit, used)) {
        return {true, used, terms.window.begin, terms.window.end};
    }
    return take(terms, amount, false);
}

Taken Counter::add(const Terms& terms, std::int64_t amount) noexcept {
    return take(terms, amount, true);
}

void Counter::change(std::size_t cell, std::int64_t window, std::int64_t by) noexcept {
    for (;;) {
        const Count found = read(cell);
        if (found.window != window) return;
        if (swap(cell, found, {window, std::max<std::int64_t>(0, sum(found.used, by))})) return;
    }
}

void Counter::settle(const Terms& terms, WallTime window, std::int64_t amount,
                     std::int64_t actual) noexcept {
    const std::int64_t more = difference(actual, amount);
    if (more == 0) return;
    std::int64_t used = 0;
    const bool is_open = window == terms.window.begin;
    if (is_open && add_to_open(terms, more, kAnyCount, used)) return;
    for (;;) {
        const Place place = this->place(terms);
        const bool is_later = place.open.window != ticks(window);
        if (is_later && more < 0) return;
        const Count wanted{place.open.window,
                           std::max<std::int64_t>(0, sum(place.open.used, more))};
        if (swap(place.cell, place.found, wanted)) return;
    }
}

void Counter::undo(WallTime window, std::int64_t amount) noexcept {
    change(0, ticks(window), difference(0, amount));
    change(1, ticks(window), difference(0, amount));
}

Taken Counter::look(const Terms& terms) const noexcept {
    const Place place = this->place(terms);
    if (place.used >= terms.limit) return refused(terms, place);
    return {true, place.used, time_of(place.open.window), time_of(place.end)};
}

void Counter::restore(WallTime window, std::int64_t used) noexcept {
    const Terms terms{{window, window}, window, 0};
    for (;;) {
        const Place place = this->place(terms);
        if (place.open.window != ticks(window)) return;  // a later one is open already
        const Count wanted{place.open.window, std::max<std::int64_t>(0, used)};
        if (swap(place.cell, place.found, wanted)) return;
    }
}

bool Counter::first_warning(WallTime window) noexcept {
    std::int64_t warned = warned_.load(std::memory_order_relaxed);
    return warned < ticks(window) && warned_.compare_exchange_strong(warned, ticks(window));
}

Counter::Latest Counter::latest() const noexcept {
    const Count one = read(0);
    const Count other = read(1);
    const Count& later = one.window >= other.window ? one : other;
    return {time_of(later.window), later.used};
}

}  // namespace rotary::quota
