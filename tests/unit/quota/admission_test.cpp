#include <rotary/quota/admission.hpp>

#include <gtest/gtest.h>

#include "unit/quota/quota_times.hpp"

#include <limits>
#include <memory>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

Limit limit_of(std::int64_t amount, What what = What::requests, Unit unit = Unit::minute) {
    Limit limit;
    limit.policy = "p" + std::to_string(amount);
    limit.amount = amount;
    limit.what = what;
    limit.unit = unit;
    limit.family = std::make_shared<Family>(limit.policy);
    return limit;
}

std::int64_t used(const Limit& limit, WallTime now = kNoon) {
    return limit.family->common().look(limit.terms(now)).used;
}

TEST(Admission, TakesOfAllOrOfNone) {
    const Limit first = limit_of(5);
    const Limit full = limit_of(0);
    const Limit last = limit_of(7);
    Admission admission;
    for (const Limit* limit : {&first, &full, &last}) admission.ask(*limit, 1, kNoon);
    ASSERT_NE(admission.reached(), nullptr);
    EXPECT_EQ(admission.reached()->limit, &full);
    admission.undo();
    EXPECT_EQ(used(first), 0);
    EXPECT_EQ(used(last), 0);
}

TEST(Admission, TellsOfTheOneThatIsFreeLatest) {
    const Limit minute = limit_of(0, What::requests, Unit::minute);
    const Limit day = limit_of(0, What::requests, Unit::day);
    const Limit hour = limit_of(0, What::requests, Unit::hour);
    Admission admission;
    for (const Limit* limit : {&minute, &day, &hour}) admission.ask(*limit, 1, kNoon);
    ASSERT_NE(admission.reached(), nullptr);
    EXPECT_EQ(admission.reached()->limit, &day);
    EXPECT_EQ(admission.reached()->free_at, kNoon + 12h);
}

TEST(Admission, TellsOfAStrictLimitThatHoldsNoSuchRequest) {
    Limit small = limit_of(10, What::prompt);
    small.strict = true;
    const Limit day = limit_of(0, What::requests, Unit::day);
    Admission admission;
    admission.ask(small, 11, kNoon);
    admission.ask(day, 1, kNoon);
    ASSERT_NE(admission.reached(), nullptr);
    EXPECT_EQ(admission.reached()->limit, &small);
    EXPECT_TRUE(admission.reached()->never);
}

TEST(Admission, SettlesEachThingByWhatWasUsedOfIt) {
    const Limit requests = limit_of(10);
    const Limit prompt = limit_of(5000, What::prompt);
    const Limit completion = limit_of(5001, What::completion);
    const Limit total = limit_of(5002, What::total);
    const Amounts estimate = amounts_of(100, 256);
    Admission admission;
    for (const Limit* limit : {&requests, &prompt, &completion, &total}) {
        EXPECT_TRUE(admission.ask(*limit, estimate[limit->what], kNoon));
    }
    EXPECT_EQ(used(total), 356);
    admission.settle(amounts_of(300, 40), kNoon);
    EXPECT_EQ(used(requests), 1);
    EXPECT_EQ(used(prompt), 300);
    EXPECT_EQ(used(completion), 40);
    EXPECT_EQ(used(total), 340);
    EXPECT_EQ(admission.size(), 0u);
    admission.settle(amounts_of(1, 1), kNoon);
    admission.undo();
    EXPECT_EQ(used(total), 340) << "it settles once";
}

TEST(Admission, UndoesItselfAtItsEnd) {
    const Limit limit = limit_of(10);
    {
        Admission admission;
        admission.ask(limit, 3, kNoon);
        EXPECT_EQ(used(limit), 3);
    }
    EXPECT_EQ(used(limit), 0);
}

TEST(Admission, ShadowCountsAndNeverRefuses) {
    Limit shadow = limit_of(1);
    shadow.shadow = true;
    Admission first;
    EXPECT_TRUE(first.ask(shadow, 1, kNoon));
    EXPECT_EQ(first.shadowed(), nullptr);
    Admission second;
    EXPECT_TRUE(second.ask(shadow, 1, kNoon));
    EXPECT_EQ(second.shadowed(), &shadow);
    EXPECT_EQ(second.reached(), nullptr);
    first.settle(amounts_of(0, 0), kNoon);
    second.settle(amounts_of(0, 0), kNoon);
    EXPECT_EQ(used(shadow), 2);
}

