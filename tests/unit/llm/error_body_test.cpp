#include <rotary/llm/error_body.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rotary::llm {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;
using enum ErrorKind;

struct Row {
    const char* name;
    std::string body;
    ErrorKind kind;
    Wait wait = std::nullopt;
    bool is_error = true;
    bool speaks_of_size = false;
};

void expect_rows(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        // Exactly sized and without a zero behind it.
        const std::vector<char> bytes(row.body.begin(), row.body.end());
        const ErrorBody read = read_error_body({bytes.data(), bytes.size()});
        EXPECT_EQ(read.kind, row.kind);
        EXPECT_EQ(read.wait, row.wait);
        EXPECT_EQ(read.is_error, row.is_error);
        EXPECT_EQ(read.speaks_of_size, row.speaks_of_size);
        EXPECT_FALSE(read.speaks_of_key);
    }
}

TEST(ErrorBody, OpenAi) {
    expect_rows({
        {"tokens a minute",
         R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per)"
         R"( min (TPM): Limit 30000, Used 29500, Requested 1200. Please try again in 1.4s. Visit)"
         R"( https://platform.openai.com/account/rate-limits to learn more.","type":"tokens",)"
         R"("param":null,"code":"rate_limit_exceeded"}})",
         rate, 1400ms},
        {"requests a minute",
         R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on requests)"
         R"( per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",)"
         R"("type":"requests","param":null,"code":"rate_limit_exceeded"}})",
         rate, 20s},
        {"requests a day",
         R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on requests)"
         R"( per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.",)"
         R"("type":"requests","param":null,"code":"rate_limit_exceeded"}})",
         daily, 432s},
        {"tokens a day",
         R"({"error":{"message":"Rate limit reached on tokens (TPD): Please try again in)"
         R"( 1h2m3.5s.","type":"tokens","code":"rate_limit_exceeded"}})",
         daily, 3'723'500ms},
        {"slow down",
         R"({"error":{"message":"Slow down","type":"rate_limit_error","code":"slow_down"}})", rate},
        {"no money",
         R"({"error":{"message":"You exceeded your current quota, please check your plan and)"
         R"( billing details.","type":"insufficient_quota","param":null,)"
         R"("code":"insufficient_quota"}})",
         account},
        {"by its type alone", R"({"error":{"type":"insufficient_quota","code":null}})", account},
        {"by its code alone", R"({"error":{"code":"insufficient_quota"}})", account},
        {"no credit",
         R"({"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}})", account},
        {"a project's spending", R"({"error":{"code":"project_spend_limit_exceeded"}})", account},
        {"an organization's spending", R"({"error":{"code":"organization_spend_limit_exceeded"}})",
         account},
        {"an organization's usage", R"({"error":{"code":"organization_usage_limit_exceeded"}})",
         account},
        {"hard limit", R"({"error":{"code":"billing_hard_limit_reached"}})", account},
        {"not active", R"({"error":{"code":"billing_not_active"}})", account},
        {"an account's end beside another code",
         R"({"error":{"code":"rate_limit_exceeded","type":"insufficient_quota"}})", account},
        {"a monthly cap that speaks of days",
         R"({"error":{"code":"insufficient_quota","message":"Your daily cap. try again in 2h"}})",
         account, 2h},
        {"overloaded",
         R"({"error":{"message":"Our servers are currently overloaded. Please try again later.",)"
         R"("type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}})",
         overloaded},
        {"overloaded, by its code beside another type",
         R"({"error":{"type":"server_error","code":"server_is_overloaded"}})", overloaded},
        {"failed",
         R"({"error":{"message":"The server had an error while processing your request.",)"
         R"("type":"server_error","param":null,"code":null}})",
         server},
        {"a bad request",
         R"({"error":{"message":"Unsupported parameter","type":"invalid_request_error",)"
         R"("param":"max_tokens","code":"unsupported_parameter"}})",
         request},
        {"too long",
         R"({"error":{"type":"invalid_request_error","code":"context_length_exceeded"}})", request,
         std::nullopt, true, true},
        {"a bad key", R"({"error":{"type":"invalid_request_error","code":"invalid_api_key"}})",
         credential},
        {"no such model", R"({"error":{"type":"invalid_request_error","code":"model_not_found"}})",
         request},
        {"not here",
         R"({"error":{"type":"request_forbidden",)"
         R"("code":"unsupported_country_region_territory"}})",
         request},
    });
}

