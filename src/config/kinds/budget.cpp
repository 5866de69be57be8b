#include <rotary/config/kinds/budget.hpp>

#include "config/kinds/kinds.hpp"
#include "config/prices/decimal.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr int kNanos = 9;  // digits behind the point

void read_budget_target(Fields& target, Budget& budget) {
    budget.target_mark = target.mark_of("name");
    target.choice<Budget::Target>(
        "kind", budget.target_kind,
        {{"Consumer", Budget::Target::consumer}, {"API", Budget::Target::api}});
    std::string name;
    if (!target.text("name", name, {.required = true, .min = 1, .max = 256})) {
        return;
    }
    const bool is_object = budget.target_kind == Budget::Target::api;
    budget.target = is_object ? identity_of(target, name) : name;
}

void read_amount(Fields& spec, Budget& budget) {
    budget.amount_mark = spec.mark_of("amount");
    std::string text;
    if (!spec.text("amount", text, {.required = true, .min = 1})) {
        return;
    }
    const auto amount = parse_decimal(text, kNanos);
    if (!amount || !amount->is_exact || amount->value <= 0) {
        spec.error("amount",
                   "must be a decimal number above 0 with at most nine digits behind the point, "
                   "such as \"100.00\", found " +
                       shown(text));
        return;
    }
    budget.nanos = amount->value;
}

void read_budget_spec(Fields& spec, Budget& budget) {
    spec.object(
        "target", [&](Fields& target) { read_budget_target(target, budget); }, true);
    read_amount(spec, budget);
    budget.currency_mark = spec.mark_of("currency");
    spec.text("currency", budget.currency);
    spec.choice<BudgetPeriod>("period", budget.period,
                              {{"Day", BudgetPeriod::day},
                               {"Week", BudgetPeriod::week},
                               {"Month", BudgetPeriod::month},
                               {"Quarter", BudgetPeriod::quarter},
                               {"Year", BudgetPeriod::year},
                               {"Total", BudgetPeriod::total}});
    budget.time_zone_mark = spec.mark_of("timezone");
    spec.text("timezone", budget.time_zone, {.min = 1, .max = 64});
    spec.number("startMonth", budget.first_month, {.min = 1, .max = 12});
    spec.choice<bool>("onExceed", budget.warns, {{"Refuse", false}, {"Warn", true}});
    spec.not_served("soft",
                    "nothing is told before the budget is spent; "
                    "rotary_limit_used_ratio shows how near that is");
}

}  // namespace

void read_budget(Object& object) {
    Budget budget;
    budget.metadata = object.metadata;
    object.fields.object(
        "spec", [&](Fields& spec) { read_budget_spec(spec, budget); }, true);
    object.resources.budgets.push_back(std::move(budget));
}

}  // namespace rotary::config
