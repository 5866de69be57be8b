// Who is let in at once, and who waits for its turn: a signature is checked between the turns of
// the requests that need none, however many new tokens have come.
#include "proxy/authenticate.hpp"

#include "proxy/key_wait.hpp"

#include <rotary/auth/key_set.hpp>
#include <rotary/wire/base64url.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"
#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

// A clock that stands: then the reactor has one of those that yielded go on in each round.
SteadyTime standing_clock() noexcept { return SteadyTime(1h); }

// A token of the key below with a made-up signature: it costs a check to find that out.
std::string forged(std::string_view kid = "k") {
    const std::string header = R"({"alg":"EdDSA","kid":")" + std::string(kid) + R"("})";
    return wire::base64url_encode(header) + "." +
           wire::base64url_encode(R"({"iss":"https://i","exp":9000000000})") + "." +
           wire::base64url_encode(std::string(64, 'A'));
}

std::shared_ptr<const auth::KeySet> keys() {
    auto load = auth::KeySet::from_jwks(R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",)"
                                        R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    EXPECT_EQ(load.error, "");
    return load.keys;
}

class AuthenticateTest : public testing::Test {
protected:
    AuthenticateTest() {
        routing::AuthRules& rules = request_.route().auth;
        rules.disabled = false;
        rules.organization = "o";
        rules.uses[auth::CredentialKind::oauth2] = auth::CredentialUse::mandatory;
        rules.oauth2.header = "authorization";
        set_keys(keys(), nullptr);
    }

    void set_keys(std::shared_ptr<const auth::KeySet> keys, std::shared_ptr<auth::KeyFetch> fetch) {
        auth::Issuer issuer;
        issuer.iss = "https://i";
        issuer.organization = "o";
        issuer.keys = std::move(keys);
        issuer.fetch = std::move(fetch);
        request_.context.issuers =
            std::make_shared<const auth::IssuerTable>(std::vector<auth::Issuer>{issuer});
    }

    void remember(const std::string& token) {
        auth::ClaimViews views;
        views.issuer = "https://i";
        views.valid_until = std::chrono::system_clock::now() + 1h;
        request_.context.tokens.put(token, std::make_shared<const auth::Claims>(views),
                                    std::chrono::system_clock::now(),
                                    request_.context.issuers->generation());
    }

    void ask(const std::string& token) {
        request_.ask("GET /chat/1.0/x", "authorization: Bearer " + token + "\n");
    }

    // Step 2 as the pipeline takes it. The request was asked before; its end is noted by its name.
    Task<void> serve(std::string name) {
        KeyNeed need;
        auto step = authenticate(request_.context, request_.exchange, need);
        if (!step && need.pending) {
            step = co_await authenticate_later(request_.context, client_, request_.exchange, need);
        }
        ended_.push_back(name + (step ? " in" : " out"));
    }
    // One that needs no signature and becomes ready when `after` others have ended.
    Task<void> serve_warm(std::size_t after) {
        net::WaitFor what;
        what.event = &ticks_.emplace_back();
        while (ended_.size() < after) {
            what.event->reset();
            co_await request_.reactor.wait(what);
        }
        ended_.push_back("warm");
    }
    // As with sockets, what has become ready meanwhile is in the next round.
    void run(std::size_t until) {
        while (ended_.size() < until) {
            ASSERT_TRUE(request_.reactor.run_once({}));
            for (net::Event& tick : ticks_) tick.set();
        }
    }

    OneRequest request_{{"a"}, standing_clock};
    HandMadeClient client_{request_};
    std::deque<net::Event> ticks_;
    std::vector<std::string> ended_;
};

TEST_F(AuthenticateTest, WhatNeedsNoSignatureIsDecidedAtOnce) {
    remember("known.token.x");
    const std::string long_token = std::string(10'000, 'a') + ".b.c";
    struct Row {
        const char* name;
        std::string token;
        const char* end;
    };
    const Row rows[] = {
        {"a token that is known", "known.token.x", "t in"},
        {"not three parts", "a.b", "t out"},
        {"more than three", "a.b.c.d", "t out"},
        {"too long", long_token, "t out"},
    };
    for (const Row& row : rows) {
        ended_.clear();
        ask(row.token);
        spawn(serve("t"));
        EXPECT_EQ(ended_, std::vector<std::string>{row.end}) << row.name;
    }
}

TEST_F(AuthenticateTest, ANewTokenIsVerifiedBehindTheOthers) {
    ask(forged());
    spawn(serve("new"));
    EXPECT_TRUE(ended_.empty());
    run(1);
    EXPECT_EQ(ended_, std::vector<std::string>{"new out"});
    EXPECT_STREQ(request_.exchange.outcome.reason, "bad signature");
}

// In each round one signature is checked, and whatever else is ready goes first.
TEST_F(AuthenticateTest, AStormOfNewTokensHoldsNobodyUp) {
    constexpr std::size_t kStorm = 200;
    ask(forged());
    for (std::size_t i = 0; i < kStorm; ++i) spawn(serve("new"));
    EXPECT_TRUE(ended_.empty()) << "none is verified where it came from";
    for (const std::size_t after : {3U, 50U, 120U}) spawn(serve_warm(after));
    run(kStorm + 3);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < ended_.size(); ++i) {
        if (ended_[i] == "warm") places.push_back(i);
    }
    ASSERT_EQ(places.size(), 3U);
    EXPECT_LE(places[0], 3 + 2U) << "verifications beyond those before it was ready";
    EXPECT_LE(places[1], 51 + 2U);
    EXPECT_LE(places[2], 122 + 2U);
}

}  // namespace
}  // namespace rotary::proxy
