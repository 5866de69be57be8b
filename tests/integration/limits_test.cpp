// Limits of requests and subscriptions, seen by clients of a whole gateway. Windows are days, or
// limits are 0, so that no minute ends in the middle of a test.
#include "gateway_fixture.hpp"

#include <support/sanitized.hpp>
#include <support/tokens.hpp>

#include <gmock/gmock.h>

#include <atomic>

namespace rotary::test {
namespace {

using mock::MockProvider;
using testing::HasSubstr;

std::string api_limit(int requests, const std::string& unit = "Day") {
    return "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\n"
           "metadata: {name: whole}\nspec:\n  default: {api: {requestsPerUnit: " +
           std::to_string(requests) + ", unit: " + unit +
           "}}\n  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}\n";
}

std::string backend_limit(const std::string& backend, int requests) {
    return "---\nkind: AIRateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\n"
           "metadata: {name: of-" +
           backend +
           "}\nspec:\n  default: {requestCount: {requestsPerUnit: " + std::to_string(requests) +
           ", unit: Day}}\n  targetRef: {group: dp.wso2.com, kind: Backend, name: " + backend +
           "}\n";
}

std::string subscriber(const std::string& name, const std::string& tier) {
    return "---\nkind: Subscription\napiVersion: cp.wso2.com/v1alpha3\nmetadata: {name: " + name +
           "}\nspec:\n  organization: default\n  subscriptionStatus: ACTIVE\n"
           "  api: {name: chat-api, version: \"1.0\"}\n"
           "  ratelimitRef: {level: Application, name: " +
           tier +
           "}\n---\nkind: Application\napiVersion: cp.wso2.com/v1alpha2\nmetadata: {name: " + name +
           "}\nspec:\n  name: " + name +
           "\n  owner: me\n  organization: default\n  securitySchemes: {oauth2: {environments: "
           "[{envId: Default, appId: " +
           name +
           ", keyType: PRODUCTION}]}}\n---\nkind: ApplicationMapping\n"
           "apiVersion: cp.wso2.com/v1alpha2\nmetadata: {name: " +
           name + "}\nspec: {applicationRef: " + name + ", subscriptionRef: " + name + "}\n";
}

Request chat_of(const std::string& client) {
    tools::TokenOptions options = token_options();
    options.claims.push_back("azp=" + client);
    Request request = chat();
    for (auto& [name, value] : request.headers) {
        if (name == "authorization" || name == "Authorization")
            value = "Bearer " + make_token(options);
    }
    return request;
}

std::string header(const Response& response, const std::string& name) {
    return std::string(response.header(name));
}

TEST(GatewayLimits, RefuseWithAllThatAClientNeeds) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = api_limit(3);
    Gateway gateway(options);
    for (const char* left : {"2", "1", "0"}) {
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(header(response, "x-ratelimit-limit-requests"), "3");
        EXPECT_EQ(header(response, "x-ratelimit-remaining-requests"), left);
    }
    const Response refused = ask(gateway);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(header(refused, "x-ratelimit-remaining-requests"), "0");
    EXPECT_NE(header(refused, "x-ratelimit-reset-requests"), "");
    EXPECT_NE(header(refused, "retry-after"), "");
    EXPECT_NE(header(refused, "retry-after-ms"), "");
    EXPECT_EQ(json_at(refused.body, "error.code"), "rate_limit_exceeded");
    EXPECT_EQ(json_at(refused.body, "error.type"), "rate_limit_error");
    EXPECT_EQ(json_at(refused.body, "error.apk_code"), "900800");
    EXPECT_THAT(json_at(refused.body, "error.message"),
                HasSubstr("Limit of 3 requests per day reached for API chat-api (used 3). Resets"));
    EXPECT_EQ(mock->requests().size(), 3U);
    EXPECT_EQ(gateway.metric("rotary_limit_decisions_total{policy=\"whole\",scope=\"api\","
                             "decision=\"refused\"}"),
              1.0);
    ASSERT_EQ(gateway.stop(), 0);
    EXPECT_THAT(gateway.access_log(), HasSubstr(R"("limit":"whole")"));
}

TEST(GatewayLimits, AreKeptThroughAReload) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = api_limit(5);
    Gateway gateway(options);
    ask(gateway);
    ask(gateway);
    options.resources = api_limit(3);
    gateway.files().write(options);
    Request reload;
    reload.method = "POST";
    reload.target = "/api/v1/reload";
    ASSERT_EQ(gateway.admin_request(reload).status, 200U);
    EXPECT_EQ(header(ask(gateway), "x-ratelimit-remaining-requests"), "0");
    EXPECT_EQ(ask(gateway).status, 429U);
}

