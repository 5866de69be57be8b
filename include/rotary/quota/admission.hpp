#pragma once

#include <rotary/quota/limit.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rotary::quota {

// Why a request was not admitted: the limit that is free again latest of those that were reached.
struct Reached {
    const Limit* limit = nullptr;
    std::int64_t used = 0;
    WallTime free_at;
    bool never = false;  // what it asks for is more than the whole limit: strict admission
};

// How one class of limits stands, of the tightest one: what a client is told.
struct Standing {
    const Limit* limit = nullptr;  // null: none is of this class
    std::int64_t remaining = 0;
    WallTime reset;
};

// What one exchange holds of its limits: taken at once, settled exactly once. Owned by its
// exchange, on one thread; the counters are all workers'. The limits must outlive it.
//
//     admission.ask(limit, counter, amount, now)      for each limit
//     if (admission.reached()) admission.undo();       nothing was taken
//     ...
//     admission.settle(used, now);                     or undo()
class Admission {
public:
    static constexpr std::size_t kMost = 16;  // limits of one exchange

    Admission() = default;
    ~Admission() { undo(); }
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    // Takes `amount` of a limit with one counter, or of `counter`. With all of kMost taken there is
    // no way to keep account of more, and the limit counts as reached. True: taken.
    bool ask(const Limit& limit, std::int64_t amount, WallTime now) noexcept {
        return ask(limit, HeldCounter(limit.family->common()), amount, now);
    }
    bool ask(const Limit& limit, HeldCounter&& counter, std::int64_t amount, WallTime now) noexcept;

    const Reached* reached() const noexcept { return reached_ ? &*reached_ : nullptr; }
    // A limit that replicas share was not taken and not refused: the fleet is being asked. Undo
    // what was taken since, and ask all again a moment later.
    bool waits() const noexcept { return waits_; }
    // From now on no limit makes it wait: what the fleet has not said by then, this replica's part
    // of it decides. Until clear().
    void end_patience() noexcept { is_patient_ = false; }
    // The first limit that would have refused, had it not only counted.
    const Limit* shadowed() const noexcept { return shadowed_; }
    // The first limit of which so much is used that it warns.
    const Limit* softened() const noexcept { return softened_; }
    // The limit that was asked last, if this was the first to come so far in its window.
    const Limit* warning() const noexcept { return warning_; }
    // Of requests, tokens and money each the one of which least is left, after what was taken.
    const Standing& requests() const noexcept { return standings_[0]; }
    const Standing& tokens() const noexcept { return standings_[1]; }
    const Standing& cost() const noexcept { return standings_[2]; }
    bool is_limited() const noexcept;  // in requests or tokens
    std::size_t size() const noexcept { return size_; }

    // What was used in truth, of each thing that was asked for. Then nothing is held any more; the
    // standings stay as they were.
    void settle(const Amounts& used, WallTime now) noexcept;
    // Nothing was used. What is told of the limits stays as it was, but for what this had taken.
    void undo() noexcept { undo_from(0); }
    // The same of what was asked for when it held `size` already. It waits for nothing then.
    void undo_from(std::size_t size) noexcept;
    void clear() noexcept {  // undo(), and begins anew
        if (was_asked_) begin_anew();
    }

private:
    struct Reservation {
        const Limit* limit = nullptr;
        HeldCounter counter;
        std::int64_t amount = 0;
        WallTime window;
    };
    void begin_anew() noexcept;
    void note_standing(const Limit& limit, const Taken& taken) noexcept;
    void note_reached(const Limit& limit, const Taken& taken, std::int64_t amount) noexcept;

    std::array<Reservation, kMost> held_;  // the first size_
    std::size_t size_ = 0;
    std::array<Standing, 3> standings_;
    std::optional<Reached> reached_;
    const Limit* shadowed_ = nullptr;
    const Limit* softened_ = nullptr;
    const Limit* warning_ = nullptr;
    bool waits_ = false;
    bool is_patient_ = true;
    bool was_asked_ = false;  // since the beginning; without it there is nothing to clear
};

}  // namespace rotary::quota