TEST(ErrorBody, OtherVendors) {
    expect_rows({
        {"Azure, too fast",
         R"({"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation)"
         R"( under Azure OpenAI API version 2024-02-01 have exceeded call rate limit of your)"
         R"( current OpenAI S0 pricing tier. Please retry after 17 seconds."}})",
         rate, 17s},
        {"Azure, a number", R"({"error":{"code":429,"message":"too many"}})", rate},
        {"Azure, no money", R"({"error":{"code":"insufficient_quota","message":"…"}})", account},
        {"Azure, content filter",
         R"({"error":{"message":"…","type":null,"param":"prompt","code":"content_filter",)"
         R"("status":400}})",
         request},
        {"Azure, no capacity", R"({"error":{"code":"503","message":"…"}})", overloaded},
        {"Anthropic, too fast",
         R"({"type":"error","error":{"type":"rate_limit_error","message":"This request would)"
         R"( exceed your organization's rate limit of 50,000 input tokens per minute."},)"
         R"("request_id":"req_1"})",
         rate},
        {"Anthropic, spend limit",
         R"({"type":"error","error":{"type":"enforced_spend_limit_reached"}})", account},
        {"Anthropic, spend limit as a code",
         R"({"type":"error","error":{"type":"rate_limit_error",)"
         R"("code":"enforced_spend_limit_reached"}})",
         account},
        {"Anthropic, billing", R"({"type":"error","error":{"type":"billing_error"}})", account},
        {"Anthropic, overloaded",
         R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
         overloaded},
        {"Anthropic, failed", R"({"type":"error","error":{"type":"api_error"}})", server},
        {"Anthropic, timed out", R"({"type":"error","error":{"type":"timeout_error"}})", server},
        {"Anthropic, too large", R"({"type":"error","error":{"type":"request_too_large"}})",
         request, std::nullopt, true, true},
        {"Anthropic, no access", R"({"type":"error","error":{"type":"permission_error"}})",
         request},
        {"Anthropic, who are you", R"({"type":"error","error":{"type":"authentication_error"}})",
         credential},
        {"OpenRouter, too fast",
         R"({"error":{"message":"Rate limit exceeded: free-models-per-min. ","code":429,)"
         R"("metadata":{"headers":{"X-RateLimit-Limit":"20","X-RateLimit-Remaining":"0"}}},)"
         R"("user_id":"user_1"})",
         rate},
        {"OpenRouter, a day's",
         R"({"error":{"message":"Rate limit exceeded: free-models-per-day-high-balance. ",)"
         R"("code":429},"user_id":"user_1"})",
         daily},
        {"OpenRouter, failed", R"({"error":{"message":"Provider returned error","code":502}})",
         server},
        {"OpenRouter, nobody", R"({"error":{"message":"No instances available","code":503}})",
         overloaded},
        {"OpenRouter, moderation", R"({"error":{"message":"flagged","code":403}})", request},
        {"DeepSeek, too fast",
         R"({"error":{"message":"Rate limit reached","type":"rate_limit_error","param":null,)"
         R"("code":"rate_limit_exceeded"}})",
         rate},
        {"DeepSeek, no balance",
         R"({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,)"
         R"("code":"invalid_request_error"}})",
         request},
        {"Ollama, a text", R"({"error":"model \"x\" not found, try pulling it first"})", unknown},
    });
}

