#include <rotary/auth/token_cache.hpp>

#include <gtest/gtest.h>

#include <malloc.h>
#include <string>

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};

std::shared_ptr<const Claims> claims_of(std::string_view subject, std::chrono::seconds left = 60s) {
    ClaimViews views;
    views.subject = subject;
    views.expires_at = kNow + left;
    views.valid_until = kNow + left;
    return std::make_shared<const Claims>(views);
}

TokenCacheLimits limits_of(std::size_t entries) {
    TokenCacheLimits limits;
    limits.entries = entries;
    return limits;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsMemory = false;  // they have a malloc of their own
#else
constexpr bool kCountsMemory = true;
#endif

// What malloc has taken from the system, holes included.
std::size_t malloc_bytes() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.arena + info.hblkhd;
}

std::uint64_t same_for_all(std::string_view, const TokenCache::Seed&) noexcept { return 7; }
std::uint64_t same_bucket(std::string_view token, const TokenCache::Seed&) noexcept {
    return std::uint64_t{static_cast<unsigned char>(token.back())} << 32;
}

TEST(TokenCache, RemembersByTheWholeToken) {
    TokenCache cache(limits_of(10));
    const auto claims = claims_of("a");
    cache.put("head.body.sign", claims, kNow, 1);
    EXPECT_EQ(cache.find("head.body.sign", kNow, 1), claims.get());
    EXPECT_EQ(cache.share("head.body.sign", kNow, 1), claims);
    for (const char* other : {"", "head.body.sigN", "head.body.sig", "head.body.signs", "xhead"}) {
        EXPECT_EQ(cache.find(other, kNow, 1), nullptr) << other;
    }
    EXPECT_EQ(cache.size(), 1u);
}

TEST(TokenCache, FindLeavesTheCountAlone) {
    TokenCache cache(limits_of(10));
    const auto claims = claims_of("a");
    cache.put("token", claims, kNow, 1);
    const long count = claims.use_count();
    for (int i = 0; i < 10; ++i) EXPECT_NE(cache.find("token", kNow, 1), nullptr);
    EXPECT_EQ(claims.use_count(), count);
    const auto shared = cache.share("token", kNow, 1);
    EXPECT_EQ(claims.use_count(), count + 1);
}

TEST(TokenCache, ForgetsWhatIsPastItsTime) {
    TokenCache cache(limits_of(10));
    const auto claims = claims_of("a", 60s);
    cache.put("token", claims, kNow, 1);
    EXPECT_NE(cache.find("token", kNow + 60s - 1ns, 1), nullptr);
    EXPECT_EQ(cache.find("token", kNow + 60s, 1), nullptr);
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.bytes(), 0u);
    EXPECT_EQ(claims.use_count(), 1);
    cache.put("token", claims, kNow + 60s, 1);
    EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, ForgetsWhatAnotherGenerationOfKeysVerified) {
    TokenCache cache(limits_of(10));
    cache.put("token", claims_of("a"), kNow, 1);
    EXPECT_EQ(cache.find("token", kNow, 2), nullptr);
    EXPECT_EQ(cache.find("token", kNow, 1), nullptr);  // gone for good
    const auto again = claims_of("b");
    cache.put("token", again, kNow, 2);
    EXPECT_EQ(cache.find("token", kNow, 2), again.get());
}

TEST(TokenCache, PuttingAgainReplaces) {
    TokenCache cache(limits_of(10));
    cache.put("token", claims_of("a"), kNow, 1);
    const std::size_t bytes = cache.bytes();
    const auto newer = claims_of("b");
    cache.put("token", newer, kNow, 1);
    EXPECT_EQ(cache.find("token", kNow, 1), newer.get());
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.bytes(), bytes);
    cache.put("token", nullptr, kNow, 1);
    EXPECT_EQ(cache.size(), 0u);
}

