#include <rotary/base/text.hpp>
#include <rotary/config/kinds/budget.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "config/kinds/kinds.hpp"
#include "config/prices/decimal.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr int kNanos = 9;  // digits behind the point
constexpr std::uint64_t kMostPercent = 99;
constexpr std::int64_t kWhole = 100;

void read_budget_target(Fields& target, Budget& budget) {
    budget.target_mark = target.mark_of("name");
    target.choice<Budget::Target>("kind", budget.target_kind,
                                  {{"Consumer", Budget::Target::consumer},
                                   {"Subscription", Budget::Target::subscription},
                                   {"API", Budget::Target::api}});
    std::string name;
    if (!target.text("name", name, {.required = true, .min = 1, .max = 256})) {
        return;
    }
    const bool is_object = budget.target_kind != Budget::Target::consumer;
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

// A share of the amount, so that the two change together.
void read_soft(Fields& spec, Budget& budget) {
    std::string text;
    if (!spec.text("soft", text)) {
        return;
    }
    const bool has_unit = text.ends_with('%');
    const auto percent =
        text::parse_unsigned(std::string_view(text).substr(0, text.size() - (has_unit ? 1 : 0)));
    if (!has_unit || !percent || *percent == 0 || *percent > kMostPercent) {
        spec.error("soft", "must be a share of the amount such as \"80%\", from 1% to 99%, found " +
                               shown(text));
        return;
    }
    // Apart, so that no amount is too large for it; a soft limit of nothing would be none.
    const auto share = static_cast<std::int64_t>(*percent);
    budget.soft_nanos = std::max<std::int64_t>(
        1, budget.nanos / kWhole * share + budget.nanos % kWhole * share / kWhole);
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
    read_soft(spec, budget);
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