TEST(ErrorBody, Google) {
    const std::string head = R"("code":429,"message":"You exceeded your current quota.",)"
                             R"("status":"RESOURCE_EXHAUSTED")";
    const auto body = [&](const std::string& details) {
        return "{\"error\":{" + head + ",\"details\":" + details + "}}";
    };
    const std::string retry =
        R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38s"})";
    const auto quota = [](const std::string& id) {
        return R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[)"
               R"({"quotaMetric":"generate_requests","quotaId":")" +
               id + R"("}]})";
    };
    const std::string minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
    const std::string day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    expect_rows({
        {"without details", "{\"error\":{" + head + "}}", rate},
        {"RetryInfo", body("[" + retry + "]"), rate, 38s},
        {"a fraction", body(R"([{"retryDelay":"38.365871s"}])"), rate, 38'366ms},
        {"a minute's quota", body("[" + minute + "," + retry + "]"), rate, 38s},
        {"a day's quota", body("[" + day + "," + retry + "]"), daily, 38s},
        {"a day's beside a minute's", body("[" + minute + "," + day + "]"), daily},
        {"a list of one", "[" + body("[" + retry + "]") + "]", rate, 38s},
        {"a list of one, a day's", "[" + body("[" + day + "]") + "]\n", daily},
        {"a list of two", "[" + body("[]") + "," + body("[]") + "]", unknown, {}, false},
        {"a list in a list", "[[" + body("[]") + "]]", unknown, {}, false},
        {"an empty list", "[]", unknown, {}, false},
        {"details of other kinds", body(R"([1,null,"x",[],{"a":1},{"retryDelay":7}])"), rate},
        {"violations of other kinds",
         body(R"([{"violations":7},{"violations":[1,null,{"quotaId":5}]}])"), rate},
        {"details are an object", body(R"({"retryDelay":"38s"})"), rate},
        {"a malformed delay", body(R"([{"retryDelay":"soon"}])"), rate},
        {"a negative delay", body(R"([{"retryDelay":"-3s"}])"), rate},
        {"a malformed delay doesn't displace the message's",
         R"({"error":{"code":429,"message":"Please retry in 12.5s.",)"
         R"("details":[{"retryDelay":"soon"}]}})",
         rate, 12'500ms},
        {"the delay displaces the message's",
         R"({"error":{"code":429,"message":"Please retry in 12.5s.",)"
         R"("details":[{"retryDelay":"13s"}]}})",
         rate, 13s},
        {"overloaded",
         R"({"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}})",
         overloaded},
        {"overloaded, by its status", R"({"error":{"status":"UNAVAILABLE"}})", overloaded},
        {"failed", R"({"error":{"code":500,"status":"INTERNAL"}})", server},
        {"failed, by its status", R"({"error":{"status":"INTERNAL"}})", server},
        {"a bad request", R"({"error":{"code":400,"status":"INVALID_ARGUMENT"}})", request},
        {"a bad key",
         R"({"error":{"code":400,"message":"Please pass another.","status":"INVALID_ARGUMENT",)"
         R"("details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
         R"("reason":"API_KEY_INVALID","domain":"googleapis.com"}]}})",
         credential},
        {"another reason",
         R"({"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"OTHER"}]}})",
         request},
        {"who are you", R"({"error":{"code":401,"status":"UNAUTHENTICATED"}})", credential},
    });
}

TEST(ErrorBody, Codes) {
    const std::vector<std::pair<const char*, ErrorKind>> rows{
        {"429", rate},
        {"\"429\"", rate},
        {"503", overloaded},
        {"529", overloaded},
        {"\"529\"", overloaded},
        {"500", server},
        {"\"502\"", server},
        {"599", server},
        {"400", request},
        {"\"404\"", request},
        {"499", request},
        {"399", unknown},
        {"600", unknown},
        {"0", unknown},
        {"-429", unknown},
        {"429.0", unknown},
        {"4.29e2", unknown},
        {"\" 429\"", unknown},
        {"\"429x\"", unknown},
        {"99999999999999999999", unknown},
        {"\"99999999999999999999\"", unknown},
        {"\"18446744073709551615\"", unknown},
        {"true", unknown},
        {"null", unknown},
        {"{}", unknown},
        {"[429]", unknown},
        {"\"\"", unknown},
        {"\"INSUFFICIENT_QUOTA\"", unknown},
        {"\"insufficient_quota_x\"", unknown},
        {"\"insufficient\\u005fquota\"", account},
        {"\"insufficient_quota\\u0000\"", unknown},
        {"\"internal_error\"", server},
        {"\"not_found_error\"", request},
        {"\"UNAUTHENTICATED\"", credential},
        {"\"unauthenticated\"", unknown},
    };
    for (const auto& [code, kind] : rows) {
        SCOPED_TRACE(code);
        for (const char* const name : {"code", "type", "status"}) {
            const std::string body =
                std::string(R"({"error":{")") + name + "\":" + code + R"(,"message":"m"}})";
            EXPECT_EQ(read_error_body(body).kind, kind) << name;
        }
    }
}

