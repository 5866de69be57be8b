#include <net/name_cache.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using rotary::net::Addresses;
using rotary::net::NameCache;
using rotary::net::SteadyTime;

Addresses one(const char* text) { return {{boost::asio::ip::make_address(text), 0}}; }

const SteadyTime kStart{1000s};

TEST(NameCache, AnswersWhileFresh) {
    NameCache cache(4, 30s);
    EXPECT_EQ(cache.fresh("a", kStart), nullptr);
    cache.store("a", one("127.0.0.1"), kStart);
    ASSERT_NE(cache.fresh("a", kStart + 29s), nullptr);
    EXPECT_EQ(*cache.fresh("a", kStart + 29s), one("127.0.0.1"));
    EXPECT_EQ(cache.fresh("a", kStart + 30s), nullptr);
    EXPECT_EQ(cache.fresh("b", kStart), nullptr);
}

TEST(NameCache, FailedRefreshKeepsTheOldAnswerForAnotherLifetime) {
    NameCache cache(4, 30s);
    EXPECT_EQ(cache.extend("a", kStart), nullptr);
    cache.store("a", one("127.0.0.1"), kStart);
    ASSERT_NE(cache.extend("a", kStart + 60s), nullptr);
    EXPECT_NE(cache.fresh("a", kStart + 89s), nullptr);
    EXPECT_EQ(cache.fresh("a", kStart + 90s), nullptr);
}

TEST(NameCache, NewAnswerReplacesTheOld) {
    NameCache cache(4, 30s);
    cache.store("a", one("127.0.0.1"), kStart);
    cache.store("a", one("::1"), kStart + 1s);
    EXPECT_EQ(*cache.fresh("a", kStart + 2s), one("::1"));
}

TEST(NameCache, FullOneDropsTheOldest) {
    NameCache cache(2, 30s);
    cache.store("a", one("127.0.0.1"), kStart + 1s);
    cache.store("b", one("127.0.0.1"), kStart);
    cache.store("c", one("127.0.0.1"), kStart + 2s);
    EXPECT_NE(cache.fresh("a", kStart + 3s), nullptr);
    EXPECT_EQ(cache.fresh("b", kStart + 3s), nullptr);
    EXPECT_NE(cache.fresh("c", kStart + 3s), nullptr);
}

TEST(NameCache, OneOfNoEntriesKeepsNothing) {
    NameCache cache(0, 30s);
    cache.store("a", one("127.0.0.1"), kStart);
    EXPECT_EQ(cache.fresh("a", kStart), nullptr);
}

}  // namespace