TEST(TokenCache, CollidingTokensAreNeverTakenForEachOther) {
    for (const TokenCache::Hash hash : {&same_for_all, &same_bucket}) {
        TokenCache cache(limits_of(100), hash);
        std::vector<std::shared_ptr<const Claims>> all;
        for (int i = 0; i < 100; ++i) {
            all.push_back(claims_of(std::to_string(i)));
            cache.put("token" + std::to_string(i), all.back(), kNow, 1);
        }
        EXPECT_EQ(cache.find("token100", kNow, 1), nullptr);
        // Out of the middle, the beginning and the end of one chain.
        for (const int gone : {50, 99, 0}) {
            EXPECT_EQ(cache.find("token" + std::to_string(gone), kNow, 2), nullptr);
        }
        for (int i = 0; i < 100; ++i) {
            const bool gone = i == 50 || i == 99 || i == 0;
            EXPECT_EQ(cache.find("token" + std::to_string(i), kNow, 1),
                      gone ? nullptr : all[static_cast<std::size_t>(i)].get())
                << i;
        }
        EXPECT_EQ(cache.size(), 97u);
    }
}

TEST(TokenCache, HoldsNoMoreThanItsEntries) {
    TokenCache cache(limits_of(100));
    for (int i = 0; i < 10'000; ++i) {
        const std::string token = "token" + std::to_string(i);
        cache.put(token, claims_of(token), kNow, 1);
        ASSERT_NE(cache.find(token, kNow, 1), nullptr) << i;
        ASSERT_LE(cache.size(), 100u);
    }
    EXPECT_EQ(cache.size(), 100u);
}

TEST(TokenCache, WhatIsUsedStays) {
    TokenCache cache(limits_of(10));
    cache.put("hot", claims_of("hot"), kNow, 1);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_NE(cache.find("hot", kNow, 1), nullptr) << i;
        cache.put("cold" + std::to_string(i), claims_of("cold"), kNow, 1);
    }
}

// Among many that are all in use the hand gives up soon, and no request pays for all of them.
TEST(TokenCache, LooksForOneThatMayGoAreBounded) {
    constexpr int kEntries = 200;
    TokenCache cache(limits_of(kEntries));
    const auto name = [](int number) { return "token" + std::to_string(number); };
    for (int i = 0; i < kEntries; ++i) {
        cache.put(name(i), claims_of("a"), kNow, 1);
        ASSERT_NE(cache.find(name(i), kNow, 1), nullptr);
    }
    cache.put("first", claims_of("a"), kNow, 1);   // 0 to 63 are in use no more; the last one goes
    cache.put("second", claims_of("a"), kNow, 1);  // 64 to 127 the same
    EXPECT_EQ(cache.size(), 200U);
    for (int i = 0; i < kEntries; ++i) {
        EXPECT_EQ(cache.find(name(i), kNow, 1) == nullptr, i == 63 || i == 127) << i;
    }
    EXPECT_NE(cache.find("first", kNow, 1), nullptr);
    EXPECT_NE(cache.find("second", kNow, 1), nullptr);
}

TEST(TokenCache, HoldsNoMoreThanItsBytes) {
    const auto claims = claims_of("a");
    TokenCacheLimits limits;
    limits.bytes = 10 * (4 * 256 + claims->bytes());  // memory comes in blocks
    TokenCache cache(limits);
    for (int i = 0; i < 100; ++i) {
        std::string token = std::to_string(i);
        token.resize(1000, 'x');
        cache.put(token, claims, kNow, 1);
        ASSERT_LE(cache.bytes(), limits.bytes);
        ASSERT_NE(cache.find(token, kNow, 1), nullptr);
    }
    EXPECT_EQ(cache.size(), 10u);
    cache.put(std::string(8192, 'y'), claims, kNow, 1);  // takes the room of many
    EXPECT_LE(cache.bytes(), limits.bytes);
    EXPECT_LT(cache.size(), 10u);
    EXPECT_NE(cache.find(std::string(8192, 'y'), kNow, 1), nullptr);
}

