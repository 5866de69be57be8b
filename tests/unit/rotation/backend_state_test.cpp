#include <rotary/rotation/backend_state.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace rotary::rotation {
namespace {

struct CountRow {
    const char* name;
    bool (BackendState::*enter)(std::size_t) noexcept;
    void (BackendState::*leave)() noexcept;
    std::size_t (BackendState::*count)() const noexcept;
};

class BackendCount : public testing::TestWithParam<CountRow> {
protected:
    bool enter(std::size_t limit) { return (state_.*GetParam().enter)(limit); }
    void leave() { (state_.*GetParam().leave)(); }
    std::size_t count() const { return (state_.*GetParam().count)(); }
    BackendState state_;
};

TEST_P(BackendCount, LetsInAsManyAsTheLimitSays) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
        SCOPED_TRACE(limit);
        for (std::size_t i = 0; i < limit; ++i) EXPECT_TRUE(enter(limit));
        EXPECT_FALSE(enter(limit));
        EXPECT_EQ(count(), limit) << "who was turned away is not counted";
        for (std::size_t i = 0; i < limit; ++i) {
            leave();
            EXPECT_TRUE(enter(limit));
            EXPECT_FALSE(enter(limit));
        }
        for (std::size_t i = 0; i < limit; ++i) leave();
        EXPECT_EQ(count(), 0U);
    }
}

TEST_P(BackendCount, WithoutALimitAllMayEnter) {
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(enter(BackendLimits::kNone));
    EXPECT_EQ(count(), 5000U);
}

TEST_P(BackendCount, LoweredLimitWaitsUntilEnoughHaveLeft) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(enter(4));
    EXPECT_FALSE(enter(2));
    leave();
    leave();
    EXPECT_FALSE(enter(2)) << "two are still there";
    leave();
    EXPECT_TRUE(enter(2));
    EXPECT_FALSE(enter(2));
    EXPECT_TRUE(enter(3)) << "and a raised one holds at once";
}

TEST_P(BackendCount, CountsNothingElse) {
    ASSERT_TRUE(enter(1));
    EXPECT_EQ(state_.connections() + state_.pending() + state_.requests() + state_.retries(), 1U);
}

// Threads that come and go as fast as they can never are more than the limit inside.
TEST_P(BackendCount, IsExactAmongThreads) {
    constexpr std::size_t kLimit = 2;
    std::atomic<std::size_t> inside{0};
    std::atomic<std::size_t> most{0};
    std::atomic<std::size_t> entries{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                if (!enter(kLimit)) continue;
                const std::size_t now = inside.fetch_add(1) + 1;
                std::size_t known = most.load();
                while (now > known && !most.compare_exchange_weak(known, now)) {
                }
                ++entries;
                inside.fetch_sub(1);
                leave();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(most.load(), kLimit);
    EXPECT_GT(entries.load(), 0U);
    EXPECT_EQ(count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BackendCount,
    testing::Values(CountRow{"connections", &BackendState::open_connection,
                             &BackendState::close_connection, &BackendState::connections},
                    CountRow{"pending", &BackendState::enter_pending, &BackendState::leave_pending,
                             &BackendState::pending},
                    CountRow{"requests", &BackendState::enter_request, &BackendState::leave_request,
                             &BackendState::requests},
                    CountRow{"retries", &BackendState::enter_retry, &BackendState::leave_retry,
                             &BackendState::retries}),
    [](const auto& row) { return row.param.name; });

TEST(BackendState, IdleIsTheSumOfWhatThePoolsTell) {
    BackendState state;
    state.idle_changed(0, 3);
    state.idle_changed(0, 2);
    EXPECT_EQ(state.idle(), 5U);
    state.idle_changed(3, 1);
    state.idle_changed(2, 2);
    EXPECT_EQ(state.idle(), 3U);
    state.idle_changed(1, 0);
    state.idle_changed(2, 0);
    EXPECT_EQ(state.idle(), 0U);
}

TEST(BackendState, IsHealthyUntilSomebodySaysOtherwise) {
    BackendState state;
    EXPECT_TRUE(state.healthy());
    state.set_healthy(false);
    EXPECT_FALSE(state.healthy());
}

}  // namespace
}  // namespace rotary::rotation
