// Which refusals of a provider are the entry's, which its key's, its model's, and which the
// request's own: what they mean for the request that met them, and for everybody else's.
#include "fault_fixture.hpp"

#include <rotary/rotation/suspension.hpp>

#include <gtest/gtest.h>

namespace rotary::test {
namespace {

using mock::HeaderList;
using mock::MockFault;
using mock::MockProvider;
using namespace std::chrono_literals;

std::string error_of(const std::string& message, const std::string& code,
                     const std::string& type = "invalid_request_error") {
    return R"({"error":{"message":")" + message + R"(","type":")" + type + R"(","code":")" + code +
           "\"}}";
}

void answer_with(MockProvider& mock, const std::string& model, unsigned status,
                 const std::string& body, HeaderList headers = {}) {
    headers.emplace_back("content-type", "application/json");
    mock.respond_with(model, status, headers, body);
}

const std::string kTooLargeForOpenAi = error_of(
    "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, "
    "Requested 45000. The input or output tokens must be reduced in order to run successfully.",
    "rate_limit_exceeded", "tokens");
const std::string kTooLargeForGroq = error_of(
    "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 0, Requested 6300. Please try "
    "again in 63s.",
    "rate_limit_exceeded", "tokens");
const std::string kTooLongAContext = error_of("Too long.", "context_length_exceeded");
const std::string kTooFast = error_of("Too fast.", "rate_limit_exceeded", "requests");
const std::string kBadKey = error_of("Incorrect API key provided: sk-SECRET.", "invalid_api_key");

double suspensions(const Gateway& gateway, const std::string& with = "") {
    return sum_of(gateway, "rotary_model_suspensions_total", with);
}

std::string reason_of(const Gateway& gateway, const std::string& model,
                      const std::string& env = "production",
                      const std::string& backend = "backend-0") {
    return entry_field(gateway, model, "reason", env, backend);
}

std::string state_of(const Gateway& gateway, const std::string& model,
                     const std::string& env = "production",
                     const std::string& backend = "backend-0") {
    return entry_field(gateway, model, "state", env, backend);
}

Request list_models() {
    Request request = chat("");
    request.method = "GET";
    request.target = "/chat/1.0/models";
    return request;
}

// --- the request's size -------------------------------------------------------------------------

TEST(RefusalsTest, AHundredPromptsThatAreTooLargeTakeNobodyOut) {
    const auto mock = start_mock();
    answer_with(*mock, "a", 429, kTooLargeForOpenAi, {{"retry-after", "60"}});
    answer_with(*mock, "b", 429, kTooLargeForGroq);
    answer_with(*mock, "c", 429, kTooLongAContext);
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}, {"c"}}));
    in_parallel(10, [&](std::size_t) {
        for (int i = 0; i < 10; ++i) {
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 429U);
            EXPECT_EQ(response.header("x-rotary-attempts"), "3") << "another might have taken it";
            const std::string model(response.header("x-rotary-model"));
            EXPECT_EQ(response.body, model == "a"   ? kTooLargeForOpenAi
                                     : model == "b" ? kTooLargeForGroq
                                                    : kTooLongAContext);
        }
    });
    for (const char* model : {"a", "b", "c"}) EXPECT_EQ(state_of(gateway, model), "active");
    EXPECT_EQ(suspensions(gateway), 0.0);
    EXPECT_EQ(gateway.metric("rotary_retry_budget_exhausted_total"), 0.0) << "others may need it";

    mock->clear_faults();
    for (int i = 0; i < 3; ++i) {
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
    }
}

TEST(RefusalsTest, WhatIsTooLargeForTwoIsServedByTheThird) {
    const auto mock = start_mock();
    answer_with(*mock, "a", 429, kTooLargeForOpenAi);
    answer_with(*mock, "b", 429, kTooLongAContext);
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}, {"c"}}));
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.header("x-rotary-model"), "c");
    EXPECT_EQ(response.header("x-rotary-attempts"), "3");
    EXPECT_EQ(suspensions(gateway), 0.0);
}

