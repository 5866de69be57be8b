#include "control/fetch_times.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rotary::control {
namespace {

using std::chrono::milliseconds;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using testing::ElementsAre;

constexpr SteadyTime kStart{1000s};

JwksOptions options_with(milliseconds retry_first, milliseconds retry_max) {
    JwksOptions options;
    options.retry_first = retry_first;
    options.retry_max = retry_max;
    return options;
}

std::vector<milliseconds::rep> delays(FetchTimes& times, const JwksOptions& options,
                                      std::size_t count) {
    std::vector<milliseconds::rep> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(times.failed(options).count());
    return all;
}

TEST(FetchTimes, AFailureIsFollowedSoonAndThenLessAndLess) {
    FetchTimes times;
    EXPECT_FALSE(times.failing());
    EXPECT_THAT(delays(times, options_with(1s, 30s), 7),
                ElementsAre(1000, 2000, 4000, 8000, 16000, 30000, 30000));
    EXPECT_TRUE(times.failing());
}

TEST(FetchTimes, ManyFailuresDoNotOverflow) {
    FetchTimes times;
    const JwksOptions options = options_with(1ms, 30s);
    for (int i = 0; i < 1000; ++i) times.failed(options);
    EXPECT_EQ(times.failed(options), 30s);
}

TEST(FetchTimes, TheFirstPauseIsNoLongerThanTheLongest) {
    FetchTimes times;
    EXPECT_THAT(delays(times, options_with(60s, 30s), 2), ElementsAre(30000, 30000));
}

TEST(FetchTimes, ASuccessCountsFailuresAnew) {
    FetchTimes times;
    const JwksOptions options = options_with(1s, 30s);
    delays(times, options, 5);
    times.succeeded(kStart, options);
    EXPECT_FALSE(times.failing());
    EXPECT_THAT(delays(times, options, 2), ElementsAre(1000, 2000));
}

TEST(FetchTimes, ARefreshTakesPlaceBeforeItsTime) {
    FetchTimes times;
    JwksOptions options;
    options.refresh = 300s;
    EXPECT_EQ(times.succeeded(kStart, options), 240s);
    options.refresh = 10ms;
    EXPECT_EQ(times.succeeded(kStart, options), 8ms);
    EXPECT_EQ(FetchTimes::refresh(options), 8ms);
}

TEST(FetchTimes, KeysGoStaleSoLongAfterTheLastSuccess) {
    FetchTimes times;
    JwksOptions options;
    options.stale = 24h;
    times.succeeded(kStart, options);
    times.failed(options);
    EXPECT_FALSE(times.stale(kStart + 24h - 1ms, options));
    EXPECT_TRUE(times.stale(kStart + 24h, options));
    times.succeeded(kStart + 23h, options);
    EXPECT_FALSE(times.stale(kStart + 24h, options)) << "they were fetched again";
    options.stale = 1h;
    EXPECT_TRUE(times.stale(kStart + 24h, options)) << "a reload's word holds at once";
}

TEST(FetchTimes, AnUnknownKeyIsLookedForOncePerCooldown) {
    FetchTimes times;
    JwksOptions options;
    options.cooldown = 30s;
    EXPECT_EQ(times.not_before(options), SteadyTime::min()) << "the first may be at any time";
    EXPECT_TRUE(times.unknown_key(kStart, options));
    EXPECT_EQ(times.not_before(options), kStart + 30s);
    EXPECT_FALSE(times.unknown_key(kStart + 1s, options));
    EXPECT_FALSE(times.unknown_key(kStart + 30s - 1ms, options));
    EXPECT_EQ(times.not_before(options), kStart + 30s) << "asking in vain does not put it off";
    EXPECT_TRUE(times.unknown_key(kStart + 30s, options));
    EXPECT_EQ(times.not_before(options), kStart + 60s);
}

TEST(FetchTimes, AShorterCooldownHoldsAtOnce) {
    FetchTimes times;
    JwksOptions options;
    options.cooldown = 1h;
    EXPECT_TRUE(times.unknown_key(kStart, options));
    options.cooldown = 10s;
    EXPECT_EQ(times.not_before(options), kStart + 10s);
    EXPECT_TRUE(times.unknown_key(kStart + 10s, options));
}

TEST(FetchTimes, FetchesOnScheduleAreNoneForAnUnknownKey) {
    FetchTimes times;
    const JwksOptions options;
    times.succeeded(kStart, options);
    times.failed(options);
    EXPECT_TRUE(times.unknown_key(kStart, options));
}

}  // namespace
}  // namespace rotary::control
