#include <rotary/quota/admission.hpp>

#include "quota/leased_take.hpp"

#include <algorithm>
#include <utility>

namespace rotary::quota {

namespace {

std::size_t class_of(What what) noexcept {
    if (what == What::requests) return 0;
    return is_tokens(what) ? 1 : 2;
}

// Of a negative limit or count nothing is left either.
std::int64_t left(std::int64_t limit, std::int64_t used) noexcept {
    return used >= limit ? 0 : limit - std::max<std::int64_t>(used, 0);
}

Taken take(const Limit& limit, Counter& counter, std::int64_t amount, WallTime now) noexcept {
    const Terms terms = limit.terms(now);
    return limit.shadow ? counter.add(terms, amount) : counter.take(terms, amount);
}

Taken refused(const Limit& limit, const Counter& counter, WallTime now) noexcept {
    Taken taken = counter.look(limit.terms(now));
    taken.admitted = false;
    return taken;
}

}  // namespace

bool Admission::ask(const Limit& limit, HeldCounter&& counter, std::int64_t amount,
                    WallTime now) noexcept {
    was_asked_ = true;
    warning_ = nullptr;
    const bool has_place = size_ < kMost;
    Taken taken;
    if (is_leased(limit, *counter.get())) {
        const LeasedTaken leased =
            take_leased({limit, counter, amount, now, is_patient_, has_place});
        if (leased.waits) {
            waits_ = true;
            return false;
        }
        taken = leased.taken;
    } else {
        taken = has_place ? take(limit, *counter.get(), amount, now)
                          : refused(limit, *counter.get(), now);
    }
    note_standing(limit, taken);
    if (!taken.admitted) {
        if (limit.shadow && shadowed_ == nullptr) shadowed_ = &limit;
        if (!limit.shadow) note_reached(limit, taken, amount);
    }
    if (limit.soft > 0 && taken.used >= limit.soft) {
        if (softened_ == nullptr) softened_ = &limit;
        if (counter->first_warning(taken.window)) warning_ = &limit;
    }
    const bool is_held = has_place && (taken.admitted || limit.shadow);
    if (is_held) held_[size_++] = {&limit, std::move(counter), amount, taken.window};
    return is_held;
}

void Admission::note_standing(const Limit& limit, const Taken& taken) noexcept {
    Standing& standing = standings_[class_of(limit.what)];
    const std::int64_t remaining = left(limit.amount, taken.used);
    const bool is_tighter = standing.limit == nullptr || remaining < standing.remaining ||
                            (remaining == standing.remaining && taken.free_at > standing.reset);
    if (is_tighter) standing = {&limit, remaining, taken.free_at};
}

void Admission::note_reached(const Limit& limit, const Taken& taken, std::int64_t amount) noexcept {
    const bool never = limit.strict && amount > limit.amount;
    if (reached_ && reached_->free_at >= taken.free_at && !never) return;
    if (reached_ && reached_->never) return;
    reached_ = Reached{&limit, taken.used, taken.free_at, never};
}

bool Admission::is_limited() const noexcept {
    return requests().limit != nullptr || tokens().limit != nullptr;
}

void Admission::settle(const Amounts& used, WallTime now) noexcept {
    while (size_ > 0) {
        Reservation& held = held_[--size_];
        const Limit& limit = *held.limit;
        const std::int64_t actual = used[limit.what];
        if (is_leased(limit, *held.counter.get())) {
            settle_leased({limit, held.counter, held.window, held.amount, actual}, now);
        } else if (actual != held.amount) {
            held.counter->settle(limit.terms(now), held.window, held.amount, actual);
        }
        held.counter = {};
    }
}

void Admission::undo_from(std::size_t size) noexcept {
    waits_ = false;
    while (size_ > size) {
        Reservation& held = held_[--size_];
        held.counter->undo(held.window, held.amount);
        held.counter = {};
    }
}

void Admission::begin_anew() noexcept {
    undo();
    was_asked_ = false;
    is_patient_ = true;
    standings_ = {};
    reached_.reset();
    shadowed_ = softened_ = warning_ = nullptr;
}

}  // namespace rotary::quota