TEST(GatewayLimits, AreExactOverAllWorkers) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = api_limit(20);
    Gateway gateway(options);
    std::atomic<unsigned> admitted{0};
    in_parallel(4, [&](std::size_t) {
        for (int i = 0; i < 15; ++i) {
            if (ask(gateway).status == 200) ++admitted;
        }
    });
    EXPECT_EQ(admitted, 20U);
}

TEST(GatewayLimits, OfABackendMoveItsTrafficToTheOther) {
    const auto first = start_mock();
    const auto second = start_mock();
    GatewayOptions options;
    options.backends = {backend_of(*first), backend_of(*second)};
    options.production = {{"a", 0}, {"b", 1}};
    options.resources = backend_limit("backend-0", 2);
    Gateway gateway(options);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_EQ(first->requests().size(), 2U);
    EXPECT_EQ(second->requests().size(), 8U);
    EXPECT_EQ(entry_field(gateway, "a", "reason"), "limit");
}

TEST(GatewayLimits, OfAllBackendsRefuse) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.resources = backend_limit("backend-0", 0);
    Gateway gateway(options);
    const Response refused = ask(gateway);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(json_at(refused.body, "error.code"), "all_models_suspended");
    EXPECT_NE(header(refused, "retry-after"), "");
    EXPECT_EQ(mock->requests().size(), 0U);
}

TEST(GatewayLimits, OfSubscriptionsAreTiers) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources =
        "---\nkind: APIPolicy\napiVersion: dp.wso2.com/v1alpha4\nmetadata: {name: members}\n"
        "spec:\n  default: {subscriptionValidation: true}\n"
        "  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}\n"
        "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\nmetadata: {name: bronze}\n"
        "spec: {default: {subscription: {organization: default, stopOnQuotaReach: true, "
        "requestCount: {requestsPerUnit: 1, unit: Day}}}}\n" +
        subscriber("gold", "Unlimited") + subscriber("thrifty", "bronze");
    Gateway gateway(options);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(gateway, chat_of("gold")).status, 200U);
    EXPECT_EQ(ask(gateway, chat_of("thrifty")).status, 200U);
    const Response refused = ask(gateway, chat_of("thrifty"));
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(json_at(refused.body, "error.apk_code"), "900804");
    EXPECT_THAT(refused.body, HasSubstr("for subscription thrifty"));
    const Response stranger = ask(gateway, chat_of("nobody"));
    EXPECT_EQ(stranger.status, 403U);
    EXPECT_EQ(json_at(stranger.body, "error.code"), "subscription_required");
    EXPECT_EQ(json_at(stranger.body, "error.apk_code"), "900908");
}

std::string custom_limit(const std::string& key, int requests) {
    return "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\n"
           "metadata: {name: each}\nspec:\n  default: {custom: {key: \"" +
           key + "\", requestsPerUnit: " + std::to_string(requests) + ", unit: Day}}\n";
}

Request chat_with_claim(const std::string& claim) {
    tools::TokenOptions options = token_options();
    options.claims.push_back(claim);
    Request request = chat();
    for (auto& [name, value] : request.headers) {
        if (name == "Authorization") value = "Bearer " + make_token(options);
    }
    return request;
}

