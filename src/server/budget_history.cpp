#include "server/budget_history.hpp"

#include <rotary/control/ledger_file.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <map>
#include <string_view>
#include <system_error>
#include <tuple>
#include <vector>

namespace rotary::server {

namespace {

constexpr std::size_t kConsumer = 0;
constexpr std::size_t kApi = 1;
constexpr std::size_t kEnvironment = 2;

struct OpenPeriod {
    const quota::Limit* limit = nullptr;
    quota::Window window;
    std::int64_t first_hour = 0;
    quota::Nanos spent = 0;
};

// The consumer, else the API, and the environment.
using Whose = std::tuple<std::string_view, std::string_view, std::string_view>;
using Periods = std::multimap<Whose, OpenPeriod>;

Periods new_ones(const routing::Snapshot& snapshot, WallTime now) {
    Periods periods;
    for (const routing::BudgetPlace& place : snapshot.budgets) {
        const quota::Limit& limit = snapshot.limits[place.limit];
        if (limit.family->common().latest().window != WallTime::min()) continue;
        OpenPeriod period;
        period.limit = &limit;
        period.window = limit.window(now);
        period.first_hour = quota::SpendKey::hour_of(period.window.begin);
        periods.emplace(Whose(place.consumer, place.api, place.environment), period);
    }
    return periods;
}

void add(Periods& periods, const Whose& whose, std::int64_t hour, quota::Nanos nanos) {
    const auto [first, last] = periods.equal_range(whose);
    for (auto place = first; place != last; ++place) {
        OpenPeriod& period = place->second;
        if (hour < period.first_hour) continue;
        const quota::Nanos room = std::numeric_limits<quota::Nanos>::max() - period.spent;
        period.spent += std::min(nanos, room);
    }
}

// Straight to each consumer's counter: rows of one are added up there.
void add_for_each(const routing::Snapshot& snapshot, const Periods& periods,
                  const quota::SpendKey& key, quota::Nanos nanos) {
    const Whose each(routing::BudgetPlace::kEachConsumer, "", key.names[kEnvironment]);
    const auto [first, last] = periods.equal_range(each);
    for (auto place = first; place != last; ++place) {
        const OpenPeriod& period = place->second;
        if (key.hour < period.first_hour) continue;
        const quota::Terms terms{period.window, period.window.begin, period.limit->amount};
        snapshot.counters->hold(period.limit->family, key.names[kConsumer], period.window)
            ->add(terms, nanos);
    }
}

void read(const routing::Snapshot& snapshot, const std::string& ledger, Periods& periods) {
    std::int64_t from = std::numeric_limits<std::int64_t>::max();
    for (const auto& [whose, period] : periods) from = std::min(from, period.first_hour);
    control::LedgerFile file(ledger);
    file.read(from, std::numeric_limits<std::int64_t>::max(),
              [&](const quota::SpendKey& key, const quota::Spend& spend) {
                  const auto& names = key.names;
                  const std::string_view environment = names[kEnvironment];
                  add(periods, {names[kConsumer], "", environment}, key.hour, spend.nanos);
                  add(periods, {"", names[kApi], environment}, key.hour, spend.nanos);
                  if (!names[kConsumer].empty()) add_for_each(snapshot, periods, key, spend.nanos);
              });
}

}  // namespace

void recall_budgets(const routing::Snapshot& snapshot, const std::string& ledger, WallTime now,
                    Logger& log) {
    Periods periods = new_ones(snapshot, now);
    std::error_code error;
    if (!periods.empty() && !ledger.empty() && std::filesystem::exists(ledger, error)) {
        try {
            read(snapshot, ledger, periods);
        } catch (const std::exception& failure) {
            log.error("what was spent of the budgets is not known, they begin at nothing",
                      {{"error", failure.what()}});
            for (auto& [whose, period] : periods) period.spent = 0;
        }
    }
    // Whatever was found: from now on the counters know themselves.
    for (const auto& [whose, period] : periods) {
        period.limit->family->common().restore(period.window.begin, period.spent);
    }
}

}  // namespace rotary::server