// A refusal of the request brings no verdict on the entry's return.
TEST(RefusalsTest, AProbeThatIsTooLargeIsNone) {
    const auto mock = start_mock();
    answer_with(*mock, "a", 429, kTooFast, {{"retry-after-ms", "200"}});
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.suspend_seconds = 0;
    options.process = "timeouts: {probe_verdict: 60s}\n";
    const Gateway gateway(options);
    EXPECT_EQ(ask(gateway).header("x-rotary-model"), "b");
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", 10s));
    answer_with(*mock, "a", 429, kTooLargeForOpenAi);
    EXPECT_EQ(ask(gateway).header("x-rotary-attempts"), "2");
    EXPECT_EQ(state_of(gateway, "a"), "returning");
    mock->clear_faults();
    EXPECT_EQ(ask(gateway).header("x-rotary-model"), "a") << "the probe";
    EXPECT_EQ(state_of(gateway, "a"), "active");
    EXPECT_EQ(suspensions(gateway), 1.0);
}

// --- one request, one entry ---------------------------------------------------------------------

TEST(RefusalsTest, OneRequestWithoutHintsSuspendsOneEntry) {
    const auto mock = start_mock();
    answer_with(*mock, "*", 429, kTooFast);
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}, {"c"}}));
    Response response = ask(gateway);
    EXPECT_EQ(response.status, 429U);
    EXPECT_EQ(response.body, kTooFast) << "not all are out: the last one's own answer";
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 1}, {"b", 1}, {"c", 1}}));
    EXPECT_EQ(suspensions(gateway), 1.0);
    EXPECT_EQ(state_of(gateway, "a"), "suspended");
    EXPECT_EQ(state_of(gateway, "b"), "active");
    EXPECT_EQ(state_of(gateway, "c"), "active");

    // The next ones that begin there tell.
    EXPECT_EQ(ask(gateway).body, kTooFast);
    EXPECT_EQ(suspensions(gateway), 2.0);
    response = ask(gateway);
    EXPECT_EQ(json_at(response.body, "error.code"), "all_models_suspended");
    EXPECT_EQ(suspensions(gateway), 3.0);
}

// A later entry that was out before is not taken out by this request: it stays out.
TEST(RefusalsTest, AProbeThatIsALaterTryIsAVerdict) {
    const auto mock = start_mock();
    answer_with(*mock, "a", 429, kTooFast);
    answer_with(*mock, "b", 429, kTooFast);
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}, {"c"}}));
    for (const char* model : {"a", "b"}) {
        change_entry(gateway, entry_field(gateway, model, "id"), "suspend?seconds=1");
    }
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", 10s));
    ASSERT_TRUE(gateway.wait_for_state("b", "returning", 10s));
    const Response response = ask(gateway);
    EXPECT_EQ(response.header("x-rotary-model"), "c");
    EXPECT_EQ(response.header("x-rotary-attempts"), "3");
    EXPECT_EQ(reason_of(gateway, "a"), "rate_limited");
    EXPECT_EQ(reason_of(gateway, "b"), "rate_limited");
}

// --- our key ------------------------------------------------------------------------------------

struct KeyRow {
    const char* name;
    unsigned status;
    std::string body;
};

std::vector<KeyRow> words_about_our_key() {
    return {{"401", 401, kBadKey},
            {"401 without a word", 401, ""},
            {"403", 403, error_of("Your API key was reported as leaked: sk-SECRET", "denied")},
            {"AWS", 403, R"({"message":"The security token sk-SECRET is invalid."})"},
            {"Google", 400,
             R"([{"error":{"code":400,"message":"sk-SECRET","status":"INVALID_ARGUMENT",)"
             R"("details":[{"reason":"API_KEY_INVALID"}]}}])"}};
}

