#include <rotary/cli/program.hpp>
#include <rotary/tools/token.hpp>

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include <rotary/auth/jwt.hpp>
#include <rotary/wire/base64url.hpp>
#include <rotary/wire/json_document.hpp>
#include "unit/auth/jwt_maker.hpp"

namespace rotary::tools {
namespace {

using namespace std::chrono_literals;
using auth::test::jwk;
using auth::test::jwks;
using auth::test::Kind;
using auth::test::private_pem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};
const std::string kIss = "https://issuer.example/token";

TokenOptions options_of() {
    TokenOptions options;
    options.issuer = kIss;
    return options;
}

std::string part(const std::string& token, int index) {
    std::string_view rest = token;
    for (; index > 0; --index) rest.remove_prefix(rest.find('.') + 1);
    return wire::base64url_decode(rest.substr(0, rest.find('.'))).value_or("not base64url");
}

std::string payload_of(const TokenOptions& options) {
    const MintedToken minted = mint(options, private_pem(Kind::ed25519), kNow);
    return minted.token.empty() ? minted.error : part(minted.token, 1);
}

struct Row {
    const char* name;
    Kind kind;
    const char* algorithm;
    const char* header;
};

TEST(Token, EveryAlgorithmVerifies) {
    const Row rows[] = {
        {"rsa by itself", Kind::rsa, "", "RS256"},
        {"p-256 by itself", Kind::p256, "", "ES256"},
        {"p-384 by itself", Kind::p384, "", "ES384"},
        {"p-521 by itself", Kind::p521, "", "ES512"},
        {"ed25519 by itself", Kind::ed25519, "", "EdDSA"},
        {"rs256", Kind::rsa, "RS256", "RS256"},
        {"rs384", Kind::rsa, "RS384", "RS384"},
        {"rs512", Kind::rsa, "RS512", "RS512"},
        {"ps256", Kind::rsa, "PS256", "PS256"},
        {"ps384", Kind::rsa, "PS384", "PS384"},
        {"ps512", Kind::rsa, "PS512", "PS512"},
        {"es384", Kind::p384, "ES384", "ES384"},
        {"eddsa", Kind::ed25519, "EdDSA", "EdDSA"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        TokenOptions options = options_of();
        options.algorithm = row.algorithm;
        options.kid = "k\"1";
        options.subject = "me";
        options.scope = "a b";
        options.audiences = {"x"};
        options.claims = {"azp=client"};
        const MintedToken minted = mint(options, private_pem(row.kind), kNow);
        ASSERT_EQ(minted.error, "");
        EXPECT_EQ(part(minted.token, 0),
                  std::string(R"({"alg":")") + row.header + R"(","typ":"JWT","kid":"k\"1"})");
        auth::Issuer issuer;
        issuer.iss = kIss;
        issuer.keys = auth::KeySet::from_jwks(jwks(jwk(row.kind, R"("kid":"k\"1")"))).keys;
        issuer.audiences = {"x"};
        const auto result = auth::verify(minted.token, {std::span(&issuer, 1)}, kNow, {});
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ((*result)->subject(), "me");
        EXPECT_EQ((*result)->client_id(), "client");
        EXPECT_THAT((*result)->scopes(), ElementsAre("a", "b"));
        EXPECT_EQ((*result)->expires_at(), kNow + 1h);
    }
}

// An ES* number that begins with zeros comes once in 256 signatures: all must have full length.
TEST(Token, ManyEcdsaSignaturesHaveFullLength) {
    const std::string pem = private_pem(Kind::p256);
    for (int i = 0; i < 600; ++i) {
        const MintedToken minted = mint(options_of(), pem, kNow);
        ASSERT_EQ(part(minted.token, 2).size(), 64u);
    }
}

TEST(Token, Payload) {
    EXPECT_EQ(payload_of(options_of()),
              R"({"iss":")" + kIss + R"(","iat":1700000000,"exp":1700003600})");

    TokenOptions options = options_of();
    options.audiences = {"x", "y"};
    options.ttl = "-1h";
    options.claims = {"n=5",     "b=true", "l=[\"a\",1]",  "o={}",           "s=hello",
                      "q=\"5\"", "e=",     "x=a=b",        "bad={",          "z=null",
                      "nan=NaN", "iat=1",  "na\"me=\"v\"", "text=say \"hi\""};
    EXPECT_EQ(payload_of(options),
              R"({"iss":")" + kIss +
                  R"(","aud":["x","y"],"iat":1,"exp":1699996400,)"
                  R"("n":5,"b":true,"l":["a",1],"o":{},"s":"hello","q":"5","e":"","x":"a=b",)"
                  R"("bad":"{","z":null,"nan":"NaN","na\"me":"v","text":"say \"hi\""})");
}

struct Ttl {
    const char* text;
    std::optional<std::chrono::seconds> value;
};

TEST(Token, Ttl) {
    const Ttl rows[] = {
        {"30s", 30s},    {"5m", 5min},        {"1h", 1h},      {"7d", 168h},
        {"90", 90s},     {"-1h", -1h},        {"0", 0s},       {"", std::nullopt},
        {"h", {}},       {"1x", {}},          {"1 h", {}},     {"1h30m", {}},
        {"1.5h", {}},    {"+1h", {}},         {"--1h", {}},    {"99999999999999999999s", {}},
        {"999999h", {}}, {"36500d", 876000h}, {"-36501d", {}}, {"9223372036854775807d", {}},
    };
    for (const Ttl& row : rows) EXPECT_EQ(parse_ttl(row.text), row.value) << row.text;
}

struct Wrong {
    const char* name;
    TokenOptions options;
    std::string pem;
    const char* error;
    bool bad_usage;
};

TEST(Token, SaysWhatIsWrong) {
    const auto with = [](auto change) {
        TokenOptions options = options_of();
        change(options);
        return options;
    };
    const std::string good = private_pem(Kind::p256);
    const Wrong rows[] = {
        {"no issuer", with([](auto& o) { o.issuer = ""; }), good, "--issuer", true},
        {"ttl", with([](auto& o) { o.ttl = "soon"; }), good, "can't read 'soon'", true},
        {"claim", with([](auto& o) { o.claims = {"x"}; }), good, "not NAME=VALUE", true},
        {"claim without name", with([](auto& o) { o.claims = {"=x"}; }), good, "NAME=VALUE", true},
        {"alg none", with([](auto& o) { o.algorithm = "none"; }), good, "not served", true},
        {"alg HS256", with([](auto& o) { o.algorithm = "HS256"; }), good, "not served", true},
        {"alg of others", with([](auto& o) { o.algorithm = "RS256"; }), good, "ES256 would", true},
        {"empty key", options_of(), "", "no private key", false},
        {"public key", options_of(), auth::test::public_pem(Kind::p256), "no private key", false},
        {"short key", options_of(), private_pem(Kind::rsa_1024), "too short", false},
        {"curve", options_of(), private_pem(Kind::secp256k1), "not served", false},
    };
    for (const Wrong& row : rows) {
        const MintedToken minted = mint(row.options, row.pem, kNow);
        EXPECT_EQ(minted.token, "") << row.name;
        EXPECT_THAT(minted.error, HasSubstr(row.error)) << row.name;
        EXPECT_EQ(minted.bad_usage, row.bad_usage) << row.name;
    }
}

class TokenFile : public testing::Test {
protected:
    const rotary::test::TempDir dir_;
    const std::string path_ = dir_.write("key.pem", private_pem(Kind::p256));
};

TEST_F(TokenFile, PrintsTheTokenAlone) {
    TokenOptions options = options_of();
    options.key_file = path_;
    std::ostringstream out;
    std::ostringstream err;
    EXPECT_EQ(run_token(options, out, err), 0);
    EXPECT_EQ(err.str(), "");
    EXPECT_THAT(out.str(),
                testing::MatchesRegex("[-_A-Za-z0-9]+\\.[-_A-Za-z0-9]+\\.[-_A-Za-z0-9]+\n"));

    options.ttl = "x";
    EXPECT_EQ(run_token(options, out, err), 2);
    EXPECT_THAT(err.str(), HasSubstr("--ttl"));
    options = options_of();
    options.key_file = path_ + ".none";
    EXPECT_EQ(run_token(options, out, err), 1);
    EXPECT_THAT(err.str(), HasSubstr("can't be read"));
    options.key_file = dir_.path().string();
    EXPECT_EQ(run_token(options, out, err), 1);
}

TEST_F(TokenFile, CommandLine) {
    cli::Program program("rotary", "");
    cli::Command commands = program.root();
    add_token_command(commands);
    const std::vector<std::string> words{
        "token",      "--key",   path_,        "--issuer", kIss,      "--ttl",     "-1h",
        "--audience", "x",       "--audience", "y",        "--claim", "a=1",       "--claim",
        "b=c d",      "--scope", "one two",    "--kid",    "-k",      "--subject", "s"};
    testing::internal::CaptureStdout();
    const int exit_code = program.run(words);
    const std::string token = testing::internal::GetCapturedStdout();
    EXPECT_EQ(exit_code, 0);
    const auto payload = wire::JsonDocument::parse(part(token, 1));
    ASSERT_TRUE(payload.has_value());
    const wire::JsonValue root = payload->root();
    EXPECT_EQ(*root.find("exp")->integer() - *root.find("iat")->integer(), -3600);
    EXPECT_EQ(root.find("aud")->size(), 2u);
    EXPECT_EQ(root.find("a")->integer(), 1);
    EXPECT_EQ(root.find("b")->string(), "c d");
    EXPECT_EQ(root.find("scope")->string(), "one two");
    EXPECT_EQ(root.find("sub")->string(), "s");
    EXPECT_THAT(part(token, 0), HasSubstr(R"("kid":"-k")"));
}

TEST(Token, MissingOptionsAreRefused) {
    cli::Program program("rotary", "");
    cli::Command root = program.root();
    add_token_command(root);
    testing::internal::CaptureStderr();
    EXPECT_EQ(program.run({"token", "--issuer", "x"}), 2);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--key is required"));
    testing::internal::CaptureStdout();
    EXPECT_EQ(program.run({"token", "--help"}), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("--claim"));
}

}  // namespace
}  // namespace rotary::tools