TEST(GatewayLimits, OfAClaimAreOfEachValueAndShown) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = custom_limit("claim:team", 2);
    options.process = "quotas: {metric_consumers: 10}\n";
    const Gateway gateway(options);
    const Request red = chat_with_claim("team=red");
    const Request blue = chat_with_claim("team=blue");
    EXPECT_EQ(ask(gateway, red).status, 200U);
    EXPECT_EQ(ask(gateway, red).status, 200U);
    const Response refused = ask(gateway, red);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_EQ(json_at(refused.body, "error.apk_code"), "900806");
    EXPECT_THAT(json_at(refused.body, "error.message"),
                HasSubstr("Limit of 2 requests per day reached for each claim team (used 2)."));
    EXPECT_EQ(ask(gateway, blue).status, 200U);
    EXPECT_EQ(header(ask(gateway, blue), "x-ratelimit-remaining-requests"), "0");

    const std::string limits = gateway.admin("/api/v1/limits?callers=5");
    EXPECT_EQ(json_at(limits, "limits.0.known_callers"), "2") << limits;
    EXPECT_EQ(json_at(limits, "limits.0.callers.0.caller"), "blue");
    EXPECT_EQ(json_at(limits, "limits.0.callers.1.caller"), "red");
    EXPECT_EQ(json_at(limits, "limits.0.callers.1.used"), "2");
    EXPECT_EQ(json_at(limits, "limits.0.callers.1.remaining"), "0");
    std::string consumers;
    // The last one is counted behind its answer.
    EXPECT_TRUE(eventually([&] {
        consumers = gateway.admin("/api/v1/consumers");
        return json_at(consumers, "consumers.0.requests") == "5";
    })) << consumers;
    EXPECT_EQ(json_at(consumers, "consumers.0.consumer"), "tester");
    EXPECT_EQ(json_at(consumers, "consumers.0.refused"), "1");
    EXPECT_EQ(gateway.metric("rotary_consumer_requests_total{consumer=\"tester\"}"), 5.0);
    EXPECT_EQ(gateway.metric("rotary_limit_counters"), 2.0);
}

TEST(GatewayLimits, OfAModelMoveItsTrafficToTheOthers) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.resources = backend_limit("backend-0", 2);
    const std::string name = "{name: of-backend-0}";
    options.resources.replace(options.resources.find(name), name.size(),
                              "{name: of-a, annotations: {rotary/models: a}}");
    const Gateway gateway(options);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(gateway).status, 200U);
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 2}, {"b", 8}}));
    EXPECT_EQ(entry_field(gateway, "a", "reason"), "limit");
    EXPECT_EQ(entry_field(gateway, "b", "state"), "active");
    EXPECT_EQ(entry_field(gateway, "a", "limits.0.remaining"), "0");
}

// More callers than there is room for: those that are known keep what is theirs.
TEST(GatewayLimits, StayBoundedUnderManyCallers) {
    constexpr std::size_t kPlaces = 1000;
    constexpr std::size_t kCallers = kSanitized ? 3000 : 20'000;
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}});
    options.resources = custom_limit("header:x-team", 3);
    options.process = "quotas: {counters: 1000}\nlog: {access: off}\n";
    const Gateway gateway(options);
    const Request plain = chat();
    TestClient known = gateway.connect();
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(known.exchange(with(plain, "x-team", "known " + std::to_string(i))).status, 200U);
    }
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> served{0};
    in_parallel(4, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (std::size_t i = next++; i < kCallers; i = next++) {
            const unsigned status =
                client.exchange(with(plain, "x-team", "caller " + std::to_string(i))).status;
            if (status == 200) {
                ++served;
            } else {
                EXPECT_EQ(status, 429U);
            }
        }
    });
    EXPECT_EQ(gateway.metric("rotary_limit_counters"), kPlaces);
    EXPECT_EQ(served, kPlaces - 10 + 3) << "who has a place, and three of all the others";
    EXPECT_EQ(gateway.metric("rotary_limit_overflows_total"), kCallers - (kPlaces - 10));
    TestClient again = gateway.connect();
    for (int i = 0; i < 10; ++i) {
        const Request request = with(plain, "x-team", "known " + std::to_string(i));
        EXPECT_EQ(again.exchange(request).status, 200U);
        EXPECT_EQ(again.exchange(request).status, 200U);
        EXPECT_EQ(again.exchange(request).status, 429U);
    }
}

}  // namespace
}  // namespace rotary::test
