#include <rotary/routing/budgets.hpp>

#include "routing/compile.hpp"

#include <rotary/quota/period.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace rotary::routing {

namespace {

quota::PeriodKind kind_of(config::BudgetPeriod period) noexcept {
    switch (period) {
        case config::BudgetPeriod::day:
            return quota::PeriodKind::day;
        case config::BudgetPeriod::week:
            return quota::PeriodKind::week;
        case config::BudgetPeriod::month:
            return quota::PeriodKind::month;
        case config::BudgetPeriod::quarter:
            return quota::PeriodKind::quarter;
        case config::BudgetPeriod::year:
            return quota::PeriodKind::year;
        case config::BudgetPeriod::total:
            return quota::PeriodKind::total;
    }
    return quota::PeriodKind::total;
}

std::shared_ptr<const quota::Period> calendar_of(Compiler& compiler, const config::Budget& budget) {
    std::optional<quota::TimeZone> zone = quota::TimeZone{};
    if (budget.time_zone != "UTC") zone = quota::TimeZone::load(budget.time_zone);
    if (!zone) {
        compiler.error(budget.time_zone_mark, "spec.timezone",
                       "is not a time zone that this machine knows (/usr/share/zoneinfo): " +
                           budget.time_zone);
        return nullptr;
    }
    return std::make_shared<quota::Period>(kind_of(budget.period), *std::move(zone),
                                           std::chrono::month(budget.first_month));
}

// The same counter for as long as the budget's name, its target and its period stay the same.
std::size_t add_budget(Compiler& compiler, const config::Budget& budget,
                       std::shared_ptr<const quota::Period> calendar, BudgetPlace place) {
    quota::Limit limit;
    const bool is_consumer = budget.target_kind == config::Budget::Target::consumer;
    limit.policy = budget.metadata.name;
    const bool is_for_each = is_consumer && budget.target == BudgetPlace::kEachConsumer;
    limit.subject = (is_consumer ? "consumer " : "API ") + budget.target;
    if (is_for_each) limit.subject = "each consumer";
    limit.scope = is_consumer ? quota::Scope::consumer : quota::Scope::api;
    limit.what = quota::What::cost;
    limit.amount = budget.nanos;
    limit.shadow = budget.warns;
    limit.calendar = std::move(calendar);
    limit.period = quota::to_string(kind_of(budget.period));
    limit.currency = compiler.loaded.config.budgets.currency;
    limit.family = compiler.shared.counters().family(
        joined({"budget", budget.metadata.name, budget.target, place.environment, limit.period,
                budget.time_zone, std::to_string(budget.first_month)}));
    place.limit = compiler.snapshot->limits.size();
    compiler.snapshot->limits.push_back(std::move(limit));
    compiler.snapshot->budgets.push_back(std::move(place));
    return compiler.snapshot->budgets.back().limit;
}

// The entry that costs most: what an answer may cost at most, before it is known who gives it.
std::size_t dearest_of(const std::vector<Entry>& entries, WallTime now) {
    llm::Usage usage;
    usage.input = usage.output = 1000;
    std::size_t dearest = 0;
    quota::Nanos most = -1;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const quota::Price* price = entries[i].price.at(now);
        if (price == nullptr || price->cost(usage) <= most) continue;
        most = price->cost(usage);
        dearest = i;
    }
    return dearest;
}

}  // namespace

void Compiler::add_budgets() {
    for (const config::Budget& budget : loaded.resources.budgets) {
        const auto calendar = calendar_of(*this, budget);
        if (calendar == nullptr) continue;
        for (const Environment environment : {Environment::production, Environment::sandbox}) {
            BudgetPlace place;
            place.environment = to_string(environment);
            const bool is_consumer = budget.target_kind == config::Budget::Target::consumer;
            if (is_consumer) {
                place.consumer = budget.target;
                const std::size_t limit = add_budget(*this, budget, calendar, std::move(place));
                ConsumerBudgets& consumers =
                    snapshot->consumer_budgets[static_cast<std::size_t>(environment)];
                if (budget.target == BudgetPlace::kEachConsumer) {
                    consumers.add_for_each(limit);
                } else {
                    consumers.add(budget.target, limit);
                }
                continue;
            }
            std::vector<Route*> routes;
            for (Route& route : snapshot->routes) {
                if (route.api == budget.target && route.environment == environment) {
                    routes.push_back(&route);
                }
            }
            if (routes.empty()) continue;
            place.api = budget.target;
            const std::size_t limit = add_budget(*this, budget, calendar, std::move(place));
            for (Route* route : routes) route->quotas.costs.push_back(limit);
        }
    }
    if (snapshot->budgets.empty()) return;
    for (EntryList& list : snapshot->lists) list.dearest = dearest_of(list.entries, wall_now());
    for (Route& route : snapshot->routes) route.counts_tokens = true;
}

}  // namespace rotary::routing
