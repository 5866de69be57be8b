// Head and body of an answer, as providers send them, to what happens to the entry.
#include <rotary/llm/error_body.hpp>
#include <rotary/llm/rate_limit_headers.hpp>
#include <rotary/rotation/verdict.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::rotation {
namespace {

using config::HintUse;

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Sun, 06 Nov 1994 08:49:37 GMT.
const std::chrono::system_clock::time_point kWall{std::chrono::seconds(784111777)};

Verdict judge(std::uint16_t status, const std::vector<wire::Header>& headers, std::string_view body,
              milliseconds policy) {
    wire::HeaderTable table;
    for (const wire::Header& header : headers) EXPECT_TRUE(table.push(header));
    Answer answer;
    answer.status = status;
    answer.hints = llm::read_rate_limit_hints(table, kWall);
    if (error_body_decides(status)) answer.error = llm::read_error_body(body);
    return judge_answer(answer, {policy, HintUse::extend, 1h});
}

TEST(ProviderAnswers, FromHeadAndBodyToTheVerdict) {
    struct Story {
        const char* name;
        std::uint16_t status;
        std::vector<wire::Header> headers;
        const char* body;
        Effect effect;
        SuspendReason reason;
        milliseconds duration;
        milliseconds policy = 0ms;
    };
    constexpr auto nothing = Effect::none;
    constexpr auto suspend_entry = Effect::suspend_entry;
    constexpr auto suspend_credential = Effect::suspend_credential;
    constexpr auto count_failure = Effect::count_failure;
    using enum SuspendReason;
    const char* const too_fast =
        R"({"error":{"message":"Limit reached. Please try again in 20s.","type":"requests",)"
        R"("code":"rate_limit_exceeded"}})";
    const char* const a_day =
        R"({"error":{"message":"Limit reached on requests per day (RPD). Please try again in)"
        R"( 7m12s.","type":"requests","code":"rate_limit_exceeded"}})";
    const char* const no_money = R"({"error":{"type":"insufficient_quota","code":null}})";
    const char* const azure = R"({"error":{"code":"429","message":"Too many."}})";
    const char* const anthropic = R"({"type":"error","error":{"type":"rate_limit_error"}})";
    const char* const google = R"([{"error":{"code":429,"details":[{"retryDelay":"38s"}]}}])";
    const std::vector<wire::Header> openai{{"x-ratelimit-limit-requests", "60"},
                                           {"x-ratelimit-remaining-requests", "0"},
                                           {"x-ratelimit-remaining-tokens", "149984"},
                                           {"x-ratelimit-reset-requests", "6m0s"},
                                           {"x-ratelimit-reset-tokens", "120ms"}};
    const std::vector<wire::Header> anthropic_head{
        {"anthropic-ratelimit-requests-remaining", "0"},
        {"anthropic-ratelimit-requests-reset", "1994-11-06T08:50:37Z"},
        {"anthropic-ratelimit-tokens-remaining", "5000"},
        {"anthropic-ratelimit-tokens-reset", "1994-11-06T09:49:37Z"}};
    std::vector<wire::Header> anthropic_retry = anthropic_head;
    anthropic_retry.push_back({"retry-after", "12"});
    const Story stories[] = {
        {"OpenAI, counters", 429, openai, too_fast, suspend_entry, rate_limited, 6min},
        {"OpenAI, the message alone", 429, {}, too_fast, suspend_entry, rate_limited, 20s},
        {"OpenAI, retry-after",
         429,
         {{"retry-after", "3"}},
         too_fast,
         suspend_entry,
         rate_limited,
         3s},
        {"OpenAI, retry-after-ms",
         429,
         {{"retry-after", "3"}, {"retry-after-ms", "2500"}},
         too_fast,
         suspend_entry,
         rate_limited,
         2500ms},
        {"OpenAI, the policy is longer",
         429,
         {{"retry-after", "3"}},
         too_fast,
         suspend_entry,
         rate_limited,
         60s,
         60s},
        {"OpenAI, a day's: not the minute's retry-after",
         429,
         {{"retry-after", "3"}},
         a_day,
         suspend_entry,
         daily_exhausted,
         432s},
        {"OpenAI, a day's, by the counters",
         429,
         {{"retry-after", "3"},
          {"x-ratelimit-remaining-requests", "0"},
          {"x-ratelimit-reset-requests", "23m0s"}},
         a_day,
         suspend_entry,
         daily_exhausted,
         23min},
        {"OpenAI, no money",
         429,
         {{"retry-after", "3"}},
         no_money,
         suspend_credential,
         account_exhausted,
         600s,
         600s},
        {"OpenAI, no money, a hint alone",
         429,
         {{"retry-after", "30"}},
         no_money,
         suspend_credential,
         account_exhausted,
         30s},
        {"OpenAI, no money, nothing to go by", 429, {}, no_money, nothing, account_exhausted, 0s},
        {"Azure, seconds", 429, {{"retry-after", "17"}}, azure, suspend_entry, rate_limited, 17s},
        {"Azure, milliseconds",
         429,
         {{"Retry-After-Ms", "1300"}, {"Retry-After", "2"}},
         azure,
         suspend_entry,
         rate_limited,
         1300ms},
        {"Azure, resets in seconds",
         429,
         {{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "55"}},
         azure,
         suspend_entry,
         rate_limited,
         55s},
        {"Anthropic, RFC 3339", 429, anthropic_head, anthropic, suspend_entry, rate_limited, 60s},
        {"Anthropic, retry-after", 429, anthropic_retry, anthropic, suspend_entry, rate_limited,
         12s},
        {"Google, the body alone", 429, {}, google, suspend_entry, rate_limited, 38s},
        {"a date",
         429,
         {{"retry-after", "Sun, 06 Nov 1994 08:51:17 GMT"}},
         "",
         suspend_entry,
         rate_limited,
         100s},
        {"a date in the past",
         429,
         {{"retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"}},
         "",
         suspend_entry,
         rate_limited,
         60s,
         60s},
        {"a malformed hint, then the counters'",
         429,
         {{"retry-after", "soon"},
          {"x-ratelimit-remaining-requests", "0"},
          {"x-ratelimit-reset-requests", "90s"}},
         too_fast,
         suspend_entry,
         rate_limited,
         90s},
        {"malformed hints, then the message's",
         429,
         {{"retry-after", "-1"},
          {"retry-after-ms", "x"},
          {"x-ratelimit-remaining-requests", "0"},
          {"x-ratelimit-reset-requests", "1x"}},
         too_fast,
         suspend_entry,
         rate_limited,
         20s},
        {"nothing readable at all",
         429,
         {{"retry-after", "?"}},
         "<html>",
         nothing,
         rate_limited,
         0s},
        {"nothing readable, but a policy",
         429,
         {{"retry-after", "?"}},
         "<html>",
         suspend_entry,
         rate_limited,
         60s,
         60s},
        {"a year is capped",
         429,
         {{"retry-after", "31536000"}},
         "",
         suspend_entry,
         rate_limited,
         1h},
        {"a success with the last request", 200, openai, "", suspend_entry, quota_exhausted, 6min},
        {"a success with the last tokens, below zero",
         200,
         {{"x-ratelimit-remaining-tokens", "-12"}, {"x-ratelimit-reset-tokens", "1.5s"}},
         "",
         suspend_entry,
         quota_exhausted,
         1500ms},
        {"a success, Anthropic's last", 200, anthropic_head, "", suspend_entry, quota_exhausted,
         60s},
        {"a success, Azure's last, no reset",
         200,
         {{"x-ratelimit-remaining-requests", "0"}},
         "",
         suspend_entry,
         quota_exhausted,
         60s,
         60s},
        {"a success with room",
         200,
         {{"x-ratelimit-remaining-requests", "1"}, {"x-ratelimit-reset-requests", "6m0s"}},
         "",
         nothing,
         none,
         0s,
         60s},
        {"a success with a malformed counter",
         200,
         {{"x-ratelimit-remaining-requests", "none"}, {"x-ratelimit-reset-requests", "6m0s"}},
         "",
         nothing,
         none,
         0s,
         60s},
        {"overloaded, by hour-long hints",
         503,
         {{"retry-after", "3600"}},
         no_money,
         count_failure,
         none,
         0s,
         60s},
        {"Anthropic, overloaded", 529, {}, "", count_failure, none, 0s, 60s},
    };
    for (const Story& story : stories) {
        SCOPED_TRACE(story.name);
        const Verdict verdict = judge(story.status, story.headers, story.body, story.policy);
        EXPECT_EQ(verdict.effect, story.effect);
        EXPECT_EQ(verdict.reason, story.reason);
        EXPECT_EQ(verdict.duration, story.duration);
        EXPECT_EQ(verdict.try_next, story.status != 200);
    }
}

}  // namespace
}  // namespace rotary::rotation
