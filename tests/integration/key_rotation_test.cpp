// A token issuer that rotates its keys, and one that is down, under a whole gateway: no valid token
// is refused, and what is not valid holds nobody up.
#include "edge_support.hpp"
#include "key_endpoint.hpp"

#include <support/certificates.hpp>
#include <support/in_parallel.hpp>
#include <support/tokens.hpp>

#include <poll.h>

#include <atomic>

namespace rotary::test {
namespace {

constexpr const char* kOther = "https://other.example.test";

std::string issuer_at(const std::string& url) {
    return "---\nkind: TokenIssuer\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: other}\n"
           "spec:\n  name: other\n  organization: default\n  issuer: https://other.example.test\n"
           "  consumerKeyClaim: azp\n  scopesClaim: scope\n"
           "  signatureValidation: {jwks: {url: \"" +
           url + "\"}}\n";
}

std::string key_set(const std::vector<std::pair<std::string, PemFiles>>& keys) {
    std::vector<JwkSource> sources;
    for (const auto& [kid, files] : keys) sources.push_back({kid, files.key, ""});
    return make_jwks(sources);
}

// Another token at each call, so that none is remembered.
std::string token(const PemFiles& key, const std::string& kid) {
    static std::atomic<int> number{0};
    tools::TokenOptions options = token_options();
    options.issuer = kOther;
    options.key_file = key.key;
    options.kid = kid;
    options.subject = "subject " + std::to_string(++number);
    return make_token(options);
}

std::string unsigned_token(const std::string& kid) {
    return forge_token(R"({"alg":"ES256","kid":")" + kid + R"("})",
                       R"({"iss":"https://other.example.test","exp":4102444800})",
                       std::string(64, 's'));
}

Request with_token(const std::string& text) {
    Request request;  // chat() would sign a token of its own each time
    request.method = "POST";
    request.target = "/chat/1.0/chat/completions";
    request.headers = {{"Host", "default.gw.wso2.com"},
                       {"Authorization", "Bearer " + text},
                       {"Content-Type", "application/json"}};
    request.body = R"({"model":"any","messages":[]})";
    return request;
}

struct Plan {
    std::string timeouts = "jwks_cooldown: 1h";
    unsigned workers = 2;
};

// An issuer with the key "old", and a gateway that knows it.
struct Rotation {
    explicit Rotation(const Plan& plan = {})
        : keys(key_set({{"old", issuers().ec}})), edge(options(plan, keys.url())) {}

    static GatewayOptions options(const Plan& plan, const std::string& url) {
        GatewayOptions made = with_resources(issuer_at(url));
        made.workers = plan.workers;
        made.plaintext = true;
        made.process = "timeouts: {" + plan.timeouts + "}\n";
        return made;
    }
    Response ask(const std::string& text) const {
        return fetch(plain_client(edge.gateway), with_token(text));
    }
    double fetches(const std::string& outcome) const {
        return edge.gateway.metric("rotary_jwks_fetches_total{issuer=\"other\",outcome=\"" +
                                   outcome + "\"}");
    }
    void know_old() const { ASSERT_EQ(ask(token(issuers().ec, "old")).status, 200U); }
    bool asked(int count) const {
        return eventually([&] { return keys.requests() >= count; });
    }