TEST(ErrorBody, WhatCannotBeReadIsUnknown) {
    const std::string whole = R"({"error":{"code":"insufficient_quota","message":"x"}})";
    std::string deep = R"({"error":{"code":"insufficient_quota","details":)";
    deep += std::string(100, '[') + std::string(100, ']') + "}}";
    std::vector<Row> rows{
        {"nothing", "", unknown, {}, false},
        {"spaces", " \r\n ", unknown, {}, false},
        {"HTML", "<html><body>429 Too Many Requests</body></html>", unknown, {}, false},
        {"plain text", "Too Many Requests", unknown, {}, false},
        {"zeros", std::string(16, '\0'), unknown, {}, false},
        {"gzip", "\x1f\x8b\x08", unknown, {}, false},
        {"not UTF-8", "{\"error\":{\"code\":\"\xff\xfe\"}}", unknown, {}, false},
        {"a byte order mark", "\xef\xbb\xbf" + whole, unknown, {}, false},
        {"something behind it", whole + "x", unknown, {}, false},
        {"brackets without end", std::string(5'000, '['), unknown, {}, false},
        {"nested too deep", deep, unknown, {}, false},
        {"a killer number", R"({"error":{"code":1.00000000001e-2147483638}})", unknown, {}, true},
        {"two errors",
         R"({"error":{"code":429},"error":{"code":"insufficient_quota"}})",
         unknown,
         {},
         false},
        {"two codes",
         R"({"error":{"code":429,"c\u006fde":"insufficient_quota"}})",
         unknown,
         {},
         false},
        {"null", R"({"error":null})", unknown, {}, false},
        {"false", R"({"error":false})", unknown, {}, false},
        {"an empty text", R"({"error":""})", unknown, {}, false},
        {"a text", R"({"error":"insufficient_quota"})", unknown},
        {"true", R"({"error":true})", unknown},
        {"a number", R"({"error":429})", unknown},
        {"an empty object", R"({"error":{}})", unknown},
        {"a list", R"({"error":[{"code":"insufficient_quota"}]})", unknown},
        {"another name", R"({"errors":{"code":429}})", unknown, {}, false},
        {"another letter case", R"({"Error":{"code":429}})", unknown, {}, false},
        {"at the top level", R"({"code":"insufficient_quota"})", unknown, {}, false},
        {"further down", R"({"a":{"error":{"code":429}}})", unknown, {}, false},
        {"words in the message", R"({"error":{"message":"insufficient_quota"}})", unknown},
        {"objects for strings", R"({"error":{"code":{"a":1},"type":["billing_error"]}})", unknown},
        {"a message that is none", R"({"error":{"code":429,"message":{"a":"try again in 5s"}}})",
         rate},
        {"an answer", R"({"id":"x","choices":[],"error":null})", unknown, {}, false},
    };
    expect_rows(rows);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(read_error_body(whole.substr(0, size)).is_error) << size;
    }
    EXPECT_EQ(read_error_body(whole).kind, account);
}

std::string saying(const std::string& message) {
    return R"({"error":{"type":"tokens","code":"rate_limit_exceeded","message":")" + message +
           "\"}}";
}

// Each provider's words for a request that is too large, whatever the limit has left.
TEST(ErrorBody, WordsOfARequestsSize) {
    const std::vector<std::pair<std::string, bool>> rows{
        {"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000,"
         " Requested 45000. The input or output tokens must be reduced in order to run"
         " successfully.",
         true},
        {"Request too large for model `llama-3.1-8b-instant` in organization `org_x` service tier"
         " `on_demand` on tokens per minute (TPM): Limit 6000, Requested 6300, please reduce your"
         " message size and try again.",
         true},
        {"Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 0, Requested"
         " 45000.",
         true},
        {"tokens per min: Limit: 30,000. Requested: 45,000", true},
        {"Limit 1, Requested 99999999999999999999999999", true},
        {"This model's maximum context length is 8192 tokens.", true},
        {"Please reduce the length of the messages.", true},
        {"prompt is too long: 210000 tokens > 200000 maximum", true},
        {"Input is too long for requested model.", true},
        {"Extra usage is required for long context requests.", true},
        {"This request requires more credits, or fewer max_tokens. You requested up to 65536"
         " tokens, but can only afford 1234.",
         true},
        {"REQUEST TOO LARGE", true},
        // It would have fitted another time.
        {"Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29500, Requested"
         " 1200. Please try again in 1.4s.",
         false},
        {"Rate limit reached: Limit 30000, Used 30000, Requested 30000.", false},
        {"This request would exceed your organization's rate limit of 50,000 input tokens per"
         " minute. Please reduce the prompt length or the maximum tokens requested, or try again"
         " later.",
         false},
        {"Too many tokens, please wait before trying again.", false},
        {"Requests rate limit exceeded", false},
        {"Limit reached. Requested 45000", false},
        {"Limit , Requested", false},
        {"", false},
    };
    for (const auto& [message, expected] : rows) {
        EXPECT_EQ(read_error_body(saying(message)).speaks_of_size, expected) << message;
        const std::string bare = R"({"message":")" + message + "\"}";
        EXPECT_EQ(read_error_body(bare).speaks_of_size, expected) << "AWS, Mistral: " << message;
        EXPECT_FALSE(read_error_body(bare).is_error);
    }
}

