#pragma once

#include <rotary/control/ledger_file.hpp>
#include <rotary/fleet/reply.hpp>
#include <rotary/fleet/script.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// For how many days what was spent stays in the store, the last one too: two whole months can be
// told of.
inline constexpr std::int64_t kSpendDays = 62;

// What replicas have spent, as a Redis has it: a hash a day (UTC) and currency, with a field for
// each journal and names, and `t`, the sum of all in nanodollars.
//
//   {rotary:NS}:m:USD:2026-11-29   JOURNAL 5:alice4:chat... -> "REQUESTS NANOS UNPRICED ..."
//
// The value is all that this journal has of the day, so it may be told twice or late: a row is
// taken where it has more requests than the one that is there.
std::string spend_key(std::string_view name_space, std::string_view currency, std::int64_t day);

// Its journal's mark: up to which change all that is kept of the journal is in the store.
std::string mark_key(std::string_view name_space, std::string_view journal);

std::string spend_field(std::string_view journal, const control::DaySum& sum);
std::string spend_value(const quota::Spend& spend);
// Written by every replica, so read as what a stranger wrote. Nothing: it is no row, as `t`.
std::optional<control::DaySum> parse_spend(std::int64_t day, std::string_view field,
                                           std::string_view value);

// One question: changes of a journal, and what the fleet has spent today.
struct SpendQuestion {
    std::string name_space;
    std::string currency;
    std::int64_t today = 0;
    std::int64_t now_ms = 0;     // since 1970
    std::int64_t kept_days = 0;  // a day's hash ends so many days behind it
    std::uint64_t from = 0;      // the changes behind this one; 0: all that is kept
    control::DayPage page;       // without a journal: none
};
struct SpendAnswer {
    std::uint64_t mark = 0;     // below `from`: rows before it were lost, nothing was taken
    std::int64_t today = 0;     // nanodollars, of all replicas
    std::uint64_t refused = 0;  // rows with which the sum would pass 2^63
};

// Nanodollars are added as integers of 64 bits, not as Lua's doubles.
const Script& spend_script();
std::vector<std::string> spend_keys(const SpendQuestion& question);
std::vector<std::string> spend_arguments(const SpendQuestion& question);
std::optional<SpendAnswer> spend_answer(const Reply& reply);

}  // namespace rotary::fleet
