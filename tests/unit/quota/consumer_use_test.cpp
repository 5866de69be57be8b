#include <rotary/quota/consumer_use.hpp>

#include <gtest/gtest.h>

#include "support/in_parallel.hpp"

#include <map>
#include <string>

namespace rotary::quota {
namespace {

std::map<std::string, Use> all(const ConsumerUse& uses) {
    std::map<std::string, Use> found;
    uses.each([&](std::string_view name, const Use& use) { found[std::string(name)] = use; });
    return found;
}

TEST(ConsumerUse, SumsByConsumer) {
    ConsumerUse uses;
    uses.set_most(10);
    uses.add("a", {1, 0, 100, 20, 7});
    uses.add("a", {1, 1, 0, 0, 0});
    uses.add("b", {1, 0, 1, 1, 1});
    const auto found = all(uses);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.at("a").requests, 2U);
    EXPECT_EQ(found.at("a").refused, 1U);
    EXPECT_EQ(found.at("a").input, 100U);
    EXPECT_EQ(found.at("a").output, 20U);
    EXPECT_EQ(found.at("a").nanos, 7U);
    EXPECT_EQ(found.at("b").input, 1U);
    EXPECT_EQ(uses.of_others().requests, 0U);
}

TEST(ConsumerUse, HasOneSumForAllWhomItHasNoRoomFor) {
    ConsumerUse uses;
    uses.set_most(2);
    for (const char* name : {"a", "b", "c", "d", "a"}) uses.add(name, {1});
    EXPECT_EQ(all(uses).size(), 2U);
    EXPECT_EQ(all(uses).at("a").requests, 2U) << "the known ones keep theirs";
    EXPECT_EQ(uses.of_others().requests, 2U);
    EXPECT_EQ(uses.size(), 2U);
    uses.set_most(3);
    uses.add("c", {1});
    EXPECT_EQ(all(uses).at("c").requests, 1U);
    uses.set_most(0);
    uses.add("a", {1});
    uses.add("e", {1});
    EXPECT_EQ(all(uses).size(), 3U) << "those that are there stay";
    EXPECT_EQ(uses.of_others().requests, 3U);
}

TEST(ConsumerUse, HasNoRoomForNamesWithoutEnd) {
    ConsumerUse uses;
    uses.set_most(10);
    uses.add(std::string(ConsumerUse::kLongestName, 'x'), {1});
    uses.add(std::string(ConsumerUse::kLongestName + 1, 'x'), {1});
    EXPECT_EQ(all(uses).size(), 1U);
    EXPECT_EQ(uses.of_others().requests, 1U);
}

TEST(ConsumerUse, LosesNothingInARace) {
    ConsumerUse uses;
    uses.set_most(100);
    constexpr std::size_t kThreads = 4;
    constexpr int kEach = 5000;
    test::in_parallel(kThreads, [&](std::size_t) {
        for (int i = 0; i < kEach; ++i) uses.add("consumer " + std::to_string(i % 150), {1});
    });
    std::uint64_t sum = uses.of_others().requests;
    const auto found = all(uses);
    for (const auto& [name, use] : found) sum += use.requests;
    EXPECT_EQ(sum, kThreads * kEach);
    EXPECT_LE(found.size(), 100U);
    EXPECT_GE(found.size(), 90U);
}

TEST(ConsumerUse, StaysBoundedUnderAMillionConsumers) {
    ConsumerUse uses;
    uses.set_most(ConsumerUse::kMost);
    for (int i = 0; i < 1'000'000; ++i) uses.add(std::to_string(i), {1});
    EXPECT_EQ(uses.size(), ConsumerUse::kMost);
    EXPECT_EQ(uses.of_others().requests, 1'000'000 - ConsumerUse::kMost);
    EXPECT_EQ(all(uses).at("0").requests, 1U);
}

}  // namespace
}  // namespace rotary::quota
