#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

void check_budget(Checker& checker, const Budget& budget) {
    const Budgets& settings = checker.config.budgets;
    if (!budget.currency.empty() && budget.currency != settings.currency) {
        checker.error(budget.currency_mark, "prices are in " + settings.currency +
                                                " (budgets.currency), and are not converted");
    }
    if (checker.config.prices.empty()) {
        checker.error(budget.amount_mark,
                      "nothing has a price, so nothing is ever spent: name price lists "
                      "(prices in rotary.yaml)");
    }
    if (settings.ledger.empty()) {
        checker.warning(budget.metadata.mark,
                        "what was spent is forgotten when the gateway ends: name a file "
                        "(budgets.ledger in rotary.yaml)");
    }
    if (budget.target_kind == Budget::Target::consumer || budget.target.empty()) {
        return;
    }
    if (budget.target_kind == Budget::Target::subscription) {
        checker.must_exist("Subscription", budget.target, budget.target_mark,
                           checker.resources.subscriptions);
        return;
    }
    checker.must_exist("API", budget.target, budget.target_mark, checker.resources.apis);
    const Api* api = checker.resources.find_api(budget.target);
    if (api != nullptr && !api->production.empty() && !api->sandbox.empty()) {
        checker.warning(budget.amount_mark,
                        "the API has production and sandbox, and each has this budget for itself");
    }
}

}  // namespace

void check_budgets(Checker& checker) {
    for (const Budget& budget : checker.resources.budgets) {
        check_budget(checker, budget);
    }
}

}  // namespace rotary::config
