#include <rotary/routing/budgets.hpp>

#include "routing/compile.hpp"

#include <rotary/quota/period.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
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

std::string subject_of(const config::Budget& budget) {
    switch (budget.target_kind) {
        case config::Budget::Target::consumer:
            return budget.target == BudgetPlace::kEachConsumer ? "each consumer"
                                                               : "consumer " + budget.target;
        case config::Budget::Target::subscription:
            return "subscription " + budget.target;
        case config::Budget::Target::api:
            break;
    }
    return "API " + budget.target;
}

quota::Scope scope_of(config::Budget::Target target) noexcept {
    switch (target) {
        case config::Budget::Target::consumer:
            return quota::Scope::consumer;
        case config::Budget::Target::subscription:
            return quota::Scope::subscription;
        case config::Budget::Target::api:
            break;
    }
    return quota::Scope::api;
}

// One budget in one environment, as it is added to the snapshot.
struct NewBudget {
    Compiler& compiler;
    const config::Budget& budget;
    std::shared_ptr<const quota::Period> calendar;
    Environment environment;

    // The same counter for as long as the budget's name, its target and its period stay the same.
    std::size_t add_limit() const {
        quota::Limit limit;
        limit.policy = budget.metadata.name;
        limit.subject = subject_of(budget);
        limit.is_each = budget.target_kind == config::Budget::Target::consumer &&
                        budget.target == BudgetPlace::kEachConsumer;
        limit.scope = scope_of(budget.target_kind);
        limit.what = quota::What::cost;
        limit.amount = budget.nanos;
        limit.soft = budget.soft_nanos;
        limit.shadow = budget.warns;
        limit.calendar = calendar;
        limit.period = quota::to_string(kind_of(budget.period));
        limit.currency = compiler.loaded.config.budgets.currency;
        limit.family = compiler.shared.counters().family(
            joined({"budget", budget.metadata.name, budget.target, to_string(environment),
                    limit.period, budget.time_zone, std::to_string(budget.first_month)}));
        compiler.snapshot->limits.push_back(std::move(limit));
        return compiler.snapshot->limits.size() - 1;
    }
    // Whose spend it is, in the ledger.
    void add_place(std::size_t limit, std::string consumer, std::string api) const {
        compiler.snapshot->budgets.push_back(
            {limit, std::move(consumer), std::move(api), std::string(to_string(environment))});
    }

    void of_consumer() const {
        const std::size_t limit = add_limit();
        add_place(limit, budget.target, "");
        ConsumerBudgets& consumers =
            compiler.snapshot->consumer_budgets[static_cast<std::size_t>(environment)];
        if (budget.target == BudgetPlace::kEachConsumer) {
            consumers.add_for_each(limit);
        } else {
            consumers.add(budget.target, limit);
        }
    }
    void of_api() const {
        std::optional<std::size_t> limit;
        for (Route& route : compiler.snapshot->routes) {
            if (route.api != budget.target || route.environment != environment) continue;
            if (!limit) {
                limit = add_limit();
                add_place(*limit, "", budget.target);
            }
            route.quotas.costs.push_back(*limit);
        }
    }
    // Of all applications that are mapped to it, wherever its callers are looked up.
    void of_subscription() const {
        std::optional<std::size_t> limit;
        std::set<std::size_t> known;
        for (const Route& route : compiler.snapshot->routes) {
            if (!route.subscribers || route.environment != environment) continue;
            if (!known.insert(*route.subscribers).second) continue;
            compiler.snapshot->subscribers[*route.subscribers].each(
                [&](const std::string& client, Subscriber& subscriber) {
                    if (subscriber.subscription != budget.target) return;
                    if (!limit) limit = add_limit();
                    add_place(*limit, client, route.api);
                    subscriber.limits.costs.push_back(*limit);
                });
        }
    }
};

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
            const NewBudget made{*this, budget, calendar, environment};
            switch (budget.target_kind) {
                case config::Budget::Target::consumer:
                    made.of_consumer();
                    break;
                case config::Budget::Target::subscription:
                    made.of_subscription();
                    break;
                case config::Budget::Target::api:
                    made.of_api();
                    break;
            }
        }
    }
    if (snapshot->budgets.empty()) return;
    for (EntryList& list : snapshot->lists) list.dearest = dearest_of(list.entries, wall_now());
    for (Route& route : snapshot->routes) route.counts_tokens = true;
}

}  // namespace rotary::routing
