// API keys of consumers: who is let in by them, to what, and how much at a time.
#include "edge_support.hpp"

#include <rotary/auth/api_key.hpp>
#include <support/tokens.hpp>

#include <map>

namespace rotary::test {
namespace {

std::string hash_of(const std::string& key) { return auth::hash_text(auth::digest_of(key)); }

// A ConsumerKey with these keys, each in flow style behind its hash ("notAfter: ..."), and lines of
// its spec.
struct Consumer {
    std::string name;
    std::vector<std::pair<std::string, std::string>> keys;
    std::string spec{};

    std::string text() const {
        std::string text =
            "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: ";
        text.append(name).append("}\nspec:\n  consumer: ").append(name).append("\n  keys:\n");
        for (const auto& [key, more] : keys) {
            text.append("    - {hash: \"").append(hash_of(key)).append("\"");
            text.append(more.empty() ? "" : ", ").append(more).append("}\n");
        }
        return text + spec;
    }
};

// For the chat API of the tests.
std::string authentication(const std::string& types) {
    return "---\nkind: Authentication\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: auth}\n"
           "spec:\n  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}\n  default: "
           "{authTypes: " +
           types + "}\n";
}

constexpr const char* kEverywhere =
    "{oauth2: {required: optional, sendTokenToUpstream: true}, apiKey: {required: optional, keys: "
    "[{in: Header, name: x-api-key, sendTokenToUpstream: true}, "
    "{in: Query, name: apikey, sendTokenToUpstream: true}]}}";

Request without_credentials(Request request = chat()) {
    set_header(request, "Authorization", "");
    return request;
}

Request with_key(const std::string& key, Request request = chat()) {
    set_header(request, "Authorization", "Bearer " + key);
    return request;
}

std::string code_of(const Response& response) {
    return response.status == 200 ? "" : json_at(response.body, "error.code");
}

Response ask(const Edge& edge, const Request& request) {
    return fetch(edge.gateway.client(), request);
}

TEST(ConsumerKeys, AKeyInEachPlaceLetsInAndGoesNoFurther) {
    const std::string key = auth::make_api_key();
    Edge edge(with_resources(authentication(kEverywhere) + Consumer{"team-a", {{key, ""}}}.text()));
    Request in_header = without_credentials();
    set_header(in_header, "x-api-key", key);
    Request in_query = without_credentials();
    in_query.target += "?a=b&apikey=" + key;
    Request in_all = with_key(key, in_header);
    in_all.target = in_query.target;
    const Request requests[] = {with_key(key), in_header, in_query, in_all};
    for (const Request& request : requests) {
        EXPECT_EQ(ask(edge, request).status, 200U) << request.bytes();
    }
    ASSERT_EQ(edge.mock->request_count(), 4U);
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_EQ(captured.header("authorization"), "Bearer sk-up");
        EXPECT_EQ(captured.target.find("rk_"), std::string::npos) << captured.target;
        for (const auto& [name, value] : captured.headers) {
            EXPECT_EQ(value.find("rk_"), std::string::npos) << name;
        }
    }
    ASSERT_EQ(edge.gateway.stop(), 0);
    const std::string log = edge.gateway.access_log();
    EXPECT_NE(log.find("\"consumer\":\"team-a\",\"key_id\":\"" + key.substr(3, 8) + '"'),
              std::string::npos)
        << log;
    EXPECT_EQ(log.find(key.substr(12)), std::string::npos);
}

TEST(ConsumerKeys, WhatIsNotGoodIsRefusedForWhatItIs) {
    const std::string key = auth::make_api_key();
    const std::string expired = auth::make_api_key();
    const std::string early = auth::make_api_key();
    const std::string disabled = auth::make_api_key();
    const std::string elsewhere = auth::make_api_key();
    std::string typo = key;
    typo[20] = typo[20] == 'a' ? 'b' : 'a';
    std::string resources =
        Consumer{"team-a",
                 {{key, ""}, {expired, "notAfter: 2020-01-01"}, {early, "notBefore: 2190-01-01"}}}
            .text();
    resources += Consumer{"team-b", {{disabled, ""}}, "  disabled: true\n"}.text();
    resources += Consumer{"team-c", {{elsewhere, ""}}, "  apis: [open-api]\n"}.text();
    resources += open_api();
    Edge edge(with_resources(resources));
    struct Row {
        const char* name;
        std::string key;
        unsigned status;
        const char* code;
    };
    const Row rows[] = {
        {"good", key, 200, ""},
        {"a typing error", typo, 401, "invalid_token"},
        {"unknown", auth::make_api_key(), 401, "invalid_token"},
        {"cut off", key.substr(0, 50), 401, "invalid_token"},
        {"nothing but the prefix", "rk_", 401, "invalid_token"},
        {"expired", expired, 401, "token_expired"},
        {"not yet valid", early, 401, "invalid_token"},
        {"disabled", disabled, 401, "invalid_token"},
        {"of other APIs", elsewhere, 403, "scope_denied"},
    };
    for (const Row& row : rows) {
        const Response response = ask(edge, with_key(row.key));
        EXPECT_EQ(response.status, row.status) << row.name << response.body;
        EXPECT_EQ(code_of(response), row.code) << row.name;
        EXPECT_EQ(response.body.find("rk_"), std::string::npos) << row.name;
    }
    EXPECT_EQ(edge.mock->request_count(), 1U);
}

TEST(ConsumerKeys, SeveralCredentialsAreOneOrTooMany) {
    const std::string key = auth::make_api_key();
    const std::string other = auth::make_api_key();
    Edge edge(with_resources(authentication(kEverywhere) +
                             Consumer{"team-a", {{key, ""}, {other, ""}}}.text()));
    struct Row {
        const char* name;
        std::string bearer, header, query;
        unsigned status;
        const char* code;
    };
    const std::string token = make_token(token_options());
    const std::string bad = auth::make_api_key();
    const Row rows[] = {
        {"none", "", "", "", 401, "missing_credentials"},
        {"one twice", key, key, "", 200, ""},
        {"two good keys", key, other, "", 400, "bad_request"},
        {"a key and a token", token, key, "", 400, "bad_request"},
        {"a token and a key", key, token, "", 400, "bad_request"},
        {"a token and a key in the query", token, "", key, 400, "bad_request"},
        {"a good key and a bad one", key, bad, "", 400, "bad_request"},
        {"a bad key alone", "", bad, "", 401, "invalid_token"},
        {"a bad key twice", bad, bad, bad, 401, "invalid_token"},
        {"a token twice", token, token, "", 200, ""},
    };
    for (const Row& row : rows) {
        Request request = without_credentials();
        if (!row.bearer.empty()) request = with_key(row.bearer, request);
        set_header(request, "x-api-key", row.header);
        if (!row.query.empty()) request.target += "?apikey=" + row.query;
        const Response response = ask(edge, request);
        EXPECT_EQ(response.status, row.status) << row.name << response.body;
        EXPECT_EQ(code_of(response), row.code) << row.name;
    }
    Request twice = with_key(key);
    twice.headers.emplace_back("Authorization", "Bearer " + other);
    EXPECT_EQ(ask(edge, twice).status, 400U) << "two lines of one name";
}

TEST(ConsumerKeys, AReloadBringsAKeyAndTakesOneAway) {
    const std::string old_key = auth::make_api_key();
    const std::string new_key = auth::make_api_key();
    const auto serving = [](std::vector<std::pair<std::string, std::string>> keys) {
        GatewayOptions options = with_process("watch: false\n");
        options.resources = Consumer{"team-a", std::move(keys)}.text();
        return options;
    };
    Edge edge(serving({{old_key, ""}}));
    TestClient client = edge.gateway.connect();
    const auto statuses = [&] {
        return std::pair(client.exchange(with_key(old_key)).status,
                         client.exchange(with_key(new_key)).status);
    };
    EXPECT_EQ(statuses(), std::pair(200U, 401U));
    const auto reload = [&](const GatewayOptions& options) {
        edge.gateway.files().write(in_front_of(*edge.mock, options));
        EXPECT_TRUE(edge.gateway.server().reload().ok);
    };
    reload(serving({{old_key, "notAfter: 2190-01-01"}, {new_key, "notBefore: 2020-01-01"}}));
    EXPECT_EQ(statuses(), std::pair(200U, 200U)) << "both for a while";
    reload(serving({{new_key, ""}}));
    EXPECT_EQ(statuses(), std::pair(401U, 200U)) << "at the next request of the same connection";
}

// A stream under way ends at its next event, or not at all.
TEST(ConsumerKeys, AKeyThatIsTakenAwayEndsItsStreamsWhereThatIsAskedFor) {
    for (const bool revokes : {true, false}) {
        mock::MockOptions slow;
        slow.tokens = 20'000;
        slow.chunk_interval = std::chrono::milliseconds(2);
        const auto mock = start_mock(slow);
        const std::string lost = auth::make_api_key();
        const std::string kept = auth::make_api_key();
        const auto serving = [&](std::vector<std::pair<std::string, std::string>> keys) {
            GatewayOptions options = in_front_of(*mock);
            options.process = std::string("watch: false\nkeys: {revoke_streams: ") +
                              (revokes ? "true" : "false") + "}\n";
            options.resources = Consumer{"team-a", std::move(keys)}.text();
            return options;
        };
        Gateway gateway(serving({{lost, ""}, {kept, ""}}));
        const Request stream = chat(R"({"model":"x","stream":true,"messages":[{"content":"hi"}]})");
        TestClient of_lost = gateway.connect();
        TestClient of_kept = gateway.connect();
        ASSERT_TRUE(of_lost.send(with_key(lost, stream)));
        ASSERT_TRUE(of_kept.send(with_key(kept, stream)));
        for (TestClient* client : {&of_lost, &of_kept}) {
            ASSERT_EQ(client->read_head().status, 200U);
            ASSERT_TRUE(client->read_event());
        }
        gateway.files().write(serving({{kept, ""}}));
        ASSERT_TRUE(gateway.server().reload().ok);
        std::string last;
        std::size_t more = 0;
        constexpr std::size_t kMany = 300;
        const std::size_t most = revokes ? slow.tokens : kMany;
        while (more < most) {
            const auto event = of_lost.read_event();
            if (!event) break;
            last = event->text;
            ++more;
        }
        EXPECT_EQ(more < most, revokes) << more;
        if (revokes) {
            EXPECT_NE(last.find("\"invalid_token\""), std::string::npos) << last;
            EXPECT_EQ(of_lost.ending(), Ending::cut);
        }
        for (std::size_t i = 0; i < kMany; ++i) ASSERT_TRUE(of_kept.read_event()) << i;
    }
}

TEST(ConsumerKeys, ScopesAreTheKeysOwn) {
    const std::string writer = auth::make_api_key();
    const std::string reader = auth::make_api_key();
    GatewayOptions options;
    options.filters = {
        "{type: ExtensionRef, extensionRef: {group: dp.wso2.com, kind: Scope, name: "
        "write}}"};
    options.resources =
        "---\nkind: Scope\napiVersion: dp.wso2.com/v1alpha1\nmetadata: {name: write}\n"
        "spec: {names: [chat:write]}\n" +
        Consumer{"writer", {{writer, ""}}, "  scopes: [chat:write]\n"}.text() +
        Consumer{"reader", {{reader, ""}}, "  scopes: [chat:read]\n"}.text();
    Edge edge(options);
    EXPECT_EQ(ask(edge, with_key(writer)).status, 200U);
    expect_problem(ask(edge, with_key(reader)), "scope_denied");
}

// --- models -------------------------------------------------------------------------------------

TEST(ConsumerKeys, ModelsOfAKeyAreAllThatItsRequestsReach) {
    const std::string key = auth::make_api_key();
    const std::string none = auth::make_api_key();
    GatewayOptions options;
    options.production = {{"a", 0, 3}, {"b", 0, 2}, {"c", 0, 5}};
    options.resources = Consumer{"team-a", {{key, ""}}, "  models: [a, b]\n"}.text() +
                        Consumer{"team-n", {{none, ""}}, "  models: [x]\n"}.text() + open_api();
    Edge edge(options);
    std::map<std::string, int> counts;
    for (int i = 0; i < 10; ++i) {
        ++counts[std::string(ask(edge, with_key(key)).header("x-rotary-model"))];
    }
    EXPECT_EQ(counts, (std::map<std::string, int>{{"a", 6}, {"b", 4}}));
    const Response refused = ask(edge, with_key(none));
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(code_of(refused), "model_not_allowed");
    EXPECT_EQ(ask(edge, sandbox_chat()).status, 200U);
    EXPECT_EQ(code_of(ask(edge, with_key(key, sandbox_chat()))), "model_not_allowed");
}

TEST(ConsumerKeys, FailoverStaysWithinTheModelsOfAKey) {
    const std::string key = auth::make_api_key();
    mock::MockOptions limited;
    limited.quotas = {{"a", 1, std::chrono::hours(1)}, {"b", 1, std::chrono::hours(1)}};
    GatewayOptions options;
    options.production = {{"a"}, {"b"}, {"c"}};
    options.process = "routing: {on_all_suspended: passthrough}\n";
    options.resources = Consumer{"team-a", {{key, ""}}, "  models: [a, b]\n"}.text();
    Edge edge(options, limited);
    EXPECT_EQ(ask(edge, with_key(key)).status, 200U);
    EXPECT_EQ(ask(edge, with_key(key)).status, 200U);
    const Response over = ask(edge, with_key(key));
    EXPECT_EQ(over.status, 429U) << "neither c, nor the client's own model";
    EXPECT_EQ(code_of(over), "all_models_suspended");
    EXPECT_NE(over.header("retry-after"), "");
    EXPECT_EQ(ask(edge, chat()).header("x-rotary-model"), "c") << "for a caller of all models";
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_NE(json_at(captured.body, "model"), "any");
    }
}

