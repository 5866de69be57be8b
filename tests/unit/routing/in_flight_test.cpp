#include <rotary/routing/in_flight.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "support/in_parallel.hpp"

namespace rotary::routing {
namespace {

std::uint64_t consumer(int number) {
    return InFlight::key_of("consumer", "team-" + std::to_string(number));
}

TEST(InFlightTest, TheLimitIsExactAndPlacesComeBack) {
    const auto table = std::make_unique<InFlight>();
    std::vector<InFlight::Place> places;
    for (int i = 0; i < 3; ++i) {
        auto place = table->enter(consumer(1), 3);
        ASSERT_TRUE(place) << i;
        places.push_back(*std::move(place));
    }
    EXPECT_FALSE(table->enter(consumer(1), 3));
    EXPECT_TRUE(table->enter(consumer(2), 3)) << "another one's";
    EXPECT_TRUE(table->enter(consumer(1), 4)) << "and left again at once";
    EXPECT_EQ(table->count(consumer(1)), 3U);
    places.pop_back();
    EXPECT_EQ(table->count(consumer(1)), 2U);
    EXPECT_TRUE(table->enter(consumer(1), 3));
    places.clear();
    EXPECT_EQ(table->count(consumer(1)), 0U);
}

TEST(InFlightTest, APlaceIsLeftOnce) {
    const auto table = std::make_unique<InFlight>();
    InFlight::Place first = *table->enter(consumer(1), 9);
    InFlight::Place second = std::move(first);
    second.leave();
    second.leave();
    EXPECT_EQ(table->count(consumer(1)), 0U);
    second = *table->enter(consumer(1), 9);
    second = *table->enter(consumer(1), 9);
    EXPECT_EQ(table->count(consumer(1)), 1U);
}

TEST(InFlightTest, KindsAreToldApart) {
    EXPECT_NE(InFlight::key_of("api", "x"), InFlight::key_of("consumer", "x"));
    EXPECT_NE(InFlight::key_of("api", "x\ny"), InFlight::key_of("api\nx", "z"));
}

// A million consumers, one after another: each keeps the place it has, and a new one is let in.
TEST(InFlightTest, AMillionConsumersNeedNoMoreMemoryAndRefuseNobody) {
    const auto table = std::make_unique<InFlight>();
    const auto held = table->enter(consumer(0), 1);
    for (int i = 1; i <= 1'000'000; ++i) {
        const auto place = table->enter(consumer(i), 1);
        ASSERT_TRUE(place) << i;
    }
    EXPECT_EQ(table->count(consumer(0)), 1U);
    EXPECT_FALSE(table->enter(consumer(0), 1));
}

// Windows that are full of requests in flight: newcomers are not counted, the others go on.
TEST(InFlightTest, MoreInFlightThanHavePlacesAreLetIn) {
    const auto table = std::make_unique<InFlight>();
    std::vector<InFlight::Place> places;
    for (int i = 0; i < 200'000; ++i) {
        auto place = table->enter(consumer(i), 1);
        ASSERT_TRUE(place) << i;
        places.push_back(*std::move(place));
    }
    EXPECT_FALSE(table->enter(consumer(0), 1));
    places.clear();
    EXPECT_EQ(table->count(consumer(0)), 0U);
}

TEST(InFlightTest, ManyThreadsNeverHoldMoreThanTheLimit) {
    const auto table = std::make_unique<InFlight>();
    constexpr int kMost = 5;
    constexpr int kConsumers = 3;
    std::atomic<int> inside[kConsumers] = {};
    std::atomic<int> entered{0};
    test::in_parallel(8, [&](std::size_t thread) {
        for (int i = 0; i < 20'000; ++i) {
            const int number = (static_cast<int>(thread) + i) % kConsumers;
            auto place = table->enter(consumer(number), kMost);
            if (!place) continue;
            if (inside[number].fetch_add(1) + 1 > kMost) ADD_FAILURE() << "too many";
            entered.fetch_add(1);
            inside[number].fetch_sub(1);
        }
    });
    EXPECT_GT(entered.load(), 0);
    for (int i = 0; i < kConsumers; ++i) EXPECT_EQ(table->count(consumer(i)), 0U);
}

TEST(InFlightTest, LimitsAreFoundByKey) {
    ConcurrencyLimits limits;
    EXPECT_TRUE(limits.empty());
    for (int i = 0; i < 100; ++i) limits.set(consumer(i), static_cast<std::uint32_t>(i + 1));
    limits.set(consumer(7), 70);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(limits.find(consumer(i), 0), i == 7 ? 70U : static_cast<std::uint32_t>(i + 1));
    }
    EXPECT_EQ(limits.find(consumer(100), 0), 0U);
    EXPECT_EQ(limits.find(consumer(100), 6), 6U);
}

}  // namespace
}  // namespace rotary::routing
