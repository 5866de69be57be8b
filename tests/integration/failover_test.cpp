// What a refusal or a failure of one entry means for the request that met it, and for the next
// ones.
#include "gateway_fixture.hpp"

#include <support/certificates.hpp>

#include <algorithm>
#include <mutex>

namespace rotary::test {
namespace {

using mock::Captured;
using mock::HeaderList;
using mock::MockFault;
using mock::MockOptions;
using mock::MockProvider;
using namespace std::chrono_literals;

constexpr const char* kRateLimited =
    R"({"error":{"message":"Rate limit reached","type":"requests","param":null,)"
    R"("code":"rate_limit_exceeded"}})";
constexpr const char* kNoMoney =
    R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota",)"
    R"("param":null,"code":"insufficient_quota"}})";

HeaderList json_headers(HeaderList more = {}) {
    more.emplace_back("content-type", "application/json");
    return more;
}

void refuse(MockProvider& mock, const std::string& model, const std::string& retry_after) {
    mock.respond_with(model, 429, json_headers({{"retry-after", retry_after}}), kRateLimited);
}

std::string state_of(const Gateway& gateway, const std::string& model) {
    return entry_field(gateway, model, "state");
}

int seconds_left(const Gateway& gateway, const std::string& model) {
    const std::string text = entry_field(gateway, model, "seconds_left");
    return text == "<missing>" || text.empty() ? 0 : std::stoi(text);
}

// One of three entries refuses while many clients ask. They must not notice, and the entry must
// have its rest: it hears nothing from requests that began after the refusal was known.
TEST(FailoverTest, RefusedEntryRestsAndNoClientNotices) {
    constexpr std::size_t kClients = 50;
    constexpr std::size_t kEach = 4;
    const auto mock = start_mock();
    refuse(*mock, "a", "3600");
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}, {"c"}}));

    std::mutex mutex;
    std::map<std::string, Clock::time_point> sent_at;
    Clock::time_point known = Clock::time_point::max();  // a client has an answer of a second try
    in_parallel(kClients, [&](std::size_t client) {
        TestClient connection = gateway.connect();
        for (std::size_t i = 0; i < kEach; ++i) {
            const std::string mark = std::to_string(client) + "-" + std::to_string(i);
            {
                std::lock_guard lock(mutex);
                sent_at[mark] = Clock::now();
            }
            const Response response = connection.exchange(chat(R"({"user":")" + mark + "\"}"));
            const auto now = Clock::now();
            EXPECT_EQ(response.status, 200U) << response.body;
            EXPECT_NE(response.header("x-rotary-model"), "a");
            std::lock_guard lock(mutex);
            if (response.header("x-rotary-attempts") == "2") known = std::min(known, now);
        }
    });
    std::vector<Captured> asked = mock->requests();
    EXPECT_GE(asked.size(), kClients * kEach + 1);
    std::erase_if(asked, [](const Captured& request) { return model_of(request) != "a"; });
    EXPECT_GE(asked.size(), 1U);
    for (const Captured& request : asked) {
        EXPECT_LT(sent_at.at(json_at(request.body, "user")), known);
    }
}

TEST(FailoverTest, EntryThatReturnsGetsItsShareFromThenOn) {
    const auto mock = start_mock();
    mock->respond_with("a", 429, json_headers({{"retry-after-ms", "300"}}), kRateLimited);
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
    options.suspend_seconds = 0;
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    ASSERT_EQ(client.exchange(chat()).header("x-rotary-attempts"), "2");
    mock->clear_faults();
    ASSERT_TRUE(gateway.wait_for_state("a", "returning", kPatience));
    // The first try, then one of three.
    std::string order;
    for (int i = 0; i < 30; ++i) order += client.exchange(chat()).header("x-rotary-model");
    EXPECT_EQ(order.front(), 'a') << order;
    const auto share = std::count(order.begin(), order.end(), 'a');
    EXPECT_TRUE(share == 10 || share == 11) << order;
    EXPECT_EQ(order.find("aaa"), std::string::npos) << order;
}