TEST(Admission, ShowsTheTightestOfEachClass) {
    const Limit wide = limit_of(100);
    const Limit tight = limit_of(3, What::requests, Unit::hour);
    const Limit tokens = limit_of(5000, What::prompt);
    const Limit total = limit_of(9000, What::total);
    Admission admission;
    EXPECT_FALSE(admission.is_limited());
    admission.ask(wide, 1, kNoon);
    admission.ask(tight, 1, kNoon);
    admission.ask(tokens, 10, kNoon);
    admission.ask(total, 8000, kNoon);
    EXPECT_TRUE(admission.is_limited());
    EXPECT_EQ(admission.requests().limit, &tight);
    EXPECT_EQ(admission.requests().remaining, 2);
    EXPECT_EQ(admission.requests().reset, kNoon + 1h);
    EXPECT_EQ(admission.tokens().limit, &total);
    EXPECT_EQ(admission.tokens().remaining, 1000);
    EXPECT_EQ(admission.cost().limit, nullptr);
    admission.settle(amounts_of(1, 1), kNoon);
    EXPECT_EQ(admission.tokens().remaining, 1000) << "what was told stands";
}

TEST(Admission, ShowsNothingLeftBehindADebt) {
    const Limit tokens = limit_of(100, What::prompt);
    tokens.family->common().add(tokens.terms(kNoon), 40'000);
    Admission admission;
    EXPECT_FALSE(admission.ask(tokens, 1, kNoon));
    EXPECT_EQ(admission.tokens().remaining, 0);
}

TEST(Admission, RefusesWhatItCanKeepNoAccountOf) {
    std::vector<Limit> limits;
    for (std::size_t i = 0; i <= Admission::kMost; ++i) limits.push_back(limit_of(1000));
    Admission admission;
    for (const Limit& limit : limits) admission.ask(limit, 1, kNoon);
    EXPECT_EQ(admission.size(), Admission::kMost);
    ASSERT_NE(admission.reached(), nullptr);
    EXPECT_EQ(admission.reached()->limit, &limits.back());
    EXPECT_EQ(used(limits.back()), 0);
}

TEST(Admission, BeginsAnew) {
    const Limit full = limit_of(0);
    Limit shadow = limit_of(0);
    shadow.shadow = true;
    Admission admission;
    admission.ask(full, 1, kNoon);
    admission.ask(shadow, 1, kNoon);
    admission.clear();
    EXPECT_EQ(admission.reached(), nullptr);
    EXPECT_EQ(admission.shadowed(), nullptr);
    EXPECT_FALSE(admission.is_limited());
    EXPECT_EQ(used(shadow), 0);
}

TEST(Admission, TakesTheMostThatANumberHoldsForMore) {
    constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const Amounts amounts = amounts_of(kHuge, kHuge);
    EXPECT_EQ(amounts[What::requests], 1);
    EXPECT_EQ(amounts[What::prompt], kMost);
    EXPECT_EQ(amounts[What::total], kMost);
}

class Monthly : public Calendar {
public:
    Window window(WallTime now) const noexcept override {
        const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(now)};
        const auto month = day.year() / day.month();
        return {std::chrono::sys_days(month / 1),
                std::chrono::sys_days((month + std::chrono::months(1)) / 1)};
    }
};

TEST(Admission, KeepsToACalendar) {
    Limit budget = limit_of(100, What::cost);
    budget.calendar = std::make_shared<Monthly>();
    budget.period = "month";
    EXPECT_EQ(budget.unit_name(), "month");
    Amounts amounts;
    amounts[What::cost] = 150;
    Admission admission;
    EXPECT_TRUE(admission.ask(budget, 60, kNoon));
    admission.settle(amounts, kNoon);
    Admission refused;
    EXPECT_FALSE(refused.ask(budget, 60, kNoon));
    EXPECT_EQ(refused.reached()->free_at,
              WallTime(std::chrono::sys_days(std::chrono::year(2026) / 12 / 1)));
    Admission december;
    EXPECT_TRUE(december.ask(budget, 60, refused.reached()->free_at));
    EXPECT_EQ(december.cost().remaining, 40);
}

// A million callers that come once each, and one that is known and comes all the time.
TEST(Admission, OfAMillionCallersNeverRefusesTheKnownOne) {
    CounterTable table;
    table.set_most(1000);
    Limit limit = limit_of(1001);
    limit.family = table.family("each");
    const auto serve = [&](std::string_view who) {
        Admission admission;
        admission.ask(limit, table.hold(limit.family, who, limit.window(kNoon)), 1, kNoon);
        const bool is_admitted = admission.reached() == nullptr;
        admission.settle(amounts_of(1, 1), kNoon);
        return is_admitted;
    };
    int served = 0;
    int refused = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        if (i % 1000 == 0 && !serve("known")) ++refused;
        if (serve(std::to_string(i))) ++served;
    }
    EXPECT_EQ(refused, 0);
    EXPECT_EQ(served, 999 + 1001) << "who has a place, and a window of all the others";
    EXPECT_EQ(table.size(), 1000U);
    EXPECT_TRUE(serve("known"));
    EXPECT_FALSE(serve("known"));
}

}  // namespace
}  // namespace rotary::quota
