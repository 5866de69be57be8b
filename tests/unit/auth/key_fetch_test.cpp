#include <rotary/auth/key_fetch.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};

TEST(KeyFetch, OneMayAskAndTheOthersWait) {
    KeyFetch fetch;
    EXPECT_FALSE(fetch.pending(0));
    EXPECT_EQ(fetch.hope(0, kNow), KeyHope::ask);
    EXPECT_EQ(fetch.hope(0, kNow), KeyHope::pending);
    EXPECT_TRUE(fetch.pending(0));
}

TEST(KeyFetch, OfManyThreadsOneMayAsk) {
    for (int round = 0; round < 200; ++round) {
        KeyFetch fetch;
        std::atomic<int> asked{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                if (fetch.hope(0, kNow) == KeyHope::ask) ++asked;
            });
        }
        for (std::thread& thread : threads) thread.join();
        ASSERT_EQ(asked, 1);
    }
}

TEST(KeyFetch, ABackgroundFetchIsWaitedForToo) {
    KeyFetch fetch;
    fetch.started();
    EXPECT_EQ(fetch.hope(0, kNow), KeyHope::pending);
    fetch.ended(true, SteadyTime::min());
    EXPECT_TRUE(fetch.failed());
    EXPECT_EQ(fetch.hope(0, kNow), KeyHope::ask);
}

TEST(KeyFetch, NobodyAsksBeforeTheCooldownIsOver) {
    KeyFetch fetch;
    fetch.started();
    fetch.ended(false, kNow + 30s);
    EXPECT_FALSE(fetch.failed());
    EXPECT_EQ(fetch.hope(0, kNow), KeyHope::none);
    EXPECT_EQ(fetch.hope(0, kNow + 30s - 1ns), KeyHope::none);
    EXPECT_EQ(fetch.hope(0, kNow + 30s), KeyHope::ask);
}

// Between the end of a fetch and its keys' arrival at a worker.
TEST(KeyFetch, NewerKeysOnTheirWayAreWaitedForInTheCooldown) {
    KeyFetch fetch;
    fetch.started();
    fetch.has_keys(7);
    fetch.ended(false, kNow + 30s);
    EXPECT_EQ(fetch.hope(6, kNow), KeyHope::pending);
    EXPECT_TRUE(fetch.pending(6));
    EXPECT_EQ(fetch.hope(7, kNow), KeyHope::none);
    EXPECT_FALSE(fetch.pending(7));
}

// The same on two threads: who sees the end sees the keys, whatever the order of its loads.
TEST(KeyFetch, WhoSeesTheEndSeesTheKeys) {
    for (std::uint64_t round = 1; round <= 2000; ++round) {
        KeyFetch fetch;
        fetch.started();
        std::thread control([&] {
            fetch.has_keys(round);
            fetch.ended(false, kNow + 30s);
        });
        KeyHope hope = KeyHope::pending;
        for (int i = 0; i < 50 && hope == KeyHope::pending; ++i) hope = fetch.hope(0, kNow);
        control.join();
        ASSERT_EQ(hope, KeyHope::pending) << "a worker with the older set would refuse";
    }
}

}  // namespace
}  // namespace rotary::auth
