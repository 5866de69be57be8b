// API keys as a request brings them, and the bound on those that are not good.
#include "proxy/key_credential.hpp"

#include "proxy/admit.hpp"
#include "proxy/authenticate.hpp"
#include "proxy/forwarding.hpp"

#include <rotary/auth/api_key.hpp>
#include <rotary/auth/key_set.hpp>
#include <rotary/wire/base64url.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

SteadyTime moved_time{1h};
SteadyTime moved_clock() noexcept { return moved_time; }

class KeyCredentialTest : public testing::Test {
protected:
    KeyCredentialTest() {
        routing::AuthRules& rules = request_.route().auth;
        rules.disabled = false;
        rules.uses[auth::CredentialKind::oauth2] = auth::CredentialUse::mandatory;
        auth::KeyOwner owner;
        owner.consumer = "team-a";
        auth::KnownKey known;
        known.digest = auth::digest_of(key_);
        request_.snapshot->keys = auth::KeyTable({owner}, {known});
        request_.context.issuers =
            std::make_shared<const auth::IssuerTable>(std::vector<auth::Issuer>{});
    }

    // Step 2 for a request with this key; what it is refused for.
    FaultKind asked_with(const std::string& key) {
        request_.ask("POST /chat/1.0/x", "authorization: Bearer " + key + "\n");
        KeyNeed need;
        const auto step = authenticate(request_.context, request_.exchange, need);
        return step ? FaultKind::none : step.error().kind;
    }

    const std::string key_ = auth::make_api_key();
    const std::string bad_ = auth::make_api_key();
    OneRequest request_{{"a"}, moved_clock};
};

TEST_F(KeyCredentialTest, AKeyNamesItsConsumerAndItself) {
    EXPECT_EQ(asked_with(key_), FaultKind::none);
    const Match& match = request_.exchange.match;
    EXPECT_EQ(match.consumer, "team-a");
    ASSERT_NE(match.key_owner, nullptr);
    EXPECT_EQ(match.key_id, auth::id_of(key_));
    EXPECT_EQ(match.caller, nullptr);
    EXPECT_EQ(asked_with(bad_), FaultKind::invalid_token);
    EXPECT_EQ(match.consumer, "");
    EXPECT_EQ(match.key_owner, nullptr);
    EXPECT_EQ(match.key_id, auth::id_of(bad_)) << "for the log";
    EXPECT_STREQ(request_.exchange.outcome.reason, "unknown key");
}

TEST_F(KeyCredentialTest, FailuresAreCountedByTheMinute) {
    request_.snapshot->config.auth.failures_per_minute = 2;
    EXPECT_EQ(asked_with(bad_), FaultKind::invalid_token);
    moved_time += 59s;
    EXPECT_EQ(asked_with(bad_), FaultKind::invalid_token) << "the second of two";
    EXPECT_EQ(asked_with(bad_), FaultKind::rate_limit_exceeded);
    EXPECT_EQ(request_.exchange.outcome.retry_after, 1s);
    moved_time += 1s - 1ms;
    EXPECT_EQ(asked_with(bad_), FaultKind::rate_limit_exceeded);
    EXPECT_EQ(request_.exchange.outcome.retry_after, 1ms);
    moved_time += 1ms;
    EXPECT_EQ(asked_with(bad_), FaultKind::invalid_token) << "the next minute";
    EXPECT_EQ(asked_with("a.b"), FaultKind::invalid_token) << "tokens count too";
    EXPECT_EQ(asked_with("a.b"), FaultKind::rate_limit_exceeded);
    EXPECT_EQ(asked_with(key_), FaultKind::none);
    EXPECT_EQ(asked_with(bad_), FaultKind::invalid_token) << "forgotten";
}

// A token of a key that is not known yet says nothing of its sender: the issuer may have
// rotated.
TEST_F(KeyCredentialTest, ATokenOfAnUnknownKeyIsNoFailure) {
    request_.snapshot->config.auth.failures_per_minute = 1;
    auth::Issuer issuer;
    issuer.iss = "https://i";
    issuer.keys = auth::KeySet::from_jwks(R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",)"
                                          R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
                      .keys;
    issuer.fetch = nullptr;
    request_.context.issuers =
        std::make_shared<const auth::IssuerTable>(std::vector<auth::Issuer>{issuer});
    const std::string token = wire::base64url_encode(R"({"alg":"EdDSA","kid":"new"})") + "." +
                              wire::base64url_encode(R"({"iss":"https://i","exp":9000000000})") +
                              "." + wire::base64url_encode(std::string(64, 'A'));
    for (int i = 0; i < 5; ++i) {
        request_.ask("POST /chat/1.0/x", "authorization: Bearer " + token + "\n");
        KeyNeed need;
        need.in_turn = true;
        const auto step = authenticate(request_.context, request_.exchange, need);
        ASSERT_FALSE(step);
        EXPECT_EQ(step.error().kind, FaultKind::invalid_token) << i;
        EXPECT_STREQ(request_.exchange.outcome.reason, "unknown kid");
    }
}

TEST_F(KeyCredentialTest, WithoutABoundNoneIsCounted) {
    request_.snapshot->config.auth.failures_per_minute = 0;
    for (int i = 0; i < 200; ++i) ASSERT_EQ(asked_with(bad_), FaultKind::invalid_token);
    EXPECT_EQ(request_.context.failures.size(), 0U);
}

TEST_F(KeyCredentialTest, AKeyStaysHereWhereATokenGoesOn) {
    routing::AuthRules& rules = request_.route().auth;
    rules.oauth2.send_token_upstream = true;
    rules.api_keys = {{config::KeyIn::header, "x-api-key", true},
                      {config::KeyIn::query, "k", true}};
    struct Row {
        const char* name;
        std::string line, headers;
        const char* stays;  // a piece of what must not go on; null: all of it goes
    };
    const std::string token = "aaa.bbb.ccc";
    const Row rows[] = {
        {"a token", "?k=" + token, "authorization: Bearer " + token + "\nx-api-key: " + token,
         nullptr},
        {"a key as a bearer", "", "authorization: Bearer " + key_, "authorization"},
        {"in other letters", "", "authorization: bEARER  " + key_, "authorization"},
        {"a key without its scheme", "", "authorization: " + key_, "authorization"},
        {"a key in its header", "", "x-api-key: " + key_, "x-api-key"},
        {"a key in the query", "?a=b&k=" + key_, "", "rk_"},
        {"encoded", "?k=%72k%5f123", "", "k="},
        {"behind a semicolon", "?a=b;k=" + key_, "", "rk_"},
    };
    for (const Row& row : rows) {
        request_.ask("POST /chat/1.0/x" + row.line, row.headers.empty() ? "" : row.headers + "\n",
                     "{}");
        ASSERT_TRUE(admit(request_.context, request_.exchange)) << row.name;
        const Buffer& lines = request_.exchange.content.lines;
        std::string sent(lines.view());
        std::array<char, 1024> query;
        wire::HeadWriter writer(query.data(), query.size());
        write_client_query(request_.exchange, writer);
        sent += std::string(query.data(), writer.size());
        if (row.stays != nullptr) {
            EXPECT_EQ(sent.find(row.stays), sent.npos) << row.name << '\n' << sent;
        } else {
            EXPECT_EQ(count_of(sent, token), 3U) << sent;
        }
    }
}

}  // namespace
}  // namespace rotary::proxy
