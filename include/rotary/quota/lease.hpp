#pragma once

#include <rotary/quota/counter_table.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rotary::quota {

class LeaseDesk;

// What the fleet is asked for a counter: the limit's window and amount, and how it is kept.
struct LeaseTerms {
    Window window;
    std::int64_t amount = 0;
    bool sliding = false;
    bool carry_debt = false;
    bool is_money = false;  // what was spent outlives the process
};

// What a fleet has left this replica of one limit, while replicas share it: so much of the window
// was granted here, and so much was left for all when that was said. Hangs on its Counter, which
// says what of it was used. Shared by all workers, who read it without a lock; the control thread
// alone grants.
//
// While it is due it belongs to the control thread: a worker that finds it low hands it over once,
// and again only when it was answered.
class Lease {
public:
    // `name` says what is counted and for whom, among all that the fleet counts.
    Lease(LeaseDesk& desk, const Counter& counter, std::string name)
        : desk_(desk), counter_(counter), name_(std::move(name)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    LeaseDesk& desk() const noexcept { return desk_; }
    const std::string& name() const noexcept { return name_; }

    // What was last heard of one window. Not heard: nothing is granted yet.
    struct View {
        bool heard = false;
        std::int64_t granted = 0;
        std::int64_t rest = 0;  // for all replicas; of a limit that is overdrawn negative
    };
    View view(WallTime window) const noexcept;
    // So little is left of what was granted that more is asked for.
    std::int64_t low() const noexcept { return low_.load(std::memory_order_relaxed); }
    // Of a window in which nothing is left for any replica: when to ask the fleet again, and when
    // the limit has room again by itself.
    WallTime ask_again() const noexcept { return time_of(ask_again_); }
    WallTime free_at() const noexcept { return time_of(free_at_); }

    // Hands it to the control thread, unless it is there already. `need` is what a request misses
    // that can't be admitted; 0: none waits. Any worker that holds the counter.
    void want(const std::shared_ptr<Family>& family, KeyedCounter* keyed, const LeaseTerms& terms,
              std::int64_t need) noexcept {
        hand_in(family, keyed, {terms, need, true});
    }
    // The same, to hear what is left for all: nothing more is wanted.
    void ask_what_is_left(const std::shared_ptr<Family>& family, KeyedCounter* keyed,
                          const LeaseTerms& terms) noexcept {
        hand_in(family, keyed, {terms, 0, false});
    }

    // The control thread's, while it is due.
    struct Wanted {
        LeaseTerms terms;
        std::int64_t need = 0;
        bool asks_for_more = false;
    };
    const Wanted& wanted() const noexcept { return wanted_; }
    // What was used of that window here.
    std::int64_t used(WallTime window) const noexcept;
    WallTime latest() const noexcept { return counter_.latest().window; }
    struct Grant {
        std::int64_t granted = 0;
        std::int64_t rest = 0;
        std::int64_t low = 0;
        WallTime ask_again;
        WallTime free_at;
    };
    void grant(WallTime window, const Grant& grant) noexcept;
    // Nothing above `granted` may be taken from now on.
    void lower(std::int64_t granted) noexcept { granted_.store(granted); }
    bool seize() noexcept { return !due_.exchange(true); }  // false: it is due already
    void answered() noexcept { due_.store(false); }
    bool is_held() const noexcept { return hold_.family != nullptr; }
    // What keeps the counter, and so this, alive. Gives it away: this may be gone right after.
    struct Hold {
        std::shared_ptr<Family> family;
        HeldCounter keyed;
    };
    Hold let_go() noexcept { return std::exchange(hold_, {}); }

private:
    friend class LeaseDesk;
    void hand_in(const std::shared_ptr<Family>& family, KeyedCounter* keyed,
                 const Wanted& wanted) noexcept;
    static constexpr std::int64_t kUnheard = std::numeric_limits<std::int64_t>::min();
    static WallTime time_of(const std::atomic<std::int64_t>& ticks) noexcept {
        return WallTime(WallTime::duration(ticks.load(std::memory_order_relaxed)));
    }

    LeaseDesk& desk_;
    const Counter& counter_;
    const std::string name_;
    std::atomic<std::int64_t> window_{kUnheard};  // its begin, in the clock's ticks
    std::atomic<std::int64_t> granted_{0};
    std::atomic<std::int64_t> rest_{kUnheard};
    std::atomic<std::int64_t> low_{0};
    std::atomic<std::int64_t> ask_again_{0};
    std::atomic<std::int64_t> free_at_{0};
    std::atomic<bool> due_{false};
    Wanted wanted_;  // of those who made it due, like the rest
    Hold hold_;
    Lease* next_ = nullptr;
};

}  // namespace rotary::quota