// Of all lengths, for a long time: the memory of the process stays where it was once the cache was
// full, and near what the cache says of itself.
TEST(TokenCache, DistinctTokensLeaveNoHolesBehind) {
    TokenCacheLimits limits;
    limits.entries = 100'000;
    limits.bytes = 8u << 20;
    TokenCache cache(limits);
    std::uint32_t random = 1;
    const auto put = [&](int number) {
        random = random * 1664525 + 1013904223;
        std::string token = std::to_string(number);
        token.resize(600 + random % 1400, 'x');
        cache.put(token, claims_of(token.substr(0, 20 + random % 100)), kNow, 1);
        ASSERT_LE(cache.bytes(), limits.bytes);
    };
    const std::size_t before = malloc_bytes();
    for (int i = 0; i < 200'000; ++i) put(i);
    EXPECT_GT(cache.bytes(), limits.bytes * 9 / 10);
    if (kCountsMemory) {
        EXPECT_LT(malloc_bytes(), before + 2 * limits.bytes);
    }
}

TEST(TokenCache, MemoryComesBackWhenTheLastTokenGoes) {
    const auto claims = claims_of("a");
    TokenCacheLimits limits;
    limits.bytes = 32 * 256 + claims->bytes();
    TokenCache cache(limits);
    cache.put(std::string(32 * 252, 'x'), claims, kNow, 1);
    EXPECT_EQ(cache.bytes(), limits.bytes);
    // No room beside the big one's blocks, but for many in their place.
    cache.put("a", claims, kNow, 1);
    EXPECT_EQ(cache.size(), 1u);
    cache.put("b", claims, kNow, 1);
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_NE(cache.find("a", kNow, 1), nullptr);
    EXPECT_NE(cache.find("b", kNow, 1), nullptr);
    EXPECT_EQ(cache.find(std::string(32 * 252, 'x'), kNow, 1), nullptr);
}

TEST(TokenCache, TooLongATokenIsNotKept) {
    TokenCache cache(limits_of(10));
    cache.put(std::string(8193, 'x'), claims_of("a"), kNow, 1);
    EXPECT_EQ(cache.size(), 0u);
    TokenCacheLimits small;
    small.bytes = 100;
    TokenCache tiny(small);
    tiny.put(std::string(90, 'x'), claims_of("a"), kNow, 1);
    EXPECT_EQ(tiny.size(), 0u);
    TokenCache none(limits_of(0));
    none.put("token", claims_of("a"), kNow, 1);
    EXPECT_EQ(none.size(), 0u);
    EXPECT_EQ(none.find("token", kNow, 1), nullptr);
}

TEST(TokenCache, PlacesAreUsedAgain) {
    TokenCache cache(limits_of(4), &same_for_all);
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 4; ++i) {
            cache.put("t" + std::to_string(i), claims_of("a"), kNow, static_cast<unsigned>(round));
        }
        EXPECT_EQ(cache.size(), 4u);
        EXPECT_EQ(cache.find("t2", kNow, 1000), nullptr);
        EXPECT_EQ(cache.find("t0", kNow, 1000), nullptr);
        EXPECT_EQ(cache.size(), 2u);
    }
    cache.clear();
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.bytes(), 0u);
    EXPECT_EQ(cache.find("t1", kNow, 49), nullptr);
    cache.put("t1", claims_of("a"), kNow, 1);
    EXPECT_NE(cache.find("t1", kNow, 1), nullptr);
}

TEST(TokenCache, TokensOfEveryLengthAreTold) {
    TokenCache cache(limits_of(1000));
    for (std::size_t size = 0; size < 70; ++size) {
        cache.put(std::string(size, 'a'), claims_of(std::to_string(size)), kNow, 1);
    }
    EXPECT_EQ(cache.size(), 70u);
    for (std::size_t size = 0; size < 70; ++size) {
        const Claims* claims = cache.find(std::string(size, 'a'), kNow, 1);
        ASSERT_NE(claims, nullptr) << size;
        EXPECT_EQ(claims->subject(), std::to_string(size));
    }
}

}  // namespace
}  // namespace rotary::auth
