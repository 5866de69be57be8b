#pragma once

#include <rotary/quota/counter_table.hpp>
#include <rotary/quota/window.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rotary::quota {

// Whom or what a limit is for.
enum class Scope : std::uint8_t { consumer, subscription, api, resource, custom, backend };
std::string_view to_string(Scope scope) noexcept;

// What it counts. `cost` is nanodollars.
enum class What : std::uint8_t { requests, prompt, completion, total, cost };
inline constexpr std::size_t kWhats = 5;
std::string_view to_string(What what) noexcept;  // "prompt tokens"
constexpr bool is_tokens(What what) noexcept {
    return what == What::prompt || what == What::completion || what == What::total;
}

// What one request takes, or took, of each.
struct Amounts {
    std::array<std::int64_t, kWhats> of{};

    std::int64_t& operator[](What what) noexcept { return of[static_cast<std::size_t>(what)]; }
    std::int64_t operator[](What what) const noexcept { return of[static_cast<std::size_t>(what)]; }
};
// A request's tokens; counts from outside that no int64 holds are the most it does.
Amounts amounts_of(std::uint64_t input, std::uint64_t output) noexcept;

// One limit, as the configuration says it. Immutable; what was used of it is its family's.
struct Limit {
    std::string policy;   // which says it: identity of an object
    std::string subject;  // for whom, as a message says it: "subscription llm-subs"
    Scope scope = Scope::api;
    What what = What::requests;
    Unit unit = Unit::minute;
    std::int64_t amount = 0;  // a window
    std::int64_t soft = 0;    // from so much on it warns; 0: it does not
    bool shadow = false;      // counts, logs and warns, and never refuses
    bool strict = false;      // as in Terms, these three
    bool sliding = false;
    bool carry_debt = false;
    bool is_each = false;  // callers have counters of their own, in the table
    std::string model;     // of a Backend's: for that model alone
    std::shared_ptr<Family> family;
    std::shared_ptr<const Calendar> calendar;  // instead of the unit's windows
    std::string_view period;                   // of a calendar's, for messages: "month"
    std::string currency;                      // of money

    Window window(WallTime now) const noexcept {
        return calendar ? calendar->window(now) : window_of(unit, now);
    }
    Terms terms(WallTime now) const noexcept {
        return {window(now), now, amount, strict, sliding, carry_debt};
    }
    std::string_view unit_name() const noexcept { return calendar ? period : to_string(unit); }
};

}  // namespace rotary::quota
