#include <rotary/auth/jwt.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <optional>
#include <string>
#include <vector>

#include <rotary/wire/base64url.hpp>
#include "unit/auth/jwt_maker.hpp"

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;
using test::jwk;
using test::jwks;
using test::Kind;
using test::token;
using testing::ElementsAre;

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};
const std::string kIss = "https://issuer.example/token";

std::string at(std::int64_t offset) { return std::to_string(1'700'000'000 + offset); }

std::string payload(std::string_view more = "") {
    std::string text = R"({"iss":")" + kIss + R"(","exp":)" + at(3600);
    if (!more.empty()) text.append(",").append(more);
    return text + '}';
}

std::string header(std::string_view alg, std::string_view more = "") {
    std::string text = R"({"alg":")" + std::string(alg) + '"';
    if (!more.empty()) text.append(",").append(more);
    return text + '}';
}

Issuer issuer_of(const std::string& keys) {
    Issuer issuer;
    issuer.name = "test";
    issuer.iss = kIss;
    issuer.keys = KeySet::from_jwks(keys).keys;
    EXPECT_NE(issuer.keys, nullptr);
    return issuer;
}

VerifyResult check(const std::string& text, const Issuer& issuer, WallTime now = kNow) {
    return verify(text, {std::span(&issuer, 1)}, now, JwtLimits{});
}

FaultKind kind_of(const VerifyResult& result) {
    return result.has_value() ? FaultKind::none : result.error().fault.kind;
}

struct Algorithm {
    const char* name;
    Kind kind;
};

const Algorithm kAlgorithms[] = {
    {"RS256", Kind::rsa},  {"RS384", Kind::rsa},     {"RS512", Kind::rsa},  {"PS256", Kind::rsa},
    {"PS384", Kind::rsa},  {"PS512", Kind::rsa},     {"ES256", Kind::p256}, {"ES384", Kind::p384},
    {"ES512", Kind::p521}, {"EdDSA", Kind::ed25519},
};

TEST(Jwt, EveryAlgorithmWithJwksAndCertificate) {
    for (const Algorithm& row : kAlgorithms) {
        SCOPED_TRACE(row.name);
        const std::string good =
            token(row.kind, row.name, header(row.name, R"("kid":"k")"), payload(R"("sub":"me")"));
        const auto by_kid = check(good, issuer_of(jwks(jwk(row.kind, R"("kid":"k")"))));
        ASSERT_EQ(kind_of(by_kid), FaultKind::none);
        EXPECT_EQ((*by_kid)->subject(), "me");
        EXPECT_EQ((*by_kid)->kid(), "k");

        Issuer issuer = issuer_of(jwks(jwk(row.kind)));
        issuer.keys = KeySet::from_pem(test::certificate_pem(row.kind)).keys;
        EXPECT_EQ(kind_of(check(good, issuer)), FaultKind::none);
        issuer.keys = KeySet::from_pem(test::public_pem(row.kind)).keys;
        EXPECT_EQ(kind_of(check(good, issuer)), FaultKind::none);
    }
}

// Each of these tokens is signed rightly by its own key and algorithm; the header claims another.
TEST(Jwt, NoAlgorithmPassesForAnother) {
    const Issuer all =
        issuer_of(jwks(jwk(Kind::rsa) + ',' + jwk(Kind::p256) + ',' + jwk(Kind::p384) + ',' +
                       jwk(Kind::p521) + ',' + jwk(Kind::ed25519)));
    for (const Algorithm& made : kAlgorithms) {
        for (const Algorithm& claimed : kAlgorithms) {
            const bool same = std::string_view(made.name) == claimed.name;
            const auto result =
                check(token(made.kind, made.name, header(claimed.name), payload()), all);
            EXPECT_EQ(result.has_value(), same) << made.name << " as " << claimed.name;
        }
    }
}

TEST(Jwt, TheKeyDecidesTheAlgorithm) {
    const Issuer pinned = issuer_of(jwks(jwk(Kind::rsa, R"("alg":"RS256")")));
    EXPECT_TRUE(check(token(Kind::rsa, "RS256", header("RS256"), payload()), pinned).has_value());
    EXPECT_FALSE(check(token(Kind::rsa, "PS256", header("PS256"), payload()), pinned).has_value());
    EXPECT_FALSE(check(token(Kind::rsa, "RS512", header("RS512"), payload()), pinned).has_value());
}

TEST(Jwt, EveryTamperedCharacterIsSeen) {
    const Issuer issuer = issuer_of(jwks(jwk(Kind::p256) + ',' + jwk(Kind::ed25519)));
    for (const Algorithm& row : {Algorithm{"ES256", Kind::p256}, {"EdDSA", Kind::ed25519}}) {
        const std::string good = token(row.kind, row.name, header(row.name), payload());
        ASSERT_TRUE(check(good, issuer).has_value());
        for (std::size_t i = 0; i < good.size(); ++i) {
            std::string bad = good;
            bad[i] = bad[i] == 'A' ? 'B' : 'A';
            EXPECT_FALSE(check(bad, issuer).has_value()) << row.name << " at " << i;
        }
        for (std::size_t size = 0; size < good.size(); ++size) {
            EXPECT_FALSE(check(good.substr(0, size), issuer).has_value()) << size;
        }
        EXPECT_FALSE(check(good + "AA", issuer).has_value());
    }
}

// With the neutral element for a key, R the same and S zero "signs" any text.
TEST(Jwt, AKeyThatAnybodyCanSignForIsNone) {
    const std::string one = "\x01" + std::string(31, '\0');
    const std::string key = R"({"kty":"OKP","crv":"Ed25519","x":")" + test::url_text(one) + R"("})";
    const Issuer issuer = issuer_of(jwks(key + ',' + jwk(Kind::p256)));
    ASSERT_EQ(issuer.keys->keys().size(), 1u);
    const std::string forged = test::url_text(header("EdDSA")) + '.' + test::url_text(payload()) +
                               '.' + test::url_text(one + std::string(32, '\0'));
    EXPECT_EQ(kind_of(check(forged, issuer)), FaultKind::invalid_token);
}

std::string hs256(const std::string& secret) {
    const std::string text = test::url_text(header("HS256")) + '.' + test::url_text(payload());
    unsigned char mac[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return text + '.' + test::url_text({reinterpret_cast<const char*>(mac), size});
}

TEST(Jwt, NoneAndSymmetricAreRefused) {
    const Issuer issuer = issuer_of(jwks(jwk(Kind::rsa)));
    const std::string body = test::url_text(payload());
    for (const char* alg :
         {"none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "RS1", "HS512"}) {
        const std::string text = test::url_text(header(alg)) + '.' + body;
        EXPECT_EQ(kind_of(check(text + '.', issuer)), FaultKind::invalid_token) << alg;
        EXPECT_FALSE(check(text + ".AAAA", issuer).has_value()) << alg;
        EXPECT_FALSE(
            check(text + '.' + test::url_text(test::signature(Kind::rsa, "RS256", text)), issuer)
                .has_value())
            << alg;
    }
    EXPECT_FALSE(check(hs256(test::public_pem(Kind::rsa)), issuer).has_value());
    EXPECT_FALSE(check(hs256(jwk(Kind::rsa)), issuer).has_value());
    EXPECT_FALSE(check(hs256(""), issuer).has_value());
}

struct Pair {
    const char* name;
    std::string r;
    std::string s;
};

TEST(Jwt, EcdsaOutOfRangeIsRefused) {
    const std::string zero(32, '\0');
    const std::string one = std::string(31, '\0') + '\x01';
    const std::string full(32, '\xFF');
    const std::string order = "\xFF\xFF\xFF\xFF" + std::string(4, '\0') + std::string(8, '\xFF') +
                              "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
    const std::string text = test::url_text(header("ES256")) + '.' + test::url_text(payload());
    const std::string good = test::signature(Kind::p256, "ES256", text);
    const std::string r = good.substr(0, 32);
    const std::string s = good.substr(32);
    const Issuer issuer = issuer_of(jwks(jwk(Kind::p256)));
    ASSERT_TRUE(check(text + '.' + test::url_text(r + s), issuer).has_value());
    const Pair rows[] = {
        {"psychic", zero, zero},
        {"r zero", zero, s},
        {"s zero", r, zero},
        {"r is the order", order, s},
        {"s is the order", r, order},
        {"both the order", order, order},
        {"all ones", full, full},
        {"one and one", one, one},
        {"swapped", s, r},
        {"a byte more", r, s + '\0'},
        {"a byte less", r, s.substr(0, 31)},
        {"a zero before each", '\0' + r, '\0' + s},
        {"empty", "", ""},
        {"twice", good, good},
        {"one byte", "\1", ""},
    };
    for (const Pair& row : rows) {
        EXPECT_FALSE(check(text + '.' + test::url_text(row.r + row.s), issuer).has_value())
            << row.name;
    }
}

TEST(Jwt, DerSignatureIsRefused) {
    const std::string text = test::url_text(header("ES256")) + '.' + test::url_text(payload());
    // As many libraries make it by mistake: alg ending so, but not beginning with ES, keeps the
    // DER.
    const std::string der = test::signature(Kind::p256, "der256", text);
    EXPECT_FALSE(
        check(text + '.' + test::url_text(der), issuer_of(jwks(jwk(Kind::p256)))).has_value());
}

TEST(Jwt, AnotherKeyIsRefused) {
    const Issuer issuer = issuer_of(jwks(jwk(Kind::rsa) + ',' + jwk(Kind::p256)));
    EXPECT_FALSE(
        check(token(Kind::other_rsa, "RS256", header("RS256"), payload()), issuer).has_value());
    EXPECT_FALSE(
        check(token(Kind::other_p256, "ES256", header("ES256"), payload()), issuer).has_value());
    EXPECT_FALSE(
        check(token(Kind::secp256k1, "ES256", header("ES256"), payload()), issuer).has_value());
}

struct Malformed {
    const char* name;
    std::string text;
};

TEST(Jwt, MalformedTokensAreRefused) {
    const std::string head = header("ES256");
    const std::string good = token(Kind::p256, "ES256", head, payload());
    const auto signed_with = [](std::string_view h, std::string_view p) {
        return token(Kind::p256, "ES256", h, p);
    };
    const auto signed_raw = [](const std::string& text) {
        return text + '.' + test::url_text(test::signature(Kind::p256, "ES256", text));
    };
    const std::string h = test::url_text(head);
    const std::string p = test::url_text(payload());
    const std::string padded = "eyJhbGciOiJFUzI1NiJ9";  // {"alg":"ES256"}, 15 bytes: no padding
    ASSERT_EQ(h, padded);
    const Malformed rows[] = {
        {"empty", ""},
        {"dots", ".."},
        {"no dot", "abc"},
        {"one dot", h + '.' + p},
        {"three dots", good + '.'},
        {"five parts", good + ".AAAA.AAAA"},
        {"space before", ' ' + good},
        {"space after", good + ' '},
        {"line end after", good + '\n'},
        {"signature padded", good + "=="},
        {"header padded", signed_raw(test::url_text(R"({"alg":"ES256" })") + "==." + p)},
        {"space in the payload", signed_raw(h + '.' + p.substr(0, 4) + ' ' + p.substr(4))},
        {"line end in the payload", signed_raw(h + '.' + p.substr(0, 4) + '\n' + p.substr(4))},
        {"standard base64", signed_raw(h + '.' + test::url_text(payload(R"("x":"?>")")) + "+/")},
        {"no header", signed_raw('.' + p)},
        {"no payload", signed_raw(h + '.')},
        {"no signature", h + '.' + p + '.'},
        {"header no JSON", signed_with("ES256", payload())},
        {"header an array", signed_with(R"(["ES256"])", payload())},
        {"header without alg", signed_with("{}", payload())},
        {"alg a number", signed_with(R"({"alg":256})", payload())},
        {"alg a list", signed_with(R"({"alg":["ES256"]})", payload())},
        {"alg with NUL", signed_with(R"({"alg":"ES256\u0000"})", payload())},
        {"alg twice", signed_with(R"({"alg":"ES256","alg":"ES256"})", payload())},
        {"alg twice by escape", signed_with(R"({"alg":"ES256","\u0061lg":"none"})", payload())},
        {"crit", signed_with(header("ES256", R"("crit":["exp"],"exp":1)"), payload())},
        {"crit empty", signed_with(header("ES256", R"("crit":[])"), payload())},
        {"crit b64", signed_with(header("ES256", R"("crit":["b64"],"b64":false)"), payload())},
        {"kid a number", signed_with(header("ES256", R"("kid":1)"), payload())},
        {"kid null", signed_with(header("ES256", R"("kid":null)"), payload())},
        {"kid too long",
         signed_with(header("ES256", R"("kid":")" + std::string(257, 'k') + '"'), payload())},
        {"header too long",
         signed_with(header("ES256", R"("x":")" + std::string(1024, 'x') + '"'), payload())},
        {"header nested",
         signed_with(header("ES256", R"("x":)" + std::string(100, '[') + std::string(100, ']')),
                     payload())},
        {"payload no JSON", signed_with(head, "hello")},
        {"payload a string", signed_with(head, R"("hello")")},
        {"payload with garbage behind", signed_with(head, payload() + "x")},
        {"payload with NUL behind", signed_with(head, payload() + std::string(1, '\0'))},
        {"payload of the number that kills",
         signed_with(head, R"({"t":1.00000000001e-2147483638})")},
        {"payload nested", signed_with(head, std::string(5000, '['))},
        {"payload not UTF-8", signed_with(head, payload("\"x\":\"\xFF\""))},
        {"iss missing", signed_with(head, R"({"exp":)" + at(60) + '}')},
        {"iss a number", signed_with(head, R"({"iss":1,"exp":)" + at(60) + '}')},
        {"iss a list", signed_with(head, R"({"iss":[")" + kIss + R"("],"exp":)" + at(60) + '}')},
        {"iss twice", signed_with(head, payload(R"("iss":"x")"))},
        {"exp twice", signed_with(head, payload(R"("exp":1)"))},
        {"duplicates further down", signed_with(head, payload(R"("x":{"a":1,"a":1})"))},
        {"too long", signed_with(head, payload(R"("x":")" + std::string(8192, 'x') + '"'))},
    };
    const Issuer issuer = issuer_of(jwks(jwk(Kind::p256)));
    ASSERT_TRUE(check(good, issuer).has_value());
    for (const Malformed& row : rows) {
        const auto result = check(row.text, issuer);
        EXPECT_EQ(kind_of(result), FaultKind::invalid_token) << row.name;
        if (!result.has_value()) {
            EXPECT_EQ(result.error().fault.origin, Origin::client) << row.name;
        }
    }
}

// A key that a token brings along or points at is nobody's.
TEST(Jwt, KeysInTheTokenAreNotLookedAt) {
    const Issuer issuer = issuer_of(jwks(jwk(Kind::p256)));
    const std::string more = R"("typ":"at+jwt","jwk":)" + jwk(Kind::other_p256) +
                             R"(,"jku":"https://evil.example","x5u":"file:///etc","x5c":["x"])";
    EXPECT_FALSE(check(token(Kind::other_p256, "ES256", header("ES256", more), payload()), issuer)
                     .has_value());
    EXPECT_TRUE(
        check(token(Kind::p256, "ES256", header("ES256", more), payload()), issuer).has_value());
}

struct Times {
    const char* name;
    std::string members;
    FaultKind kind;
};

TEST(Jwt, Times) {
    const Times rows[] = {
        {"exp missing", "", FaultKind::invalid_token},
        {"exp null", R"("exp":null)", FaultKind::invalid_token},
        {"exp a string", R"("exp":"1900000000")", FaultKind::invalid_token},
        {"exp true", R"("exp":true)", FaultKind::invalid_token},
        {"exp NaN", R"("exp":NaN)", FaultKind::invalid_token},
        {"exp infinite", R"("exp":Infinity)", FaultKind::invalid_token},
        {"exp 1e400", R"("exp":1e400)", FaultKind::invalid_token},
        {"exp 1e308", R"("exp":1e308)", FaultKind::none},
        {"exp -1e308", R"("exp":-1e308)", FaultKind::token_expired},
        {"exp of 40 digits", R"("exp":)" + std::string(40, '9'), FaultKind::none},
        {"exp 0", R"("exp":0)", FaultKind::token_expired},
        {"exp with decimals", R"("exp":)" + at(10) + ".5", FaultKind::none},
        {"exp with an exponent", R"("exp":1.9e9)", FaultKind::none},
        {"exp now", R"("exp":)" + at(0), FaultKind::none},
        {"exp within the leeway", R"("exp":)" + at(-59), FaultKind::none},
        {"exp at the leeway", R"("exp":)" + at(-60), FaultKind::token_expired},
        {"exp a bit within the leeway", R"("exp":)" + at(-60) + ".5", FaultKind::none},
        {"exp long past", R"("exp":)" + at(-3600), FaultKind::token_expired},
        {"nbf past", R"("exp":1e10,"nbf":)" + at(-10), FaultKind::none},
        {"nbf within the leeway", R"("exp":1e10,"nbf":)" + at(60), FaultKind::none},
        {"nbf beyond the leeway", R"("exp":1e10,"nbf":)" + at(61), FaultKind::invalid_token},
        {"nbf a bit beyond it", R"("exp":1e10,"nbf":)" + at(60) + ".5", FaultKind::invalid_token},
        {"nbf huge", R"("exp":1e10,"nbf":1e300)", FaultKind::invalid_token},
        {"nbf a string", R"("exp":1e10,"nbf":"0")", FaultKind::invalid_token},
        {"iat past", R"("exp":1e10,"iat":1)", FaultKind::none},
        {"iat a string", R"("exp":1e10,"iat":"now")", FaultKind::invalid_token},
    };
    const Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
    for (const Times& row : rows) {
        std::string text = R"({"iss":")" + kIss + '"';
        if (!row.members.empty()) text += ',' + row.members;
        const auto result =
            check(token(Kind::ed25519, "EdDSA", header("EdDSA"), text + '}'), issuer);
        EXPECT_EQ(kind_of(result), row.kind) << row.name;
    }
}

TEST(Jwt, TellsWhenATokenEnds) {
    const auto result = check(token(Kind::ed25519, "EdDSA", header("EdDSA"), payload()),
                              issuer_of(jwks(jwk(Kind::ed25519))));
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ((*result)->expires_at(), kNow + 3600s);
    EXPECT_EQ((*result)->valid_until(), kNow + 3660s);
}

TEST(Jwt, AnExpiredForgeryIsJustInvalid) {
    const std::string old = R"({"iss":")" + kIss + R"(","exp":1})";
    EXPECT_EQ(kind_of(check(token(Kind::other_p256, "ES256", header("ES256"), old),
                            issuer_of(jwks(jwk(Kind::p256))))),
              FaultKind::invalid_token);
}

struct ClaimsRow {
    const char* name;
    std::string members;
    std::string subject;
    std::string client;
    std::vector<std::string> scopes;
    std::vector<std::string> audiences;
};

TEST(Jwt, ReadsTheClaims) {
    const ClaimsRow rows[] = {
        {"none", "", "", "", {}, {}},
        {"plain", R"("sub":"s","azp":"c","scope":"a b","aud":"x")", "s", "c", {"a", "b"}, {"x"}},
        {"arrays", R"("scope":["a","b c"],"aud":["x","y"])", "", "", {"a", "b c"}, {"x", "y"}},
        {"one scope", R"("scope":"a")", "", "", {"a"}, {}},
        {"blanks", R"("scope":"  a   b ")", "", "", {"a", "b"}, {}},
        {"empty", R"("sub":"","scope":"","aud":"")", "", "", {}, {}},
        {"audience with a space", R"("aud":"x y")", "", "", {}, {"x y"}},
        {"numbers", R"("sub":42,"azp":7,"scope":1,"aud":2)", "42", "7", {}, {}},
        {"mixed arrays", R"("scope":["a",1,null,"b"],"aud":[{},"x"])", "", "", {"a", "b"}, {"x"}},
        {"objects", R"("sub":{},"azp":[],"scope":{"a":"b"},"aud":{"x":"y"})", "", "", {}, {}},
        {"escapes", R"("sub":"\u0061\u0000b")", std::string("a\0b", 3), "", {}, {}},
    };
    const Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
    for (const ClaimsRow& row : rows) {
        SCOPED_TRACE(row.name);
        const auto result =
            check(token(Kind::ed25519, "EdDSA", header("EdDSA"), payload(row.members)), issuer);
        ASSERT_TRUE(result.has_value());
        const Claims& claims = **result;
        EXPECT_EQ(claims.issuer(), kIss);
        EXPECT_EQ(claims.subject(), row.subject);
        EXPECT_EQ(claims.client_id(), row.client);
        EXPECT_THAT(claims.scopes(), testing::ElementsAreArray(row.scopes));
        EXPECT_THAT(claims.audiences(), testing::ElementsAreArray(row.audiences));
        for (const std::string& scope : row.scopes) EXPECT_TRUE(claims.has_scope(scope));
        EXPECT_FALSE(claims.has_scope("other"));
    }
}

// What APK's API keys say besides; a restriction of a shape that is not known is never met.
TEST(Jwt, ReadsWhatAnApiKeySays) {
    struct Row {
        const char* name;
        const char* members;
        const char* application;
        bool permits;  // 10.0.0.1, from a page of app.example.com
    };
    const Row rows[] = {
        {"nothing", "", "", true},
        {"all",
         R"("application":{"id":7,"uuid":"u-1"},"permittedIP":"10.0.0.0/8",)"
         R"("permittedReferer":"https://app.example.com/*")",
         "u-1", true},
        {"no restrictions", R"("permittedIP":"","permittedReferer":null)", "", true},
        {"another address", R"("permittedIP":"10.0.0.2")", "", false},
        {"another page", R"("permittedReferer":"https://example.com/*")", "", false},
        {"an array of addresses", R"("permittedIP":["10.0.0.1"])", "", false},
        {"a number", R"("permittedReferer":1)", "", false},
        {"an application that is no object", R"("application":"u-1")", "", true},
    };
    const Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
    for (const Row& row : rows) {
        const auto result =
            check(token(Kind::ed25519, "EdDSA", header("EdDSA"), payload(row.members)), issuer);
        ASSERT_TRUE(result.has_value()) << row.name;
        const Claims& claims = **result;
        EXPECT_EQ(claims.application(), row.application) << row.name;
        EXPECT_EQ(claims.permits_address("10.0.0.1") &&
                      claims.permits_referer("https://app.example.com/chat"),
                  row.permits)
            << row.name;
    }
}

TEST(Jwt, TheIssuerNamesItsClaims) {
    Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
    issuer.consumer_key_claim = "client_id";
    issuer.scopes_claim = "scp";
    const auto result =
        check(token(Kind::ed25519, "EdDSA", header("EdDSA"),
                    payload(R"("client_id":"c","azp":"no","scp":["s"],"scope":"no")")),
              issuer);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ((*result)->client_id(), "c");
    EXPECT_THAT((*result)->scopes(), ElementsAre("s"));
}

TEST(Jwt, ClaimsThatLimitsAskForAreKept) {
    Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
    issuer.limit_claims = {"team", "level", "absent", "list", "empty"};
    const auto result =
        check(token(Kind::ed25519, "EdDSA", header("EdDSA"),
                    payload(R"("team":"r\u0065d","level":3,"list":["a"],"empty":"","other":"no")")),
              issuer);
    ASSERT_TRUE(result.has_value());
    const Claims& claims = **result;
    EXPECT_EQ(claims.named("team"), "red");
    EXPECT_EQ(claims.named("level"), "3");
    for (const char* name : {"absent", "list", "empty", "other"}) {
        EXPECT_EQ(claims.named(name), "") << name;
    }
}

struct Audience {
    const char* name;
    std::vector<std::string> wanted;
    std::string members;
    bool fits;
};

TEST(Jwt, Audiences) {
    const Audience rows[] = {
        {"none wanted, none there", {}, "", true},
        {"none wanted, some there", {}, R"("aud":"x")", true},
        {"string", {"x"}, R"("aud":"x")", true},
        {"second wanted", {"y", "x"}, R"("aud":"x")", true},
        {"array", {"x"}, R"("aud":["y","x"])", true},
        {"missing", {"x"}, "", false},
        {"other", {"x"}, R"("aud":"y")", false},
        {"other case", {"x"}, R"("aud":"X")", false},
        {"prefix", {"x"}, R"("aud":"xy")", false},
        {"with NUL", {"x"}, R"("aud":"x\u0000")", false},
        {"words of a string are not a list", {"x"}, R"("aud":"x y")", false},
        {"empty array", {"x"}, R"("aud":[])", false},
        {"number", {"1"}, R"("aud":1)", false},
    };
    for (const Audience& row : rows) {
        Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
        issuer.audiences = row.wanted;
        const auto result =
            check(token(Kind::ed25519, "EdDSA", header("EdDSA"), payload(row.members)), issuer);
        EXPECT_EQ(kind_of(result), row.fits ? FaultKind::none : FaultKind::invalid_token)
            << row.name;
    }
}

TEST(Jwt, IssMustBeExact) {
    for (const char* iss : {"https://issuer.example/token/", "https://issuer.example/toke",
                            "HTTPS://issuer.example/token", "https://issuer.example/token\\u0000",
                            "", " https://issuer.example/token"}) {
        const std::string text = R"({"iss":")" + std::string(iss) + R"(","exp":1e10})";
        const auto result = check(token(Kind::ed25519, "EdDSA", header("EdDSA"), text),
                                  issuer_of(jwks(jwk(Kind::ed25519))));
        ASSERT_EQ(kind_of(result), FaultKind::invalid_token) << iss;
        EXPECT_EQ(result.error().issuer, VerifyFailure::kNoIssuer);
        EXPECT_FALSE(result.error().keys_may_be_stale);
    }
}

TEST(Jwt, OneIssuersKeyIsNotAnothers) {
    std::vector<Issuer> issuers{issuer_of(jwks(jwk(Kind::rsa, R"("kid":"k")"))),
                                issuer_of(jwks(jwk(Kind::other_rsa, R"("kid":"k")")))};
    issuers[1].iss = "https://other.example";
    const std::string mine = token(Kind::rsa, "RS256", header("RS256", R"("kid":"k")"), payload());
    const std::string forged =
        token(Kind::other_rsa, "RS256", header("RS256", R"("kid":"k")"), payload());
    EXPECT_TRUE(verify(mine, {issuers}, kNow, {}).has_value());
    EXPECT_FALSE(verify(forged, {issuers}, kNow, {}).has_value());
}

TEST(Jwt, IssuersMayShareTheirIss) {
    std::vector<Issuer> issuers{issuer_of(jwks(jwk(Kind::rsa, R"("kid":"k")"))),
                                issuer_of(jwks(jwk(Kind::other_rsa, R"("kid":"k")"))),
                                issuer_of(jwks(jwk(Kind::other_rsa, R"("kid":"k")")))};
    issuers[1].audiences = {"first"};
    issuers[2].audiences = {"second"};
    const std::string head = header("RS256", R"("kid":"k")");
    const auto by = [&](Kind kind, std::string_view members) {
        return verify(token(kind, "RS256", head, payload(members)), {issuers}, kNow, {});
    };
    EXPECT_EQ(by(Kind::rsa, "").value()->issuer_index(), 0u);
    EXPECT_EQ(by(Kind::other_rsa, R"("aud":"first")").value()->issuer_index(), 1u);
    EXPECT_EQ(by(Kind::other_rsa, R"("aud":"second")").value()->issuer_index(), 2u);
    const auto none = by(Kind::other_rsa, R"("aud":"third")");
    ASSERT_EQ(kind_of(none), FaultKind::invalid_token);
    EXPECT_FALSE(none.error().keys_may_be_stale);
    const auto stranger =
        verify(token(Kind::p256, "ES256", header("ES256"), payload()), {issuers}, kNow, {});
    ASSERT_FALSE(stranger.has_value());
    EXPECT_EQ(stranger.error().issuer, 0u);  // of those that came equally close the first

    issuers[0].keys = nullptr;
    EXPECT_EQ(kind_of(by(Kind::rsa, "")), FaultKind::issuer_unavailable);
    EXPECT_EQ(by(Kind::rsa, "").error().issuer, 0u);
    EXPECT_EQ(by(Kind::other_rsa, R"("aud":"first")").value()->issuer_index(), 1u);
}

// One iss, two organizations, each with keys of its own: the API's organization chooses.
TEST(Jwt, AnApiTrustsTheIssuersOfItsOrganizationAndEnvironment) {
    std::vector<Issuer> issuers{issuer_of(jwks(jwk(Kind::rsa, R"("kid":"k")"))),
                                issuer_of(jwks(jwk(Kind::other_rsa, R"("kid":"k")"))),
                                issuer_of(jwks(jwk(Kind::p256)))};
    issuers[0].organization = "a";
    issuers[1].organization = "b";
    issuers[2].organization = "b";
    issuers[2].environments = {"Dev", "Test"};
    issuers[2].iss = "https://other.example";
    const std::string head = header("RS256", R"("kid":"k")");
    const std::string of_a = token(Kind::rsa, "RS256", head, payload());
    const std::string of_b = token(Kind::other_rsa, "RS256", head, payload());
    const std::string dev = token(Kind::p256, "ES256", header("ES256"),
                                  R"({"iss":"https://other.example","exp":)" + at(60) + '}');
    struct Row {
        const char* name;
        const std::string& text;
        const char* organization;
        const char* environment;
        TokenDefect defect;
    };
    const Row rows[] = {
        {"a's in a", of_a, "a", "Default", TokenDefect::none},
        {"b's in b", of_b, "b", "Default", TokenDefect::none},
        {"a's in b", of_a, "b", "Default", TokenDefect::bad_signature},
        {"b's in a", of_b, "a", "Default", TokenDefect::bad_signature},
        {"a's in a third", of_a, "c", "Default", TokenDefect::not_trusted},
        {"in an API of none", of_a, "", "Default", TokenDefect::not_trusted},
        {"of an environment, in it", dev, "b", "Test", TokenDefect::none},
        {"of an environment, elsewhere", dev, "b", "Default", TokenDefect::not_trusted},
        {"of an environment, in another organization", dev, "a", "Test", TokenDefect::not_trusted},
    };
    for (const Row& row : rows) {
        const auto result =
            verify(row.text, {issuers, row.organization, row.environment}, kNow, {});
        const TokenDefect defect = result ? TokenDefect::none : result.error().defect;
        EXPECT_STREQ(to_string(defect), to_string(row.defect)) << row.name;
    }
    issuers[2].environments = {"*"};
    EXPECT_TRUE(verify(dev, {issuers, "b", "Default"}, kNow, {}).has_value());
}

TEST(Jwt, TellsTheLogWhatIsWrong) {
    Issuer issuer = issuer_of(jwks(jwk(Kind::p256, R"("kid":"k")")));
    issuer.audiences = {"shop"};
    const auto why = [&](std::string_view kid, const std::string& claims, Kind kind = Kind::p256) {
        const std::string head = header("ES256", R"("kid":")" + std::string(kid) + '"');
        const auto result = check(token(kind, "ES256", head, claims), issuer);
        return std::string(result ? "" : to_string(result.error().defect));
    };
    const std::string aud = R"("aud":"shop")";
    const auto with_exp = [&](const std::string& exp, const std::string& iss = kIss) {
        return R"({"iss":")" + iss + R"(","exp":)" + exp + "," + aud + '}';
    };
    EXPECT_EQ(why("k", payload(aud)), "");
    EXPECT_EQ(why("other", payload(aud)), "unknown kid");
    EXPECT_EQ(why("k", payload(aud), Kind::other_p256), "bad signature");
    EXPECT_EQ(why("k", with_exp(at(60), "https://elsewhere")), "wrong issuer");
    EXPECT_EQ(why("k", with_exp(at(-61))), "expired");
    EXPECT_EQ(why("k", with_exp("\"soon\"")), "exp is missing, or exp, nbf or iat is no number");
    EXPECT_EQ(why("k", payload(aud + R"(,"nbf":)" + at(61))), "not yet valid");
    EXPECT_EQ(why("k", payload(R"("aud":"mall")")), "wrong audience");
    EXPECT_STREQ(to_string(check("a.b.c", issuer).error().defect), "malformed token");
    issuer.keys = nullptr;
    EXPECT_EQ(why("k", payload(aud)), "the issuer's keys are not there");
}

TEST(Jwt, KeysNotFetchedYetAreNotTheClientsFault) {
    Issuer issuer = issuer_of(jwks(jwk(Kind::p256)));
    issuer.keys = nullptr;
    const auto result = check(token(Kind::p256, "ES256", header("ES256"), payload()), issuer);
    ASSERT_EQ(kind_of(result), FaultKind::issuer_unavailable);
    EXPECT_EQ(result.error().fault.origin, Origin::internal);
    EXPECT_EQ(kind_of(check("a.b.c", issuer)), FaultKind::invalid_token);
}

TEST(Jwt, KidsChooseTheKey) {
    const std::string both =
        jwks(jwk(Kind::p256, R"("kid":"a")") + ',' + jwk(Kind::other_p256, R"("kid":"b")"));
    const Issuer issuer = issuer_of(both);
    const auto by = [&](Kind kind, std::string_view more) {
        return check(token(kind, "ES256", header("ES256", more), payload()), issuer);
    };
    EXPECT_TRUE(by(Kind::p256, R"("kid":"a")").has_value());
    EXPECT_TRUE(by(Kind::other_p256, R"("kid":"b")").has_value());
    EXPECT_TRUE(by(Kind::p256, "").has_value());
    EXPECT_TRUE(by(Kind::other_p256, "").has_value());

    const auto other = by(Kind::p256, R"("kid":"b")");
    ASSERT_FALSE(other.has_value());
    EXPECT_FALSE(other.error().unknown_kid);
    EXPECT_TRUE(other.error().keys_may_be_stale);

    for (const char* kid : {"c", "A", "a\\u0000", "", "../a"}) {
        const auto unknown = by(Kind::p256, R"("kid":")" + std::string(kid) + '"');
        ASSERT_FALSE(unknown.has_value()) << kid;
        EXPECT_TRUE(unknown.error().unknown_kid) << kid;
        EXPECT_TRUE(unknown.error().keys_may_be_stale) << kid;
        EXPECT_EQ(unknown.error().issuer, 0u) << kid;
        EXPECT_EQ(unknown.error().fault.kind, FaultKind::invalid_token) << kid;
    }
}

TEST(Jwt, KeysOfOneNameAreAllTried) {
    const Issuer issuer =
        issuer_of(jwks(jwk(Kind::rsa, R"("kid":"a")") + ',' + jwk(Kind::p256, R"("kid":"a")") +
                       ',' + jwk(Kind::other_p256, R"("kid":"a")")));
    const std::string head = header("ES256", R"("kid":"a")");
    EXPECT_TRUE(check(token(Kind::other_p256, "ES256", head, payload()), issuer).has_value());
}

// A token that names no key must not buy a hundred signature checks. Keys that don't fit are free.
TEST(Jwt, TriesAreBounded) {
    std::string keys;
    for (int i = 0; i < 20; ++i) keys += jwk(Kind::rsa) + ',';
    for (int i = 0; i < 7; ++i) keys += jwk(Kind::other_p256) + ',';
    const std::string text = token(Kind::p256, "ES256", header("ES256"), payload());
    EXPECT_TRUE(check(text, issuer_of(jwks(keys + jwk(Kind::p256)))).has_value());
    keys += jwk(Kind::other_p256) + ',';
    EXPECT_FALSE(check(text, issuer_of(jwks(keys + jwk(Kind::p256)))).has_value());
}

TEST(Jwt, LimitsAreParameters) {
    const std::string text =
        token(Kind::p256, "ES256", header("ES256", R"("kid":"a")"), payload(R"("nbf":)" + at(30)));
    const std::vector<Issuer> issuers{issuer_of(jwks(jwk(Kind::p256)))};
    JwtLimits limits;
    limits.token_bytes = text.size();
    EXPECT_TRUE(verify(text, {issuers}, kNow, limits).has_value());
    limits.token_bytes = text.size() - 1;
    EXPECT_FALSE(verify(text, {issuers}, kNow, limits).has_value());
    limits = {};
    limits.leeway = 0s;
    EXPECT_FALSE(verify(text, {issuers}, kNow, limits).has_value());
    limits = {};
    limits.kid_bytes = 0;
    EXPECT_FALSE(verify(text, {issuers}, kNow, limits).has_value());
    limits = {};
    limits.header_bytes = 10;
    EXPECT_FALSE(verify(text, {issuers}, kNow, limits).has_value());
}

TEST(Jwt, ClaimsOutliveTheToken) {
    std::shared_ptr<const Claims> claims;
    {
        std::string text = token(Kind::ed25519, "EdDSA", header("EdDSA", R"("kid":"k")"),
                                 payload(R"("sub":"s","azp":"c","scope":"a b","aud":["x"])"));
        const Issuer issuer = issuer_of(jwks(jwk(Kind::ed25519)));
        claims = check(text, issuer).value();
        text.assign(text.size(), '!');
    }
    EXPECT_EQ(claims->issuer(), kIss);
    EXPECT_EQ(claims->subject(), "s");
    EXPECT_EQ(claims->client_id(), "c");
    EXPECT_EQ(claims->kid(), "k");
    EXPECT_THAT(claims->scopes(), ElementsAre("a", "b"));
    EXPECT_THAT(claims->audiences(), ElementsAre("x"));
    EXPECT_GT(claims->bytes(), sizeof(Claims) + kIss.size());
}

TEST(Jwt, EachTableHasItsOwnGeneration) {
    const IssuerTable first({issuer_of(jwks(jwk(Kind::p256)))});
    const IssuerTable second({issuer_of(jwks(jwk(Kind::p256)))});
    EXPECT_NE(first.generation(), second.generation());
    EXPECT_EQ(first.issuers().size(), 1u);
}

}  // namespace
}  // namespace rotary::auth
