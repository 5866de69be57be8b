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
    WallTime begin;
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
        period.begin = limit.window(now).begin;
        period.first_hour = quota::SpendKey::hour_of(period.begin);
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

}  // namespace

void recall_budgets(const routing::Snapshot& snapshot, const std::string& ledger, WallTime now,
                    Logger& log) {
    std::error_code error;
    if (snapshot.budgets.empty() || ledger.empty() || !std::filesystem::exists(ledger, error)) {
        return;
    }
    Periods periods = new_ones(snapshot, now);
    if (periods.empty()) return;
    std::int64_t from = std::numeric_limits<std::int64_t>::max();
    for (const auto& [whose, period] : periods) from = std::min(from, period.first_hour);
    try {
        control::LedgerFile file(ledger);
        file.read(from, std::numeric_limits<std::int64_t>::max(),
                  [&](const quota::SpendKey& key, const quota::Spend& spend) {
                      const auto& names = key.names;
                      const std::string_view environment = names[kEnvironment];
                      add(periods, {names[kConsumer], "", environment}, key.hour, spend.nanos);
                      add(periods, {"", names[kApi], environment}, key.hour, spend.nanos);
                  });
    } catch (const std::exception& failure) {
        log.error("what was spent of the budgets is not known, they begin at nothing",
                  {{"error", failure.what()}});
        return;
    }
    for (const auto& [whose, period] : periods) {
        period.limit->family->common().restore(period.begin, period.spent);
    }
}

}  // namespace rotary::server
