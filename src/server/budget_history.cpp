#include "server/budget_history.hpp"

#include <rotary/control/ledger_file.hpp>
#include <rotary/quota/lease.hpp>
#include <rotary/quota/money_text.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace rotary::server {

namespace {

constexpr std::size_t kConsumer = 0;
constexpr std::size_t kApi = 1;
constexpr std::size_t kEnvironment = 2;

struct OpenPeriod {
    const quota::Limit* limit = nullptr;
    quota::Window window;
    std::int64_t first = 0;
    quota::Nanos spent = 0;
};

// The consumer, the API, or both, and the environment. A subscription's budget is that of several.
using Whose = std::tuple<std::string_view, std::string_view, std::string_view>;
struct Periods {
    std::map<std::size_t, OpenPeriod> by_limit;
    std::multimap<Whose, OpenPeriod*> by_whose;
};

Periods new_ones(const routing::Snapshot& snapshot, WallTime now) {
    Periods periods;
    for (const routing::BudgetPlace& place : snapshot.budgets) {
        const quota::Limit& limit = snapshot.limits[place.limit];
        if (limit.family->common().latest().window != WallTime::min()) continue;
        OpenPeriod& period = periods.by_limit[place.limit];
        period.limit = &limit;
        period.window = limit.window(now);
        period.first = quota::SpendKey::quarter_hour_of(period.window.begin);
        periods.by_whose.emplace(Whose(place.consumer, place.api, place.environment), &period);
    }
    return periods;
}

void add(Periods& periods, const Whose& whose, std::int64_t quarter_hour, quota::Nanos nanos) {
    const auto [begin, end] = periods.by_whose.equal_range(whose);
    for (auto place = begin; place != end; ++place) {
        OpenPeriod& period = *place->second;
        if (quarter_hour < period.first) continue;
        const quota::Nanos room = std::numeric_limits<quota::Nanos>::max() - period.spent;
        period.spent += std::min(nanos, room);
    }
}

// Straight to each consumer's counter: rows of one are added up there.
void add_for_each(const routing::Snapshot& snapshot, const Periods& periods,
                  const quota::SpendKey& key, quota::Nanos nanos) {
    const Whose each(routing::BudgetPlace::kEachConsumer, "", key.names[kEnvironment]);
    const auto [begin, end] = periods.by_whose.equal_range(each);
    for (auto place = begin; place != end; ++place) {
        const OpenPeriod& period = *place->second;
        if (key.quarter_hour < period.first) continue;
        const quota::Terms terms{period.window, period.window.begin, period.limit->amount};
        snapshot.counters->hold(period.limit->family, key.names[kConsumer], period.window)
            ->add(terms, nanos);
    }
}

// The sum of what found no room of its own in the ledger, within the periods.
quota::Nanos read(const routing::Snapshot& snapshot, const std::string& ledger, Periods& periods) {
    quota::Nanos of_others = 0;
    std::int64_t from = std::numeric_limits<std::int64_t>::max();
    for (const auto& [limit, period] : periods.by_limit) from = std::min(from, period.first);
    control::LedgerFile file(ledger);
    file.read(from, std::numeric_limits<std::int64_t>::max(),
              [&](const quota::SpendKey& key, const quota::Spend& spend) {
                  const auto& names = key.names;
                  const std::string_view environment = names[kEnvironment];
                  add(periods, {names[kConsumer], "", environment}, key.quarter_hour, spend.nanos);
                  add(periods, {"", names[kApi], environment}, key.quarter_hour, spend.nanos);
                  if (names[kConsumer] == quota::SpendTable::kOthers) {
                      const quota::Nanos room =
                          std::numeric_limits<quota::Nanos>::max() - of_others;
                      of_others += std::min(spend.nanos, room);
                      return;
                  }
                  if (names[kConsumer].empty()) return;
                  const Whose both(names[kConsumer], names[kApi], environment);
                  add(periods, both, key.quarter_hour, spend.nanos);
                  add_for_each(snapshot, periods, key, spend.nanos);
              });
    return of_others;
}

// It is of consumers that are not known any more: no budget of a consumer gets it, for it would be
// another one's, and a person should know how much that is.
void tell(quota::Nanos of_others, Logger& log) {
    if (of_others == 0) return;
    quota::MoneyText spent;
    log.warn("the ledger has spend under \"(others)\" that no consumer's budget counts",
             {{"spent", quota::write_money(of_others, spent)}});
}

bool is_due(const quota::Counter& counter, const quota::Window& window, bool told) {
    const quota::Counter::Latest latest = counter.latest();
    if (counter.lease() == nullptr || latest.window != window.begin || latest.used == 0) {
        return false;
    }
    return told || !counter.lease()->view(window.begin).heard;
}

void want(const quota::Limit& limit, quota::Lease& lease, quota::KeyedCounter* keyed,
          const quota::Window& window) {
    const bool is_money = limit.what == quota::What::cost;
    lease.want(limit.family, keyed,
               {window, limit.amount, limit.sliding, limit.carry_debt, is_money}, 0);
}

}  // namespace