    KeyEndpoint keys;
    Edge edge;
};

TEST(KeyRotation, TheFirstTokenOfANewKeyIsAccepted) {
    Rotation rotation;
    rotation.know_old();
    rotation.keys.serve(key_set({{"new", issuers().ec384}}));
    EXPECT_EQ(rotation.ask(token(issuers().ec384, "new")).status, 200U);
    EXPECT_EQ(rotation.keys.requests(), 2);
    expect_problem(rotation.ask(token(issuers().ec, "old")), "invalid_token");
    EXPECT_EQ(rotation.keys.requests(), 2) << "its cooldown runs";
}

// Several times, as much depends on the moment: each with a gateway of its own, since the cooldown
// allows one fetch only.
TEST(KeyRotation, UnderLoadRefusesNoValidToken) {
    constexpr std::size_t kClients = 4;
    for (int round = 0; round < 5; ++round) {
        Rotation rotation;
        std::vector<std::string> old_tokens;
        std::vector<std::string> new_tokens;
        for (int i = 0; i < 40; ++i) {
            old_tokens.push_back(token(issuers().ec, "old"));
            new_tokens.push_back(token(issuers().ec384, "new"));
        }
        std::atomic<bool> rotated{false};
        std::atomic<std::size_t> served{0};
        std::thread issuer([&] {
            EXPECT_TRUE(eventually([&] { return served >= kClients; }));
            rotation.keys.serve(key_set({{"old", issuers().ec}, {"new", issuers().ec384}}));
            rotated = true;
        });
        in_parallel(kClients, [&](std::size_t) {
            TestClient client(plain_client(rotation.edge.gateway));
            std::size_t with_new = 0;
            for (std::size_t i = 0; with_new < 20; ++i) {
                const auto& tokens = rotated ? new_tokens : old_tokens;
                if (&tokens == &new_tokens) ++with_new;
                ++served;
                const Response response = client.exchange(with_token(tokens[i % 40]));
                EXPECT_EQ(response.status, 200U) << response.body;
            }
        });
        issuer.join();
        EXPECT_EQ(rotation.keys.requests(), 2) << "one fetch for all of them";
    }
}

// Each would be held for an hour if it waited for more than the one fetch.
TEST(KeyRotation, TenThousandRandomKidsCauseOneFetchAndNoWaits) {
    Rotation rotation({.timeouts = "jwks_cooldown: 1h, jwks_wait: 1h"});
    rotation.know_old();
    in_parallel(4, [&](std::size_t id) {
        TestClient client(plain_client(rotation.edge.gateway));
        for (int i = 0; i < 2500; ++i) {
            const std::string kid = std::to_string(id) + "-" + std::to_string(i);
            const Response response = client.exchange(with_token(unsigned_token(kid)));
            ASSERT_EQ(response.status, 401U) << response.body;
        }
    });
    EXPECT_EQ(rotation.keys.requests(), 2);
    rotation.know_old();
    EXPECT_EQ(rotation.edge.mock->request_count(), 2U);
}

TEST(KeyRotation, AFloodOfRandomKidsHidesNoNewKey) {
    Rotation rotation({.timeouts = "jwks_cooldown: 200ms, jwks_wait: 1h"});
    rotation.know_old();
    std::atomic<bool> stop{false};
    const auto begun = std::chrono::steady_clock::now();
    const auto flood = [&] {
        TestClient client(plain_client(rotation.edge.gateway));
        for (int i = 0; !stop; ++i) {
            const Response response =
                client.exchange(with_token(unsigned_token("flood " + std::to_string(i))));
            ASSERT_EQ(response.status, 401U) << response.body;
        }
    };
    const auto rotate = [&] {
        const std::unique_ptr<void, std::function<void(void*)>> at_end(&stop,
                                                                       [&](void*) { stop = true; });
        EXPECT_TRUE(rotation.asked(3));
        rotation.keys.serve(key_set({{"new", issuers().ec384}}));
        // Refused meanwhile at most until the cooldown is over; then for good.
        EXPECT_TRUE(
            eventually([&] { return rotation.ask(token(issuers().ec384, "new")).status == 200; }));
        for (int i = 0; i < 10; ++i) {
            EXPECT_EQ(rotation.ask(token(issuers().ec384, "new")).status, 200U);
        }
    };
    in_parallel(2, [&](std::size_t id) { id == 0 ? flood() : rotate(); });
    const auto cooldowns = (std::chrono::steady_clock::now() - begun) / 200ms;
    EXPECT_LE(rotation.keys.requests(), cooldowns + 2);
}

TEST(KeyRotation, AKidThatAFetchDidNotBringIsNotLookedForAgain) {
    Rotation rotation({.timeouts = "jwks_cooldown: 0ms", .workers = 1});  // it never holds one up
    rotation.know_old();
    expect_problem(rotation.ask(unsigned_token("a")), "invalid_token");
    EXPECT_EQ(rotation.keys.requests(), 2);
    for (int i = 0; i < 3; ++i) expect_problem(rotation.ask(unsigned_token("a")), "invalid_token");
    EXPECT_EQ(rotation.keys.requests(), 2);
    expect_problem(rotation.ask(unsigned_token("b")), "invalid_token");
    EXPECT_EQ(rotation.keys.requests(), 3);
    // The set changes: it may be there now.
    rotation.keys.serve(key_set({{"old", issuers().ec}, {"a", issuers().ec384}}));
    expect_problem(rotation.ask(unsigned_token("c")), "invalid_token");
    EXPECT_EQ(rotation.ask(token(issuers().ec384, "a")).status, 200U);
}

TEST(KeyRotation, ARememberedKidIsLookedForAgainAfterItsTime) {
    Rotation rotation({.timeouts = "jwks_cooldown: 1ms, unknown_kid: 100ms", .workers = 1});
    rotation.know_old();
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] {
        expect_problem(rotation.ask(unsigned_token("a")), "invalid_token");
        return rotation.keys.requests() == 3;
    }));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 100ms);
}

