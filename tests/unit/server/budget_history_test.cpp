#include "server/budget_history.hpp"

#include <rotary/control/ledger_file.hpp>
#include <rotary/quota/lease.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "support/temp_dir.hpp"

namespace rotary::server {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + 12h;

// From midnight to midnight of UTC, or so much later.
class Days final : public quota::Calendar {
public:
    explicit Days(std::chrono::minutes later = {}) : later_(later) {}
    quota::Window window(WallTime now) const noexcept override {
        const auto day = std::chrono::floor<std::chrono::days>(now - later_) + later_;
        return {day, day + 24h};
    }

private:
    std::chrono::minutes later_;
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
        key.quarter_hour = quota::SpendKey::quarter_hour_of(when);
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

    std::string logged() {
        EXPECT_TRUE(log_.flush(10s));
        std::rewind(log_file_.get());
        std::string text(4096, ' ');
        text.resize(std::fread(text.data(), 1, text.size(), log_file_.get()));
        return text;
    }

    test::TempDir dir_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_file_{std::tmpfile(), &std::fclose};
    Logger log_{LogLevel::warn, LogFormat::json, fileno(log_file_.get())};
    routing::Snapshot snapshot_;
};

TEST_F(BudgetHistory, IsThatOfTheOpenPeriodAndOfTheSameCaller) {
    add("team-a", "", "production");
    add("", "chat", "production");
    add("team-a", "", "sandbox");
    add("team-b", "", "production");
    spend("team-a", "chat", "production", kNow - 1h, 100);
    spend("team-a", "other", "production", kNow - 12h, 20);   // the period's first
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

// The fleet is told of what was spent before, each once until it has forgotten.
TEST_F(BudgetHistory, IsHandedInForTheFleet) {
    quota::CounterTable counters;
    snapshot_.counters = &counters;
    add("team-a", "", "production");
    add("team-b", "", "production");
    add("*", "", "production");
    snapshot_.limits[0].family = counters.family("of team-a");
    snapshot_.limits[1].family = counters.family("of team-b");
    snapshot_.limits[2].family = counters.family("of each");
    spend("team-a", "chat", "production", kNow, 100);
    recall();
    const auto handed_in = [&] {
        std::set<std::string> names;
        for (quota::Lease* lease = counters.leases().take_due(); lease != nullptr;) {
            quota::Lease* const next = quota::LeaseDesk::next(*lease);
            const quota::LeaseTerms& terms = lease->wanted().terms;
            EXPECT_TRUE(terms.is_money);
            EXPECT_EQ(terms.amount, 1'000'000);
            EXPECT_EQ(lease->used(terms.window.begin), 100);
            EXPECT_EQ(lease->wanted().need, 0);
            names.insert(lease->name());
            lease->grant(terms.window.begin, {});
            const quota::Lease::Hold hold = lease->let_go();
            lease->answered();
            lease = next;
        }
        return names;
    };
    using Names = std::set<std::string>;
    const Names all{"of team-a", "of each\n\nteam-a"};
    hand_in_budgets(snapshot_, kNow, false);
    EXPECT_EQ(handed_in(), Names()) << "there is no fleet";
    counters.share([] {});
    hand_in_budgets(snapshot_, kNow, false);
    EXPECT_EQ(handed_in(), all);
    hand_in_budgets(snapshot_, kNow, false);
    EXPECT_EQ(handed_in(), Names()) << "it was heard of";
    hand_in_budgets(snapshot_, kNow, true);
    EXPECT_EQ(handed_in(), all);
    hand_in_budgets(snapshot_, kNow + 24h, true);
    EXPECT_EQ(handed_in(), Names()) << "of the next period nothing is spent";
    counters.leases().close();
    hand_in_budgets(snapshot_, kNow, true);
    EXPECT_EQ(handed_in(), Names());
}

// Of each of its applications, at its API.
TEST_F(BudgetHistory, OfASubscriptionIsThatOfAllItsClients) {
    add("client-1", "chat", "production");
    snapshot_.budgets.push_back({0, "client-2", "chat", "production"});
    add("", "chat", "production");
    spend("client-1", "chat", "production", kNow, 100);
    spend("client-2", "chat", "production", kNow, 20);
    spend("client-1", "other", "production", kNow, 3000);
    spend("client-3", "chat", "production", kNow, 40'000);
    spend("", "chat", "production", kNow, 500'000);
    recall();
    EXPECT_EQ(used(0), 120);
    EXPECT_EQ(used(1), 540'120) << "an open route's spend is the API's, once";
}

// A day that begins at half past, as India's does.
TEST_F(BudgetHistory, EndsWithItsPeriodToTheQuarterOfAnHour) {
    add("team-a", "", "production");
    snapshot_.limits[0].calendar = std::make_shared<Days>(30min);
    spend("team-a", "chat", "production", kNow - 11h - 30min, 1);
    spend("team-a", "chat", "production", kNow - 11h - 31min, 20);
    recall();
    EXPECT_EQ(used(0), 1);
}

// No one knows whose it was: the API's it was all the same.
TEST_F(BudgetHistory, OfOthersIsNoConsumers) {
    quota::CounterTable counters;
    snapshot_.counters = &counters;
    add("*", "", "production");
    add("", "chat", "production");
    spend("(others)", "chat", "production", kNow, 1'500'000'000);
    recall();
    EXPECT_EQ(used(1), 1'500'000'000);
    EXPECT_EQ(counters.size(), 0U);
    EXPECT_NE(logged().find(R"("spent":"1.50")"), std::string::npos) << logged();
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