// Without a list the model is the client's, and no body is looked at.
TEST(ConsumerKeys, AKeyForSomeModelsIsNoneForAnApiWithoutAList) {
    const std::string some = auth::make_api_key();
    const std::string all = auth::make_api_key();
    std::string api = open_api();
    api = api.substr(0, api.rfind("---"));  // without its Authentication
    Edge edge(with_resources(api + Consumer{"some", {{some, ""}}, "  models: [gpt]\n"}.text() +
                             Consumer{"all", {{all, ""}}}.text()));
    Request request =
        request_for("POST", "/open/1.0/chat/completions", R"({"model":"gpt","messages":[]})");
    const Response refused = ask(edge, with_key(some, request));
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(code_of(refused), "model_not_allowed");
    EXPECT_NE(refused.body.find("no list of models"), std::string::npos) << refused.body;
    EXPECT_EQ(ask(edge, with_key(all, request)).status, 200U);
}

// --- bounds -------------------------------------------------------------------------------------

TEST(ConsumerKeys, TooManyBadKeysOfAnAddressAreAnswered429) {
    const std::string key = auth::make_api_key();
    GatewayOptions options = with_process("auth: {failures_per_minute: 3}\n");
    options.workers = 1;
    options.resources = Consumer{"team-a", {{key, ""}}}.text();
    Edge edge(options);
    TestClient client = edge.gateway.connect();
    const auto bad = [&] { return client.exchange(with_key(auth::make_api_key())); };
    for (int i = 0; i < 3; ++i) EXPECT_EQ(bad().status, 401U) << i;
    const Response over = bad();
    EXPECT_EQ(over.status, 429U);
    EXPECT_EQ(code_of(over), "rate_limit_exceeded");
    const int wait = std::stoi(std::string(over.header("retry-after")));
    EXPECT_TRUE(wait >= 1 && wait <= 60) << wait;
    EXPECT_EQ(client.exchange(without_credentials()).status, 401U) << "it tried nothing";
    EXPECT_EQ(client.exchange(with_key(key)).status, 200U) << "a good one passes";
    EXPECT_EQ(bad().status, 401U) << "and begins anew";
}