struct AllOutRow {
    const char* name;
    const char* a;
    const char* b;
    const char* c;
    int soonest;
    bool patience;  // SDKs wait for up to a minute
};

TEST(FailoverTest, AllOutTellsTheClientWhenTheFirstReturns) {
    const AllOutRow rows[] = {{"soon", "40", "20", "30", 20, true},
                              {"in a minute", "90", "70", "60", 60, true},
                              {"later", "90", "80", "61", 61, false}};
    for (const AllOutRow& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        refuse(*mock, "a", row.a);
        refuse(*mock, "b", row.b);
        refuse(*mock, "c", row.c);
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
        options.suspend_seconds = 0;
        const Gateway gateway(options);
        for (const char* attempts : {"3", ""}) {  // the one who finds out, and the next one
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 429U);
            EXPECT_EQ(json_at(response.body, "error.code"), "all_models_suspended");
            EXPECT_EQ(json_at(response.body, "error.type"), "rate_limit_error");
            EXPECT_EQ(response.header("x-rotary-attempts"), attempts);
            const int seconds = std::stoi("0" + std::string(response.header("retry-after")));
            const int ms = std::stoi("0" + std::string(response.header("retry-after-ms")));
            EXPECT_LE(seconds, row.soonest);
            EXPECT_GT(seconds, row.soonest - 5);
            EXPECT_LE(ms, seconds * 1000);
            EXPECT_GT(ms, seconds * 1000 - 1000);
            const bool refuses = response.header("x-should-retry") == "false";
            EXPECT_EQ(refuses, !row.patience && seconds > 60);
            EXPECT_EQ(response.count("x-should-retry"), refuses ? 1U : 0U);
        }
        EXPECT_EQ(mock->request_count(), 3U);
        EXPECT_EQ(gateway.metric("rotary_all_models_suspended_total"), 2.0);
    }
}

TEST(FailoverTest, AccountOutOfMoneySuspendsAllOfItsKeyAndOnlyThose) {
    const auto poor = start_mock();
    const auto rich = start_mock();
    refuse(*poor, "b", "50");
    poor->respond_with("a", 429, json_headers({{"retry-after", "9"}}), kNoMoney);
    GatewayOptions options = rotating(*poor, {{"b"}, {"a"}, {"d"}, {"c", 1}});
    options.sandbox = {{"s"}, {"c", 1}, {"t", 2}};
    options.backends.push_back(backend_of(*rich, "Bearer key-1"));
    options.backends.push_back(backend_of(*poor, "Bearer another key"));
    options.suspend_seconds = 5;
    const Gateway gateway(options);
    const Response response = ask(gateway);  // b, a, and d is out before it is asked
    EXPECT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(response.header("x-rotary-model"), "c");
    EXPECT_EQ(models_asked(*poor), (Counts{{"a", 1}, {"b", 1}}));

    EXPECT_EQ(entry_field(gateway, "a", "reason"), "account_exhausted");
    EXPECT_EQ(state_of(gateway, "d"), "suspended");
    EXPECT_EQ(entry_field(gateway, "s", "state", "sandbox"), "suspended");
    EXPECT_EQ(entry_field(gateway, "c", "state", "production", "backend-1"), "active");
    EXPECT_EQ(entry_field(gateway, "c", "state", "sandbox", "backend-1"), "active");
    EXPECT_EQ(entry_field(gateway, "t", "state", "sandbox", "backend-2"), "active");
    // A shorter word never shortens what is running.
    EXPECT_GT(seconds_left(gateway, "b"), 40);
    EXPECT_LE(seconds_left(gateway, "a"), 9);
}