TEST(KeyRotation, ANewKeyUnderTheSameKidIsFound) {
    Rotation rotation;
    rotation.know_old();
    rotation.keys.serve(key_set({{"old", issuers().ec384}}));
    EXPECT_EQ(rotation.ask(token(issuers().ec384, "old")).status, 200U);
    EXPECT_EQ(rotation.keys.requests(), 2);
    for (int i = 0; i < 3; ++i) {
        expect_problem(rotation.ask(token(issuers().stranger, "old")), "invalid_token");
    }
    EXPECT_EQ(rotation.keys.requests(), 2) << "forgeries are bounded by the same cooldown";
}

TEST(KeyRotation, ANewKeyWithoutAKidIsFound) {
    Rotation rotation;
    rotation.know_old();
    rotation.keys.serve(key_set({{"", issuers().ec384}}));
    EXPECT_EQ(rotation.ask(token(issuers().ec384, "")).status, 200U);
}

TEST(KeyRotation, AnOutageFailsNoTokenOfAKnownKey) {
    Rotation rotation({.timeouts = "jwks_cooldown: 1ms"});
    rotation.know_old();
    const auto outage = [&](const char* name) {
        SCOPED_TRACE(name);
        const double before = rotation.fetches("failed");
        EXPECT_TRUE(eventually([&] {
            EXPECT_EQ(rotation.ask(token(issuers().ec, "old")).status, 200U);
            // Has keys fetched. Nobody can tell whether the issuer has this one by now.
            expect_problem(rotation.ask(token(issuers().ec384, "new")), "issuer_unavailable");
            return rotation.fetches("failed") >= before + 2;
        }));
        EXPECT_EQ(rotation.ask(token(issuers().ec, "old")).status, 200U);
        expect_problem(rotation.ask(token(issuers().stranger, "old")), "invalid_token");
    };
    rotation.keys.close();
    outage("connections are refused");
    rotation.keys.serve("", "500 Internal Server Error");
    rotation.keys.open();
    outage("errors");
    rotation.keys.serve("<html>garbage</html>");
    outage("garbage");
    rotation.keys.serve(R"({"keys":[]})");
    outage("no keys");
    rotation.keys.serve(key_set({{"new", issuers().ec384}}));
    EXPECT_TRUE(
        eventually([&] { return rotation.ask(token(issuers().ec384, "new")).status == 200; }));
}