// Streams that stay open until their client or provider goes.
class InFlight : public testing::Test {
protected:
    InFlight() { mock_options_.chunk_interval = std::chrono::hours(1); }

    Request stream(const std::string& key) const {
        return with_key(key, chat(R"({"stream":true,"messages":[]})"));
    }
    // One that has begun, once there is a place for it.
    static TestClient begun(const Edge& edge, const Request& request) {
        for (const auto end = std::chrono::steady_clock::now() + kPatience;;) {
            TestClient client = edge.gateway.connect();
            EXPECT_TRUE(client.send(request));
            const unsigned status = client.read_head().status;
            if (status == 200) return client;
            if (std::chrono::steady_clock::now() > end) throw ClientError("never let in");
        }
    }
    static void expect_full(const Response& response) {
        EXPECT_EQ(response.status, 429U) << response.body;
        EXPECT_EQ(code_of(response), "rate_limit_exceeded");
        EXPECT_EQ(response.header("retry-after"), "1");
    }
    // A place comes back when the end of a request has gone its way through Rotary.
    static bool let_in(const Edge& edge, const Request& request) {
        return eventually([&] { return ask(edge, request).status == 200; });
    }

    mock::MockOptions mock_options_;
    const std::string key_ = auth::make_api_key();
    const std::string second_key_ = auth::make_api_key();
    const std::string other_ = auth::make_api_key();
};