TEST(RefusalsTest, OurKeyIsNoClientsBusiness) {
    for (const KeyRow& row : words_about_our_key()) {
        SCOPED_TRACE(row.name);
        const auto bad = start_mock();
        const auto good = start_mock();
        answer_with(*bad, "*", row.status, row.body);
        GatewayOptions options = rotating(*bad, {{"a"}, {"d"}, {"c", 1}});
        options.sandbox = {{"s"}, {"t", 2}};
        options.backends.push_back(backend_of(*good, "Bearer key-0"));
        options.backends.push_back(backend_of(*bad, "Bearer another key"));
        const Gateway gateway(options);
        for (const char* attempts : {"2", "1", "1"}) {
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 200U) << response.body;
            EXPECT_EQ(response.header("x-rotary-model"), "c");
            EXPECT_EQ(response.header("x-rotary-attempts"), attempts);
        }
        EXPECT_EQ(bad->request_count(), 1U);
        EXPECT_EQ(reason_of(gateway, "a"), "credential_refused");
        EXPECT_EQ(reason_of(gateway, "d"), "credential_refused");
        EXPECT_EQ(reason_of(gateway, "s", "sandbox"), "credential_refused");
        EXPECT_EQ(state_of(gateway, "t", "sandbox", "backend-2"), "active") << "another key";
        EXPECT_EQ(state_of(gateway, "c", "production", "backend-1"), "active") << "another host";
        EXPECT_EQ(suspensions(gateway, "reason=\"credential_refused\""), 3.0);
        EXPECT_EQ(failures(gateway, "production", "credential_refused"), 1.0);
        const int left = std::stoi(entry_field(gateway, "a", "seconds_left"));
        EXPECT_LE(left, 66);
        EXPECT_GT(left, 40);
    }
}

TEST(RefusalsTest, OurKeyAloneIsOurError) {
    for (const KeyRow& row : words_about_our_key()) {
        SCOPED_TRACE(row.name);
        const auto bad = start_mock();
        answer_with(*bad, "*", row.status, row.body, {{"www-authenticate", "Bearer sk-SECRET"}});
        const Gateway gateway(rotating(*bad, {{"a"}, {"b"}}));
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 502U);
        EXPECT_EQ(json_at(response.body, "error.code"), "upstream_credential_refused");
        EXPECT_EQ(json_at(response.body, "error.type"), "upstream_error");
        EXPECT_EQ(response.body.find("SECRET"), std::string::npos);
        EXPECT_EQ(response.count("www-authenticate"), 0U);
        EXPECT_EQ(bad->request_count(), 1U) << "the other has the same key";
        const Response next = ask(gateway);
        EXPECT_EQ(next.status, 503U);
        EXPECT_EQ(json_at(next.body, "error.code"), "all_models_unavailable");
        EXPECT_NE(next.header("retry-after"), "");
        EXPECT_EQ(bad->request_count(), 1U);
    }
}

// Requests without a rotation carry our key too.
TEST(RefusalsTest, OurKeyWithoutARotation) {
    for (const KeyRow& row : words_about_our_key()) {
        SCOPED_TRACE(row.name);
        const auto bad = start_mock();
        answer_with(*bad, "*", row.status, row.body);
        const Gateway gateway(rotating(*bad, {{"a"}}));
        const Response response = ask(gateway, list_models());
        EXPECT_EQ(response.status, 502U);
        EXPECT_EQ(json_at(response.body, "error.code"), "upstream_credential_refused");
        EXPECT_EQ(response.body.find("SECRET"), std::string::npos);
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total", "credential_refused"), 1.0);
        EXPECT_EQ(state_of(gateway, "a"), "active") << "its own requests will tell";
    }
}

// Without a key of ours none was refused: it is between the client and the provider.
TEST(RefusalsTest, WithoutAKeyOfOursARefusalIsAnAnswer) {
    const auto mock = start_mock();
    answer_with(*mock, "*", 401, kBadKey);
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.backends[0].key.clear();
    const Gateway gateway(options);
    for (const Request& request : {chat(), list_models()}) {
        const Response response = ask(gateway, request);
        EXPECT_EQ(response.status, 401U);
        EXPECT_EQ(response.body, kBadKey);
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
    }
    EXPECT_EQ(state_of(gateway, "a"), "active");
    EXPECT_EQ(suspensions(gateway), 0.0);
}