TEST(ErrorBody, WordsOfTheKey) {
    const std::vector<std::pair<std::string, bool>> rows{
        {"Incorrect API key provided: sk-a****z.", true},
        {"API key not valid. Please pass a valid API key.", true},
        {"Your API key was reported as leaked. Please use another API key.", true},
        {"Access denied due to invalid subscription key or wrong API endpoint.", true},
        {"The security token included in the request is expired", true},
        {"Method doesn't allow unregistered callers. Please use API Key or other form of API"
         " consumer identity.",
         true},
        {"Your API key does not have permission to use the specified resource.", false},
        {"You don't have access to the model with the specified model ID.", false},
        {"Country, region, or territory not supported", false},
        {"Your input was flagged: invalid", false},
        {"", false},
    };
    for (const auto& [message, expected] : rows) {
        EXPECT_EQ(read_error_body(saying(message)).speaks_of_key, expected) << message;
        EXPECT_EQ(read_error_body(R"({"message":")" + message + "\"}").speaks_of_key, expected);
    }
}

// Only the entry's own model, and only where it is not the client that asked for it.
TEST(ErrorBody, ModelsThatAreNotThere) {
    const auto openai = [](const std::string& message) {
        return R"({"error":{"type":"invalid_request_error","code":"model_not_found","message":")" +
               message + "\"}}";
    };
    const auto plain = [](const std::string& message, const std::string& type) {
        return R"({"error":{"message":")" + message + R"(","type":")" + type + "\"}}";
    };
    struct Case {
        const char* name;
        std::string body;
        ErrorKind kind;
    };
    const Case cases[] = {
        {"OpenAI", openai("The model `gpt-4` does not exist or you do not have access to it."),
         model},
        {"OpenAI, no access", openai("Project `p` does not have access to model `gpt-4`"), model},
        {"another model", openai("The model `gpt-5` does not exist"), request},
        {"a longer name", openai("The model `gpt-4.1` does not exist"), request},
        {"a shorter name", openai("The model `pre-gpt-4` does not exist"), request},
        {"a full stop", openai("There is no gpt-4."), model},
        {"its name twice", openai("The model `gpt-4o` is no gpt-4"), model},
        {"no name", openai("Not found"), request},
        {"Anthropic", plain("model: gpt-4", "not_found_error"), model},
        {"Anthropic, an address", plain("Not found", "not_found_error"), request},
        {"Ollama", plain(R"(model \"gpt-4\" not found, try pulling it first)", "api_error"), model},
        {"Ollama, a text", R"({"error":"model 'gpt-4' not found"})", model},
        {"Google",
         R"({"error":{"code":404,"status":"NOT_FOUND","message":"models/gpt-4 is not found"}})",
         model},
        {"vLLM", plain("The model `gpt-4` does not exist.", "NotFoundError"), model},
        {"Azure", R"({"error":{"code":"DeploymentNotFound","message":"It does not exist."}})",
         model},
        {"a path that a client made up",
         plain("Invalid URL (POST /v1/The model gpt-4 does not exist)", "invalid_request_error"),
         request},
        {"too fast for this model",
         R"({"error":{"code":"rate_limit_exceeded","message":"Model gpt-4 is busy"}})", rate},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(read_error_body(one.body, "gpt-4").kind, one.kind);
        const bool is_unnamed = one.body.find("DeploymentNotFound") != std::string::npos;
        if (!is_unnamed) {
            EXPECT_NE(read_error_body(one.body).kind, model) << "nothing was asked for";
        }
    }
}

