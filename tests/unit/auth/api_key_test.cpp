#include <rotary/auth/api_key.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace rotary::auth {
namespace {

constexpr std::string_view kWithoutChecksum =
    "rk_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq";

TEST(ApiKeyTest, AMadeKeyHasTheForm) {
    std::set<std::string> keys;
    std::set<char> characters;
    for (int i = 0; i < 200; ++i) {
        const std::string key = make_api_key();
        EXPECT_EQ(key.size(), 61U);
        EXPECT_TRUE(is_api_key(key));
        EXPECT_TRUE(is_whole_api_key(key)) << key;
        characters.insert(key.begin() + 3, key.end());
        keys.insert(key);
    }
    EXPECT_EQ(keys.size(), 200U);
    EXPECT_EQ(characters.size(), 63U) << "of base62, and the one between id and secret";
}

TEST(ApiKeyTest, TheChecksumIsZipsCrcInBase62) {
    // Python's zlib.crc32 says 1643894889.
    EXPECT_TRUE(is_whole_api_key(std::string(kWithoutChecksum) + "1nFc9h"));
}

TEST(ApiKeyTest, EveryTypingErrorIsFound) {
    const std::string key = make_api_key();
    for (std::size_t i = 0; i < key.size(); ++i) {
        std::string wrong = key;
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(is_whole_api_key(wrong)) << "another character at " << i;
        if (i + 1 < key.size() && key[i] != key[i + 1]) {
            std::string swapped = key;
            std::swap(swapped[i], swapped[i + 1]);
            EXPECT_FALSE(is_whole_api_key(swapped)) << "swapped at " << i;
        }
        EXPECT_FALSE(is_whole_api_key(key.substr(0, i))) << "cut at " << i;
    }
    EXPECT_FALSE(is_whole_api_key(key + "a"));
    EXPECT_FALSE(is_whole_api_key(key.substr(0, 60) + '\0'));
    EXPECT_FALSE(is_whole_api_key(""));
    EXPECT_FALSE(is_whole_api_key("rk_"));
}

TEST(ApiKeyTest, OnlyItsPrefixTellsAKeyFromAToken) {
    EXPECT_TRUE(is_api_key("rk_anything"));
    EXPECT_FALSE(is_api_key("eyJhbGciOiJFUzI1NiJ9.e30.c2ln"));
    EXPECT_FALSE(is_api_key("rk"));
    EXPECT_FALSE(is_api_key("RK_0123"));
    EXPECT_FALSE(is_api_key(""));
}

TEST(ApiKeyTest, TheIdIsTheKeysOwn) {
    const std::string key = make_api_key();
    const ApiKeyId id = id_of(key);
    EXPECT_EQ(std::string(id.data(), id.size()), key.substr(3, 8));
    EXPECT_EQ(id_of("rk_short"), ApiKeyId{});
}

// The digests of FIPS 180-2's first example and of the empty text.
TEST(ApiKeyTest, ADigestIsSha256AndItsTextReadsBack) {
    struct Row {
        const char* text;
        const char* hash;
    };
    const Row rows[] = {
        {"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    };
    for (const Row& row : rows) {
        const KeyDigest digest = digest_of(row.text);
        EXPECT_EQ(hash_text(digest), row.hash);
        EXPECT_EQ(parse_hash(row.hash), digest);
    }
}

TEST(ApiKeyTest, AHashIsReadStrictly) {
    const std::string digits(64, 'A');
    ASSERT_TRUE(parse_hash("sha256:" + digits)) << "upper case is as good";
    EXPECT_EQ((*parse_hash("sha256:" + digits))[0], 0xaa);
    for (const std::string& text :
         {std::string(), digits, "sha256:" + digits + "a", "sha256:" + digits.substr(1),
          "SHA256:" + digits, "sha256:" + digits.substr(1) + "g", "sha512:" + digits,
          "sha256: " + digits.substr(1)}) {
        EXPECT_FALSE(parse_hash(text)) << text;
    }
}

}  // namespace
}  // namespace rotary::auth
