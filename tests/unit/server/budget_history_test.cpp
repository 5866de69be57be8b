#include "server/budget_history.hpp"

#include <rotary/control/ledger_file.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/temp_dir.hpp"

namespace rotary::server {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + 12h;

// [midnight, midnight) of UTC.
class Days final : public quota::Calendar {
public:
    quota::Window window(WallTime now) const noexcept override {
        const auto day = std::chrono::floor<std::chrono::days>(now);
        return {day, day + 24h};
    }
};

class BudgetHistory : public testing::Test {
protected:
    void add(const std::string& consumer, const std::string& api, const std::string& environment) {
        quota::Limit limit;
        limit.what = quota::What::cost;
        limit.amount = 1'000'000;
        limit.calendar = std::make_shared<Days>();
        limit.family = std::make_shared<quota::Family>("f");
        snapshot_.limits.push_back(std::move(limit));
        snapshot_.budgets.push_back({snapshot_.limits.size() - 1, consumer, api, environment});
    }
    void spend(const char* consumer, const char* api, const char* environment, WallTime when,
               quota::Nanos nanos) {
        quota::SpendKey key;
        key.hour = quota::SpendKey::hour_of(when);
        key.names = {consumer, api, environment, "OpenAI", "gpt-4o", "b"};
        quota::SpendTable sums;
        sums.add(key, quota::Spend::of({}, nanos), 10);
        control::LedgerFile(ledger(), "USD").write(sums);
    }
    std::int64_t used(std::size_t index) const {
        const quota::Limit& limit = snapshot_.limits[index];
        return limit.family->common().look(limit.terms(kNow)).used;
    }
    std::string ledger() const { return dir_ / "ledger.db"; }
    void recall() { recall_budgets(snapshot_, ledger(), kNow, log_); }

    test::TempDir dir_;
    Logger log_{LogLevel::error, LogFormat::json, -1};
    routing::Snapshot snapshot_;
};

TEST_F(BudgetHistory, IsThatOfTheOpenPeriodAndOfTheSameCaller) {
    add("team-a", "", "production");
    add("", "chat", "production");
    add("team-a", "", "sandbox");
    add("team-b", "", "production");
    spend("team-a", "chat", "production", kNow - 1h, 100);
    spend("team-a", "other", "production", kNow - 12h, 20);   // the period's first hour
    spend("team-a", "chat", "production", kNow - 13h, 7000);  // the day before
    spend("team-c", "chat", "production", kNow, 3);
    recall();
    EXPECT_EQ(used(0), 120);
    EXPECT_EQ(used(1), 103);
    EXPECT_EQ(used(2), 0);
    EXPECT_EQ(used(3), 0);
}

TEST_F(BudgetHistory, IsToldToNewCountersAlone) {
    add("team-a", "", "production");
    spend("team-a", "chat", "production", kNow, 100);
    recall();
    spend("team-a", "chat", "production", kNow, 100);
    recall();
    EXPECT_EQ(used(0), 100) << "what was spent since is counted already";
}

TEST_F(BudgetHistory, OfEachConsumerIsItsOwn) {
    quota::CounterTable counters;
    snapshot_.counters = &counters;
    add("*", "", "production");
    const auto used_by = [&](std::string_view consumer) {
        const quota::Limit& limit = snapshot_.limits[0];
        return counters.hold(limit.family, consumer, limit.window(kNow))->look(limit.terms(kNow));
    };
    recall();  // there is no ledger yet
    spend("team-a", "chat", "production", kNow, 1);
    recall();
    EXPECT_EQ(used_by("team-a").used, 0) << "what was spent since is counted already";
    snapshot_.limits[0].family = std::make_shared<quota::Family>("another");
    spend("team-a", "other", "production", kNow - 1h, 100);
    spend("team-b", "chat", "production", kNow, 30);
    spend("", "chat", "production", kNow, 7);
    recall();
    EXPECT_EQ(used_by("team-a").used, 101);
    EXPECT_EQ(used_by("team-b").used, 30);
}

TEST_F(BudgetHistory, NeedsNoLedger) {
    add("team-a", "", "production");
    recall();
    EXPECT_EQ(used(0), 0);
    dir_.write("ledger.db", "no database, but a text that is long enough to be taken for one");
    recall();
    EXPECT_EQ(used(0), 0);
}

}  // namespace
}  // namespace rotary::server
