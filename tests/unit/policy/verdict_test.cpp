#include <rotary/policy/verdict.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

wire::RateLimitHints wait_for(milliseconds wait) {
    wire::RateLimitHints hints;
    hints.retry_after = wait;
    return hints;
}

wire::RateLimitHints used_up(std::optional<milliseconds> reset = std::nullopt) {
    wire::RateLimitHints hints;
    hints.exhausted = true;
    hints.reset = reset;
    return hints;
}

SuspendRules rules(milliseconds duration, HintUse hint = HintUse::extend) {
    return {duration, hint, 1h};
}

TEST(Verdict, Refusals) {
    struct Row {
        const char* name;
        wire::RateLimitHints hints;
        SuspendRules rules;
        milliseconds duration;
    };
    wire::RateLimitHints both = used_up(90s);
    both.retry_after = 20s;
    const Row rows[] = {
        {"the policy alone", {}, rules(60s), 60s},
        {"the hint alone", wait_for(20s), rules(0s), 20s},
        {"neither", {}, rules(0s), 0s},
        {"a zero hint alone", wait_for(0s), rules(0s), 0s},
        {"extend: the hint is longer", wait_for(90s), rules(60s), 90s},
        {"extend: the policy is longer", wait_for(20s), rules(60s), 60s},
        {"prefer: a shorter hint", wait_for(20s), rules(60s, HintUse::prefer), 20s},
        {"prefer: a longer hint", wait_for(90s), rules(60s, HintUse::prefer), 90s},
        {"prefer: no hint", {}, rules(60s, HintUse::prefer), 60s},
        {"ignore", wait_for(90s), rules(60s, HintUse::ignore), 60s},
        {"ignore, and no policy", wait_for(90s), rules(0s, HintUse::ignore), 0s},
        {"a hint beyond the cap", wait_for(24h), rules(60s), 1h},
        {"a policy beyond the cap", {}, rules(2h), 1h},
        {"prefer, beyond the cap", wait_for(24h), rules(60s, HintUse::prefer), 1h},
        {"the counters' reset", used_up(75s), rules(60s), 75s},
        {"retry-after before the counters' reset", both, rules(0s), 20s},
        {"half a second", wait_for(500ms), rules(0s), 500ms},
    };
    for (const Row& row : rows) {
        const Verdict verdict = judge_answer(429, row.hints, QuotaKind::rate, row.rules);
        EXPECT_EQ(verdict.duration, row.duration) << row.name;
        EXPECT_EQ(verdict.effect, row.duration > 0s ? Effect::suspend_entry : Effect::none)
            << row.name;
        EXPECT_EQ(verdict.reason, SuspendReason::rate_limited) << row.name;
        EXPECT_TRUE(verdict.try_next) << row.name;
    }
}

TEST(Verdict, AnEmptyAccountSuspendsItsCredential) {
    const Verdict verdict = judge_answer(429, {}, QuotaKind::account, rules(60s));
    EXPECT_EQ(verdict.effect, Effect::suspend_credential);
    EXPECT_EQ(verdict.reason, SuspendReason::account_exhausted);
    EXPECT_EQ(verdict.duration, 60s);
    EXPECT_TRUE(verdict.try_next);
    const Verdict nothing = judge_answer(429, {}, QuotaKind::account, rules(0s));
    EXPECT_EQ(nothing.effect, Effect::none);
    EXPECT_TRUE(nothing.try_next);
}

TEST(Verdict, SuccessesThatUsedUpTheQuota) {
    struct Row {
        const char* name;
        std::uint16_t status;
        wire::RateLimitHints hints;
        SuspendRules rules;
        milliseconds duration;
    };
    wire::RateLimitHints left;
    left.reset = 30s;
    const Row rows[] = {
        {"something is left", 200, left, rules(60s), 0s},
        {"nothing said", 200, {}, rules(60s), 0s},
        {"the stated reset", 200, used_up(30s), rules(60s), 30s},
        {"a longer reset", 200, used_up(90s), rules(60s), 90s},
        {"no reset: the policy's", 200, used_up(), rules(60s), 60s},
        {"neither", 200, used_up(), rules(0s), 0s},
        {"the reset alone", 200, used_up(30s), rules(0s), 30s},
        {"refilled already", 200, used_up(0s), rules(60s), 0s},
        {"ignore: the policy's", 200, used_up(30s), rules(60s, HintUse::ignore), 60s},
        {"prefer", 200, used_up(30s), rules(60s, HintUse::prefer), 30s},
        {"beyond the cap", 200, used_up(48h), rules(60s), 1h},
        {"any success", 201, used_up(30s), rules(60s), 30s},
        {"not a redirect", 302, used_up(30s), rules(60s), 0s},
        {"not an error of the client's", 400, used_up(30s), rules(60s), 0s},
        {"not an error of the provider's", 500, used_up(30s), rules(60s), 0s},
    };
    for (const Row& row : rows) {
        const Verdict verdict = judge_answer(row.status, row.hints, QuotaKind::rate, row.rules);
        EXPECT_EQ(verdict.duration, row.duration) << row.name;
        EXPECT_EQ(verdict.effect, row.duration > 0s ? Effect::suspend_entry : Effect::none)
            << row.name;
        EXPECT_EQ(verdict.reason, row.status < 300 && row.hints.exhausted
                                      ? SuspendReason::quota_exhausted
                                      : SuspendReason::none)
            << row.name;
        EXPECT_FALSE(verdict.try_next) << row.name << ": it was answered";
    }
}

