#include <gtest/gtest.h>

#include "unit/config/loading.hpp"
#include "unit/config/mistakes.hpp"

namespace rotary::config {
namespace {

// Budgets beside complete.yaml.
const std::string kBudgets = R"(---
apiVersion: rotary.dev/v1alpha1
kind: Budget
metadata: {name: team-a}
spec:
  target: {kind: Consumer, name: Team A}
  amount: "100.00"
  currency: USD
  period: Quarter
  timezone: Europe/Zurich
  startMonth: 4
  onExceed: Warn
---
apiVersion: rotary.dev/v1alpha1
kind: Budget
metadata: {name: stories}
spec:
  target: {kind: API, name: story-api}
  amount: "0.000000001"
)";
const std::string kProcess = "prices: [p.yaml]\nbudgets: {ledger: l.db}\n";

Loaded load_budgets(const std::string& text, const std::string& process = kProcess) {
    return load_texts({"rotary.yaml", process},
                      {{"r.yaml", read_text(data_file("complete.yaml")) + text}}, variables());
}

TEST(BudgetTest, IsReadWhole) {
    const Loaded loaded = load_budgets(kBudgets);
    ASSERT_EQ(loaded.resources.budgets.size(), 2U) << to_text(loaded.findings);
    const Budget& one = loaded.resources.budgets[0];
    EXPECT_EQ(one.target_kind, Budget::Target::consumer);
    EXPECT_EQ(one.target, "Team A");
    EXPECT_EQ(one.nanos, 100'000'000'000);
    EXPECT_EQ(one.period, BudgetPeriod::quarter);
    EXPECT_EQ(one.time_zone, "Europe/Zurich");
    EXPECT_EQ(one.first_month, 4U);
    EXPECT_TRUE(one.warns);
    const Budget& other = loaded.resources.budgets[1];
    EXPECT_EQ(other.target_kind, Budget::Target::api);
    EXPECT_EQ(other.target, "story-api");
    EXPECT_EQ(other.nanos, 1);
    EXPECT_EQ(other.period, BudgetPeriod::month);
    EXPECT_EQ(other.time_zone, "UTC");
    EXPECT_FALSE(other.warns);
}

struct Row {
    const char* name;
    const char* part;
    const char* by;
    const char* message;  // that must be told
};

TEST(BudgetTest, MistakesAreTold) {
    const Row rows[] = {
        {"another kind", "kind: Consumer", "kind: Application", "Consumer"},
        {"a subscription that is not there", "kind: Consumer", "kind: Subscription",
         "there is no Subscription"},
        {"no name", "kind: Consumer, name: Team A", "kind: Consumer", "name: is required"},
        {"an API that is not there", "kind: API, name: story-api", "kind: API, name: stories",
         "there is no API"},
        {"more digits than money has", "0.000000001", "0.0000000001", "nine digits"},
        {"nothing", "0.000000001", "0.00", "above 0"},
        {"less than nothing", "0.000000001", "-1", "above 0"},
        {"another currency", "currency: USD", "currency: EUR", "prices are in USD"},
        {"another period", "period: Quarter", "period: Fortnight", "Quarter"},
        {"a month that no year has", "startMonth: 4", "startMonth: 13", "startMonth"},
        {"soft without a unit", "onExceed: Warn", "soft: 80", "spec.soft: must be a share"},
        {"soft at nothing", "onExceed: Warn", "soft: 0%", "from 1% to 99%"},
        {"soft at the end", "onExceed: Warn", "soft: 100%", "from 1% to 99%"},
        {"soft, as money", "onExceed: Warn", "soft: 80.5%", "from 1% to 99%"},
        {"an unknown field", "onExceed: Warn", "onExced: Warn", "onExceed"},
    };
    for (const Row& row : rows) {
        const Loaded loaded = load_budgets(with_change(kBudgets, row.part, row.by));
        EXPECT_NE(to_text(loaded.findings).find(row.message), std::string::npos)
            << row.name << "\n"
            << to_text(loaded.findings);
    }
}

TEST(BudgetTest, MayWarnBeforeItIsSpent) {
    struct SoftRow {
        const char* name;
        const char* amount;
        const char* soft;
        std::int64_t nanos;
    };
    const SoftRow rows[] = {
        {"most of it", "100.00", "80%", 80'000'000'000},
        {"of an odd amount", "0.000000007", "50%", 3},
        {"of next to nothing", "0.000000001", "1%", 1},
        {"of the most there is", "9000000000.00", "99%", 8'910'000'000'000'000'000},
    };
    for (const SoftRow& row : rows) {
        const std::string change = std::string("onExceed: Warn\n  soft: ") + row.soft;
        std::string text = with_change(kBudgets, "onExceed: Warn", change);
        text = with_change(text, "\"100.00\"", std::string("\"").append(row.amount).append("\""));
        const Loaded loaded = load_budgets(text);
        ASSERT_EQ(loaded.resources.budgets.size(), 2U) << row.name << to_text(loaded.findings);
        EXPECT_EQ(loaded.resources.budgets[0].soft_nanos, row.nanos) << row.name;
        EXPECT_EQ(loaded.resources.budgets[1].soft_nanos, 0) << row.name;
    }
}

TEST(BudgetTest, NeedsPricesAndIsBetterOffWithALedger) {
    const std::string without = to_text(load_budgets(kBudgets, "").findings);
    EXPECT_NE(without.find("error: spec.amount: nothing has a price"), std::string::npos)
        << without;
    EXPECT_NE(without.find("is forgotten when the gateway ends"), std::string::npos) << without;
    const std::string with = to_text(load_budgets(kBudgets).findings);
    EXPECT_EQ(with.find("nothing has a price"), std::string::npos) << with;
    EXPECT_EQ(with.find("is forgotten"), std::string::npos) << with;
}

// The samples, beside what is shipped.
TEST(BudgetTest, TheSamplesLoad) {
    const std::string folder = std::string(ROTARY_SOURCE_DIR) + "/config/";
    const Loaded loaded = load_texts({"rotary.yaml", kProcess},
                                     {{"r.yaml", read_text(folder + "apis/chat.yaml") + "\n---\n" +
                                                     read_text(folder + "samples/limits.yaml")}},
                                     variables());
    EXPECT_EQ(loaded.resources.budgets.size(), 2U);
    EXPECT_EQ(loaded.resources.rate_limits.size(), 2U);
    EXPECT_EQ(loaded.resources.ai_rate_limits.size(), 2U);
    for (const Finding& finding : loaded.findings) {
        const bool is_of_the_samples = finding.path.find("targetRef") != std::string::npos ||
                                       finding.path.find("target.") != std::string::npos;
        EXPECT_FALSE(is_of_the_samples) << to_text(loaded.findings);
    }
}

}  // namespace
}  // namespace rotary::config