TEST(RefusalsTest, OutOfMoneyIsTheWholeKeys) {
    struct Row {
        const char* name;
        unsigned status;
        std::string body;
    };
    const Row rows[] = {
        {"402", 402, ""},
        {"402, Anthropic", 402, R"({"type":"error","error":{"type":"billing_error"}})"},
        {"403 that says so", 403, error_of("No credit.", "insufficient_quota")},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto poor = start_mock();
        const auto rich = start_mock();
        answer_with(*poor, "*", row.status, row.body);
        GatewayOptions options = rotating(*poor, {{"a"}, {"b"}, {"c", 1}});
        options.backends.push_back(backend_of(*rich, "Bearer key-1"));
        const Gateway gateway(options);
        EXPECT_EQ(ask(gateway).header("x-rotary-model"), "c");
        EXPECT_EQ(poor->request_count(), 1U);
        EXPECT_EQ(reason_of(gateway, "a"), "account_exhausted");
        EXPECT_EQ(reason_of(gateway, "b"), "account_exhausted");
    }
}

// --- our model ----------------------------------------------------------------------------------

TEST(RefusalsTest, AModelThatTheProviderDoesNotKnowIsOutAtOnce) {
    const auto mock = start_mock();
    const std::string body = error_of("The model `a` does not exist", "model_not_found");
    answer_with(*mock, "a", 404, body);
    {
        const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
        for (const char* attempts : {"2", "1", "1"}) {
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.header("x-rotary-model"), "b");
            EXPECT_EQ(response.header("x-rotary-attempts"), attempts);
        }
        EXPECT_EQ(reason_of(gateway, "a"), "model_unknown");
        EXPECT_EQ(suspensions(gateway, "reason=\"model_unknown\""), 1.0);
        EXPECT_EQ(failures(gateway, "production", "model_unknown"), 1.0);
    }
    const Gateway alone(rotating(*mock, {{"a"}}));
    const Response response = ask(alone);
    EXPECT_EQ(response.status, 404U);
    EXPECT_EQ(response.body, body);
}

TEST(RefusalsTest, WhatElseIsNotFoundIsTheClientsOwn) {
    const auto mock = start_mock();
    for (const std::string& body :
         {error_of("The model `another` does not exist", "model_not_found"),
          error_of("Invalid URL (POST /v1/The model `a` does not exist)", "unknown_url"),
          std::string("404 page not found")}) {
        answer_with(*mock, "*", 404, body);
        const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 404U);
        EXPECT_EQ(response.body, body);
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
        EXPECT_EQ(state_of(gateway, "a"), "active");
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
    }
}

TEST(RefusalsTest, WhatIsForbiddenOrLateCountsAgainstTheEntry) {
    struct Row {
        const char* name;
        unsigned status;
        const char* failure;
    };
    const Row rows[] = {{"forbidden", 403, "forbidden"}, {"late", 408, "timeout"}};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        const std::string body = error_of("Not in your region.", "unsupported_country");
        answer_with(*mock, "a", row.status, body);
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
        options.sandbox = {{"a"}};
        options.process = "timeouts: {failure_suspension: 10m, failure_suspension_max: 10m}\n";
        const Gateway gateway(options);
        for (int i = 0; i < 12; ++i) {
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.header("x-rotary-model"), "b");
        }
        EXPECT_EQ(models_asked(*mock).at("a"), 5U);
        EXPECT_EQ(reason_of(gateway, "a"), "failing");
        EXPECT_EQ(failures(gateway, "production", row.failure), 5.0);

        // Alone the client gets it as it is, five times.
        for (int i = 0; i < 5; ++i) {
            const Response response = ask(gateway, sandbox_chat());
            EXPECT_EQ(response.status, row.status);
            EXPECT_EQ(response.body, body);
        }
        ASSERT_TRUE(all_settled(gateway));
        EXPECT_EQ(reason_of(gateway, "a", "sandbox"), "failing");
    }
}

}  // namespace
}  // namespace rotary::test