TEST(FailoverTest, LastOneOfAQuotaIsAnsweredAndThenTheEntryRests) {
    const auto mock = start_mock();
    struct Row {
        const char* name;
        HeaderList headers;
        const char* state;
        int at_most;
        int at_least;
    };
    const Row rows[] = {
        {"requests",
         {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "30s"}},
         "suspended",
         30,
         20},
        {"tokens",
         {{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "1m20s"}},
         "suspended",
         80,
         70},
        {"no reset", {{"x-ratelimit-remaining", "0"}}, "suspended", 60, 50},
        {"one left",
         {{"x-ratelimit-remaining-requests", "1"}, {"x-ratelimit-reset-requests", "30s"}},
         "active",
         0,
         0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->respond_with("a", 200, json_headers(row.headers), R"({"model":"a"})");
        const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-model"), "a");
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
        EXPECT_EQ(state_of(gateway, "a"), row.state);
        EXPECT_LE(seconds_left(gateway, "a"), row.at_most);
        EXPECT_GE(seconds_left(gateway, "a"), row.at_least);
        EXPECT_EQ(state_of(gateway, "b"), "active");
    }
}

TEST(FailoverTest, HintAndPolicyTogetherSayHowLong) {
    struct Row {
        const char* name;
        unsigned policy;
        HeaderList headers;
        const char* process;
        int at_most;
        int at_least;
    };
    const Row rows[] = {
        {"policy alone", 30, {}, "", 30, 25},
        {"a longer hint extends", 10, {{"retry-after", "40"}}, "", 40, 35},
        {"a shorter one does not shorten", 30, {{"retry-after", "1"}}, "", 30, 25},
        {"in milliseconds", 1, {{"retry-after-ms", "39500"}, {"retry-after", "99"}}, "", 40, 35},
        {"by the reset of what is used up",
         1,
         {{"x-ratelimit-remaining-requests", "0"},
          {"x-ratelimit-reset-requests", "50s"},
          {"x-ratelimit-remaining-tokens", "9"},
          {"x-ratelimit-reset-tokens", "9m0s"}},
         "",
         50,
         45},
        {"hint alone", 0, {{"retry-after", "20"}}, "", 20, 15},
        {"never more than an hour", 1, {{"retry-after", "99999"}}, "", 3600, 3590},
        {"preferred", 30, {{"retry-after", "10"}}, "routing: {retry_after: prefer}\n", 10, 5},
        {"ignored", 30, {{"retry-after", "50"}}, "routing: {retry_after: ignore}\n", 30, 25},
        {"neither", 0, {}, "", 0, 0},
    };
    const auto mock = start_mock();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->respond_with("a", 429, json_headers(row.headers), kRateLimited);
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
        options.suspend_seconds = row.policy;
        options.process = row.process;
        const Gateway gateway(options);
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-model"), "b");
        EXPECT_EQ(response.header("x-rotary-attempts"), "2");
        EXPECT_EQ(state_of(gateway, "a"), row.at_most > 0 ? "suspended" : "active");
        EXPECT_LE(seconds_left(gateway, "a"), row.at_most);
        EXPECT_GE(seconds_left(gateway, "a"), row.at_least);
    }
}

TEST(FailoverTest, NobodyAtABackendIsTheNextEntrysChance) {
    const auto mock = start_mock();
    const LoopbackPort nobody;  // refuses
    GatewayOptions options = rotating(*mock, {{"a", 1}, {"b", 0}});
    options.backends.push_back(backend_at(nobody));
    const Gateway gateway(options);
    TestClient client = gateway.connect();
    for (int i = 0; i < 6; ++i) {
        const Response response = client.exchange(chat());
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("x-rotary-backend"), "backend-0");
    }
    EXPECT_EQ(gateway.metric("rotary_failovers_total"), 3.0);
    EXPECT_EQ(gateway.metric(
                  series("rotary_upstream_failures_total", "a", "reason=\"connect\"", "backend-1")),
              3.0);

    options.production = {{"a", 1}};
    const Gateway alone(options);
    const Response response = ask(alone);
    EXPECT_EQ(response.status, 502U);
    EXPECT_EQ(json_at(response.body, "error.code"), "upstream_connect_failed");
    EXPECT_EQ(json_at(response.body, "error.type"), "upstream_error");
}

