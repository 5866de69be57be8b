#include <rotary/llm/rate_limit_headers.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

using std::chrono::milliseconds;

// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples.
const std::chrono::system_clock::time_point kNow{std::chrono::seconds(784111777)};
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNone = -1;

std::int64_t wait_of(std::string_view text, std::chrono::system_clock::time_point now = kNow) {
    const auto wait = parse_wait(text, now);
    return wait ? wait->count() : kNone;
}

TEST(ParseWait, ReadsEveryFormat) {
    struct Row {
        const char* text;
        std::int64_t expected;
    };
    const std::vector<Row> rows{
        // Seconds.
        {"0", 0},
        {"1", 1000},
        {"500", 500'000},
        {" 7 ", 7000},
        {"1.5", 1500},
        {"0.0005", 1},
        {"0.0001", 1},
        {".25", 250},
        {"3.", 3000},
        {"007", 7000},
        {"30,000", 30'000'000},
        {"1,000,000", 1'000'000'000},
        {"33011.382", 33'011'382},
        {"1.0000009", 1000},
        // Far away is capped.
        {"31622400", 366 * kDay},
        {"31622401", 366 * kDay},
        {"999999999", 366 * kDay},
        {"999999h", 366 * kDay},
        {"9999999999999999999999h", 366 * kDay},
        {"99999999999999999999999999", 366 * kDay},
        // Unix time, in seconds and milliseconds.
        {"1000000000", 366 * kDay},
        {"1000000000000", 366 * kDay},
        // Go durations.
        {"1s", 1000},
        {"120ms", 120},
        {"6m0s", 360'000},
        {"1h2m3.5s", 3'723'500},
        {"0s", 0},
        {"7.66s", 7660},
        {"2m59.56s", 179'560},
        {"1h", 3'600'000},
        {"1.5h", 5'400'000},
        {"500us", 1},
        {"1500us", 2},
        {"2000\xc2\xb5s", 2},
        {"2000\xce\xbcs", 2},
        {"1ns", 1},
        {"1000000ns", 1},
        {"1m1ms", 60'001},
        {".5s", 500},
        {"1.s", 1000},
        {"24h0m0s", kDay},
        // RFC 3339.
        {"1994-11-06T08:49:38Z", 1000},
        {"1994-11-06T08:49:37Z", 0},
        {"1994-11-06t08:49:38z", 1000},
        {"1994-11-06 08:49:38Z", 1000},
        {"1994-11-06T08:49:37.5Z", 500},
        {"1994-11-06T08:49:37.123456789Z", 123},
        {"1994-11-06T09:49:38+01:00", 1000},
        {"1994-11-06T03:19:38-05:30", 1000},
        {"1994-11-07T00:00:00Z", 54'623'000},
        {"1994-11-06T08:49:60Z", 23'000},
        {"9999-12-31T23:59:59Z", 366 * kDay},
        {"1996-02-29T00:00:00Z", 366 * kDay},
        // The three HTTP dates.
        {"Sun, 06 Nov 1994 08:49:38 GMT", 1000},
        {"Sunday, 06-Nov-94 08:49:38 GMT", 1000},
        {"Sun Nov  6 08:49:38 1994", 1000},
        {"Thu Nov 10 08:49:37 1994", 4 * kDay},
        {"Mon, 07 Nov 1994 08:49:37 GMT", kDay},
        {"sun, 06 nov 1994 08:49:38 gmt", 1000},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.text);
        EXPECT_EQ(wait_of(row.text), row.expected);
    }
}

TEST(ParseWait, TakesLargeNumbersForUnixTime) {
    const std::chrono::system_clock::time_point now{std::chrono::seconds(1'741'305'600)};
    EXPECT_EQ(wait_of("1741305630", now), 30'000);
    EXPECT_EQ(wait_of("1741305630.25", now), 30'250);
    EXPECT_EQ(wait_of("1741305630250", now), 30'250);
    EXPECT_EQ(wait_of("1741305599", now), kNone);
    EXPECT_EQ(wait_of("999999999", now), 366 * kDay);
}

TEST(ParseWait, KeepsTwoDigitYearsWithinFiftyYears) {
    EXPECT_EQ(wait_of("Sunday, 06-Nov-44 08:49:37 GMT"), kNone);
    EXPECT_EQ(wait_of("Sunday, 06-Nov-95 08:49:37 GMT"), 365 * kDay);
    const std::chrono::system_clock::time_point y2026{std::chrono::seconds(1'767'225'600)};
    EXPECT_EQ(wait_of("Thursday, 01-Jan-26 00:00:05 GMT", y2026), 5000);
    EXPECT_EQ(wait_of("Thursday, 01-Jan-76 00:00:00 GMT", y2026), 366 * kDay);
    EXPECT_EQ(wait_of("Friday, 01-Jan-77 00:00:00 GMT", y2026), kNone);
}

TEST(ParseWait, IgnoresWhatIsMalformedNegativeOrPast) {
    const std::vector<const char*> rows{
        "",
        " ",
        "-1",
        "-1s",
        "+1",
        "abc",
        "1x",
        "1 s",
        "s",
        "ms",
        "1h2",
        "h1",
        ".",
        ",",
        "1,2",
        "1,0000",
        "1,000,00",
        ",000",
        "30,000s",
        "1..5",
        "1e3",
        "0x10",
        "inf",
        "nan",
        "1.5.2s",
        "1s1",
        "1\xc2s",
        "1994-11-06T08:49:36Z",
        "1994-11-06T08:49:38",
        "1994-11-06T08:49Z",
        "1994-13-06T08:49:38Z",
        "1994-11-31T08:49:38Z",
        "1995-02-29T00:00:00Z",
        "1994-11-06T24:00:00Z",
        "1994-11-06T08:60:00Z",
        "1994-11-06T08:49:61Z",
        "1994-11-06T08:49:38+24:00",
        "1994-11-06T08:49:38+01",
        "1994-11-06T08:49:38.Z",
        "1994-11-06T08:49:38Zx",
        "94-11-06T08:49:38Z",
        "1994/11/06T08:49:38Z",
        "+994-11-06T08:49:38Z",
        "Sun, 06 Nov 1994 08:49:36 GMT",
        "Sun, 06 Nov 1994 08:49:38",
        "Sun, 06 Nov 1994 08:49:38 UTC",
        "Sun, 06 Nov 1994 08:49:38 +0000",
        "Sun, 6 Nov 1994 08:49:38 GMT",
        "Sun 06 Nov 1994 08:49:38 GMT",
        "Xyz, 06 Nov 1994 08:49:38 GMT",
        "Sun, 06 Nox 1994 08:49:38 GMT",
        "Sun, 31 Feb 1995 08:49:38 GMT",
        "Sun, 06 Nov 1994 25:49:38 GMT",
        "Sun, 06-Nov-94 08:49:38 GMT",
        "Sunday, 06 Nov 1994 08:49:38 GMT",
        "Sun Nov 6 08:49:38 1994",
        "Sun Nov  6 08:49:38 94",
        "Sun, 06 Nov 1994 08:49:38 GMT trailing",
    };
    for (const char* text : rows) EXPECT_EQ(wait_of(text), kNone) << text;
    EXPECT_EQ(wait_of(std::string(100'000, '9') + "x"), kNone);
}

struct HintsRow {
    const char* name;
    std::vector<wire::Header> headers;
    std::int64_t retry_after;
    bool exhausted;
    std::int64_t reset;
};

const std::vector<HintsRow> kHintsRows{
    {"nothing", {}, kNone, false, kNone},
    {"unrelated",
     {{"content-type", "application/json"},
      {"x-request-id", "0"},
      {"age", "0"},
      {"x-ms-region", "0"},
      {"", "0"}},
     kNone,
     false,
     kNone},
    {"retry_after", {{"Retry-After", "20"}}, 20'000, false, kNone},
    {"retry_after_decimal", {{"retry-after", "0.25"}}, 250, false, kNone},
    {"retry_after_date", {{"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"}}, 60'000, false, kNone},
    {"retry_after_ms", {{"retry-after-ms", "1500"}}, 1500, false, kNone},
    {"retry_after_ms_decimal", {{"retry-after-ms", "0.5"}}, 1, false, kNone},
    {"ms_wins_behind", {{"retry-after", "20"}, {"retry-after-ms", "1500"}}, 1500, false, kNone},
    {"ms_wins_before", {{"retry-after-ms", "1500"}, {"retry-after", "20"}}, 1500, false, kNone},
    {"malformed_ms_loses",
     {{"retry-after-ms", "soon"}, {"retry-after", "20"}},
     20'000,
     false,
     kNone},
    {"duration_is_no_ms", {{"retry-after-ms", "5s"}}, kNone, false, kNone},
    {"malformed", {{"retry-after", "later"}}, kNone, false, kNone},
    {"negative", {{"retry-after", "-5"}}, kNone, false, kNone},
    {"first_readable_counts",
     {{"retry-after", "x"}, {"retry-after", "3"}, {"retry-after", "9"}},
     3000,
     false,
     kNone},
    {"longer_names_are_others",
     {{"retry-after-seconds", "5"}, {"x-retry-after", "5"}},
     kNone,
     false,
     kNone},
    {"openai_with_room",
     {{"x-ratelimit-remaining-requests", "59"},
      {"x-ratelimit-remaining-tokens", "149984"},
      {"x-ratelimit-reset-requests", "1s"},
      {"x-ratelimit-reset-tokens", "6m0s"}},
     kNone,
     false,
     kNone},
    {"openai_requests_gone",
     {{"x-ratelimit-remaining-requests", "0"},
      {"x-ratelimit-remaining-tokens", "149984"},
      {"x-ratelimit-reset-requests", "1s"},
      {"x-ratelimit-reset-tokens", "6m0s"}},
     kNone,
     true,
     1000},
    {"openai_tokens_gone",
     {{"x-ratelimit-remaining-requests", "5"},
      {"x-ratelimit-remaining-tokens", "0"},
      {"x-ratelimit-reset-requests", "1s"},
      {"x-ratelimit-reset-tokens", "6m0s"}},
     kNone,
     true,
     360'000},
    {"openai_both_gone_longest",
     {{"x-ratelimit-reset-tokens", "6m0s"},
      {"x-ratelimit-remaining-requests", "0"},
      {"x-ratelimit-remaining-tokens", "0"},
      {"x-ratelimit-reset-requests", "1s"}},
     kNone,
     true,
     360'000},
    {"openai_project_tokens",
     {{"x-ratelimit-remaining-project-tokens", "0"}, {"x-ratelimit-reset-project-tokens", "90s"}},
     kNone,
     true,
     90'000},
    {"bare", {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "12"}}, kNone, true, 12'000},
    {"bare_reset_serves_the_rest",
     {{"x-ratelimit-reset", "12"}, {"x-ratelimit-remaining-tokens", "0"}},
     kNone,
     true,
     12'000},
    {"foreign_reset_does_not",
     {{"x-ratelimit-reset-requests", "12"}, {"x-ratelimit-remaining-tokens", "0"}},
     kNone,
     true,
     kNone},
    {"exhausted_without_reset", {{"x-ratelimit-remaining-tokens", "0"}}, kNone, true, kNone},
    {"exhausted_malformed_reset",
     {{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "soon"}},
     kNone,
     true,
     kNone},
    {"azure_minus_one",
     {{"x-ratelimit-remaining-tokens", "-1"}, {"x-ratelimit-reset-tokens", "60"}},
     kNone,
     true,
     60'000},
    {"azure_seconds",
     {{"x-ratelimit-remaining-requests", "0"},
      {"x-ratelimit-reset-requests", "10"},
      {"retry-after", "10"},
      {"retry-after-ms", "9500"}},
     9500,
     true,
     10'000},
    {"thousands", {{"x-ratelimit-remaining-tokens", "30,000"}}, kNone, false, kNone},
    {"zero_decimal", {{"x-ratelimit-remaining-tokens", "0.0"}}, kNone, true, kNone},
    {"a_half_left", {{"x-ratelimit-remaining-tokens", "0.5"}}, kNone, false, kNone},
    {"empty_is_no_zero", {{"x-ratelimit-remaining-tokens", ""}}, kNone, false, kNone},
    {"word_is_no_zero", {{"x-ratelimit-remaining-tokens", "none"}}, kNone, false, kNone},
    {"list_is_no_zero", {{"x-ratelimit-remaining-tokens", "0, 5"}}, kNone, false, kNone},
    {"minus_alone", {{"x-ratelimit-remaining-tokens", "-"}}, kNone, false, kNone},
    {"limit_zero_is_other", {{"x-ratelimit-limit-tokens", "0"}}, kNone, false, kNone},
    {"unknown_counter", {{"x-ratelimit-remaining-images", "0"}}, kNone, false, kNone},
    {"anthropic_with_room",
     {{"anthropic-ratelimit-requests-remaining", "49"},
      {"anthropic-ratelimit-requests-reset", "1994-11-06T08:50:37Z"}},
     kNone,
     false,
     kNone},
    {"anthropic_requests",
     {{"anthropic-ratelimit-requests-remaining", "0"},
      {"anthropic-ratelimit-requests-reset", "1994-11-06T08:50:37Z"},
      {"anthropic-ratelimit-tokens-remaining", "5"},
      {"anthropic-ratelimit-tokens-reset", "1994-11-06T09:50:37Z"},
      {"retry-after", "60"}},
     60'000,
     true,
     60'000},
    {"anthropic_input_tokens",
     {{"anthropic-ratelimit-input-tokens-remaining", "0"},
      {"Anthropic-Ratelimit-Input-Tokens-Reset", "1994-11-06T08:49:38Z"}},
     kNone,
     true,
     1000},
    {"anthropic_output_tokens",
     {{"anthropic-ratelimit-output-tokens-remaining", "0"},
      {"anthropic-ratelimit-output-tokens-reset", "1994-11-06T08:49:39Z"}},
     kNone,
     true,
     2000},
    {"anthropic_tokens_past_reset",
     {{"anthropic-ratelimit-tokens-remaining", "0"},
      {"anthropic-ratelimit-tokens-reset", "1994-11-06T08:49:30Z"}},
     kNone,
     true,
     kNone},
    {"anthropic_limit_is_other", {{"anthropic-ratelimit-tokens-limit", "0"}}, kNone, false, kNone},
    {"anthropic_odd_names",
     {{"anthropic-ratelimit-", "0"},
      {"anthropic-ratelimit-remaining", "0"},
      {"anthropic-version", "0"}},
     kNone,
     false,
     kNone},
};

TEST(RateLimitHeaders, ReadsEveryVendor) {
    for (const auto& row : kHintsRows) {
        SCOPED_TRACE(row.name);
        wire::HeaderTable table;
        for (const wire::Header& header : row.headers) table.push(header);
        const RateLimitHints hints = read_rate_limit_hints(table, kNow);
        EXPECT_EQ(hints.retry_after ? hints.retry_after->count() : kNone, row.retry_after);
        EXPECT_EQ(hints.exhausted, row.exhausted);
        EXPECT_EQ(hints.reset ? hints.reset->count() : kNone, row.reset);
    }
}

TEST(RateLimitHeaders, KeepsTheNumbersForWhoWantsThem) {
    const auto read = [](std::vector<std::pair<const char*, const char*>> lines, ToldLimits& told) {
        wire::HeaderTable headers;
        for (const auto& [name, value] : lines) headers.push({name, value});
        return read_rate_limit_hints(headers, kNow, &told);
    };
    ToldLimits told;
    EXPECT_FALSE(told.remaining(ToldCounter::requests));
    read({{"x-ratelimit-limit-requests", "10,000"},
          {"x-ratelimit-remaining-requests", "9999"},
          {"X-RateLimit-Remaining-Tokens", "-1"},
          {"x-ratelimit-limit-tokens", "many"},
          {"x-ratelimit-remaining-project-tokens", "0.5"},
          {"x-ratelimit-limit-other", "7"},
          {"anthropic-ratelimit-input-tokens-limit", "40000"},
          {"anthropic-ratelimit-input-tokens-remaining", "99999999999999999999"}},
         told);
    EXPECT_EQ(told.limit(ToldCounter::requests), 10'000);
    EXPECT_EQ(told.remaining(ToldCounter::requests), 9999);
    EXPECT_EQ(told.remaining(ToldCounter::tokens), -1);
    EXPECT_FALSE(told.limit(ToldCounter::tokens)) << "malformed";
    EXPECT_EQ(told.remaining(ToldCounter::project_tokens), 0);
    EXPECT_EQ(told.limit(ToldCounter::input_tokens), 40'000);
    EXPECT_GT(told.remaining(ToldCounter::input_tokens), std::int64_t{1} << 58)
        << "as much as fits";
    EXPECT_FALSE(told.limit(ToldCounter::all));
    read({{"x-ratelimit-remaining-requests", "9998"}}, told);
    EXPECT_EQ(told.remaining(ToldCounter::requests), 9998);
    EXPECT_EQ(told.limit(ToldCounter::requests), 10'000) << "as it was told last";
    EXPECT_EQ(to_string(ToldCounter::output_tokens), "output_tokens");
}

}  // namespace
}  // namespace rotary::llm