TEST_F(InFlight, AConsumerHoldsAsManyPlacesAsItMay) {
    std::string resources =
        Consumer{"tester", {{key_, ""}, {second_key_, ""}}, "  maxConcurrent: 2\n"}.text() +
        Consumer{"other", {{other_, ""}}}.text();
    Edge edge(with_resources(resources), mock_options_);
    TestClient first = begun(edge, stream(key_));
    EXPECT_EQ(ask(edge, with_key(key_)).status, 200U) << "the second";
    TestClient second = begun(edge, stream(second_key_));
    expect_full(ask(edge, with_key(key_)));
    expect_full(ask(edge, stream(second_key_)));
    expect_full(ask(edge, chat()));  // a token of the same consumer
    EXPECT_EQ(ask(edge, with_key(other_)).status, 200U);
    first.close();
    EXPECT_TRUE(let_in(edge, with_key(key_))) << "its client has gone";
    EXPECT_TRUE(let_in(edge, chat()));
}

TEST_F(InFlight, PlacesComeBackFromADeadProviderAndFromRefusals) {
    GatewayOptions options = with_process(
        "quotas: {max_concurrent_per_consumer: 1}\nrouting: {forward_headers: [x-mock-fault]}\n");
    options.resources = Consumer{"tester", {{key_, ""}}}.text();
    Edge edge(options, mock_options_);
    Request dying = stream(key_);
    dying.headers.emplace_back("x-mock-fault", "close-after=300");
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(let_in(edge, with_key(key_))) << i;
        TestClient client = edge.gateway.connect();
        ASSERT_TRUE(eventually([&] {
            Request request = dying;
            return client.exchange(request).status != 429;
        }));
    }
    Request no_json = with_key(key_, chat("{"));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(eventually([&] { return ask(edge, no_json).status == 400; })) << i;
    }
    ASSERT_TRUE(let_in(edge, with_key(key_)));
}