// Neither key nor body goes to somebody who can't prove who he is.
TEST(FailoverTest, CertificateThatIsNotTheBackendsIsTheNextEntrysChance) {
    const Certificates& all = certificates();
    struct Row {
        const char* name;
        const PemFiles& files;
    };
    const Row rows[] = {{"wrong host", all.wrong_host},        {"expired", all.expired},
                        {"not yet valid", all.not_yet},        {"of a client", all.client_only},
                        {"signed by itself", all.self_signed}, {"unknown CA", all.unknown_ca}};
    const auto honest = start_mock();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        MockOptions mock_options;
        mock_options.tls = mock::MockTls{row.files.certificate, row.files.key};
        const auto impostor = start_mock(mock_options);
        GatewayOptions options = rotating(*impostor, {{"a", 0}, {"b", 1}});
        options.backends[0].tls = true;
        options.backends.push_back(backend_of(*honest, "Bearer key-1"));
        {
            const Gateway gateway(options);
            const Response response = ask(gateway);
            EXPECT_EQ(response.status, 200U) << response.body;
            EXPECT_EQ(response.header("x-rotary-attempts"), "2");
        }
        options.production = {{"a", 0}};
        const Gateway alone(options);
        const Response response = ask(alone);
        EXPECT_EQ(response.status, 502U);
        EXPECT_EQ(json_at(response.body, "error.code"), "upstream_tls_failed");
        EXPECT_EQ(impostor->request_count(), 0U);
        EXPECT_GE(impostor->connections_accepted(), 2U);
    }
}

TEST(FailoverTest, TriesAreLimitedAndEachEntryGetsOne) {
    struct Row {
        const char* name;
        unsigned max_attempts;
        Counts asked;
    };
    const Row rows[] = {
        {"one", 1, {{"a", 1}}},
        {"two", 2, {{"a", 1}, {"b", 1}}},
        {"more than there are entries", 9, {{"a", 1}, {"b", 1}, {"c", 1}}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        // Without a time there is no suspension: what is passed on is the last provider's answer.
        mock->respond_with("*", 429, json_headers({{"x-mine", "yes"}}), kRateLimited);
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}});
        options.suspend_seconds = 0;
        options.process = "routing: {max_attempts: " + std::to_string(row.max_attempts) + "}\n";
        const Gateway gateway(options);
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 429U);
        EXPECT_EQ(response.body, kRateLimited);
        EXPECT_EQ(response.header("x-mine"), "yes");
        EXPECT_EQ(response.header("x-rotary-attempts"), std::to_string(row.asked.size()));
        EXPECT_EQ(models_asked(*mock), row.asked);
    }
}

// What takes its entry out happens once: it bounds itself.
TEST(FailoverTest, RefusalsThatSuspendAreNoTries) {
    for (const unsigned max_attempts : {1U, 3U}) {
        const auto mock = start_mock();
        for (const char* model : {"a", "b", "c"}) refuse(*mock, model, "30");
        GatewayOptions options = rotating(*mock, {{"a"}, {"b"}, {"c"}, {"d"}});
        options.process = "routing: {max_attempts: " + std::to_string(max_attempts) + "}\n";
        const Gateway gateway(options);
        const Response response = ask(gateway);
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-model"), "d");
        EXPECT_EQ(response.header("x-rotary-attempts"), "4");
        EXPECT_EQ(ask(gateway).header("x-rotary-attempts"), "1");
    }
}

TEST(FailoverTest, LastRefusalIsPassedOnWhileOthersAreLeft) {
    const auto mock = start_mock();
    refuse(*mock, "a", "30");
    mock->respond_with("c", 429, json_headers(), kRateLimited);
    GatewayOptions options = rotating(*mock, {{"a"}, {"c"}, {"b"}});
    options.process = "routing: {max_attempts: 1}\n";
    const Gateway gateway(options);
    const Response response = ask(gateway);
    EXPECT_EQ(response.status, 429U);
    EXPECT_EQ(response.body, kRateLimited);
    EXPECT_EQ(response.header("retry-after"), "") << "it is the second's";
    EXPECT_EQ(response.header("x-rotary-model"), "c");
}

}  // namespace
}  // namespace rotary::test