bool has_answer(const TestClient& client) {
    pollfd entry{client.descriptor(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}

TEST(KeyRotation, AFirstFetchThatIsLateIsWaitedFor) {
    KeyEndpoint keys(key_set({{"old", issuers().ec}}));
    keys.hold();
    Edge edge(Rotation::options({.timeouts = "jwks_wait: 1h"}, keys.url()));
    ASSERT_TRUE(eventually([&] { return keys.requests() == 1; }));
    std::vector<TestClient> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back(plain_client(edge.gateway));
        clients.back().send(with_token(token(issuers().ec, "old")));
    }
    const std::string in_flight = "rotary_requests_in_flight";
    ASSERT_TRUE(eventually([&] { return edge.gateway.metric(in_flight) == 8; }));
    for (const TestClient& client : clients) EXPECT_FALSE(has_answer(client));
    keys.release();
    for (TestClient& client : clients) EXPECT_EQ(client.read_response().status, 200U);
    EXPECT_EQ(keys.requests(), 1);
}

// A background fetch is under way with the old keys in its answer when the issuer rotates.
TEST(KeyRotation, AFetchThatCameTooEarlyIsMadeAgain) {
    KeyEndpoint keys(key_set({{"old", issuers().ec}}));
    keys.hold();
    Edge edge(Rotation::options({.timeouts = "jwks_wait: 1h, jwks_cooldown: 1h"}, keys.url()));
    ASSERT_TRUE(eventually([&] { return keys.requests() == 1; }));
    TestClient client(plain_client(edge.gateway));
    client.send(with_token(token(issuers().ec384, "new")));
    ASSERT_TRUE(eventually([&] { return edge.gateway.metric("rotary_requests_in_flight") == 1; }));
    keys.release_one();
    ASSERT_TRUE(eventually([&] { return keys.requests() == 2; }));
    keys.serve(key_set({{"new", issuers().ec384}}));
    keys.release();
    EXPECT_EQ(client.read_response().status, 200U);
    EXPECT_EQ(keys.requests(), 2);
}

TEST(KeyRotation, TheWaitIsBounded) {
    Rotation rotation({.timeouts = "jwks_wait: 150ms, jwks_fetch: 1h"});
    rotation.know_old();
    rotation.keys.hold();
    const auto begun = std::chrono::steady_clock::now();
    expect_problem(rotation.ask(token(issuers().ec384, "new")), "issuer_unavailable");
    EXPECT_GE(std::chrono::steady_clock::now() - begun, 150ms);
    rotation.know_old();
    rotation.keys.release();
}

// What the wait left in the worker's scratch belongs to somebody else by then.
TEST(KeyRotation, ARequestThatWaitedIsStillItself) {
    Rotation rotation({.timeouts = "jwks_cooldown: 1h, jwks_wait: 1h", .workers = 1});
    rotation.know_old();
    rotation.keys.serve(key_set({{"old", issuers().ec}, {"new", issuers().ec384}}));
    rotation.keys.hold();
    TestClient waiting(plain_client(rotation.edge.gateway));
    Request request = with_token(token(issuers().ec384, "new"));
    request.headers.emplace_back("x-title", "first");
    waiting.send(request);
    ASSERT_TRUE(rotation.asked(2));
    for (int i = 0; i < 5; ++i) {
        Request other = with_token(token(issuers().ec, "old"));
        other.headers.emplace_back("prefer", "second");
        EXPECT_EQ(fetch(plain_client(rotation.edge.gateway), other).status, 200U);
    }
    EXPECT_FALSE(has_answer(waiting));
    rotation.keys.release();
    EXPECT_EQ(waiting.read_response().status, 200U);
    const mock::Captured forwarded = rotation.edge.mock->requests().back();
    EXPECT_EQ(forwarded.header("x-title"), "first");
    EXPECT_FALSE(forwarded.has_header("prefer"));
    EXPECT_FALSE(forwarded.header("authorization").ends_with("old"));
    waiting.send(with_token(token(issuers().ec, "old")));
    EXPECT_EQ(waiting.read_response().status, 200U) << "the connection goes on";
}

TEST(KeyRotation, AClientThatLeavesWhileItWaitsIsLetGo) {
    Rotation rotation({.timeouts = "jwks_wait: 1h, log_flush: 10ms"});
    rotation.know_old();
    rotation.keys.hold();
    const std::string in_flight = "rotary_requests_in_flight";
    for (const bool reset : {false, true}) {
        TestClient client(plain_client(rotation.edge.gateway));
        client.send(with_token(token(issuers().ec384, "new")));
        ASSERT_TRUE(eventually([&] { return rotation.edge.gateway.metric(in_flight) == 1; }));
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
        EXPECT_TRUE(eventually([&] { return rotation.edge.gateway.metric(in_flight) == 0; }));
    }
    EXPECT_TRUE(eventually([&] {
        return rotation.edge.gateway.access_log().find("\"response_code\":499") !=
               std::string::npos;
    }));
    rotation.keys.release();
    rotation.know_old();
}

TEST(KeyRotation, AReloadDoesNotEndAWait) {
    Rotation rotation({.timeouts = "jwks_wait: 1h"});
    rotation.know_old();
    rotation.keys.serve(key_set({{"new", issuers().ec384}}));
    rotation.keys.hold();
    TestClient client(plain_client(rotation.edge.gateway));
    client.send(with_token(token(issuers().ec384, "new")));
    ASSERT_TRUE(rotation.asked(2));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(rotation.edge.gateway.server().reload().ok);
    rotation.know_old();
    EXPECT_FALSE(has_answer(client));
    rotation.keys.release();
    EXPECT_EQ(client.read_response().status, 200U);
    // Nor does it begin one: the issuer's cooldown outlives it.
    ASSERT_TRUE(rotation.edge.gateway.server().reload().ok);
    expect_problem(rotation.ask(unsigned_token("unknown")), "invalid_token");
    EXPECT_EQ(rotation.keys.requests(), 2);
}

TEST(KeyRotation, AReloadThatRemovesTheIssuerEndsTheWait) {
    Rotation rotation({.timeouts = "jwks_wait: 1h"});
    rotation.know_old();
    rotation.keys.hold();
    TestClient client(plain_client(rotation.edge.gateway));
    client.send(with_token(token(issuers().ec384, "new")));
    ASSERT_TRUE(rotation.asked(2));
    GatewayOptions options = Rotation::options({}, "");
    options.resources.clear();
    rotation.edge.gateway.files().write(in_front_of(*rotation.edge.mock, options));
    ASSERT_TRUE(rotation.edge.gateway.server().reload().ok);
    expect_problem(client.read_response(), "invalid_token");
    rotation.keys.release();
}

TEST(KeyRotation, AReloadMayBringTheKeyThatIsWaitedFor) {
    Rotation rotation({.timeouts = "jwks_wait: 1h"});
    rotation.know_old();
    rotation.keys.hold();
    TestClient client(plain_client(rotation.edge.gateway));
    client.send(with_token(token(issuers().ec384, "new")));
    ASSERT_TRUE(rotation.asked(2));
    KeyEndpoint moved(key_set({{"new", issuers().ec384}}));
    const Plan plan{.timeouts = "jwks_wait: 1h"};
    rotation.edge.gateway.files().write(
        in_front_of(*rotation.edge.mock, Rotation::options(plan, moved.url())));
    ASSERT_TRUE(rotation.edge.gateway.server().reload().ok);
    EXPECT_EQ(client.read_response().status, 200U);
    rotation.keys.release();
}

// The fetch that is waited for will never end.
TEST(KeyRotation, ADrainEndsTheWaits) {
    Rotation rotation({.timeouts = "jwks_wait: 1h, drain: 1h"});
    rotation.know_old();
    rotation.keys.hold();
    TestClient client(plain_client(rotation.edge.gateway));
    client.send(with_token(token(issuers().ec384, "new")));
    ASSERT_TRUE(rotation.asked(2));
    rotation.edge.gateway.server().request_stop();
    expect_problem(client.read_response(), "issuer_unavailable");
    rotation.keys.release();
    EXPECT_EQ(rotation.edge.gateway.wait(), 0);
}

TEST(KeyRotation, TheMetricsTellOfIt) {
    Rotation rotation({.timeouts = "jwks_cooldown: 1ms"});
    rotation.know_old();
    const Gateway& gateway = rotation.edge.gateway;
    EXPECT_EQ(gateway.metric("rotary_jwks_keys{issuer=\"other\"}"), 1);
    EXPECT_EQ(gateway.metric("rotary_jwks_keys{issuer=\"issuer\"}"), 4) << "the other one's file";
    EXPECT_EQ(rotation.fetches("ok"), 1);
    EXPECT_EQ(rotation.fetches("failed"), 0);
    const std::string last = "rotary_jwks_last_success_timestamp_seconds{issuer=\"other\"}";
    const double first = gateway.metric(last);
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    EXPECT_NEAR(first, now.count(), 60);
    rotation.keys.serve("", "500 no");
    EXPECT_EQ(rotation.ask(unsigned_token("a")).status, 503U);
    EXPECT_EQ(rotation.fetches("failed"), 1);
    EXPECT_EQ(gateway.metric(last), first);
    EXPECT_EQ(gateway.metric("rotary_jwks_keys{issuer=\"other\"}"), 1);
}

}  // namespace
}  // namespace rotary::test