TEST(Verdict, OtherErrorsLeaveTheRotationAlone) {
    const std::uint16_t statuses[] = {400, 401, 402, 403, 404, 408, 409, 413, 422, 499, 501};
    for (const std::uint16_t status : statuses) {
        const Verdict verdict = judge_answer(status, wait_for(20s), QuotaKind::rate, rules(60s));
        EXPECT_EQ(verdict.effect, Effect::none) << status;
        EXPECT_FALSE(verdict.try_next) << status;
        EXPECT_FALSE(refused_for_quota(status)) << status;
    }
    EXPECT_TRUE(refused_for_quota(429));
}

TEST(Verdict, FailuresWithoutAnAnswer) {
    struct Row {
        const char* name;
        Fault fault;
        bool try_next;
    };
    using enum FaultKind;
    const Row rows[] = {
        {"no connection", Fault::upstream(upstream_connect_failed), true},
        {"no TLS", Fault::upstream(upstream_tls_failed), true},
        {"no answer in time", Fault::upstream(upstream_timeout), true},
        {"too late for another", Fault::upstream(upstream_timeout, "", Retry::never), false},
        {"the client went", Fault::client(client_gone), false},
        {"our own", Fault::internal(overloaded), false},
    };
    for (const Row& row : rows) {
        const Verdict verdict = judge_failure(row.fault);
        EXPECT_EQ(verdict.try_next, row.try_next) << row.name;
        EXPECT_EQ(verdict.effect, Effect::none) << row.name;
    }
}

TEST(QuotaKindOf, Bodies) {
    struct Row {
        const char* name;
        std::string body;
        QuotaKind kind;
    };
    using enum QuotaKind;
    const std::string deep(5000, '[');
    const Row rows[] = {
        {"OpenAI, too fast",
         R"({"error":{"message":"Rate limit reached for gpt-4o","type":"tokens","param":null,)"
         R"("code":"rate_limit_exceeded"}})",
         rate},
        {"OpenAI, no money",
         R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota",)"
         R"("param":null,"code":"insufficient_quota"}})",
         account},
        {"by its type alone", R"({"error":{"type":"insufficient_quota","code":null}})", account},
        {"by its code alone", R"({"error":{"code":"insufficient_quota"}})", account},
        {"no credit", R"({"error":{"type":"x","code":"credit_balance_exhausted"}})", account},
        {"a project's limit", R"({"error":{"code":"project_spend_limit_exceeded"}})", account},
        {"an organization's limit", R"({"error":{"code":"organization_spend_limit_exceeded"}})",
         account},
        {"hard limit", R"({"error":{"code":"billing_hard_limit_reached"}})", account},
        {"slow down", R"({"error":{"type":"rate_limit_error","code":"slow_down"}})", rate},
        {"Azure", R"({"error":{"code":"429","message":"Requests have exceeded the limit"}})", rate},
        {"Azure, a number", R"({"error":{"code":429,"message":"too many"}})", rate},
        {"Azure, no money", R"({"error":{"code":"insufficient_quota","message":"…"}})", account},
        {"Anthropic, too fast",
         R"({"type":"error","error":{"type":"rate_limit_error","message":"…"},"request_id":"r"})",
         rate},
        {"Anthropic, spend limit",
         R"({"type":"error","error":{"type":"enforced_spend_limit_reached"}})", account},
        {"Anthropic, billing", R"({"type":"error","error":{"type":"billing_error"}})", account},
        {"the words only in the message", R"({"error":{"message":"insufficient_quota"}})", rate},
        {"escaped all the same", R"({"error":{"code":"insufficient\u005fquota"}})", account},
        {"another letter case", R"({"error":{"code":"INSUFFICIENT_QUOTA"}})", rate},
        {"a longer word", R"({"error":{"code":"insufficient_quota_x"}})", rate},
        {"at the top level", R"({"code":"insufficient_quota"})", rate},
        {"a text for an error", R"({"error":"insufficient_quota"})", rate},
        {"null", R"({"error":null})", rate},
        {"lists of errors", R"([{"error":{"code":"insufficient_quota"}}])", rate},
        {"objects for strings", R"({"error":{"code":{"a":1},"type":["billing_error"]}})", rate},
        {"nothing", "", rate},
        {"spaces", " \r\n ", rate},
        {"HTML", "<html><body>429 Too Many Requests</body></html>", rate},
        {"cut off", R"({"error":{"code":"insufficient_quota")", rate},
        {"zeros", std::string(16, '\0'), rate},
        {"not UTF-8", "{\"error\":{\"code\":\"\xff\xfe\"}}", rate},
        {"very deep", deep, rate},
    };
    for (const Row& row : rows) EXPECT_EQ(quota_kind(row.body), row.kind) << row.name;
}

}  // namespace
}  // namespace rotary::policy
