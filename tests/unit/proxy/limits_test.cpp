// What limits say to one request, what they hold of it, and what its client is told.
#include "proxy/limits.hpp"

#include "proxy/answer_head.hpp"
#include "proxy/refusal.hpp"
#include "proxy/select.hpp"
#include "proxy/usage_settle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// 2026-11-29T12:00:37Z: 23 s before the next minute.
const WallTime kTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + 12h + 37s;
// 100 tokens, as they are estimated.
const std::string kBody =
    R"({"messages":[{"role":"user","content":")" + std::string(288, 'a') + R"("}]})";

quota::Limit limit_of(std::int64_t amount, quota::What what = quota::What::requests,
                      quota::Scope scope = quota::Scope::api) {
    quota::Limit limit;
    limit.policy = "gold";
    limit.subject = "subscription llm-subs";
    limit.scope = scope;
    limit.amount = amount;
    limit.what = what;
    limit.family = std::make_shared<quota::Family>("family");
    return limit;
}

// One rule over two Backends, and limits that a test gives it.
class Limits : public testing::Test {
protected:
    std::size_t add(quota::Limit limit) {
        request_.snapshot->limits.push_back(std::move(limit));
        return request_.snapshot->limits.size() - 1;
    }
    void limit_route(quota::Limit limit) {
        const bool tokens = quota::is_tokens(limit.what);
        auto& set = request_.route().quotas;
        (tokens ? set.tokens : set.requests).push_back(add(std::move(limit)));
        request_.route().counts_tokens = tokens || request_.route().counts_tokens;
    }
    void limit_backend(std::size_t backend, quota::Limit limit) {
        const bool tokens = quota::is_tokens(limit.what);
        auto& set = request_.backend(backend).quotas;
        (tokens ? set.tokens : set.requests).push_back(add(std::move(limit)));
        request_.route().counts_tokens = tokens || request_.route().counts_tokens;
    }
    void begin(WallTime now = kTime) {
        if (request_.snapshot->by_backend.empty()) request_.snapshot->by_backend.resize(2);
        request_.ask("POST /chat/1.0/x", "", kBody);
        request_.exchange.request.started_wall = now;
    }
    // Steps 3 and 5 of a request at that time: the fault's kind, or none.
    FaultKind admit(WallTime now = kTime) {
        begin(now);
        Result<void> step = admit_request(request_.context, request_.exchange);
        if (step) step = reserve_tokens(request_.context, request_.exchange);
        return step ? FaultKind::none : step.error().kind;
    }
    void settle(std::uint64_t input, std::uint64_t output) {
        request_.exchange.outcome.usage.input = input;
        request_.exchange.outcome.usage.output = output;
        settle_limits(request_.context, request_.exchange);
    }
    // A request from its head to its end.
    FaultKind serve(WallTime now, std::uint64_t input, std::uint64_t output) {
        const FaultKind kind = admit(now);
        settle(input, output);
        return kind;
    }
    std::int64_t used(std::size_t index, WallTime now = kTime) const {
        const quota::Limit& limit = request_.snapshot->limits[index];
        return limit.family->common().look(limit.terms(now)).used;
    }
    std::string refusal(FaultKind kind) {
        HandMadeClient client(request_);
        return client.run(refuse(request_.context, client, request_.exchange, Fault::client(kind)));
    }
    std::string answer(const std::string& head) {
        HandMadeClient client(request_);
        HandMadeProvider provider(request_);
        provider.answers("HTTP/1.1 200 OK\n" + head + "content-length: 0\n");
        EXPECT_TRUE(write_answer_head(request_.context, client, request_.exchange, provider));
        return client.head();
    }

    OneRequest request_{{"a", "b"}};
};

// APK's own scenarios: a limit of 5000 of each kind of token, calls of 300, one of 40,000, which
// passes, the next is refused, the next minute is fresh.
struct ApkRow {
    const char* name;
    quota::What what;
};
class ApkScenario : public Limits, public testing::WithParamInterface<ApkRow> {};

TEST_P(ApkScenario, PassesMinuteAfterMinute) {
    limit_route(limit_of(5000, GetParam().what));
    const bool prompt = GetParam().what == quota::What::prompt;
    const bool completion = GetParam().what == quota::What::completion;
    const auto call = [&](WallTime now, std::uint64_t tokens) {
        return serve(now, completion ? 7 : (prompt ? tokens : tokens / 2),
                     prompt ? 7 : (completion ? tokens : tokens - tokens / 2));
    };
    for (int minute = 0; minute < 3; ++minute) {
        const WallTime now = kTime + std::chrono::minutes(minute);
        EXPECT_EQ(call(now, 300), FaultKind::none);
        EXPECT_EQ(used(0, now), 300);
        EXPECT_EQ(call(now + 1s, 300), FaultKind::none);
        EXPECT_EQ(used(0, now), 600);
        EXPECT_EQ(call(now + 2s, 40'000), FaultKind::none);
        EXPECT_EQ(call(now + 3s, 1), FaultKind::token_budget_exceeded);
        EXPECT_EQ(used(0, now), 40'600) << "a refused request takes nothing";
    }
}
INSTANTIATE_TEST_SUITE_P(Of, ApkScenario,
                         testing::Values(ApkRow{"Prompt", quota::What::prompt},
                                         ApkRow{"Completion", quota::What::completion},
                                         ApkRow{"Total", quota::What::total}),
                         [](const auto& row) { return row.param.name; });

TEST_F(Limits, CountRequests) {
    limit_route(limit_of(2));
    EXPECT_EQ(serve(kTime, 0, 0), FaultKind::none);
    EXPECT_EQ(serve(kTime, 0, 0), FaultKind::none);
    EXPECT_EQ(serve(kTime, 0, 0), FaultKind::rate_limit_exceeded);
    EXPECT_EQ(serve(kTime + 60s, 0, 0), FaultKind::none);
}

TEST_F(Limits, GiveBackARequestThatATokenLimitRefuses) {
    limit_route(limit_of(10));
    limit_route(limit_of(0, quota::What::total));
    EXPECT_EQ(admit(), FaultKind::token_budget_exceeded);
    EXPECT_EQ(used(0), 0);
}

TEST_F(Limits, HoldTheEstimateUntilTheAnswerTells) {
    limit_route(limit_of(5000, quota::What::total));
    EXPECT_EQ(admit(), FaultKind::none);
    EXPECT_EQ(used(0), 100 + 256);
    settle(10, 20);
    EXPECT_EQ(used(0), 30);
}

TEST_F(Limits, GiveItBackWhenTheExchangeIsGivenUp) {
    limit_route(limit_of(5000, quota::What::total));
    EXPECT_EQ(admit(), FaultKind::none);
    request_.exchange.end();
    EXPECT_EQ(used(0), 0);
}

TEST_F(Limits, OfASubscriptionAreItsOwn) {
    routing::Subscribers& all = request_.snapshot->subscribers.emplace_back();
    routing::Subscriber gold{"app", "gold", {}};
    gold.limits.requests.push_back(
        add(limit_of(1, quota::What::requests, quota::Scope::subscription)));
    all.add("client-1", gold);
    all.add("client-2", {"other", "free", {}});
    request_.route().subscribers = 0;
    const auto ask = [&](std::string_view client) {
        begin();
        request_.exchange.match.consumer = client;
        const auto step = admit_request(request_.context, request_.exchange);
        settle(0, 0);
        return step ? FaultKind::none : step.error().kind;
    };
    EXPECT_EQ(ask("client-1"), FaultKind::none);
    EXPECT_EQ(ask("client-1"), FaultKind::rate_limit_exceeded);
    EXPECT_EQ(ask("client-2"), FaultKind::none);
    EXPECT_EQ(ask("client-3"), FaultKind::subscription_required);
    EXPECT_EQ(ask(""), FaultKind::subscription_required);
}

TEST_F(Limits, TakeWhatTheAnswerMayHave) {
    struct Row {
        const char* name;
        const char* members;
        std::int64_t taken;
    };
    const Row rows[] = {
        {"it says nothing", "", 256},
        {"it says so", R"(,"max_tokens":1000)", 1000},
        {"of three candidates", R"(,"max_completion_tokens":1000,"n":3)", 3000},
        {"without an end", R"(,"max_tokens":1000000000000)", 128 * 256},
    };
    for (const Row& row : rows) {
        request_.context.wiring.reset();
        request_.snapshot->limits.clear();
        request_.route().quotas = {};
        limit_route(limit_of(1'000'000, quota::What::completion));
        if (request_.snapshot->by_backend.empty()) request_.snapshot->by_backend.resize(2);
        request_.ask("POST /chat/1.0/x", "", std::string(R"({"a":1)") + row.members + "}");
        request_.exchange.request.started_wall = kTime;
        ASSERT_TRUE(reserve_tokens(request_.context, request_.exchange).has_value()) << row.name;
        EXPECT_EQ(used(0), row.taken) << row.name;
        request_.exchange.quotas.clear();
    }
}

TEST_F(Limits, TellARefusalWhole) {
    limit_route(limit_of(100));
    quota::Limit tokens = limit_of(5000, quota::What::prompt, quota::Scope::subscription);
    tokens.family->common().add(tokens.terms(kTime), 5132);
    limit_route(tokens);
    ASSERT_EQ(admit(), FaultKind::token_budget_exceeded);
    request_.exchange.request.started = request_.reactor.exact_now() + 1h;  // no time has passed
    const std::string text = refusal(FaultKind::token_budget_exceeded);
    EXPECT_THAT(text, HasSubstr("HTTP/1.1 429 Too Many Requests"));
    EXPECT_THAT(
        text,
        HasSubstr(R"({"error": {"message": "Limit of 5000 prompt tokens per minute reached for )"
                  R"(subscription llm-subs (used 5132). Resets in 23s.", "type": )"
                  R"("rate_limit_error", "param": null, "code": "token_budget_exceeded", )"
                  R"("apk_code": 900804}})"));
    EXPECT_THAT(text, HasSubstr("\nretry-after: 23\n"));
    EXPECT_THAT(text, HasSubstr("\nretry-after-ms: 23000\n"));
    EXPECT_THAT(text, Not(HasSubstr("x-should-retry")));
    EXPECT_THAT(text, HasSubstr("\nx-ratelimit-limit-requests: 100\n"
                                "x-ratelimit-remaining-requests: 99\n"
                                "x-ratelimit-reset-requests: 23s\n"
                                "x-ratelimit-limit-tokens: 5000\n"
                                "x-ratelimit-remaining-tokens: 0\n"
                                "x-ratelimit-reset-tokens: 23s\n"));
    EXPECT_THAT(request_.logged(), Not(HasSubstr("\"limit\"")));
    request_.access_log.record(request_.exchange, request_.reactor.exact_now());
    EXPECT_THAT(request_.logged(), HasSubstr(R"("limit":"gold")"));
}

struct CodeRow {
    quota::Scope scope;
    const char* code;
};

TEST_F(Limits, HaveApksNumbers) {
    for (const CodeRow row :
         {CodeRow{quota::Scope::api, "900800"}, CodeRow{quota::Scope::resource, "900802"},
          CodeRow{quota::Scope::consumer, "900803"}, CodeRow{quota::Scope::subscription, "900804"},
          CodeRow{quota::Scope::custom, "900806"}}) {
        Limits::request_.context.wiring.reset();
        request_.snapshot->limits.clear();
        request_.route().quotas = {};
        limit_route(limit_of(0, quota::What::requests, row.scope));
        ASSERT_EQ(admit(), FaultKind::rate_limit_exceeded);
        EXPECT_THAT(refusal(FaultKind::rate_limit_exceeded), HasSubstr(row.code));
    }
}

TEST_F(Limits, TellSdksNotToWaitLongerThanAMinute) {
    quota::Limit day = limit_of(0);
    day.unit = quota::Unit::day;
    limit_route(day);
    ASSERT_EQ(admit(), FaultKind::rate_limit_exceeded);
    const std::string text = refusal(FaultKind::rate_limit_exceeded);
    EXPECT_THAT(text, HasSubstr("\nx-should-retry: false\n"));
    EXPECT_THAT(text, HasSubstr("\nx-ratelimit-reset-requests: 11h59m23s\n"));
}

TEST_F(Limits, TellARequestThatNoWindowHoldsNotToComeAgain) {
    quota::Limit small = limit_of(200, quota::What::total);
    small.strict = true;
    limit_route(small);
    ASSERT_EQ(admit(), FaultKind::token_budget_exceeded);
    EXPECT_THAT(refusal(FaultKind::token_budget_exceeded), HasSubstr("\nx-should-retry: false\n"));
}

// A budget of 100 USD a day, and an entry that costs 2,500 n$ a token in and 10,000 out.
class BudgetLimits : public Limits {
protected:
    BudgetLimits() {
        request_.rotate({"m@a"});
        config::PriceEntry entry;
        entry.provider = "*";
        entry.is_prefix = true;
        entry.rates[0] = 2'500'000;
        entry.rates[static_cast<std::size_t>(config::Rate::output)] = 10'000'000;
        request_.snapshot->prices =
            std::make_shared<quota::PriceTable>(std::vector<config::PriceEntry>{entry});
        request_.snapshot->lists.front().entries.front().price =
            request_.snapshot->prices->find("any", "m");
        quota::Limit limit = limit_of(100'000'000'000, quota::What::cost, quota::Scope::consumer);
        limit.subject = "consumer team-a";
        limit.unit = quota::Unit::day;
        limit.currency = "USD";
        place_ = add(limit);
        request_.snapshot->consumer_budgets[0].add("team-a", place_);
        request_.route().counts_tokens = true;
    }
    FaultKind ask(WallTime now = kTime) {
        begin(now);
        request_.exchange.match.consumer = "team-a";
        request_.exchange.tries.choice.list = 0;
        const Result<void> step = reserve_tokens(request_.context, request_.exchange);
        return step ? FaultKind::none : step.error().kind;
    }
    void pay(std::int64_t nanos) {
        request_.exchange.outcome.cost = nanos;
        settle_limits(request_.context, request_.exchange);
    }

    std::size_t place_ = 0;
};

TEST_F(BudgetLimits, TakeWhatItMayCostAndSettleWhatItDid) {
    EXPECT_EQ(ask(), FaultKind::none);
    EXPECT_EQ(used(place_), 100 * 2'500 + 256 * 10'000);
    pay(70'000);
    EXPECT_EQ(used(place_), 70'000);
}

TEST_F(BudgetLimits, RefuseWhenAllIsSpent) {
    EXPECT_EQ(ask(), FaultKind::none);
    pay(100'020'000'000);
    EXPECT_EQ(ask(), FaultKind::cost_budget_exceeded);
    EXPECT_EQ(used(place_), 100'020'000'000) << "a refused request takes nothing";
    const std::string text = refusal(FaultKind::cost_budget_exceeded);
    EXPECT_THAT(text, HasSubstr("Budget of 100.00 USD per day spent for consumer team-a (used "
                                "100.02 USD). Resets in 11h59m2"));
    EXPECT_THAT(text, HasSubstr(R"("code": "cost_budget_exceeded", "apk_code": 900803)"));
    EXPECT_THAT(text, HasSubstr("\nx-should-retry: false\n"));
    EXPECT_THAT(text, Not(HasSubstr("x-ratelimit-")));
    EXPECT_EQ(ask(kTime + 24h), FaultKind::none) << "the next day is another one";
}

TEST_F(BudgetLimits, PayForTriesThatFailedWhereTheyAreCharged) {
    EXPECT_EQ(ask(), FaultKind::none);
    FailedTry failed;
    failed.usage.input = 100;
    failed.cost = 30'000;
    request_.exchange.quotas.failed = {failed, failed};
    pay(70'000);
    EXPECT_EQ(used(place_), 130'000);
}

TEST_F(BudgetLimits, OfOthersDoNotMatter) {
    EXPECT_EQ(ask(), FaultKind::none);
    pay(100'020'000'000);
    begin();
    request_.exchange.match.consumer = "team-b";
    request_.exchange.tries.choice.list = 0;
    EXPECT_TRUE(reserve_tokens(request_.context, request_.exchange).has_value());
}

TEST_F(BudgetLimits, OfEachConsumerAreItsOwn) {
    quota::CounterTable counters;
    request_.snapshot->counters = &counters;
    quota::Limit limit = limit_of(1'000'000, quota::What::cost, quota::Scope::consumer);
    request_.snapshot->consumer_budgets[0].add_for_each(add(limit));
    const auto ask_as = [&](const char* consumer) {
        begin();
        request_.exchange.match.consumer = consumer;
        request_.exchange.tries.choice.list = 0;
        const Result<void> step = reserve_tokens(request_.context, request_.exchange);
        return step ? FaultKind::none : step.error().kind;
    };
    EXPECT_EQ(ask_as("one"), FaultKind::none);
    pay(1'000'000);
    EXPECT_EQ(ask_as("one"), FaultKind::cost_budget_exceeded);
    EXPECT_EQ(ask_as("other"), FaultKind::none);
    EXPECT_EQ(counters.size(), 2U);
    EXPECT_EQ(ask_as(""), FaultKind::none) << "an open route has no consumer";
    request_.exchange.quotas.clear();  // before the counters go
}

TEST_F(BudgetLimits, WarnOnceWhenLittleIsLeft) {
    request_.snapshot->limits[place_].soft = 80'000'000'000;
    const auto header = [&] {
        request_.choose();
        return answer("");
    };
    EXPECT_EQ(ask(), FaultKind::none);
    EXPECT_THAT(header(), Not(HasSubstr("x-rotary-limit-soft")));
    pay(80'000'000'000);
    const LimitSeries& series = request_.context.wiring->limits[place_];
    for (std::uint64_t times = 1; times <= 3; ++times) {
        EXPECT_EQ(ask(), FaultKind::none);
        EXPECT_THAT(header(), HasSubstr("x-rotary-limit-soft: gold\n"));
        EXPECT_EQ(request_.registry.value(series.warned), times);
        EXPECT_EQ(request_.registry.value(series.admitted), 1u);
        pay(0);
    }
    const std::string log = request_.logged();
    EXPECT_EQ(count_of(log, "a budget has reached its soft limit"), 1u) << log;
    EXPECT_THAT(log, HasSubstr(R"("for":"consumer team-a","consumer":"team-a","soft":"80.00",)"
                               R"("amount":"100.00")"));
    EXPECT_EQ(ask(kTime + 24h), FaultKind::none);
    EXPECT_THAT(header(), Not(HasSubstr("x-rotary-limit-soft"))) << "the next day is another one";
}

TEST_F(BudgetLimits, OfASubscriptionBoundItsCallers) {
    routing::Subscriber subscriber;
    quota::Limit limit = limit_of(1'000, quota::What::cost, quota::Scope::subscription);
    subscriber.limits.costs = {add(limit)};
    const auto ask_subscribed = [&] {
        begin();
        request_.exchange.tries.choice.list = 0;
        request_.exchange.quotas.subscriber = &subscriber;
        const Result<void> step = reserve_tokens(request_.context, request_.exchange);
        return step ? FaultKind::none : step.error().kind;
    };
    EXPECT_EQ(ask_subscribed(), FaultKind::none);
    pay(1'000);
    EXPECT_EQ(ask_subscribed(), FaultKind::cost_budget_exceeded);
    EXPECT_THAT(refusal(FaultKind::cost_budget_exceeded), HasSubstr(R"("apk_code": 900804)"));
    EXPECT_EQ(ask(), FaultKind::none) << "others are not subscribed";
}

TEST_F(BudgetLimits, LeaveTheProvidersWordsAlone) {
    ASSERT_EQ(ask(), FaultKind::none);
    request_.choose();
    EXPECT_THAT(answer("x-ratelimit-remaining-tokens: 77\n"), HasSubstr("77"));
}

TEST_F(Limits, ReplaceTheProvidersWords) {
    limit_route(limit_of(5, quota::What::total));
    ASSERT_EQ(admit(), FaultKind::none);
    request_.choose();
    const std::string head = answer("X-RateLimit-Remaining-Tokens: 77\nx-ratelimit-limit: 1\n");
    EXPECT_THAT(head, Not(HasSubstr("77")));
    EXPECT_THAT(head, Not(HasSubstr("x-ratelimit-limit: 1")));
    EXPECT_THAT(head, HasSubstr("x-ratelimit-remaining-tokens: 0\n"));
    EXPECT_THAT(head, Not(HasSubstr("requests")));
}

TEST_F(Limits, AreToldInApksWords) {
    request_.snapshot->config.quotas.headers = config::QuotaHeaders::apk;
    limit_route(limit_of(50));
    limit_route(limit_of(5000, quota::What::total));
    ASSERT_EQ(admit(), FaultKind::none);
    request_.choose();
    EXPECT_THAT(answer(""), HasSubstr("x-ratelimit-limit: 50\nx-ratelimit-remaining: 49\n"
                                      "x-ratelimit-reset: 23\n"));
}

TEST_F(Limits, AreNotToldWhereTheyAreOff) {
    request_.snapshot->config.quotas.headers = config::QuotaHeaders::off;
    limit_route(limit_of(50));
    ASSERT_EQ(admit(), FaultKind::none);
    request_.choose();
    EXPECT_THAT(answer("x-ratelimit-limit: 1\n"), Not(HasSubstr("x-ratelimit")));
}

TEST_F(Limits, ThatOnlyCountWarn) {
    quota::Limit shadow = limit_of(0);
    shadow.shadow = true;
    limit_route(shadow);
    EXPECT_EQ(admit(), FaultKind::none);
    request_.choose();
    EXPECT_THAT(answer(""), HasSubstr("x-rotary-limit-shadow: gold\n"));
    settle(0, 0);
    EXPECT_EQ(used(0), 1);
    const auto& series = request_.context.wiring->limits[0];
    EXPECT_EQ(request_.registry.value(series.shadowed), 1u);
    EXPECT_EQ(request_.registry.value(series.refused), 0u);
}

TEST_F(Limits, OfABackendSteer) {
    limit_backend(0, limit_of(1, quota::What::requests, quota::Scope::backend));
    request_.rotate({"m0@a", "m1@b", "m2@a"});
    request_.snapshot->by_backend.resize(2);
    auto& lists = request_.snapshot->lists;
    const auto shared = [&](std::size_t entry) {
        // The rotation owns its states; the Backend's are the same ones.
        return std::shared_ptr<rotation::EntryState>(std::shared_ptr<void>(),
                                                     &lists[0].rotation.state(entry));
    };
    request_.snapshot->by_backend[0] = {shared(0), shared(2)};
    const auto next = [&] {
        begin();
        request_.exchange.tries.choice.list = 0;
        const auto selected = select(request_.context, request_.exchange, Next::nowhere);
        std::string model = "nobody";
        if (selected) model = request_.exchange.entry()->model;
        settle_limits(request_.context, request_.exchange);
        return model;
    };
    EXPECT_EQ(next(), "m0");
    EXPECT_EQ(next(), "m1");
    EXPECT_EQ(next(), "m1") << "a has had its one request";
    EXPECT_EQ(next(), "m1");
    EXPECT_EQ(request_.state(0).reason(), rotation::SuspendReason::limit);
    EXPECT_EQ(request_.state(2).standing(request_.reactor.now()), rotation::Standing::out);
    EXPECT_EQ(request_.state(0).standing(request_.reactor.now() + 24s), rotation::Standing::active);
    request_.state(1).set_limited(request_.reactor.now() + 5s);
    EXPECT_EQ(next(), "nobody");
    EXPECT_TRUE(lists[0].rotation.all_out_for_quota(request_.reactor.now()));
}

// The limit of one model leaves the others of its Backend alone.
TEST_F(Limits, OfAModelSteer) {
    request_.rotate({"m0@a", "m1@a", "m0@b"});
    quota::Limit limit = limit_of(1, quota::What::requests, quota::Scope::backend);
    limit.model = "m0";
    request_.snapshot->lists[0].entries[0].quotas.requests.push_back(add(limit));
    std::map<std::string, int> served;
    for (int i = 0; i < 8; ++i) {
        begin();
        request_.exchange.tries.choice.list = 0;
        ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
        ++served[request_.exchange.entry()->model + "@" + request_.exchange.backend()->name];
        settle_limits(request_.context, request_.exchange);
    }
    EXPECT_EQ(served, (std::map<std::string, int>{{"m0@a", 1}, {"m0@b", 3}, {"m1@a", 4}}));
    EXPECT_EQ(request_.state(0).reason(), rotation::SuspendReason::limit);
    EXPECT_EQ(request_.state(2).reason(), rotation::SuspendReason::none);
}

// A provider that says nothing has read what it was sent.
TEST_F(Limits, OfABackendKeepWhatASilentTrySent) {
    limit_backend(0, limit_of(9000, quota::What::total, quota::Scope::backend));
    for (const bool was_silent : {true, false}) {
        begin();
        ASSERT_TRUE(reserve_tokens(request_.context, request_.exchange));
        ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
        if (request_.exchange.backend()->name != "a") {
            ASSERT_TRUE(select(request_.context, request_.exchange, Next::backend));
        }
        const std::int64_t before = used(0);
        const auto kind =
            was_silent ? FaultKind::upstream_timeout : FaultKind::upstream_connect_failed;
        settle_unanswered(request_.context, request_.exchange, Fault::upstream(kind), true);
        settle_limits(request_.context, request_.exchange);
        EXPECT_EQ(before - used(0), was_silent ? 356 - 87 : 356);
    }
    EXPECT_EQ(used(0), 87) << "the input by 3.5 bytes a token, as answers are settled";
}

class KeyedLimits : public Limits {
protected:
    KeyedLimits() { request_.snapshot->counters = &counters_; }
    ~KeyedLimits() override { request_.exchange.quotas.clear(); }
    void limit_by(config::CustomRate::By by, const std::string& name,
                  const std::string& value = "") {
        const std::size_t limit = add(limit_of(2, quota::What::requests, quota::Scope::custom));
        request_.route().quotas.keyed.push_back({limit, by, name, value});
    }
    FaultKind ask_with(const std::string& headers, const auth::ClaimViews& claims = {},
                       std::string_view consumer = {}) {
        begin();
        request_.ask("POST /chat/1.0/x", headers, kBody);
        request_.exchange.request.started_wall = kTime;
        request_.exchange.match.caller = std::make_shared<const auth::Claims>(claims);
        request_.exchange.match.consumer = consumer;
        const Result<void> step = admit_request(request_.context, request_.exchange);
        settle_limits(request_.context, request_.exchange);
        return step ? FaultKind::none : step.error().kind;
    }
    // Of four requests of the kind.
    std::size_t admitted(const std::string& headers, const auth::ClaimViews& claims = {},
                         std::string_view consumer = {}) {
        std::size_t count = 0;
        for (int i = 0; i < 4; ++i) {
            if (ask_with(headers, claims, consumer) == FaultKind::none) ++count;
        }
        return count;
    }
    static auth::ClaimViews claim(std::string_view name, std::string_view value) {
        auth::ClaimViews views;
        views.named.push_back({name, value});
        return views;
    }

    quota::CounterTable counters_;
};

TEST_F(KeyedLimits, OfAHeaderAreOfEachValue) {
    limit_by(config::CustomRate::By::header, "x-team");
    EXPECT_EQ(admitted("x-team: red\n"), 2U);
    EXPECT_EQ(admitted("X-Team: blue\n"), 2U);
    EXPECT_EQ(admitted("x-team: red\n"), 0U);
    EXPECT_EQ(counters_.size(), 2U);
    EXPECT_EQ(ask_with("x-team: red\n"), FaultKind::rate_limit_exceeded);
    EXPECT_THAT(refusal(FaultKind::rate_limit_exceeded), HasSubstr("\"apk_code\": 900806"));
}

TEST_F(KeyedLimits, AreNotEscapedByLeavingTheValueOut) {
    limit_by(config::CustomRate::By::header, "x-team");
    EXPECT_EQ(admitted(""), 2U) << "those without share one counter";
    EXPECT_EQ(admitted("x-team: a\nx-team: b\n"), 0U) << "two values are none";
    EXPECT_EQ(admitted("x-team:\n"), 0U);
    const std::string endless(quota::CounterTable::kLongestName + 1, 'x');
    EXPECT_EQ(admitted("x-team: " + endless + "1\n"), 2U) << "long ones share one";
    EXPECT_EQ(admitted("x-team: " + endless + "2\n"), 0U);
    EXPECT_EQ(counters_.size(), 1U);
}

TEST_F(KeyedLimits, OfOneValueAreOfNoOther) {
    limit_by(config::CustomRate::By::header, "x-team", "red");
    EXPECT_EQ(admitted("x-team: red\n"), 2U);
    EXPECT_EQ(admitted("x-team: blue\n"), 4U);
    EXPECT_EQ(admitted(""), 4U);
    EXPECT_EQ(counters_.size(), 0U);
}

TEST_F(KeyedLimits, OfAClaimAreOfTheTokensValue) {
    limit_by(config::CustomRate::By::claim, "team");
    EXPECT_EQ(admitted("team: blue\n", claim("team", "red")), 2U);
    EXPECT_EQ(admitted("", claim("team", "blue")), 2U);
    EXPECT_EQ(admitted("", claim("other", "green")), 2U) << "it has no team";
    EXPECT_EQ(admitted("", claim("other", "grey")), 0U);
    EXPECT_EQ(counters_.size(), 3U);
}

TEST_F(KeyedLimits, OfConsumersAreTheirOwn) {
    limit_by(config::CustomRate::By::consumer, "");
    EXPECT_EQ(admitted("", {}, "one"), 2U);
    EXPECT_EQ(admitted("", {}, "other"), 2U);
    EXPECT_EQ(admitted("", {}, "one"), 0U);
}

TEST_F(KeyedLimits, RefuseNewOnesTogetherWhenThereIsNoRoom) {
    limit_by(config::CustomRate::By::header, "x-team");
    counters_.set_most(1);
    EXPECT_EQ(ask_with("x-team: known\n"), FaultKind::none);
    EXPECT_EQ(admitted("x-team: new\n"), 2U);
    EXPECT_EQ(admitted("x-team: newer\n"), 0U);
    EXPECT_EQ(ask_with("x-team: known\n"), FaultKind::none) << "the known one keeps its own";
}

TEST_F(Limits, AreSummedByConsumerWhereThatIsAsked) {
    quota::ConsumerUse uses;
    uses.set_most(10);
    limit_route(limit_of(1));
    const auto serve_as = [&](const char* consumer) {
        begin();
        request_.exchange.match.consumer = consumer;
        const bool is_admitted = admit_request(request_.context, request_.exchange).has_value();
        if (is_admitted) {
            request_.exchange.outcome.usage.input = 70;
            request_.exchange.outcome.usage.output = 7;
            request_.exchange.outcome.cost = 1'000;
        }
        settle_limits(request_.context, request_.exchange);
        request_.request_metrics.record(request_.exchange, request_.reactor.now());
    };
    serve_as("before");
    request_.snapshot->consumer_use = &uses;
    serve_as("one");
    serve_as("");
    EXPECT_EQ(uses.size(), 1U);
    uses.each([](std::string_view name, const quota::Use& use) {
        EXPECT_EQ(name, "one");
        EXPECT_EQ(use.requests, 1U);
        EXPECT_EQ(use.refused, 1U);
        EXPECT_EQ(use.input, 0U);
    });
    request_.snapshot->limits[0].amount = 5;
    serve_as("one");
    uses.each([](std::string_view, const quota::Use& use) {
        EXPECT_EQ(use.requests, 2U);
        EXPECT_EQ(use.refused, 1U);
        EXPECT_EQ(use.input, 70U);
        EXPECT_EQ(use.output, 7U);
        EXPECT_EQ(use.nanos, 1'000U);
    });
}

TEST_F(Limits, OfABackendLeadToTheOthersOfARule) {
    limit_backend(0, limit_of(0, quota::What::requests, quota::Scope::backend));
    for (int i = 0; i < 4; ++i) {
        begin();
        ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
        EXPECT_EQ(request_.exchange.backend()->name, "b");
        EXPECT_EQ(request_.exchange.tries.attempts, 1u);
        EXPECT_FALSE(request_.exchange.quotas.refusal);
        EXPECT_THAT(answer(""), Not(HasSubstr("x-ratelimit"))) << "it is told of a alone";
    }
}

TEST_F(Limits, OfAllBackendsRefuse) {
    limit_backend(0, limit_of(0, quota::What::requests, quota::Scope::backend));
    limit_backend(1, limit_of(0, quota::What::total, quota::Scope::backend));
    begin();
    const auto selected = select(request_.context, request_.exchange, Next::nowhere);
    ASSERT_FALSE(selected);
    const std::string text = refusal(selected.error().kind);
    EXPECT_THAT(text, HasSubstr("HTTP/1.1 429"));
    EXPECT_THAT(text, Not(HasSubstr("apk_code")));
    EXPECT_THAT(text, HasSubstr("retry-after: "));
}

TEST_F(Limits, OfABackendCountEachTry) {
    limit_backend(0, limit_of(100, quota::What::requests, quota::Scope::backend));
    limit_backend(0, limit_of(9000, quota::What::total, quota::Scope::backend));
    limit_backend(1, limit_of(9000, quota::What::total, quota::Scope::backend));
    begin();
    ASSERT_TRUE(admit_request(request_.context, request_.exchange));
    ASSERT_TRUE(reserve_tokens(request_.context, request_.exchange));
    ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
    ASSERT_EQ(request_.exchange.backend()->name, "a");
    EXPECT_EQ(used(1), 356);
    ASSERT_TRUE(select(request_.context, request_.exchange, Next::backend));
    EXPECT_EQ(used(0), 1) << "the try that failed";
    EXPECT_EQ(used(1), 0);
    EXPECT_EQ(used(2), 356);
    settle(40, 2);
    EXPECT_EQ(used(2), 42);
}

}  // namespace
}  // namespace rotary::proxy
