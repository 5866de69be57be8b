#include <rotary/admin/limits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    const std::string page = limits_json(*wiring, kNow);
    EXPECT_EQ(json_at(page, "limits.0.policy"), "budget");
    EXPECT_EQ(json_at(page, "limits.0.scope"), "backend");
    EXPECT_EQ(json_at(page, "limits.0.for"), "Backend quill");
    EXPECT_EQ(json_at(page, "limits.0.counts"), "prompt tokens");
    EXPECT_EQ(json_at(page, "limits.0.unit"), "minute");
    EXPECT_EQ(json_at(page, "limits.0.limit"), "5000");
    EXPECT_EQ(json_at(page, "limits.0.used"), "5132");
    EXPECT_EQ(json_at(page, "limits.0.reset"), "2026-01-02T03:05:00.000Z");
    EXPECT_EQ(json_at(page, "not_shown"), "0");
}

TEST(LimitsPage, HasAnEnd) {
    std::vector<quota::Limit> limits(kLimitsShown + 3,
                                     limit_of("many", quota::Scope::subscription, 1, 0));
    const std::string page = limits_json(*wiring_of(std::move(limits)), kNow);
    EXPECT_EQ(json_size(page, "limits"), kLimitsShown);
    EXPECT_EQ(json_at(page, "not_shown"), "3");
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
