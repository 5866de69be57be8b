#include <rotary/auth/unknown_kids.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1000s};

UnknownKids::Entry entry(std::uint64_t generation, const std::string& kid,
                         SteadyTime until = kNow + 300s) {
    return {generation, kid, until};
}

TEST(UnknownKids, AreKnownByNameAndKeySet) {
    UnknownKids kids;
    EXPECT_FALSE(kids.contains(1, "a", kNow));
    kids.remember(entry(1, "a"), kNow, 128);
    EXPECT_TRUE(kids.contains(1, "a", kNow));
    EXPECT_FALSE(kids.contains(1, "b", kNow));
    EXPECT_FALSE(kids.contains(1, "", kNow));
    EXPECT_FALSE(kids.contains(2, "a", kNow)) << "the keys have changed";
}

TEST(UnknownKids, AreForgotten) {
    UnknownKids kids;
    kids.remember(entry(1, "a", kNow + 300s), kNow, 128);
    EXPECT_TRUE(kids.contains(1, "a", kNow + 300s - 1ns));
    EXPECT_FALSE(kids.contains(1, "a", kNow + 300s));
    kids.remember(entry(1, "b", kNow + 600s), kNow + 300s, 128);
    EXPECT_EQ(kids.size(), 1u) << "their memory is given back";
}

TEST(UnknownKids, CountOnceAndTheLaterTimeHolds) {
    UnknownKids kids;
    kids.remember(entry(1, "a", kNow + 1s), kNow, 128);
    kids.remember(entry(1, "a", kNow + 2s), kNow, 128);
    EXPECT_EQ(kids.size(), 1u);
    EXPECT_TRUE(kids.contains(1, "a", kNow + 1s));
}

TEST(UnknownKids, AreBoundedForEachKeySet) {
    UnknownKids kids;
    kids.remember(entry(9, "other issuer's", kNow + 1s), kNow, 3);
    for (int i = 0; i < 1000; ++i) {
        kids.remember(entry(1, std::to_string(i), kNow + 300s + std::chrono::seconds(i)), kNow, 3);
    }
    EXPECT_EQ(kids.size(), 4u);
    EXPECT_TRUE(kids.contains(9, "other issuer's", kNow));
    EXPECT_FALSE(kids.contains(1, "996", kNow)) << "the oldest left";
    for (const char* kid : {"997", "998", "999"}) EXPECT_TRUE(kids.contains(1, kid, kNow)) << kid;
}

TEST(UnknownKids, ALimitOfNoneRemembersNone) {
    UnknownKids kids;
    kids.remember(entry(1, "a"), kNow, 0);
    kids.remember(entry(1, "b", kNow), kNow, 3);
    EXPECT_EQ(kids.size(), 0u);
}

}  // namespace
}  // namespace rotary::auth