void recall_budgets(const routing::Snapshot& snapshot, const std::string& ledger, WallTime now,
                    Logger& log) {
    Periods periods = new_ones(snapshot, now);
    std::error_code error;
    if (!periods.by_limit.empty() && !ledger.empty() && std::filesystem::exists(ledger, error)) {
        try {
            tell(read(snapshot, ledger, periods), log);
        } catch (const std::exception& failure) {
            log.error("what was spent of the budgets is not known, they begin at nothing",
                      {{"error", failure.what()}});
            for (auto& [limit, period] : periods.by_limit) period.spent = 0;
        }
    }
    // Whatever was found: from now on the counters know themselves.
    for (const auto& [limit, period] : periods.by_limit) {
        period.limit->family->common().restore(period.window.begin, period.spent);
    }
}

void hand_in_budgets(const routing::Snapshot& snapshot, WallTime now, bool told) {
    if (snapshot.counters == nullptr || !snapshot.counters->leases().is_open()) return;
    std::map<const quota::Family*, const quota::Limit*> budgets;
    for (const routing::BudgetPlace& place : snapshot.budgets) {
        const quota::Limit& limit = snapshot.limits[place.limit];
        budgets.emplace(limit.family.get(), &limit);
    }
    const auto hand_in = [&](const quota::Limit& limit, const quota::Counter& counter,
                             quota::KeyedCounter* keyed) {
        const quota::Window window = limit.window(now);
        if (is_due(counter, window, told)) want(limit, *counter.lease(), keyed, window);
    };
    for (const auto& [family, limit] : budgets) hand_in(*limit, limit->family->common(), nullptr);
    // Those of callers are handed in behind the visit, which has a lock.
    std::vector<std::pair<const quota::Limit*, std::string>> callers;
    snapshot.counters->each([&](const quota::KeyedCounter& keyed) {
        const auto budget = budgets.find(keyed.family.get());
        if (budget != budgets.end()) callers.emplace_back(budget->second, keyed.who);
    });
    for (const auto& [limit, who] : callers) {
        const quota::HeldCounter held =
            snapshot.counters->hold(limit->family, who, limit->window(now));
        if (held.is_known()) hand_in(*limit, *held.get(), held.keyed());
    }
}

std::string journal_of(const std::string& ledger, const std::string& currency, Logger& log) {
    if (ledger.empty()) return {};
    try {
        return control::LedgerFile(ledger, currency).journal();
    } catch (const std::exception& failure) {
        log.error("this replica's ledger has no name among its fleet's",
                  {{"error", failure.what()}});
        return {};
    }
}

std::unique_ptr<control::Ledger> open_ledger(const config::Config& config, Logger& log) {
    if (config.budgets.ledger.empty()) return nullptr;
    control::LedgerOptions options;
    options.path = config.budgets.ledger;
    options.currency = config.budgets.currency;
    options.most_cells = config.limits.ledger_cells;
    return std::make_unique<control::Ledger>(std::move(options), log);
}

}  // namespace rotary::server
