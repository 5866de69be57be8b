// The ledger's sums by the day, and which of them have changed.
#include <rotary/control/ledger.hpp>
#include <rotary/control/ledger_file.hpp>

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

#include <unistd.h>

#include <cstdio>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

constexpr std::int64_t kDay = 20'000;
constexpr std::int64_t kQuarters = 96;
constexpr std::size_t kMany = 1000;

class LedgerDays : public testing::Test {
protected:
    std::string path() const { return folder_ / "ledger.db"; }

    static quota::SpendTable table(std::string_view consumer, std::int64_t quarter_hour,
                                   quota::Nanos nanos) {
        quota::SpendKey key;
        key.quarter_hour = quarter_hour;
        key.names = {consumer, "chat", "production", "OpenAI", "gpt-4o", "b"};
        llm::Usage usage;
        usage.input = 10;
        usage.source = llm::UsageSource::told;
        quota::SpendTable made;
        made.add(key, quota::Spend::of(usage, nanos), kMany);
        return made;
    }
    // "DAY CONSUMER REQUESTS INPUT NANOS", as they come.
    static std::vector<std::string> rows(const DayPage& page) {
        std::vector<std::string> all;
        for (const DaySum& sum : page.sums) {
            std::string row = std::to_string(sum.day - kDay) + " " + sum.names[0];
            row += " " + std::to_string(sum.spend.requests);
            row += " " + std::to_string(sum.spend.usage.input);
            all.push_back(row + " " + std::to_string(sum.spend.nanos));
        }
        return all;
    }
    using Rows = std::vector<std::string>;

    test::TempDir folder_;
};

TEST_F(LedgerDays, AreSumsOfTheirQuartersOfAnHour) {
    LedgerFile file(path(), "USD");
    EXPECT_EQ(file.days_after(0, 0, kMany).to, 0u);
    const std::int64_t first = kDay * kQuarters;
    file.write(table("a", first, 1));
    file.write(table("a", first + 95, 20));
    file.write(table("a", first + 95, 300));
    file.write(table("a", first + 96, 4000));
    file.write(table("b", first - 1, 50'000));
    const DayPage page = file.days_after(0, 0, kMany);
    EXPECT_EQ(rows(page), (Rows{"0 a 3 30 321", "1 a 1 10 4000", "-1 b 1 10 50000"}));
    EXPECT_EQ(page.journal, file.journal());
    EXPECT_FALSE(page.has_more);
    EXPECT_EQ(page.sums.front().names.back(), "b");
}

TEST_F(LedgerDays, ChangesHaveNumbersThatGoOn) {
    LedgerFile file(path(), "USD");
    file.days_after(0, 0, kMany);
    for (const char* name : {"a", "b", "c"}) file.write(table(name, kDay * kQuarters, 1));
    const std::uint64_t known = file.days_after(0, 0, kMany).to;
    EXPECT_EQ(rows(file.days_after(known, 0, kMany)), Rows());
    EXPECT_EQ(file.days_after(known, 0, kMany).to, known);
    file.write(table("b", kDay * kQuarters + 1, 1));
    file.write(table("a", kDay * kQuarters, 1));
    EXPECT_EQ(rows(file.days_after(known, 0, kMany)), (Rows{"0 b 2 20 2", "0 a 2 20 2"}));
    EXPECT_EQ(rows(file.days_after(0, 0, kMany)), (Rows{"0 c 1 10 1", "0 b 2 20 2", "0 a 2 20 2"}));
}

TEST_F(LedgerDays, ComeInPages) {
    LedgerFile file(path(), "USD");
    file.days_after(0, 0, kMany);
    for (const char* name : {"a", "b", "c"}) file.write(table(name, kDay * kQuarters, 1));
    const DayPage first = file.days_after(0, 0, 2);
    EXPECT_EQ(rows(first), (Rows{"0 a 1 10 1", "0 b 1 10 1"}));
    EXPECT_TRUE(first.has_more);
    const DayPage second = file.days_after(first.to, 0, 2);
    EXPECT_EQ(rows(second), (Rows{"0 c 1 10 1"}));
    EXPECT_FALSE(second.has_more);
    EXPECT_FALSE(file.days_after(0, 0, 3).has_more);
}

TEST_F(LedgerDays, OlderOnesArePassedOver) {
    LedgerFile file(path(), "USD");
    file.days_after(0, 0, kMany);
    file.write(table("new", kDay * kQuarters, 1));
    file.write(table("old", kDay * kQuarters - 1, 1));
    const DayPage page = file.days_after(0, kDay, kMany);
    EXPECT_EQ(rows(page), (Rows{"0 new 1 10 1"}));
    EXPECT_EQ(page.to, file.days_after(0, 0, kMany).to) << "the old one is not looked at again";
}

// What was written before is summed up once; what writes without a word of days keeps them too.
TEST_F(LedgerDays, AreKeptByWhicheverWrites) {
    {
        LedgerFile before(path(), "USD");
        before.write(table("a", kDay * kQuarters, 1));
        before.write(table("a", kDay * kQuarters + 1, 2));
    }
    EXPECT_EQ(rows(LedgerFile(path(), "USD").days_after(0, 0, kMany)), (Rows{"0 a 2 20 3"}));
    LedgerFile(path(), "USD").write(table("a", kDay * kQuarters + 1, 4));
    LedgerFile again(path(), "USD");
    EXPECT_EQ(rows(again.days_after(0, 0, kMany)), (Rows{"0 a 3 30 7"}));
}

// Amounts that no double holds.
TEST_F(LedgerDays, AreExact) {
    LedgerFile file(path(), "USD");
    file.days_after(0, 0, kMany);
    constexpr quota::Nanos kHuge = std::numeric_limits<quota::Nanos>::max() - 2;
    file.write(table("a", kDay * kQuarters, kHuge));
    file.write(table("a", kDay * kQuarters + 1, 1));
    EXPECT_EQ(file.days_after(0, 0, kMany).sums.at(0).spend.nanos, kHuge + 1);
}

TEST_F(LedgerDays, AreToldByTheLedgersThread) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> sink(std::tmpfile(), &std::fclose);
    Logger log(LogLevel::info, LogFormat::json, fileno(sink.get()));
    Ledger ledger({path(), "USD", kMany}, log);
    quota::SpendOutbox& outbox = ledger.add_outbox();
    table("a", kDay * kQuarters, 7).each([&](const auto& key, const auto& spend) {
        outbox.add(key, spend, kMany);
    });
    ASSERT_TRUE(outbox.hand_over());
    // It is not woken for what was handed over: what is asked for is enough.
    std::promise<std::optional<DayPage>> told;
    ledger.ask_days(
        {0, 0, kMany, [&](std::optional<DayPage> page) { told.set_value(std::move(page)); }});
    const std::optional<DayPage> page = told.get_future().get();
    ASSERT_TRUE(page);
    EXPECT_EQ(rows(*page), (Rows{"0 a 1 10 7"}));
}

TEST_F(LedgerDays, OfAFileThatCantBeOpenedAreNone) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> sink(std::tmpfile(), &std::fclose);
    Logger log(LogLevel::info, LogFormat::json, fileno(sink.get()));
    Ledger ledger({folder_ / "no/such/ledger.db", "USD", kMany}, log);
    std::promise<bool> told;
    ledger.ask_days({0, 0, kMany, [&](const std::optional<DayPage>& page) {
                         told.set_value(page.has_value());
                     }});
    EXPECT_FALSE(told.get_future().get());
}

}  // namespace
}  // namespace rotary::control
