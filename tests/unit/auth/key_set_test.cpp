#include <rotary/auth/key_set.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/bn.h>

#include "unit/auth/jwt_maker.hpp"

namespace rotary::auth {
namespace {

using test::jwk;
using test::jwks;
using test::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string names(AlgorithmSet set) {
    std::string text;
    for (std::size_t i = 0; i < kJwtAlgorithms; ++i) {
        const auto algorithm = static_cast<JwtAlgorithm>(i);
        if (set.has(algorithm)) text.append(text.empty() ? "" : " ").append(traits(algorithm).name);
    }
    return text;
}

struct Usable {
    const char* name;
    Kind kind;
    const char* more;
    const char* algorithms;
};

const Usable kUsable[] = {
    {"rsa", Kind::rsa, "", "RS256 RS384 RS512 PS256 PS384 PS512"},
    {"rsa for signatures", Kind::rsa, R"("use":"sig")", "RS256 RS384 RS512 PS256 PS384 PS512"},
    {"rsa pinned", Kind::rsa, R"("alg":"PS384")", "PS384"},
    {"p-256", Kind::p256, R"("key_ops":["verify"])", "ES256"},
    {"p-384", Kind::p384, R"("alg":"ES384")", "ES384"},
    {"p-521", Kind::p521, R"("key_ops":["sign","verify"])", "ES512"},
    {"ed25519", Kind::ed25519, R"("alg":"EdDSA")", "EdDSA"},
    {"members unknown to us", Kind::p256, R"("x5c":["zzz"],"x5t":1,"foo":{})", "ES256"},
};

TEST(KeySet, TakesKeysAndTheirAlgorithms) {
    for (const Usable& row : kUsable) {
        SCOPED_TRACE(row.name);
        const KeySetLoad load = KeySet::from_jwks(jwks(jwk(row.kind, row.more)));
        ASSERT_NE(load.keys, nullptr) << load.error;
        ASSERT_EQ(load.keys->keys().size(), 1u);
        EXPECT_EQ(names(load.keys->keys()[0].algorithms), row.algorithms);
        EXPECT_EQ(load.keys->keys()[0].kid, "");
        EXPECT_THAT(load.skipped, ElementsAre());
    }
}

struct Skipped {
    const char* name;
    std::string key;
    const char* reason;
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string rsa_with(std::string_view n, std::string_view e) {
    return R"({"kty":"RSA","n":")" + test::url_text(n) + R"(","e":")" + test::url_text(e) + R"("})";
}

const std::string kModulus(256, '\xC1');

std::vector<Skipped> skipped_rows() {
    const std::string ec = jwk(Kind::p256);
    return {
        {"not an object", "7", "not an object"},
        {"no kty", R"({"n":"AQAB"})", "kty is not served"},
        {"kty of another type", R"({"kty":["RSA"]})", "kty is not served"},
        {"symmetric", R"({"kty":"oct","k":"c2VjcmV0"})", "symmetric keys are not served"},
        {"private", jwk(Kind::rsa, R"("d":"AQAB")"), "private key is published"},
        {"for encryption", jwk(Kind::rsa, R"("use":"enc")"), "not for verifying"},
        {"use is a number", jwk(Kind::rsa, R"("use":1)"), "not for verifying"},
        {"for signing only", jwk(Kind::rsa, R"("key_ops":["sign"])"), "not for verifying"},
        {"for nothing", jwk(Kind::rsa, R"("key_ops":[])"), "not for verifying"},
        {"key_ops is a string", jwk(Kind::rsa, R"("key_ops":"verify")"), "not for verifying"},
        {"alg of another type of key", jwk(Kind::rsa, R"("alg":"ES256")"), "alg does not fit"},
        {"alg of another curve", jwk(Kind::p256, R"("alg":"ES384")"), "alg does not fit"},
        {"alg HS256", jwk(Kind::rsa, R"("alg":"HS256")"), "alg does not fit"},
        {"alg none", jwk(Kind::rsa, R"("alg":"none")"), "alg does not fit"},
        {"alg is a number", jwk(Kind::rsa, R"("alg":256)"), "alg does not fit"},
        {"alg RSA-OAEP", jwk(Kind::rsa, R"("alg":"RSA-OAEP")"), "alg does not fit"},
        {"kid is a number", jwk(Kind::rsa, R"("kid":1)"), "kid is not a string"},
        {"kid too long", jwk(Kind::rsa, R"("kid":")" + std::string(257, 'k') + '"'),
         "kid is too long"},
        {"rsa of 1024 bits", jwk(Kind::rsa_1024), "1024 bits is too short"},
        {"rsa of 8200 bits", rsa_with(std::string(1025, '\xC1'), "\x01\x00\x01"), "too long"},
        {"rsa of 80000 bits", rsa_with(std::string(10000, '\xC1'), "\x03"), "too long"},
        {"rsa without n", R"({"kty":"RSA","e":"AQAB"})", "without n or e"},
        {"rsa with padded n", R"({"kty":"RSA","n":"AQABAA==","e":"AQAB"})", "without n or e"},
        {"rsa exponent 1", rsa_with(kModulus, "\x01"), "even or 1"},
        {"rsa exponent even", rsa_with(kModulus, "\x04"), "even or 1"},
        {"rsa exponent of 65 bits", rsa_with(kModulus, std::string(9, '\1')),
         "exponent is too long"},
        {"rsa modulus even", rsa_with(std::string(255, '\xC1') + "\x02", "\x03"),
         "modulus is even"},
        {"point off its curve", replaced(ec, R"("y":")", R"("y":"AAAA)"), "curve's length"},
        {"coordinates of another curve", replaced(ec, "P-256", "P-384"), "curve's length"},
        {"curve not served", jwk(Kind::secp256k1), "curve is not served"},
        {"no curve", R"({"kty":"EC","x":"AA","y":"AA"})", "curve is not served"},
        {"okp of x25519", replaced(jwk(Kind::ed25519), "Ed25519", "X25519"), "curve is not served"},
        {"okp too short", R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "32 bytes"},
    };
}

TEST(KeySet, SkipsEachBadKeyAndKeepsTheRest) {
    for (const Skipped& row : skipped_rows()) {
        SCOPED_TRACE(row.name);
        const KeySetLoad load =
            KeySet::from_jwks(jwks(row.key + ',' + jwk(Kind::p256, R"("kid":"good")")));
        ASSERT_NE(load.keys, nullptr) << load.error;
        ASSERT_EQ(load.keys->keys().size(), 1u);
        EXPECT_EQ(load.keys->keys()[0].kid, "good");
        EXPECT_THAT(load.skipped, ElementsAre(HasSubstr(row.reason)));
        EXPECT_THAT(load.skipped, ElementsAre(HasSubstr("keys[0]: ")));
    }
}

TEST(KeySet, RefusesAPointOffTheCurve) {
    const std::string x = test::url_text(std::string(32, '\x11'));
    const KeySetLoad load = KeySet::from_jwks(
        jwks(R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + x + R"("})"));
    EXPECT_EQ(load.keys, nullptr);
    EXPECT_THAT(load.skipped, ElementsAre(HasSubstr("not on its curve")));
}

TEST(KeySet, TakesALeadingZeroInAModulus) {
    const KeySetLoad load = KeySet::from_jwks(jwks(rsa_with('\0' + kModulus, "\x03")));
    EXPECT_NE(load.keys, nullptr) << load.error;
}

std::string ed25519_with(std::string_view x) {
    return R"({"kty":"OKP","crv":"Ed25519","x":")" + test::url_text(x) + R"("})";
}

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

std::string repeated(std::string_view pair, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += pair;
    return text;
}

// Each y with both signs of x: the eight points of small order among them, and p + n for small n,
// which are other encodings of y = n.
TEST(KeySet, RefusesPointsUnderWhichAnybodyCanSign) {
    std::vector<std::string> worthless = {
        repeated("00", 32),
        "01" + repeated("00", 31),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    };
    for (const char* first : {"ec", "ed", "ee", "ef", "f0", "ff"}) {
        worthless.push_back(first + repeated("ff", 30) + "7f");
    }
    for (const std::string& hex : worthless) {
        for (const char sign : {'\x00', '\x80'}) {
            SCOPED_TRACE(hex);
            std::string x = from_hex(hex);
            x.back() = static_cast<char>(x.back() | sign);
            const KeySetLoad load = KeySet::from_jwks(jwks(ed25519_with(x)));
            EXPECT_EQ(load.keys, nullptr);
            EXPECT_THAT(load.skipped, ElementsAre(HasSubstr("small order or not canonical")));
        }
    }
    // The base point is as good as any: y = 4/5, x positive; and y = 3 is of the whole order.
    for (const std::string& hex : {"58" + repeated("66", 31), "03" + repeated("00", 31)}) {
        EXPECT_NE(KeySet::from_jwks(jwks(ed25519_with(from_hex(hex)))).keys, nullptr) << hex;
    }
}

constexpr unsigned kSmallPrimes[] = {
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

// 2048 bits, odd, and modulo the product of small primes a power of 65537, as all moduli of that
// generator are.
std::string roca_modulus() {
    BN_CTX* context = BN_CTX_new();
    BIGNUM* product = BN_new();
    BIGNUM* power = BN_new();
    BIGNUM* modulus = BN_new();
    BN_set_word(product, 2);
    for (const unsigned prime : kSmallPrimes) {
        BN_mul_word(product, prime);
    }
    BN_set_word(power, 65537);
    BIGNUM* exponent = BN_new();
    BN_set_word(exponent, 123457);
    BN_mod_exp(power, power, exponent, product, context);
    BN_one(modulus);
    BN_lshift(modulus, modulus, 2047 - BN_num_bits(product) + 1);
    BN_mul(modulus, modulus, product, context);
    BN_add(modulus, modulus, power);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(modulus)), '\0');
    BN_bn2bin(modulus, reinterpret_cast<unsigned char*>(bytes.data()));
    for (BIGNUM* number : {product, power, modulus, exponent}) BN_free(number);
    BN_CTX_free(context);
    return bytes;
}

TEST(KeySet, RefusesAModulusThatCanBeFactored) {
    std::string modulus = roca_modulus();
    ASSERT_EQ(modulus.size(), 256u);
    const KeySetLoad load = KeySet::from_jwks(jwks(rsa_with(modulus, "\x01\x00\x01"s)));
    EXPECT_EQ(load.keys, nullptr);
    EXPECT_THAT(load.skipped, ElementsAre(HasSubstr("CVE-2017-15361")));
    modulus.back() = static_cast<char>(modulus.back() + 2);
    EXPECT_NE(KeySet::from_jwks(jwks(rsa_with(modulus, "\x01\x00\x01"s))).keys, nullptr);
}

TEST(KeySet, TakesAndTellsOfASmallExponent) {
    const KeySetLoad small = KeySet::from_jwks(jwks(rsa_with(kModulus, "\x03")));
    ASSERT_NE(small.keys, nullptr) << small.error;
    EXPECT_THAT(small.weak, ElementsAre(HasSubstr("keys[0]: RSA exponent 3 is below 65537")));
    const KeySetLoad usual = KeySet::from_jwks(jwks(rsa_with(kModulus, "\x01\x00\x01"s)));
    ASSERT_NE(usual.keys, nullptr) << usual.error;
    EXPECT_THAT(usual.weak, ElementsAre());
}

struct BadSet {
    const char* name;
    std::string text;
    const char* error;
};

TEST(KeySet, RefusesABadSet) {
    std::string many;
    for (int i = 0; i < 101; ++i) many += "{},";
    const BadSet rows[] = {
        {"empty", "", "not valid JSON"},
        {"html", "<html>", "not valid JSON"},
        {"array", "[]", "no array"},
        {"keys is an object", R"({"keys":{}})", "no array"},
        {"no keys", R"({"keys":[]})", "no usable key"},
        {"no good keys", R"({"keys":[{},{}]})", "no usable key"},
        {"duplicate members", R"({"keys":[],"keys":[]})", "not valid JSON"},
        {"101 keys", jwks(many + "{}"), "more than 100 keys"},
        {"too long", jwks(jwk(Kind::p256)) + std::string(256 * 1024, ' '), "too long"},
        {"nested", std::string(100000, '['), "not valid JSON"},
    };
    for (const BadSet& row : rows) {
        const KeySetLoad load = KeySet::from_jwks(row.text);
        EXPECT_EQ(load.keys, nullptr) << row.name;
        EXPECT_THAT(load.error, HasSubstr(row.error)) << row.name;
    }
}

TEST(KeySet, ReadsPem) {
    for (const Kind kind : {Kind::rsa, Kind::p256, Kind::p384, Kind::p521, Kind::ed25519}) {
        SCOPED_TRACE(static_cast<int>(kind));
        const KeySetLoad from_jwk = KeySet::from_jwks(jwks(jwk(kind)));
        const KeySetLoad from_key = KeySet::from_pem(test::public_pem(kind));
        const KeySetLoad from_certificate =
            KeySet::from_pem("# a comment\n" + test::certificate_pem(kind));
        ASSERT_NE(from_jwk.keys, nullptr);
        ASSERT_NE(from_key.keys, nullptr) << from_key.error;
        ASSERT_NE(from_certificate.keys, nullptr) << from_certificate.error;
        EXPECT_TRUE(from_jwk.keys->same_keys(*from_key.keys));
        EXPECT_TRUE(from_jwk.keys->same_keys(*from_certificate.keys));
    }
}

TEST(KeySet, RefusesBadPem) {
    const std::string good = test::public_pem(Kind::p256);
    const std::pair<const char*, std::string> rows[] = {
        {"empty", ""},
        {"text", "hello"},
        {"private key", test::private_pem(Kind::p256)},
        {"short key", test::public_pem(Kind::rsa_1024)},
        {"curve not served", test::certificate_pem(Kind::secp256k1)},
        {"cut", good.substr(0, good.size() / 2)},
        {"too long", std::string(300000, '\n') + good},
    };
    for (const auto& [name, text] : rows) {
        const KeySetLoad load = KeySet::from_pem(text);
        EXPECT_EQ(load.keys, nullptr) << name;
        EXPECT_NE(load.error, "") << name;
    }
}

TEST(KeySet, KnowsWhetherAnythingChanged) {
    const std::string first = jwks(jwk(Kind::rsa, R"("kid":"a")"));
    const auto set = KeySet::from_jwks(first).keys;
    const auto again = KeySet::from_jwks(first).keys;
    const auto renamed = KeySet::from_jwks(jwks(jwk(Kind::rsa, R"("kid":"b")"))).keys;
    const auto pinned = KeySet::from_jwks(jwks(jwk(Kind::rsa, R"("kid":"a","alg":"RS256")"))).keys;
    const auto replaced_key = KeySet::from_jwks(jwks(jwk(Kind::other_rsa, R"("kid":"a")"))).keys;
    const auto more =
        KeySet::from_jwks(jwks(jwk(Kind::rsa, R"("kid":"a")") + ',' + jwk(Kind::p256))).keys;
    EXPECT_TRUE(set->same_keys(*again));
    EXPECT_NE(set->generation(), again->generation());
    EXPECT_FALSE(set->same_keys(*renamed));
    EXPECT_FALSE(set->same_keys(*pinned));
    EXPECT_FALSE(set->same_keys(*replaced_key));
    EXPECT_FALSE(set->same_keys(*more));
}

}  // namespace
}  // namespace rotary::auth