TEST(ErrorBody, WaitsInTheMessage) {
    const std::vector<std::pair<const char*, Wait>> rows{
        {"Please try again in 6m0s.", 6min},
        {"Please try again in 20ms.", 20ms},
        {"Please try again in 1.5s.", 1500ms},
        {"Please try again in 1.5s", 1500ms},
        {"Please try again in 8.64s. Visit https://example.org.", 8640ms},
        {"Please try again in 1h2m3.5s, then go on.", 3'723'500ms},
        {"Please try again in 2s; or later", 2s},
        {"(try again in 2s)", 2s},
        {"Please try again in 2s\\nVisit", 2s},
        {"Please try again in 500us.", 1ms},
        {"Please try again in 0s.", 0ms},
        {"Please try again in 20 seconds.", 20s},
        {"Please try again in 1 second.", 1s},
        {"Please try again in 5 minutes.", 5min},
        {"Please try again in 2 hours", 2h},
        {"Please try again in 1 day.", 24h},
        {"Please try again in 1.5 seconds.", 1500ms},
        {"Please retry after 17 seconds.", 17s},
        {"Please retry in 38.365871s.", 38'366ms},
        {"Please try again in 9999999h.", 366 * 24h},
        // No waits.
        {"Please try again in 20 milliseconds.", std::nullopt},
        {"Please try again in 20.", std::nullopt},
        {"Please try again in 20. Seconds count.", std::nullopt},
        {"Please try again in 20, seconds", std::nullopt},
        {"Please try again in 1741305600 ", std::nullopt},
        {"Please try again in ", std::nullopt},
        {"Please try again in .", std::nullopt},
        {"Please try again in a while.", std::nullopt},
        {"Please try again in -5s.", std::nullopt},
        {"Please try again in 5x.", std::nullopt},
        {"Please try again in 5s6.", std::nullopt},
        {"Please try again in  5s.", std::nullopt},
        {"Please try again later.", std::nullopt},
        {"try again in", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& [message, wait] : rows) {
        const std::string body =
            R"({"error":{"code":"rate_limit_exceeded","message":")" + std::string(message) + "\"}}";
        const ErrorBody read = read_error_body(body);
        EXPECT_EQ(read.kind, rate) << message;
        EXPECT_EQ(read.wait, wait) << message;
    }
}

}  // namespace
}  // namespace rotary::llm