TEST_F(InFlight, AnApiHoldsAsManyPlacesAsItMay) {
    std::string api = open_api();
    api.replace(api.find("{name: open-api}"), 16,
                "{name: open-api, annotations: {rotary/max-concurrent: \"1\"}}");
    Edge edge(with_resources(api), mock_options_);
    const Request request = request_for("POST", "/open/1.0/chat/completions",
                                        R"({"stream":true,"model":"gpt","messages":[]})");
    TestClient client = begun(edge, request);
    expect_full(ask(edge, request));
    EXPECT_EQ(ask(edge, chat()).status, 200U) << "of another API";
    client.close();
    client = begun(edge, request);
}

// --- API keys as APK has them -------------------------------------------------------------------

TEST(ConsumerKeys, AnApiKeyOfApkNamesItsApplicationAndWhereItMayBeUsed) {
    Edge edge(with_resources(authentication(
        "{oauth2: {disabled: true}, apiKey: {required: mandatory, keys: [{in: Header, name: "
        "apikey}]}}")));
    const auto asked = [&](std::vector<std::string> claims, const std::string& referer = {}) {
        tools::TokenOptions options = token_options();
        options.claims = std::move(claims);
        Request request = without_credentials();
        set_header(request, "apikey", make_token(options));
        set_header(request, "Referer", referer);
        return ask(edge, request);
    };
    const std::string application = R"(application={"id":7,"uuid":"app-7"})";
    EXPECT_EQ(asked({application, "azp=client-7"}).status, 200U);
    EXPECT_EQ(asked({application, "permittedIP=127.0.0.0/8"}).status, 200U);
    expect_problem(asked({application, "permittedIP=192.0.2.1, 192.0.2.2"}), "scope_denied");
    const std::string page = "permittedReferer=https://app.example.com/*";
    EXPECT_EQ(asked({page}, "https://app.example.com/chat").status, 200U);
    expect_problem(asked({page}, "https://example.com/"), "scope_denied");
    expect_problem(asked({page}), "scope_denied");
    ASSERT_EQ(edge.gateway.stop(), 0);
    const std::string log = edge.gateway.access_log();
    EXPECT_NE(log.find("\"consumer\":\"app-7\""), std::string::npos) << log;
    EXPECT_EQ(log.find("client-7"), std::string::npos) << log;
}

}  // namespace
}  // namespace rotary::test
