#include <rotary/admin/limits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rotary/quota/lease.hpp>

#include <support/json.hpp>
#include <support/sampled.hpp>

#include <memory>
#include <string>

namespace rotary::admin {
namespace {

using namespace std::chrono_literals;
using test::json_at;
using test::json_size;

const WallTime kNow{1'767'323'045s};  // 2026-01-02T03:04:05Z

quota::Limit limit_of(const std::string& policy, quota::Scope scope, std::int64_t amount,
                      std::int64_t used) {
    quota::Limit limit;
    limit.policy = policy;
    limit.subject = "Backend quill";
    limit.scope = scope;
    limit.what = quota::What::prompt;
    limit.amount = amount;
    limit.family = std::make_shared<quota::Family>(policy);
    limit.family->common().add(limit.terms(kNow), used);
    return limit;
}

std::shared_ptr<proxy::Wiring> wiring_of(std::vector<quota::Limit> limits) {
    auto snapshot = std::make_shared<routing::Snapshot>();
    snapshot->limits = std::move(limits);
    auto wiring = std::make_shared<proxy::Wiring>();
    wiring->snapshot = std::move(snapshot);
    return wiring;
}

TEST(LimitsPage, ShowsHowEachStands) {
    const auto wiring = wiring_of({limit_of("budget", quota::Scope::backend, 5000, 5132)});
    const std::string page = limits_json(*wiring, kNow, 20);
    EXPECT_EQ(json_at(page, "limits.0.policy"), "budget");
    EXPECT_EQ(json_at(page, "limits.0.scope"), "backend");
    EXPECT_EQ(json_at(page, "limits.0.for"), "Backend quill");
    EXPECT_EQ(json_at(page, "limits.0.counts"), "prompt tokens");
    EXPECT_EQ(json_at(page, "limits.0.unit"), "minute");
    EXPECT_EQ(json_at(page, "limits.0.limit"), "5000");
    EXPECT_EQ(json_at(page, "limits.0.used"), "5132");
    EXPECT_EQ(json_at(page, "limits.0.remaining"), "0");
    EXPECT_EQ(json_at(page, "limits.0.reset"), "2026-01-02T03:05:00.000Z");
    EXPECT_EQ(json_at(page, "not_shown"), "0");
}

TEST(LimitsPage, HasAnEnd) {
    std::vector<quota::Limit> limits(kLimitsShown + 3,
                                     limit_of("many", quota::Scope::subscription, 1, 0));
    const std::string page = limits_json(*wiring_of(std::move(limits)), kNow, 20);
    EXPECT_EQ(json_size(page, "limits"), kLimitsShown);
    EXPECT_EQ(json_at(page, "not_shown"), "3");
}

// Limits that callers have for themselves, with what some have used.
struct OfCallers {
    OfCallers() {
        snapshot->counters = &counters;
        wiring->snapshot = snapshot;
    }
    quota::Limit& add(const std::string& policy, quota::What what, std::int64_t amount) {
        quota::Limit& limit = snapshot->limits.emplace_back();
        limit.policy = policy;
        limit.scope = quota::Scope::consumer;
        limit.what = what;
        limit.amount = amount;
        limit.is_each = true;
        limit.family = counters.family(policy);
        return limit;
    }
    void use(const quota::Limit& limit, const std::string& who, std::int64_t amount) {
        counters.hold(limit.family, who, limit.window(kNow))->add(limit.terms(kNow), amount);
    }

    quota::CounterTable counters;
    std::shared_ptr<routing::Snapshot> snapshot = std::make_shared<routing::Snapshot>();
    std::shared_ptr<proxy::Wiring> wiring = std::make_shared<proxy::Wiring>();
};

TEST(LimitsPage, ShowsTheCallersThatUsedMost) {
    OfCallers of;
    const quota::Limit limit = of.add("team", quota::What::requests, 50);
    const quota::Limit other = of.add("other", quota::What::requests, 50);
    for (int i = 0; i < 30; ++i) of.use(limit, "caller " + std::to_string(i), i);
    of.use(limit, "red", 60);
    of.use(limit, "blue", 40);
    of.use(limit, "also blue", 40);
    of.use(other, "x", 99);
    const std::string page = limits_json(*of.wiring, kNow, 4);
    EXPECT_EQ(json_at(page, "limits.0.known_callers"), "33");
    ASSERT_EQ(json_size(page, "limits.0.callers"), 4U);
    const std::string names[] = {"red", "also blue", "blue", "caller 29"};
    const std::string left[] = {"0", "10", "10", "21"};
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string place = "limits.0.callers." + std::to_string(i);
        EXPECT_EQ(json_at(page, place + ".caller"), names[i]);
        EXPECT_EQ(json_at(page, place + ".remaining"), left[i]);
        EXPECT_EQ(json_at(page, place + ".limit"), "50");
        EXPECT_EQ(json_at(page, place + ".reset"), "2026-01-02T03:05:00.000Z");
    }
    EXPECT_EQ(json_at(page, "limits.1.known_callers"), "1");
    EXPECT_EQ(json_size(limits_json(*of.wiring, kNow, 0), "limits.0.callers"), 0U);
}

TEST(LimitsPage, ShowsOfWhatReplicasShareWhatAllHaveUsed) {
    OfCallers of;
    const quota::Limit each = of.add("each", quota::What::requests, 50);
    quota::Limit& whole = of.add("whole", quota::What::requests, 100);
    whole.is_each = false;
    whole.scope = quota::Scope::api;
    std::string page = limits_json(*of.wiring, kNow, 4);
    EXPECT_EQ(json_at(page, "limits.1.used_here"), "<missing>");
    int rings = 0;
    of.counters.share([&] { ++rings; });
    of.use(each, "red", 7);
    whole.family->common().add(whole.terms(kNow), 2);
    const auto red = *of.counters.find(*each.family, "red");
    red->lease()->grant(each.window(kNow).begin, {10, 20, 0, kNow, kNow});
    whole.family->common().lease()->grant(whole.window(kNow).begin, {5, 60, 0, kNow, kNow});
    page = limits_json(*of.wiring, kNow, 4);
    EXPECT_EQ(json_at(page, "limits.0.callers.0.used"), "27");
    EXPECT_EQ(json_at(page, "limits.0.callers.0.used_here"), "7");
    EXPECT_EQ(json_at(page, "limits.0.callers.0.remaining"), "23");
    EXPECT_EQ(json_at(page, "limits.1.used"), "37");
    EXPECT_EQ(json_at(page, "limits.1.used_here"), "2");
    EXPECT_EQ(json_at(page, "limits.1.remaining"), "63");
    test::Sampled out;
    sample_limits(*of.wiring, kNow, out);
    EXPECT_EQ(out.value("rotary_limit_used_ratio{policy=whole}"), 0.37);
    EXPECT_EQ(rings, 1) << "what is shown is asked for";
    std::size_t asked = 0;
    for (quota::Lease* due = of.counters.leases().take_due(); due != nullptr; ++asked) {
        quota::Lease& one = *due;
        due = quota::LeaseDesk::next(one);
        const quota::Lease::Hold last = one.let_go();
    }
    EXPECT_EQ(asked, 3U) << "of `each` the counter of all others, too";
}

TEST(LimitsPage, SamplesWhatIsSpentOfBudgets) {
    OfCallers of;
    const quota::Limit each = of.add("each", quota::What::cost, 100);
    of.use(each, "one", 20);
    of.use(each, "other", 75);
    of.use(of.add("requests", quota::What::requests, 100), "one", 99);
    for (const std::int64_t spent : {10, 30}) {
        quota::Limit& limit = of.add("api", quota::What::cost, 100);
        limit.scope = quota::Scope::api;
        limit.is_each = false;
        limit.family = std::make_shared<quota::Family>("api");
        limit.family->common().add(limit.terms(kNow), spent);
    }
    of.snapshot->budgets.resize(3);
    of.snapshot->budgets[0].limit = 0;
    of.snapshot->budgets[1].limit = 2;
    of.snapshot->budgets[2].limit = 3;
    test::Sampled out;
    sample_budgets(*of.wiring, kNow, out);
    EXPECT_EQ(out.all().size(), 2U);
    EXPECT_EQ(out.value("rotary_budget_used_ratio{budget=each}"), 0.75);
    EXPECT_EQ(out.value("rotary_budget_used_ratio{budget=api}"), 0.3)
        << "of its environments the one that spent most";
    test::Sampled limits;
    sample_limits(*of.wiring, kNow, limits);
    EXPECT_TRUE(limits.all().empty()) << "budgets have a metric of their own";
}

TEST(LimitsPage, SamplesTheMostUsedOfEachPolicy) {
    const auto wiring = wiring_of({limit_of("budget", quota::Scope::backend, 100, 25),
                                   limit_of("budget", quota::Scope::backend, 100, 50),
                                   limit_of("none", quota::Scope::api, 0, 0),
                                   limit_of("tier", quota::Scope::subscription, 100, 99)});
    test::Sampled out;
    sample_limits(*wiring, kNow, out);
    EXPECT_EQ(out.all().size(), 2U);
    EXPECT_EQ(out.value("rotary_limit_used_ratio{policy=budget}"), 0.5);
    EXPECT_EQ(out.value("rotary_limit_used_ratio{policy=none}"), 1.0);
}

}  // namespace
}  // namespace rotary::admin
